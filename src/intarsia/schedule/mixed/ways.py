"""A problem in whole ticks of time where tasks choose between kinds of cores: each with the ways in which it may run.

Ticks are as in ``schedule.ticks``: every duration is rounded down, so that a bound in ticks is one in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, fsum, ldexp, log2

from intarsia.schedule.problem import Kind, ScheduleProblem, Task
from intarsia.schedule.ticks import closure

KINDS = (Kind.TENSOR, Kind.SECOND, Kind.VECTOR, Kind.NETWORK, Kind.FREE)
TENSOR, SECOND = 0, 1
"""Places of the two kinds that a task may choose between."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way to run a task.

    Attributes:
        kind: of the cores, an index into ``KINDS``.
        spread: over all of them.
        ticks: how long.
        energy: ticks times cores; 0 for a free task.
    """

    kind: int
    spread: bool
    ticks: int
    energy: int

    @property
    def second(self) -> bool:
        """Whether it is on the second kind of tensor cores."""
        return self.kind == SECOND


@dataclass(frozen=True, slots=True)
class Ways:
    """A problem in ticks.

    Attributes:
        tick: seconds.
        cores: of each kind; 0 for free tasks.
        ways: of each task, those that are worth trying, one or more.
        needs: tasks directly before each.
        before, after: sets of all tasks before and after each, as bits.
    """

    tick: float
    cores: tuple[int, ...]
    ways: tuple[tuple[Way, ...], ...]
    needs: tuple[tuple[int, ...], ...]
    before: tuple[int, ...]
    after: tuple[int, ...]

    def shortest(self, task: int) -> int:
        """The fewest ticks that a task takes."""
        return min(way.ticks for way in self.ways[task])

    def least_energy(self, task: int, kind: int) -> int | None:
        """The fewest core-ticks that a task takes on a kind; None where it cannot run there."""
        return min((way.energy for way in self.ways[task] if way.kind == kind), default=None)


def ways_of(problem: ScheduleProblem, bits: int) -> Ways:
    """The problem with ticks such that all tasks one after the other, each at its shortest, take ``2 ** bits``."""
    number = {task.name: index for index, task in enumerate(problem.tasks)}
    needs = tuple(tuple(sorted({number[need] for need in task.needs})) for task in problem.tasks)
    before, after = closure(needs)
    total = fsum(min(seconds for _, _, seconds in _seconds(problem, task)) for task in problem.tasks)
    tick = ldexp(1.0, ceil(log2(total)) - bits) if total > 0 else 1.0
    cores = tuple(problem.cores(kind) for kind in KINDS)
    ways = []
    for task in problem.tasks:
        own = []
        for kind, spread, seconds in _seconds(problem, task):
            if seconds > total:
                continue  # all tasks one after the other, each at its shortest, are done before
            ticks = int(seconds / tick)
            own.append(Way(kind, spread, ticks, ticks * (cores[kind] if spread else min(cores[kind], 1))))
        ways.append(tuple(own))
    return Ways(tick, cores, tuple(ways), needs, before, after)


def _seconds(problem: ScheduleProblem, task: Task) -> list[tuple[int, bool, float]]:
    """Kind, whether spread, and seconds of each way that is worth trying.

    Of the ways on one kind, spreading that is not faster is dominated; so is one core, where there is no other.
    """
    found = [(KINDS.index(task.kind), task.one, task.all)]
    if task.second is not None:
        found.append((SECOND, task.second.one, task.second.all))
    ways = []
    for kind, one, spread in found:
        faster = problem.may_spread(task) and spread < one
        if not faster or problem.cores(KINDS[kind]) > 1:
            ways.append((kind, False, one))
        if faster:
            ways.append((kind, True, spread))
    return ways
