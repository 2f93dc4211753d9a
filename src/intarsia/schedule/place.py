"""An order of tasks and a choice for each become a schedule: every task as early as its cores and needs allow.

Tasks are placed one after the other and never before the last one on a core, so that placing the tasks of any schedule
in the order of their starts gives one that is not longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from intarsia.schedule.problem import Kind, ScheduleProblem
from intarsia.schedule.schedule import Schedule, Slot

EVERY = -1
"""Instead of a core's number: all cores of the kind."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where and when tasks run, by their numbers.

    Attributes:
        cores: the core of each, or ``EVERY``.
        starts, finishes: seconds.
    """

    cores: list[int]
    starts: list[float]
    finishes: list[float]

    @property
    def makespan(self) -> float:
        """When the last task ends."""
        return max(self.finishes, default=0.0)


def place(
    problem: ScheduleProblem, order: Sequence[int], spread: Sequence[bool], second: Sequence[bool] = ()
) -> Schedule:
    """The schedule of an order that respects needs; its bound is 0.

    Args:
        problem: tasks and cores.
        order: every task's number once.
        spread: for each task (not in that order) whether it takes all cores.
        second: for each task whether these are of the second kind of tensor cores; none if empty.
    """
    return schedule_of(problem, placed(problem, order, spread, second), spread, second)


def schedule_of(
    problem: ScheduleProblem, at: Placement, spread: Sequence[bool], second: Sequence[bool] = ()
) -> Schedule:
    """A placement as the noun."""
    slots = []
    for index, task in enumerate(problem.tasks):
        core, there = at.cores[index], bool(second) and second[index]
        chosen = tuple(range(problem.cores(task.kind_on(second=there)))) if core == EVERY else (core,)
        slots.append(Slot(task.name, chosen, at.starts[index], at.finishes[index], spread[index], there))
    return Schedule(tuple(slots), at.makespan, 0.0)


def placed(
    problem: ScheduleProblem, order: Sequence[int], spread: Sequence[bool], second: Sequence[bool] = ()
) -> Placement:
    """The same without names."""
    free = {kind: [0.0] * count for kind, count in used_cores(problem).items()}
    numbers = {task.name: index for index, task in enumerate(problem.tasks)}
    count = len(problem.tasks)
    found = Placement([EVERY] * count, [0.0] * count, [0.0] * count)
    for index in order:
        task = problem.tasks[index]
        start = max((found.finishes[numbers[need]] for need in task.needs), default=0.0)
        there = bool(second) and second[index]
        seconds = task.seconds(spread=spread[index], second=there)
        cores = free[Kind.SECOND if there else task.kind]
        if spread[index]:
            start = max(start, *cores) if seconds and cores else start
            cores[:] = [start + seconds] * len(cores) if seconds else cores
        elif cores:
            found.cores[index] = core = _core(cores, start)
            start = max(start, cores[core]) if seconds else start
            cores[core] = start + seconds if seconds else cores[core]
        found.starts[index], found.finishes[index] = start, start + seconds
    return found


def used_cores(problem: ScheduleProblem) -> dict[Kind, int]:
    """Of each kind, the cores that can be told apart.

    Where they are more than the kind has tasks, the rest only works on tasks that take all.
    """
    tasks = dict.fromkeys(Kind, 0)
    for task in problem.tasks:
        tasks[task.kind] += 1
        tasks[Kind.SECOND] += task.second is not None
    return {kind: min(problem.cores(kind), tasks[kind]) for kind in Kind}


def _core(free: Sequence[float], ready: float) -> int:
    """The core that has waited least among those that are free, else the first to be free."""
    waiting = [core for core, since in enumerate(free) if since <= ready]
    if waiting:
        return max(waiting, key=lambda core: (free[core], -core))
    return min(range(len(free)), key=lambda core: (free[core], core))
