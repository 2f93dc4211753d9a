"""What is to be scheduled: tasks with their durations, and the cores that they share. Costs come from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

from intarsia.ground import InputError
from intarsia.ground.units import seconds_text


class Kind(StrEnum):
    """What a task runs on: a tensor core, a vector core, the network (one message at a time), or nothing.

    ``second``: a core of the second kind of tensor cores, where a chip has one and a tensor task chooses it.
    """

    TENSOR = "tensor"
    VECTOR = "vector"
    NETWORK = "network"
    FREE = "free"
    SECOND = "second tensor"


@dataclass(frozen=True, slots=True)
class Durations:
    """Seconds on one core of a kind, and spread over all of them."""

    one: float
    all: float


@dataclass(frozen=True, slots=True)
class Task:
    """One operator of a layer, forward or backward, or one collective.

    Attributes:
        name: unique in its problem.
        kind: what it runs on.
        one: seconds on one core.
        all: seconds spread over all cores of its kind; not used for the network and for free tasks.
        needs: names of tasks that must have finished, all earlier in the problem.
        second: of a tensor task that may run on the second kind of tensor cores instead, what it takes there.
    """

    name: str
    kind: Kind
    one: float
    all: float
    needs: tuple[str, ...] = ()
    second: Durations | None = None

    def seconds(self, *, spread: bool, second: bool = False) -> float:
        """How long it takes on one core, or spread over all cores, of its kind or of the second kind."""
        if second:
            assert self.second is not None, "nobody knows what it takes there"
            return self.second.all if spread else self.second.one
        return self.all if spread else self.one

    @property
    def quickest(self) -> float:
        """Seconds spread over all cores of the kind where that takes the least."""
        return self.all if self.second is None else min(self.all, self.second.all)

    def kind_on(self, *, second: bool) -> Kind:
        """The kind of the cores that it takes."""
        return Kind.SECOND if second else self.kind


@dataclass(frozen=True, slots=True)
class ScheduleProblem:
    """Tasks in an order that respects their needs, and the cores of a chip.

    A core runs one task at a time, without interruption. A task runs on one core of its kind or is spread over all of
    them at once. The network is one resource: the collectives of a layer overlap with everything but each other.

    A chip may have a second kind of tensor cores. A tensor task that says what it takes there runs on cores of one of
    the two kinds, never of both at once.

    Raises:
        InputError: for a duration that is negative or not finite, a name that is taken, a need that is not an earlier
            task, a kind of task without cores, or a task of another kind that may choose.
    """

    tasks: tuple[Task, ...]
    tensor_cores: int
    vector_cores: int
    second_cores: int = 0

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for task in self.tasks:
            self._validate(task, seen)
            seen.add(task.name)

    def _validate(self, task: Task, seen: set[str]) -> None:
        where = f"task {task.name!r}"
        if task.name in seen:
            raise InputError("two tasks have the same name", where=where)
        there = task.second
        durations = [("one", task.one), ("all", task.all)]
        durations += [] if there is None else [("second.one", there.one), ("second.all", there.all)]
        for field, value in durations:
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
        if task.kind is Kind.SECOND or (there is not None and task.kind is not Kind.TENSOR):
            what, allowed = "only a tensor task may choose the second kind of tensor cores", "kind tensor"
            raise InputError(what, where=where, value=str(task.kind), allowed=allowed)
        if there is not None and self.second_cores < 1:
            what = "the chip has no second kind of tensor cores"
            raise InputError(what, where=where, value=str(self.second_cores), allowed="1 or more cores")

    @property
    def mixed(self) -> bool:
        """Whether some task may choose between two kinds of cores."""
        return any(task.second is not None for task in self.tasks)

    def cores(self, kind: Kind) -> int:
        """How many tasks of a kind may run at once; 0 for free tasks, which nothing limits."""
        match kind:
            case Kind.TENSOR:
                return self.tensor_cores
            case Kind.VECTOR:
                return self.vector_cores
            case Kind.SECOND:
                return self.second_cores
            case Kind.NETWORK:
                return 1
            case Kind.FREE:
                return 0

    def may_spread(self, task: Task) -> bool:
        """Whether a task may be spread over all cores of its kind."""
        return task.kind in {Kind.TENSOR, Kind.VECTOR}

    def __str__(self) -> str:
        second = f", {self.second_cores} second tensor" if self.second_cores else ""
        cores = f"{self.tensor_cores} tensor{second} and {self.vector_cores} vector cores"
        lines = [f"{len(self.tasks)} tasks on {cores}"]
        for task in self.tasks:
            after = f" after {', '.join(task.needs)}" if task.needs else ""
            spread = f", spread {seconds_text(task.all)}" if self.may_spread(task) else ""
            there = task.second
            other = f"; second {seconds_text(there.one)}, spread {seconds_text(there.all)}" if there else ""
            lines.append(f"  {task.name}: {task.kind} {seconds_text(task.one)}{spread}{other}{after}")
        return "\n".join(lines)
