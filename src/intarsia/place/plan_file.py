"""What a plan is when it is kept: the question, the answer, and all that is needed to predict it again exactly."""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.graph import Model
from intarsia.ground import InputError
from intarsia.machines.chips.efficiency import Efficiency
from intarsia.machines.clusters import Cluster, read_cluster
from intarsia.models import read_model
from intarsia.models.transformer import Transformer
from intarsia.place.memory import Memory
from intarsia.place.predict import Prediction, predict_split
from intarsia.place.profile import demands
from intarsia.place.strategy import Split, Strategy


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """A plan that was not chosen, with its seconds of an iteration."""

    strategy: Strategy
    seconds: float


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A plan as it is kept.

    Attributes:
        model: what the user typed: a name, a path; the model's own name if it was described by sizes.
        transformer: its sizes, if it is a transformer; they count, whatever the name stands for later.
        layers: the model's chain: name and repeat of each kind of layer.
        cluster: the text that names it, with its number of devices.
        efficiency: what it was priced with.
        strategy: the degrees and switches.
        split: which layers each stage has.
        seconds: predicted, of one iteration.
        interval: seconds between which nine measurements in ten are expected.
        parts: seconds by part.
        memory: bytes of one device of each stage.
        capacity: bytes of a device.
        bound: seconds that no plan can beat, None if nothing was searched.
        runners_up: the next best plans, the best first.
    """

    model: str
    transformer: Transformer | None
    layers: tuple[tuple[str, int], ...]
    cluster: str
    efficiency: Efficiency
    strategy: Strategy
    split: Split
    seconds: float
    interval: tuple[float, float]
    parts: dict[str, float]
    memory: tuple[Memory, ...]
    capacity: int
    bound: float | None = None
    runners_up: tuple[RunnerUp, ...] = ()


def plan_file(
    model: Model,
    cluster: str,
    prediction: Prediction,
    *,
    named: str = "",
    bound: float | None = None,
    runners_up: tuple[RunnerUp, ...] = (),
) -> PlanFile:
    """A prediction as a plan to keep.

    Args:
        model: the model.
        cluster: the text that names the cluster, with its number of devices: ``a100x64``, a file.
        prediction: of the plan.
        named: what the user typed for the model; its own name without it.
        bound: seconds that no plan can beat.
        runners_up: the next best plans.
    """
    time = prediction.time
    return PlanFile(
        model=named or model.name,
        transformer=model.trained if isinstance(model, Transformer) else None,
        layers=_chain(model, prediction.strategy),
        cluster=cluster,
        efficiency=prediction.efficiency,
        strategy=prediction.strategy,
        split=prediction.split,
        seconds=prediction.seconds,
        interval=prediction.interval,
        parts={
            "compute": time.compute,
            "communication": time.communication,
            "bubble": time.bubble,
            "optimizer": time.optimizer,
        },
        memory=prediction.memory,
        capacity=prediction.capacity,
        bound=bound,
        runners_up=runners_up,
    )


def planned_model(plan: PlanFile) -> Model:
    """The model of a plan.

    Raises:
        InputError: its name stands for no model, or for one with other layers.
    """
    model: Model = plan.transformer or read_model(plan.model)
    chain = _chain(model, plan.strategy)
    if chain != plan.layers:
        raise InputError(
            "the model's layers are not those of the plan",
            where=plan.model,
            value=_chain_text(chain),
            allowed=_chain_text(plan.layers),
        )
    return model


def predict_again(plan: PlanFile) -> tuple[Model, Cluster, Prediction]:
    """What the plan said, computed anew: the same numbers as long as the package and the cluster's file are the same.

    Raises:
        InputError: the model or the cluster is not there any more.
    """
    model, cluster = planned_model(plan), read_cluster(plan.cluster)
    reason = model.refusal(plan.strategy.variant)
    if reason:
        raise InputError(f"{model.name} cannot be cut so", where=plan.model, value=reason)
    profile = demands(model, plan.strategy.variant, cluster).priced(plan.efficiency)
    return model, cluster, predict_split(model, profile, plan.strategy, plan.split)


def _chain(model: Model, strategy: Strategy) -> tuple[tuple[str, int], ...]:
    return tuple((layer.name, layer.repeat) for layer in model.layers(strategy.variant))


def _chain_text(chain: tuple[tuple[str, int], ...]) -> str:
    return ", ".join(f"{repeat} {name}" for name, repeat in chain)
