"""The chip that a study is about, searched for or given, and the best plan of each model on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from intarsia.flow.questions import read_sequence, refuse_choices
from intarsia.flow.study.file import Study
from intarsia.flow.study.progress import Progress, Watch
from intarsia.flow.study.result import FrontRecord, LookedRecord, MomentRecord, SearchRecord
from intarsia.graph import Model
from intarsia.machines.chips import Efficiency, Mapping, efficiency_of, read_chip
from intarsia.machines.clusters import Cluster, read_cluster
from intarsia.machines.template import Point, TemplateSpace
from intarsia.models import read_model
from intarsia.place.check_plan import check_plan
from intarsia.place.choices import Choices
from intarsia.place.plan import Plan
from intarsia.place.search import best_plan
from intarsia.place.space import Task
from intarsia.solvers import Found, Infeasible, OutOfTime


@dataclass(frozen=True, slots=True)
class Planned:
    """A model with its plan.

    Attributes:
        named: what the user typed.
        model: what that is.
        sequence: tokens; 0 for images.
        plan: the best.
    """

    named: str
    model: Model
    sequence: int
    plan: Plan


@dataclass(frozen=True, slots=True)
class Hunt:
    """Where a searched chip is from.

    Attributes:
        point: the chip's; None where nothing fits on any.
        space: that was searched.
        base: devices and network before the chip's own links count.
        record: the certificate.
        history, looked: how the search went.
        front: chips that no other one beats with as little.
        file: the space as a file, where the study gave it other budgets; empty otherwise.
    """

    point: Point | None
    space: TemplateSpace
    base: Cluster
    record: SearchRecord | None
    history: tuple[MomentRecord, ...]
    looked: tuple[LookedRecord, ...]
    front: tuple[FrontRecord, ...]
    file: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """The chip of a study.

    Attributes:
        cluster: devices and network, with the chip.
        efficiency: of the chip.
        planned: each model with its plan; empty where not all fit.
        because: what is over where they do not.
        hunt: where the chip is from; None for one that was given.
    """

    cluster: Cluster
    efficiency: Efficiency
    planned: tuple[Planned, ...]
    because: tuple[str, ...] = ()
    hunt: Hunt | None = None

    @property
    def point(self) -> Point | None:
        """The chip's, if it is of a template."""
        return self.hunt.point if self.hunt is not None else None

    @property
    def budgets(self) -> dict[str, float]:
        """Of area, watts and dollars of a chip, those that there are."""
        return {} if self.hunt is None else self.hunt.space.budgets

    @property
    def budget(self) -> float | None:
        """Of area; None without one."""
        return self.budgets.get("area")


def given_chip(study: Study, watch: Watch) -> Chosen:
    """The chip that the study names, or its cluster's own, with the best plan of each model.

    Raises:
        InputError: anything in the study that is wrong.
    """
    cluster = read_cluster(study.cluster)
    chip = read_chip(study.chip) if study.chip else cluster.chip
    cluster = replace(cluster, chip=replace(chip, mapping=Mapping(study.costs)))
    efficiency = efficiency_of(cluster.chip)
    tasks = list(_tasks(study, cluster))
    planned = []
    for named, task in zip(study.models, tasks, strict=True):
        watch(Progress(f"{task.model.name}: the plan"))
        outcome = best_plan(
            task.model, cluster, efficiency, task.global_batch, task.sequence, task.choices, compare=False
        )
        match outcome:
            case Found(plan):
                planned.append(checked(named, task, efficiency, plan))
            case OutOfTime(plan) if plan is not None:
                planned.append(checked(named, task, efficiency, plan))
            case OutOfTime():
                return Chosen(cluster, efficiency, (), (f"{task.model.name}: no plan was found in time",))
            case Infeasible(because):
                return Chosen(cluster, efficiency, (), tuple(f"{task.model.name}: {text}" for text in because))
    return Chosen(cluster, efficiency, tuple(planned))


def _tasks(study: Study, cluster: Cluster) -> Iterator[Task]:
    choices = Choices().only(study.choose)
    for named in study.models:
        model = read_model(named)
        task = Task(model, cluster, study.global_batch, read_sequence(model, study.sequence), choices)
        refuse_choices(model, cluster, task.global_batch, task.sequence, choices)
        yield task


def checked(named: str, task: Task, efficiency: Efficiency, plan: Plan) -> Planned:
    """A plan that is right: ``check_plan`` shares no code with what made it."""
    wrong = check_plan(task.model, task.cluster, efficiency, task.global_batch, task.sequence, plan)
    assert not wrong, f"the plan fails its check: {wrong}"
    return Planned(named, task.model, task.sequence, plan)
