"""An order of tasks and a choice for each become a schedule: every task as early as its cores and needs allow.

Tasks are placed one after the other and never before the last one on a core, so that placing the tasks of any schedule
in the order of their starts gives one that is not longer.
"""

from __future__ import annotations

from collections.abc import Sequence

from intarsia.schedule.problem import Kind, ScheduleProblem
from intarsia.schedule.schedule import Schedule, Slot


def place(problem: ScheduleProblem, order: Sequence[int], spread: Sequence[bool]) -> Schedule:
    """The schedule of an order that respects needs; its bound is 0.

    Args:
        problem: tasks and cores.
        order: every task's number once.
        spread: for each task (not in that order) whether it takes all cores.
    """
    free = {kind: [0.0] * problem.cores(kind) for kind in Kind}
    slots: dict[str, Slot] = {}
    for index in order:
        task = problem.tasks[index]
        ready = max((slots[need].finish for need in task.needs), default=0.0)
        seconds = task.seconds(spread=spread[index])
        cores = free[task.kind]
        chosen = tuple(range(len(cores))) if spread[index] or not cores else (_core(cores, ready),)
        start = max(ready, *(cores[core] for core in chosen)) if chosen and seconds else ready
        for core in chosen if seconds else ():
            cores[core] = start + seconds
        slots[task.name] = Slot(task.name, chosen, start, start + seconds, spread[index])
    makespan = max((slot.finish for slot in slots.values()), default=0.0)
    return Schedule(tuple(slots[task.name] for task in problem.tasks), makespan, 0.0)


def _core(free: Sequence[float], ready: float) -> int:
    """The core that has waited least among those that are free, else the first to be free."""
    waiting = [core for core, since in enumerate(free) if since <= ready]
    if waiting:
        return max(waiting, key=lambda core: (free[core], -core))
    return min(range(len(free)), key=lambda core: (free[core], core))
