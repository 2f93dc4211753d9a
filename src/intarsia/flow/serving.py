"""What ``serve`` answers: the deployment of a model with the most tokens per second, or what is in the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

from intarsia.flow.predictions import notes_of_sequence
from intarsia.graph import Dtype, Model, Phase, Servable, Serving
from intarsia.ground import InputError
from intarsia.machines.chips import Chip, efficiency_of
from intarsia.machines.clusters import Cluster, read_cluster
from intarsia.models import read_model
from intarsia.place.serving import ServingChoices, ServingPlan, ServingTask, best_serving, check_serving
from intarsia.place.serving.stages import split
from intarsia.solvers import Found, Infeasible

DTYPES = {"bf16": Dtype.BF16, "fp8": Dtype.FP8}
PHASES = ("both", "prefill", "decode")


@dataclass(frozen=True, slots=True)
class ServingAnswer:
    """A deployment.

    Attributes:
        model: what answers.
        task: the question.
        outcome: the plan, proved; or why there is none.
        notes: what was assumed.
    """

    model: Model
    task: ServingTask
    outcome: Found[ServingPlan] | Infeasible
    notes: tuple[str, ...]

    @property
    def plan(self) -> ServingPlan | None:
        """The best deployment."""
        return self.outcome.value if isinstance(self.outcome, Found) else None

    @property
    def because(self) -> tuple[str, ...]:
        """What is in the way; empty with a plan."""
        return self.outcome.because if isinstance(self.outcome, Infeasible) else ()

    @property
    def relaxation(self) -> str:
        """The smallest change that helps; empty with a plan."""
        return self.outcome.relaxation if isinstance(self.outcome, Infeasible) else ""

    @property
    def stages(self) -> tuple[dict[str, int], ...]:
        """How many layers of each name every stage of a replica has; none without a plan."""
        if self.plan is None:
            return ()
        deployment, task = self.plan.deployment, self.task
        layers = task.model.served(task.serving(Phase.PREFILL, 1, deployment.tensor, deployment.expert))
        found = []
        for counts in split(layers, deployment.pipeline):
            names: dict[str, int] = {}
            for layer, count in zip(layers, counts, strict=True):
                if count:
                    names[layer.name] = names.get(layer.name, 0) + count
            found.append(names)
        return tuple(found)


def serve_model(
    model: str,
    cluster: str,
    prompt: int,
    output: int,
    *,
    ttft: float = inf,
    tpot: float = inf,
    batch: int = 0,
    phase: str = "both",
    only: Mapping[str, Sequence[str]] | None = None,
    dtype: str = "bf16",
    cache: str = "bf16",
    calibration: str = "",
    chip: Chip | None = None,
) -> ServingAnswer:
    """The deployment with the most tokens of answers per second.

    Args:
        model: a name or a configuration.
        cluster: ``NAMExN`` or a file.
        prompt: tokens of a prompt.
        output: tokens of an answer.
        ttft: seconds to the first token at most.
        tpot: seconds between tokens at most.
        batch: sequences of one replica; 0 for any.
        phase: ``prefill`` or ``decode`` where the devices do nothing else, or ``both``.
        only: choices that are restricted to values.
        dtype: of weights and products.
        cache: of keys and values.
        calibration: a file of efficiencies.
        chip: in the place of the cluster's own.

    Raises:
        InputError: anything of these that is wrong.
    """
    of_model, task = serving_task(
        model, cluster, prompt, output,
        ttft=ttft, tpot=tpot, batch=batch, phase=phase, only=only, dtype=dtype, cache=cache, calibration=calibration,
        chip=chip,
    )  # fmt: skip
    outcome = best_serving(task)
    if isinstance(outcome, Found):
        wrong = check_serving(task, outcome.value)
        if wrong:
            raise AssertionError(f"the plan fails its check: {wrong}")
    return ServingAnswer(of_model, task, outcome, serving_notes(of_model, task, outcome))


def serving_task(
    model: str,
    cluster: str | Cluster,
    prompt: int,
    output: int,
    *,
    ttft: float = inf,
    tpot: float = inf,
    batch: int = 0,
    phase: str = "both",
    only: Mapping[str, Sequence[str]] | None = None,
    dtype: str = "bf16",
    cache: str = "bf16",
    calibration: str = "",
    chip: Chip | None = None,
) -> tuple[Model, ServingTask]:
    """The model and the question, as ``serve_model`` is asked it; on another chip than the cluster's if there is one.

    Raises:
        InputError: anything of these that is wrong.
    """
    of_model, of_cluster = read_model(model), read_cluster(cluster) if isinstance(cluster, str) else cluster
    of_cluster = replace(of_cluster, chip=chip or of_cluster.chip)
    for name, value in (("prompt", prompt), ("output", output)):
        if value < 1:
            raise InputError(f"{name} is not positive", value=str(value), allowed="1 or more")
    for name, limit in (("ttft", ttft), ("tpot", tpot)):
        if not limit > 0:  # not a number is not positive either
            raise InputError(f"the limit {name} is not positive", value=str(limit), allowed="seconds, more than 0")
    if batch < 0:
        raise InputError("batch is negative", value=str(batch), allowed="1 or more; 0 for any")
    output = _output(phase, output, ttft, tpot)
    restricted = dict(only or {})
    if batch:
        if "batch" in restricted:
            raise InputError("a choice is restricted twice", where="--only", value="batch", hint="--batch alone")
        restricted["batch"] = (str(batch),)
    task = ServingTask(
        _servable(of_model),
        of_cluster,
        efficiency_of(of_cluster.chip, calibration),
        prompt,
        output,
        ttft,
        tpot,
        _dtype("dtype", dtype),
        _dtype("kv-dtype", cache),
        ServingChoices().only(restricted),
        reads=phase != "decode",
    )
    _refuse(of_model, task)
    return of_model, task


def _output(phase: str, output: int, ttft: float, tpot: float) -> int:
    """Tokens of an answer as far as the phase makes them, where its limits make sense."""
    if phase not in PHASES:
        raise InputError("unknown phase", where="--phase", value=phase or "nothing", allowed=", ".join(PHASES))
    if phase == "prefill" and tpot < inf:
        raise InputError("prefill has no time between tokens", where="--tpot", value=str(tpot), hint="--ttft")
    if phase == "decode" and ttft < inf:
        raise InputError("decode has no first token", where="--ttft", value=str(ttft), hint="--tpot")
    if phase == "decode" and output == 1:
        raise InputError("decode makes the tokens behind the first", where="--output", value="1", allowed="2 or more")
    return 1 if phase == "prefill" else output


def _servable(model: Model) -> Servable:
    if not isinstance(model, Servable):
        raise InputError(
            "the model does not answer token by token", where=model.name, allowed="transformers by name or config.json"
        )
    reason = model.serving_refusal(Serving(Phase.PREFILL, 1, 1))
    if reason:
        raise InputError(f"the model does not answer: {reason}", where=model.name)
    return model


def _dtype(option: str, text: str) -> Dtype:
    if text not in DTYPES:
        raise InputError("unknown type", where=f"--{option}", value=text or "nothing", allowed=", ".join(DTYPES))
    return DTYPES[text]


def _refuse(model: Model, task: ServingTask) -> None:
    """Refuses the first restriction of which no value is possible, whatever the other choices are."""
    devices, choices = task.cluster.devices, task.choices
    blocks = sum(layer.repeat for layer in task.model.served(task.serving(Phase.PREFILL, 1, 1, 1)) if layer.block)
    reasons = {
        "tensor": [_too_many(n, devices, "devices") or _cut(task, n, 1) for n in choices.tensor],
        "expert": [_too_many(n, devices, "devices") or _cut(task, 1, n) for n in choices.expert],
        "pipeline": [_too_many(n, min(devices, blocks), "devices or blocks") for n in choices.pipeline],
        "data": [_too_many(n, devices, "devices") for n in choices.data],
    }
    for name, found in reasons.items():
        if found and all(found):
            listed = ",".join(map(str, getattr(choices, name)))
            raise InputError(f"{model.name} cannot be cut so", where=f"--only {name}={listed}", value=found[0])


def _too_many(value: int, most: int, of: str) -> str:
    return f"there are {most} {of}" if value > most else ""


def _cut(task: ServingTask, tensor: int, expert: int) -> str:
    return task.model.serving_refusal(task.serving(Phase.PREFILL, 1, tensor, expert))


def serving_notes(model: Model, task: ServingTask, outcome: Found[ServingPlan] | Infeasible) -> tuple[str, ...]:
    """What a reader must know of the answer."""
    cluster = task.cluster
    notes = [*notes_of_sequence(model, task.length)]
    if not notes and task.length > model.sequence:
        notes.append(f"{model.name} was trained on {model.sequence} tokens at most, a sequence has {task.length}")
    if task.dtype is Dtype.FP8 and cluster.chip.fp8_factor == 1:
        notes.append(f"{cluster.chip.name} has no faster 8-bit products: they are counted at the 16-bit rate")
    if isinstance(outcome, Found) and outcome.value.idle:
        notes.append(f"{outcome.value.idle} of {cluster.devices} devices are not used")
    notes.append("efficiencies of training are used, without a host; waiting for a free place is not counted")
    notes.append(f"efficiencies: {task.efficiency.source}")
    notes += [f"assumed of {cluster.chip.name}: {text}" for text in cluster.chip.assumed]
    return tuple(notes)
