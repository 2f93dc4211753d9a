"""The inner loops of ``states``, compiled: a state's successors with their lower bounds.

A state is a set of placed tasks (bits of machine words), for each core the tick from which it is free, and for each
task that is left the tick before which it cannot start. Successors follow Giffler and Thompson (Operations Research
8(4), 1960): of all tasks that could come next take the one that would finish first; before that moment some task of its
kind must start, and only those that can are tried. Nothing is lost:
were none of them next, that task itself could be moved before the next.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.ground.compiled import compiled, kept
from intarsia.schedule.bound_kernel import ROWS, successor
from intarsia.schedule.facts import KIND, ONE, SPREAD

NEVER = 1 << 62


@kept
def expand(
    tasks: NDArray[np.int64],
    needs: NDArray[np.int64],
    waits: NDArray[np.uint64],
    first: NDArray[np.int64],
    states: NDArray[np.uint64],
    times: NDArray[np.int32],
    lows: NDArray[np.int64],
    ends: NDArray[np.int64],
    limit: int,
    children: NDArray[np.uint64],
    child_times: NDArray[np.int32],
    child_lows: NDArray[np.int64],
    child_ends: NDArray[np.int64],
    parents: NDArray[np.int32],
    choices: NDArray[np.int16],
) -> Any:
    """Write the successors whose lower bound is below ``limit``; how many, and the least bound of those without room.

    ``times`` are, per state, the cores' and then the tasks' ticks; ``ends`` when its last task finishes; a choice is
    twice the task plus the mode.
    """
    count, missed = 0, limit
    now, after = np.empty(times.shape[1], dtype=np.int64), np.empty(times.shape[1], dtype=np.int64)
    scratch = np.zeros((ROWS, waits.shape[0] + 1), dtype=np.int64)
    left, eligible = np.empty(waits.shape[0], dtype=np.int64), np.empty(waits.shape[0], dtype=np.int64)
    for s in range(states.shape[0]):
        waiting, ready = _split(waits, states, s, left, eligible)
        for i in range(times.shape[1]):
            now[i] = times[s, i]
        for i in range(waits.shape[0]):
            scratch[0, i] = 0
        best, chosen, way = _next(tasks, first, eligible, ready, now)
        kind = tasks[KIND, chosen]
        alone = first[kind] == first[kind + 1] or tasks[ONE + way, chosen] == 0
        for e in range(ready):
            task = eligible[e]
            if tasks[KIND, task] != kind:
                continue
            for mode in range(2):
                length = tasks[ONE + mode, task]
                if length < 0 or (alone and (task != chosen or mode != way)):
                    continue
                start = _start(tasks, first, now, task, mode)
                if start >= best and not alone:
                    continue
                low = successor(
                    tasks, needs, first, left, waiting, now, lows[s], limit, task, mode, start, after, scratch
                )
                if low >= limit:
                    continue
                if count == children.shape[0]:
                    missed = min(missed, low)
                    continue
                for word in range(states.shape[1]):
                    children[count, word] = states[s, word]
                children[count, task >> 6] |= np.uint64(1) << np.uint64(task & 63)
                for i in range(times.shape[1]):
                    child_times[count, i] = after[i]
                child_lows[count] = low
                child_ends[count] = max(ends[s], start + length)
                parents[count] = s
                choices[count] = 2 * task + mode
                count += 1
    return count, missed


@compiled
def _split(
    waits: NDArray[np.uint64],
    states: NDArray[np.uint64],
    s: int,
    left: NDArray[np.int64],
    eligible: NDArray[np.int64],
) -> Any:
    """Write the tasks that are not placed, and those of them that could come next; how many of both."""
    waiting, ready = 0, 0
    for task in range(waits.shape[0]):
        if states[s, task >> 6] >> np.uint64(task & 63) & np.uint64(1):
            continue
        left[waiting] = task
        waiting += 1
        missing = np.uint64(0)
        for word in range(waits.shape[1]):
            missing |= waits[task, word] & ~states[s, word]
        if missing == np.uint64(0):
            eligible[ready] = task
            ready += 1
    return waiting, ready


@compiled
def _start(tasks: NDArray[np.int64], first: NDArray[np.int64], times: NDArray[np.int64], task: int, mode: int) -> Any:
    """The earliest start of a task in a mode: when one core is free, or all."""
    kind = tasks[KIND, task]
    start = times[first[-1] + task]
    low, high = first[kind], first[kind + 1]
    if low == high or tasks[ONE + mode, task] == 0:
        return start
    return max(start, times[high - 1] if mode else times[low])


@compiled
def _next(
    tasks: NDArray[np.int64],
    first: NDArray[np.int64],
    eligible: NDArray[np.int64],
    ready: int,
    times: NDArray[np.int64],
) -> Any:
    """The earliest finish of an eligible task, the task, and the mode."""
    best, chosen, way = NEVER, -1, 0
    for e in range(ready):
        task = eligible[e]
        for mode in range(SPREAD - ONE + 1):
            if tasks[ONE + mode, task] >= 0:
                finish = _start(tasks, first, times, task, mode) + tasks[ONE + mode, task]
                if finish < best:
                    best, chosen, way = finish, task, mode
    return best, chosen, way
