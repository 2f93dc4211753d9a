"""What ``serve`` answers: the deployment of a model with the most tokens per second, or what is in the way."""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.flow.predictions import notes_of_sequence
from intarsia.flow.serving_question import ServingWanted, serving_task
from intarsia.graph import Dtype, Model, Phase
from intarsia.machines.chips import Chip
from intarsia.place.serving import ServingPlan, ServingTask, best_serving, check_serving
from intarsia.place.serving.stages import split
from intarsia.solvers import Found, Infeasible


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


def serve_model(model: str, cluster: str, wanted: ServingWanted, *, chip: Chip | None = None) -> ServingAnswer:
    """The deployment with the most tokens of answers per second.

    Args:
        model: a name or a configuration.
        cluster: ``NAMExN`` or a file.
        wanted: what is asked.
        chip: in the place of the cluster's own.

    Raises:
        InputError: anything of these that is wrong.
    """
    of_model, task = serving_task(model, cluster, wanted, chip=chip)
    outcome = best_serving(task)
    if isinstance(outcome, Found):
        wrong = check_serving(task, outcome.value)
        if wrong:
            raise AssertionError(f"the plan fails its check: {wrong}")
    return ServingAnswer(of_model, task, outcome, serving_notes(of_model, task, outcome))


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
