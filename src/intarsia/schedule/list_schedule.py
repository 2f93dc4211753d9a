"""A quick schedule: whenever cores are free, the task with the longest path to the end goes first.

Three answers to the question whether to spread are tried, and the shortest schedule is taken: never where it costs
core-seconds, always where it is faster, and, task by task, whatever finishes it first.
"""

from __future__ import annotations

from collections.abc import Callable

from intarsia.schedule.bound import tails_of
from intarsia.schedule.place import Placement, placed, schedule_of
from intarsia.schedule.problem import ScheduleProblem
from intarsia.schedule.schedule import Schedule
from intarsia.schedule.ticks import Ticked, in_ticks

BITS = 40

Choice = Callable[[Ticked, int, int, list[int]], bool]
"""Whether a task that is ready at a tick is spread, given the ticks from which the cores of its kind are free."""


def list_one_kind(problem: ScheduleProblem) -> Schedule:
    """A schedule without a search; its bound is 0. Deterministic."""
    placement, spread = best_placement(problem)
    return schedule_of(problem, placement, spread)


def best_placement(problem: ScheduleProblem) -> tuple[Placement, list[bool]]:
    """The same without names, and which tasks are spread."""
    ticked = in_ticks(problem, BITS)
    tails = tails_of(ticked)
    made = []
    for choice in (_thrifty, _fast, _soonest):
        order, spread = _serve(ticked, tails, choice)
        made.append((placed(problem, order, spread), spread))
    return min(made, key=lambda one: one[0].makespan)


def _serve(ticked: Ticked, tails: list[int], choice: Choice) -> tuple[list[int], list[bool]]:
    """The order in which tasks start, and which are spread."""
    free = [[0] * min(cores, ticked.kinds.count(kind)) for kind, cores in enumerate(ticked.cores)]
    finish: dict[int, int] = {}
    spread = [False] * len(tails)
    order: list[int] = []
    left = set(range(len(tails)))
    while left:
        found = []
        for task in left:
            if all(need in finish for need in ticked.needs[task]):
                ready = max((finish[need] for need in ticked.needs[task]), default=0)
                cores = free[ticked.kinds[task]]
                wide = len(ticked.modes[task]) > 1 and choice(ticked, task, ready, cores)
                wide = wide or ticked.modes[task] == (True,)
                start = _start(ready, cores, wide=wide)
                found.append((start, -ticked.ticks(task, spread=wide) - tails[task], task, wide))
        start, _, task, wide = min(found)
        left.remove(task)
        order.append(task)
        spread[task] = wide
        finish[task] = start + ticked.ticks(task, spread=wide)
        cores = free[ticked.kinds[task]]
        if wide:
            cores[:] = [finish[task]] * len(cores)
        elif cores:
            cores[cores.index(min(cores))] = finish[task]
    return order, spread


def _start(ready: int, cores: list[int], *, wide: bool) -> int:
    if not cores:
        return ready
    return max(ready, max(cores) if wide else min(cores))


def _thrifty(ticked: Ticked, task: int, _ready: int, _cores: list[int]) -> bool:
    return ticked.energy(task, spread=True) <= ticked.energy(task, spread=False)


def _fast(_ticked: Ticked, _task: int, _ready: int, _cores: list[int]) -> bool:
    return True


def _soonest(ticked: Ticked, task: int, ready: int, cores: list[int]) -> bool:
    wide, narrow = _start(ready, cores, wide=True), _start(ready, cores, wide=False)
    return wide + ticked.spread[task] < narrow + ticked.one[task]
