"""The preemptive relaxation of one kind's cores, compiled.

Any number of cores may work on a task at once and a task may be interrupted, but it needs its fewest core-ticks, all of
them after its release and before its tail. Counted in core-ticks that have passed on cores that are free from certain
ticks on, this is one machine with heads and tails, and Jackson's preemptive rule (of the released tasks the one with
the longest tail) is optimal for it (Carlier, European Journal of Operational Research 11(1), 1982).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.ground.compiled import compiled
from intarsia.schedule.facts import KIND, RANK, SHORTEST, TAIL

WORK_LEFT, ORDER, PASSED, READY = range(1, 5)


@compiled
def preemptive(
    tasks: NDArray[np.int64],
    first: NDArray[np.int64],
    kind: int,
    left: NDArray[np.int64],
    waiting: int,
    besides: int,
    low: int,
    limit: int,
    times: NDArray[np.int64],
    scratch: NDArray[np.int64],
) -> Any:
    """The bound, or ``low`` if that is more; the kind's cores are told to wait for the first of its tasks.

    The tasks are the first ``waiting`` of ``left`` but ``besides`` and those without duration, which wait for no core;
    the core-ticks that each needs stand in ``scratch[1]`` and are used up.
    """
    begin, end = first[kind], first[kind + 1]
    count = 0
    for i in range(waiting):
        task = left[i]
        if tasks[KIND, task] == kind and task != besides and tasks[SHORTEST, task] > 0:
            at = times[first[-1] + task]
            place = count
            while place > 0 and scratch[PASSED, place - 1] > at:
                scratch[PASSED, place] = scratch[PASSED, place - 1]
                scratch[ORDER, place] = scratch[ORDER, place - 1]
                place -= 1
            scratch[PASSED, place], scratch[ORDER, place] = at, task
            count += 1
    if not count:
        times[begin:end] = 0
        return low
    for core in range(begin, end):
        times[core] = max(times[core], scratch[PASSED, 0])
    for i in range(count):
        scratch[PASSED, i] = core_ticks(times, begin, end, scratch[PASSED, i])
    now, following, ready = scratch[PASSED, 0], 0, 0
    while following < count or ready > 0:
        if ready == 0:
            now = max(now, scratch[PASSED, following])
        while following < count and scratch[PASSED, following] <= now:
            task = scratch[ORDER, following]
            place = ready
            while place > 0 and tasks[RANK, scratch[READY, place - 1]] < tasks[RANK, task]:
                scratch[READY, place] = scratch[READY, place - 1]
                place -= 1
            scratch[READY, place] = task
            ready += 1
            following += 1
        task = scratch[READY, ready - 1]
        until = now + scratch[WORK_LEFT, task]
        if following < count:
            until = min(until, scratch[PASSED, following])
        scratch[WORK_LEFT, task] -= until - now
        now = until
        if scratch[WORK_LEFT, task] == 0:
            ready -= 1
            tail = tasks[TAIL, task]
            if now > core_ticks(times, begin, end, low - tail):
                low = tick_of(times, begin, end, now) + tail
                if low >= limit:
                    return low
    return low


@compiled
def core_ticks(times: NDArray[np.int64], begin: int, end: int, tick: int) -> Any:
    """How many pass before a tick, on the cores of a kind, whose times ascend."""
    total = 0
    for core in range(begin, end):
        if times[core] >= tick:
            break
        total += tick - times[core]
    return total


@compiled
def tick_of(times: NDArray[np.int64], begin: int, end: int, work: int) -> Any:
    """The first tick at which so many core-ticks have passed."""
    total, cores = work + times[begin], 1
    while begin + cores < end and cores * times[begin + cores] < total:
        total += times[begin + cores]
        cores += 1
    return -(-total // cores)
