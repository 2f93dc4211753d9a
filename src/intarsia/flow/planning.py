"""What ``plan`` answers: the best plan of a model on a cluster with its proof, or what is in the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from intarsia.flow.predictions import PredictAnswer, notes_of
from intarsia.flow.questions import read_limit, read_sequence, refuse_choices
from intarsia.graph import Model
from intarsia.ground import InputError
from intarsia.ground.units import from_picoseconds, seconds_text
from intarsia.machines.chips import efficiency_of
from intarsia.machines.clusters import Cluster, read_cluster
from intarsia.models import read_model
from intarsia.place import Energy, energy_of
from intarsia.place.check_plan import check_plan
from intarsia.place.choices import Choices
from intarsia.place.plan import Plan
from intarsia.place.plan_file import PlanFile, RunnerUp, plan_file, predict_again
from intarsia.place.plan_json import read_plan
from intarsia.place.search import best_plan
from intarsia.place.strategy import Strategy
from intarsia.solvers import Found, Infeasible, Limits, Outcome, OutOfTime


@dataclass(frozen=True, slots=True)
class PlanAnswer:
    """A planned training run.

    Attributes:
        model: what is trained.
        cluster: where.
        outcome: the plan with its proof; why there is none; or the best that the time allowed.
        file: the plan as it is kept; None without a plan.
        notes: what was assumed.
        energy: of an iteration; None without a plan, and where nobody knows what the chip's work takes.
    """

    model: Model
    cluster: Cluster
    outcome: Outcome[Plan]
    file: PlanFile | None
    notes: tuple[str, ...]
    energy: Energy | None = None

    @property
    def plan(self) -> Plan | None:
        """The plan, proved or not."""
        match self.outcome:
            case Found(plan, _, _):
                return plan
            case OutOfTime(best, _, _):
                return best
            case Infeasible():
                return None

    @property
    def predicted(self) -> PredictAnswer | None:
        """What ``predict`` says of the plan."""
        plan = self.plan
        if plan is None:
            return None
        its = self.model
        return PredictAnswer(its.name, its.parameters, self.cluster, plan.prediction, self.notes, self.energy)

    @property
    def bound(self) -> float:
        """Seconds that no plan can beat; infinite where nothing fits."""
        match self.outcome:
            case Found(plan, _, _):
                return plan.bound
            case OutOfTime(best, bound, _):
                return best.bound if best else from_picoseconds(bound[0])
            case Infeasible():
                return float("inf")

    @property
    def proved(self) -> bool:
        """Whether no plan is faster."""
        return isinstance(self.outcome, Found)

    @property
    def because(self) -> tuple[str, ...]:
        """What is over where nothing fits; empty otherwise."""
        return self.outcome.because if isinstance(self.outcome, Infeasible) else ()

    @property
    def relaxation(self) -> str:
        """The smallest change that helps where nothing fits; empty otherwise."""
        return self.outcome.relaxation if isinstance(self.outcome, Infeasible) else ""


def plan_training(
    model: str,
    cluster: str,
    global_batch: int,
    *,
    sequence: int = 0,
    only: Mapping[str, Sequence[str]] | None = None,
    calibration: str = "",
    limit: float = 600.0,
    compare: bool = True,
    told: Callable[[str], None] = lambda _: None,
) -> PlanAnswer:
    """The plan of least seconds for an iteration.

    Args:
        model: a name, a configuration or an ONNX file.
        cluster: ``NAMExN`` or a file.
        global_batch: sequences of an iteration.
        sequence: tokens; the model's own if 0.
        only: choices that are restricted to values.
        calibration: a file of efficiencies.
        limit: seconds of search.
        compare: also find runners-up and what each choice costs.
        told: is told what the search does.

    Raises:
        InputError: anything of these that is wrong.
    """
    of_model, of_cluster = read_model(model), read_cluster(cluster)
    if global_batch < 1:
        raise InputError("the global batch is not positive", value=str(global_batch), allowed="1 or more")
    sequence = read_sequence(of_model, sequence)
    limit = read_limit(limit)
    efficiency = efficiency_of(of_cluster.chip, calibration)
    choices = Choices().only(only or {})
    refuse_choices(of_model, of_cluster, global_batch, sequence, choices)
    outcome = best_plan(
        of_model,
        of_cluster,
        efficiency,
        global_batch,
        sequence,
        choices,
        Limits(seconds=limit),
        told=told,
        compare=compare,
    )
    answer = PlanAnswer(of_model, of_cluster, outcome, None, ())
    plan = answer.plan
    if plan is None:
        return answer
    wrong = check_plan(of_model, of_cluster, efficiency, global_batch, sequence, plan)
    if wrong:
        raise AssertionError(f"the plan fails its check: {wrong}")
    runners = tuple(RunnerUp(candidate.strategy, candidate.seconds) for candidate in plan.runners_up)
    lasting = str(Path(cluster).resolve()) if cluster.endswith(".json") else cluster
    kept = plan_file(of_model, lasting, plan.prediction, named=model, bound=float(plan.bound), runners_up=runners)
    notes = notes_of(of_model, of_cluster, plan.prediction)
    return PlanAnswer(of_model, of_cluster, outcome, kept, notes, energy_of(of_model, of_cluster, plan.prediction))


def predict_plan(path: Path) -> PredictAnswer:
    """What a kept plan said, computed anew.

    Raises:
        InputError: the file is wrong, or what it names is not there any more.
    """
    plan = read_plan(path)
    try:
        _refuse_cluster(plan.strategy, read_cluster(plan.cluster))
        model, cluster, prediction = predict_again(plan)
    except InputError as error:
        raise error.at(f"{path}: {error.where}" if error.where else str(path)) from error
    notes = notes_of(model, cluster, prediction)
    if prediction.seconds != plan.seconds:
        notes += (f"the plan said {seconds_text(plan.seconds)}: it was changed, or made by another version",)
    energy = energy_of(model, cluster, prediction)
    return PredictAnswer(model.name, model.parameters, cluster, prediction, notes, energy)


def _refuse_cluster(strategy: Strategy, cluster: Cluster) -> None:
    if strategy.devices > cluster.devices:
        raise InputError("the plan needs more devices", value=f"{strategy.devices} of {cluster.devices}")
    if strategy.data * strategy.context % strategy.expert:
        value = f"{strategy.expert} of {strategy.data * strategy.context}"
        raise InputError("the expert degree does not divide data × context", value=value)
