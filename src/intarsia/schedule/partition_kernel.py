"""Whether the last tasks of a kind fit on its two cores, compiled: where all core-ticks are needed, few sums match.

Needs, releases and the longer tails are forgotten: each task takes its time on the one core, on the other, or, spread,
on both, and both cores must be done before the limit less the shortest tail. All ways are tried, the longest tasks
first; after ``TRIED`` steps the answer is that they may fit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.ground.compiled import compiled
from intarsia.schedule.facts import KIND, ONE, SHORTEST, SPREAD, TAIL

MOST = 12
"""Tasks: with more there are so many sums that nearly always some match."""
TRIED = 4000
ALONE, BOTH, LEAST, ROOM, OTHER, CHOICE = range(1, 7)
"""Rows of scratch space: ticks on one core and spread, falling; least core-ticks from each task on; ticks that are left
on the core with more of them and on the other; what is tried."""


@compiled
def may_fit(
    tasks: NDArray[np.int64],
    first: NDArray[np.int64],
    kind: int,
    left: NDArray[np.int64],
    waiting: int,
    besides: int,
    limit: int,
    times: NDArray[np.int64],
    scratch: NDArray[np.int64],
) -> Any:
    """False if it is certain that the first ``waiting`` of ``left`` but ``besides`` cannot end before the limit."""
    count, tail = 0, limit
    for i in range(waiting):
        task = left[i]
        if tasks[KIND, task] != kind or task == besides or tasks[SHORTEST, task] == 0:
            continue
        if count == MOST:
            return True
        one, spread = tasks[ONE, task], tasks[SPREAD, task]
        if one >= 0 and spread >= 0 and times[first[-1] + task] + one + tasks[TAIL, task] >= limit:
            one = -1
        longest, place = max(one, spread), count
        while place > 0 and max(scratch[ALONE, place - 1], scratch[BOTH, place - 1]) < longest:
            scratch[ALONE, place], scratch[BOTH, place] = scratch[ALONE, place - 1], scratch[BOTH, place - 1]
            place -= 1
        scratch[ALONE, place], scratch[BOTH, place] = one, spread
        tail = min(tail, tasks[TAIL, task])
        count += 1
    scratch[LEAST, count] = 0
    for i in range(count - 1, -1, -1):
        one, both = scratch[ALONE, i], 2 * scratch[BOTH, i]
        scratch[LEAST, i] = scratch[LEAST, i + 1] + (both if one < 0 else one if both < 0 else min(one, both))
    scratch[ROOM, 0] = max(limit - 1 - tail - times[first[kind]], 0)
    scratch[OTHER, 0] = max(limit - 1 - tail - times[first[kind] + 1], 0)
    return _try(scratch, count)


@compiled
def _try(scratch: NDArray[np.int64], count: int) -> Any:
    """The search; what is tried for a task is 0: the core with more room, 1: the other, 2: both."""
    at, tried = 0, 0
    scratch[CHOICE, 0] = 0
    while at < count:
        choice = scratch[CHOICE, at]
        if choice > 2:
            if at == 0:
                return False
            at -= 1
            scratch[CHOICE, at] += 1
            continue
        tried += 1
        if tried > TRIED:
            return True
        room, other = scratch[ROOM, at], scratch[OTHER, at]
        length = scratch[BOTH, at] if choice == 2 else scratch[ALONE, at]
        if choice != 1:
            room -= length
        if choice != 0:
            other -= length
        if length < 0 or room < 0 or other < 0 or room + other < scratch[LEAST, at + 1]:
            scratch[CHOICE, at] += 1
            continue
        at += 1
        scratch[ROOM, at], scratch[OTHER, at] = max(room, other), min(room, other)
        scratch[CHOICE, at] = 0
    return True
