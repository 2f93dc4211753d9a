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
from numba import njit
from numpy.typing import NDArray

from intarsia.schedule.facts import Facts

NEVER = 1 << 62


@njit(cache=True)
def expand(
    facts: Facts,
    states: NDArray[np.uint64],
    times: NDArray[np.int32],
    lows: NDArray[np.int64],
    limit: int,
    children: NDArray[np.uint64],
    child_times: NDArray[np.int32],
    child_lows: NDArray[np.int64],
    parents: NDArray[np.int32],
    choices: NDArray[np.int16],
) -> Any:
    """Write the successors whose lower bound is below ``limit``; how many, and the least bound of those without room.

    ``times`` are, per state, the cores' and then the tasks' ticks; a choice is twice the task plus the mode.
    """
    count, missed = 0, limit
    tasks, cores = facts.kinds.shape[0], facts.first[-1]
    after = np.empty(cores + tasks, dtype=np.int64)
    then = np.empty(states.shape[1], dtype=np.uint64)
    for s in range(states.shape[0]):
        placed = states[s]
        best, chosen, way = _next(facts, placed, times[s])
        kind = facts.kinds[chosen]
        alone = kind == facts.free or facts.ticks[chosen, way] == 0
        for task in range(tasks):
            if facts.kinds[task] != kind or not _eligible(facts, placed, task):
                continue
            for mode in range(2):
                if facts.ticks[task, mode] < 0 or (alone and (task != chosen or mode != way)):
                    continue
                start = _start(facts, times[s], task, mode)
                if start >= best and not alone:
                    continue
                then[:] = placed
                then[task >> 6] |= np.uint64(1) << np.uint64(task & 63)
                low = _successor(facts, then, times[s], lows[s], task, mode, start, after)
                if low >= limit:
                    continue
                if count == children.shape[0]:
                    missed = min(missed, low)
                    continue
                children[count] = then
                for i in range(cores + tasks):
                    child_times[count, i] = after[i]
                child_lows[count] = low
                parents[count] = s
                choices[count] = 2 * task + mode
                count += 1
    return count, missed


@njit(cache=True)
def _has(placed: Any, task: int) -> Any:
    return (placed[task >> 6] >> np.uint64(task & 63)) & np.uint64(1) == np.uint64(1)


@njit(cache=True)
def _eligible(facts: Facts, placed: Any, task: int) -> Any:
    if _has(placed, task):
        return False
    missing = np.uint64(0)
    for word in range(placed.shape[0]):
        missing |= facts.waits[task, word] & ~placed[word]
    return missing == np.uint64(0)


@njit(cache=True)
def _start(facts: Facts, times: Any, task: int, mode: int) -> Any:
    """The earliest start of a task in a mode: when one core is free, or all."""
    kind = facts.kinds[task]
    start = np.int64(times[facts.first[-1] + task])
    low, high = facts.first[kind], facts.first[kind + 1]
    if low == high or facts.ticks[task, mode] == 0:
        return start
    return max(start, np.int64(times[high - 1] if mode else times[low]))


@njit(cache=True)
def _next(facts: Facts, placed: Any, times: Any) -> tuple[int, int, int]:
    """The earliest finish of an eligible task, the task, and the mode."""
    best, chosen, way = NEVER, -1, 0
    for task in range(facts.kinds.shape[0]):
        if not _eligible(facts, placed, task):
            continue
        for mode in range(2):
            if facts.ticks[task, mode] >= 0:
                finish = _start(facts, times, task, mode) + facts.ticks[task, mode]
                if finish < best:
                    best, chosen, way = finish, task, mode
    return best, chosen, way


@njit(cache=True)
def _successor(
    facts: Facts, placed: Any, times: Any, low: int, task: int, mode: int, start: int, out: NDArray[np.int64]
) -> int:
    """The times after a task is placed (it is in ``placed``), into ``out``, and a lower bound on the makespan."""
    tasks, cores = facts.kinds.shape[0], facts.first[-1]
    for i in range(cores):
        out[i] = times[i]
    length = facts.ticks[task, mode]
    finish = start + length
    kind = facts.kinds[task]
    if kind != facts.free and length > 0:
        _occupy(out[facts.first[kind] : facts.first[kind + 1]], start, finish, mode)
    low = max(low, finish + facts.tails[task])
    earliest = np.full(facts.first.shape[0], NEVER)
    for j in range(tasks):
        if _has(placed, j):
            out[cores + j] = 0
            continue
        own = facts.kinds[j]
        at = np.int64(times[cores + j])
        if facts.first[own] < facts.first[own + 1] and facts.shortest[j] > 0:
            at = max(at, out[facts.first[own]])
        for n in range(facts.needs_first[j], facts.needs_first[j + 1]):
            need = facts.needs[n]
            if need == task:
                at = max(at, finish)
            elif not _has(placed, need):
                at = max(at, out[cores + need] + facts.shortest[need])
        out[cores + j] = at
        earliest[own] = min(earliest[own], at)
        low = max(low, at + facts.shortest[j] + facts.tails[j])
    return _energy(facts, placed, low, earliest, out)


@njit(cache=True)
def _occupy(free: NDArray[np.int64], start: int, finish: int, mode: int) -> None:
    """Take the core that was free last before the start, or all; keep the ticks ascending.

    The tasks of a kind are placed by their starts, so that no core is of use before this one.
    """
    for i in range(free.shape[0]):
        free[i] = max(free[i], start)
    if mode:
        free[:] = finish
        return
    i = 0
    while i + 1 < free.shape[0] and free[i + 1] < finish:
        free[i] = free[i + 1]
        i += 1
    free[i] = finish


@njit(cache=True)
def _energy(facts: Facts, placed: Any, low: int, earliest: NDArray[np.int64], out: NDArray[np.int64]) -> int:
    """Cores wait for the first task of their kind; what is left of a kind must fit behind that, before its tails."""
    begin = 0
    for kind in range(facts.first.shape[0] - 1):
        a, b = facts.first[kind], facts.first[kind + 1]
        work = np.int64(0)
        for c in range(a, b):
            out[c] = max(out[c], earliest[kind]) if earliest[kind] < NEVER else 0
        for i in range(begin, facts.by_tail.shape[0]):
            j = facts.by_tail[i]
            if facts.kinds[j] != kind:
                break
            begin = i + 1
            if b > a and not _has(placed, j):
                work += facts.work[j]
                low = max(low, _level(out[a:b], work) + facts.tails[j])
    return low


@njit(cache=True)
def _level(free: NDArray[np.int64], work: int) -> int:
    """When work can be done at the earliest on cores that are free from ascending ticks; not all need take part."""
    best, total = NEVER, work
    for core in range(free.shape[0]):
        total += free[core]
        best = min(best, -(-total // (core + 1)))
    return best
