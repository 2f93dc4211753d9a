"""A problem in whole ticks of time, so that solvers count exactly and a bound stays a bound.

A tick is a power of two of a second and every duration is rounded down: a shortest schedule in ticks is not longer
than one in seconds, and the difference is less than one tick for each task. Tasks are numbered in the problem's order;
sets of tasks are the bits of an integer.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, ldexp, log2

from intarsia.schedule.problem import Kind, ScheduleProblem

KINDS = (Kind.TENSOR, Kind.VECTOR, Kind.NETWORK, Kind.FREE)
FREE = KINDS.index(Kind.FREE)


@dataclass(frozen=True, slots=True)
class Ticked:
    """A problem in ticks.

    Attributes:
        tick: seconds.
        cores: of each kind; 0 for free tasks.
        kinds: of each task, an index into ``KINDS``.
        one: ticks on one core.
        spread: ticks spread over all cores; equal to ``one`` where ``modes`` has no spreading.
        modes: what is worth trying: (False,), (True,) or both. One that another dominates is left out.
        needs: tasks directly before each.
        before: set of all tasks before each.
        after: set of all tasks after each.
    """

    tick: float
    cores: tuple[int, ...]
    kinds: tuple[int, ...]
    one: tuple[int, ...]
    spread: tuple[int, ...]
    modes: tuple[tuple[bool, ...], ...]
    needs: tuple[tuple[int, ...], ...]
    before: tuple[int, ...]
    after: tuple[int, ...]

    def ticks(self, task: int, *, spread: bool) -> int:
        """How long a task takes."""
        return self.spread[task] if spread else self.one[task]

    def shortest(self, task: int) -> int:
        """The fewest ticks that a task takes."""
        return min(self.ticks(task, spread=spread) for spread in self.modes[task])

    def energy(self, task: int, *, spread: bool) -> int:
        """Ticks times cores that a task takes; 0 for a free task."""
        cores = self.cores[self.kinds[task]]
        return self.ticks(task, spread=spread) * (cores if spread else min(cores, 1))

    def least_energy(self, task: int) -> int:
        """The fewest core-ticks that a task takes."""
        return min(self.energy(task, spread=spread) for spread in self.modes[task])

    def of_kind(self, kind: int) -> int:
        """The set of tasks of a kind."""
        return sum(1 << task for task, own in enumerate(self.kinds) if own == kind)


def members(tasks: int) -> list[int]:
    """The tasks of a set, ascending."""
    return [task for task in range(tasks.bit_length()) if tasks >> task & 1]


def in_ticks(problem: ScheduleProblem, bits: int) -> Ticked:
    """The problem with ticks such that all tasks one after the other, each at its shortest, take ``2 ** bits`` of them.

    No schedule that is worth anything takes more; what a task takes on one of many cores may. Each task has its own
    kind of cores alone: for those that may choose between two there is ``mixed``.
    """
    number = {task.name: index for index, task in enumerate(problem.tasks)}
    needs = tuple(tuple(sorted({number[need] for need in task.needs})) for task in problem.tasks)
    before, after = closure(needs)
    total = sum(min(task.one, task.all) if problem.may_spread(task) else task.one for task in problem.tasks)
    tick = ldexp(1.0, ceil(log2(total)) - bits) if total > 0 else 1.0
    kinds = tuple(KINDS.index(task.kind) for task in problem.tasks)
    modes = []
    for index in range(len(kinds)):
        rivals = sum(1 << i for i, kind in enumerate(kinds) if kind == kinds[index]) & ~(1 << index)
        alone = not rivals & ~before[index] & ~after[index]
        modes.append(_modes(problem, index, alone=alone or problem.tasks[index].one > total))
    one = tuple(int(min(task.one, total) / tick) for task in problem.tasks)
    spread = tuple(int(task.all / tick) if problem.may_spread(task) else one[i] for i, task in enumerate(problem.tasks))
    cores = tuple(problem.cores(kind) for kind in KINDS)
    return Ticked(tick, cores, kinds, one, spread, tuple(modes), needs, before, after)


def _modes(problem: ScheduleProblem, index: int, *, alone: bool) -> tuple[bool, ...]:
    """Spreading that is not faster is dominated; one core is, where nothing else could use the others meanwhile.

    It is, too, where it takes longer than all tasks one after the other.
    """
    task = problem.tasks[index]
    if not problem.may_spread(task) or task.all >= task.one:
        return (False,)
    if alone or problem.cores(task.kind) == 1:
        return (True,)
    return (False, True)


def closure(needs: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Of each task, the sets of all tasks before it and after it."""
    before: list[int] = []
    for own in needs:
        total = 0
        for need in own:
            total |= before[need] | 1 << need
        before.append(total)
    after = [0] * len(needs)
    for task, total in enumerate(before):
        for earlier in members(total):
            after[earlier] |= 1 << task
    return tuple(before), tuple(after)
