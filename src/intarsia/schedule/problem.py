"""What is to be scheduled: tasks with their durations, and the cores that they share. Costs come from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

from intarsia.ground import InputError
from intarsia.ground.units import seconds_text


class Kind(StrEnum):
    """What a task runs on: a tensor core, a vector core, the network (one message at a time), or nothing."""

    TENSOR = "tensor"
    VECTOR = "vector"
    NETWORK = "network"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class Task:
    """One operator of a layer, forward or backward, or one collective.

    Attributes:
        name: unique in its problem.
        kind: what it runs on.
        one: seconds on one core.
        all: seconds spread over all cores of its kind; not used for the network and for free tasks.
        needs: names of tasks that must have finished, all earlier in the problem.
    """

    name: str
    kind: Kind
    one: float
    all: float
    needs: tuple[str, ...] = ()

    def seconds(self, *, spread: bool) -> float:
        """How long it takes on one core, or spread over all cores."""
        return self.all if spread else self.one


@dataclass(frozen=True, slots=True)
class ScheduleProblem:
    """Tasks in an order that respects their needs, and the cores of a chip.

    A core runs one task at a time, without interruption. A task runs on one core of its kind or is spread over all of
    them at once. The network is one resource: the collectives of a layer overlap with everything but each other.

    Raises:
        InputError: for a duration that is negative or not finite, a name that is taken, a need that is not an earlier
            task, or a kind of task without cores.
    """

    tasks: tuple[Task, ...]
    tensor_cores: int
    vector_cores: int

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for task in self.tasks:
            self._validate(task, seen)
            seen.add(task.name)

    def _validate(self, task: Task, seen: set[str]) -> None:
        where = f"task {task.name!r}"
        if task.name in seen:
            raise InputError("two tasks have the same name", where=where)
        for field, value in (("one", task.one), ("all", task.all)):
            if not isfinite(value) or value < 0:
                allowed = "0 or more seconds"
                raise InputError(f"the duration {field!r} is no time", where=where, value=str(value), allowed=allowed)
        for need in task.needs:
            if need not in seen:
                allowed = "names of earlier tasks"
                raise InputError("a need is not an earlier task", where=where, value=repr(need), allowed=allowed)
        if self.cores(task.kind) < 1 and task.kind is not Kind.FREE:
            what = f"a chip without {task.kind} cores cannot run it"
            raise InputError(what, where=where, value=str(self.cores(task.kind)), allowed="1 or more cores")

    def cores(self, kind: Kind) -> int:
        """How many tasks of a kind may run at once; 0 for free tasks, which nothing limits."""
        match kind:
            case Kind.TENSOR:
                return self.tensor_cores
            case Kind.VECTOR:
                return self.vector_cores
            case Kind.NETWORK:
                return 1
            case Kind.FREE:
                return 0

    def may_spread(self, task: Task) -> bool:
        """Whether a task may be spread over all cores of its kind."""
        return task.kind in {Kind.TENSOR, Kind.VECTOR}

    def __str__(self) -> str:
        head = f"{len(self.tasks)} tasks on {self.tensor_cores} tensor and {self.vector_cores} vector cores"
        lines = [head]
        for task in self.tasks:
            after = f" after {', '.join(task.needs)}" if task.needs else ""
            spread = f", spread {seconds_text(task.all)}" if self.may_spread(task) else ""
            lines.append(f"  {task.name}: {task.kind} {seconds_text(task.one)}{spread}{after}")
        return "\n".join(lines)
