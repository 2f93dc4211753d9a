"""A search through sets of placed tasks, level by level: exact where no state is left out, else a beam with a bound.

Of two states with the same tasks placed, one whose cores are free and whose tasks can start no later than in the other
makes the other superfluous. A state whose lower bound reaches the best makespan known is superfluous too. Where more
are left than fit, those with the least bounds are kept; the bound of the answer is then the least of those left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from intarsia.schedule.bound import bound_ticks
from intarsia.schedule.dominance_kernel import undominated
from intarsia.schedule.facts import Facts, facts_of
from intarsia.schedule.place import place
from intarsia.schedule.problem import Kind, ScheduleProblem, Task
from intarsia.schedule.schedule import Schedule
from intarsia.schedule.states_kernel import expand
from intarsia.schedule.ticks import in_ticks

BITS = 29
"""Of the ticks: all times fit into 32 bits, and the rounding is below 1e-6 of the makespan."""
WIDTHS = (50, 1000, 10_000, 60_000)
"""States of a level, in one pass after the other."""
ROOM = 6
"""Successors of a level that are looked at, for each state that is kept."""


@dataclass(frozen=True, slots=True)
class Search:
    """What a search found: the best schedule (its bound not set), a lower bound in seconds, states looked at."""

    best: Schedule
    bound: float
    states: int


@dataclass(frozen=True, slots=True)
class _Pass:
    order: tuple[int, ...]
    spread: tuple[bool, ...]
    low: int
    states: int


def search_states(problem: ScheduleProblem, best: Schedule, seconds: float) -> Search:
    """Improve a schedule until it is proved, the widest pass is done or time is up.

    Args:
        problem: tasks and cores.
        best: where to start from.
        seconds: of wall time.
    """
    end = perf_counter() + seconds
    ticked = in_ticks(problem, BITS)
    facts = facts_of(ticked)
    low, states = bound_ticks(ticked), 0
    for width in WIDTHS:
        limit = int(best.makespan / ticked.tick)
        if low >= limit or perf_counter() >= end:
            break
        done = _search(facts, low, limit, width, end)
        states += done.states
        if done.order:
            best = min(best, place(problem, done.order, done.spread), key=lambda schedule: schedule.makespan)
        low = max(low, done.low)
    return Search(best, min(low * ticked.tick, best.makespan), states)


def compile_search() -> None:
    """Compile the inner loops, or load what an earlier process compiled, so that no search pays for it."""
    problem = ScheduleProblem((Task("a", Kind.TENSOR, 1.0, 1.0),), 1, 1)
    _search(facts_of(in_ticks(problem, BITS)), 0, 1 << BITS + 1, 1, perf_counter() + 60)


def _search(facts: Facts, low: int, limit: int, width: int, end: float) -> _Pass:
    """One pass; the order is empty if nothing below the limit was found."""
    tasks, cores = len(facts.kinds), int(facts.first[-1])
    words = facts.waits.shape[1]
    states = np.zeros((1, words), dtype=np.uint64)
    times = np.zeros((1, cores + tasks), dtype=np.int32)
    lows = np.full(1, low, dtype=np.int64)
    trail: list[tuple[NDArray[np.int32], NDArray[np.int16]]] = []
    seen, left_out = 0, limit
    room = ROOM * width
    children = np.empty((room, words), dtype=np.uint64)
    child_times = np.empty((room, cores + tasks), dtype=np.int32)
    child_lows = np.empty(room, dtype=np.int64)
    parents, choices = np.empty(room, dtype=np.int32), np.empty(room, dtype=np.int16)
    for _ in range(tasks):
        if perf_counter() >= end:
            return _Pass((), (), min(left_out, int(lows.min())), seen)
        count, missed = expand(facts, states, times, lows, limit, children, child_times, child_lows, parents, choices)
        seen += count
        left_out = min(left_out, missed)
        if not count:
            return _Pass((), (), left_out, seen)
        keep, dropped = _keep(children[:count], child_times[:count], child_lows[:count], width)
        left_out = min(left_out, dropped)
        states, times, lows = children[keep], child_times[keep], child_lows[keep]
        trail.append((parents[keep], choices[keep]))
    at = int(lows.argmin())
    order, spread = _back(trail, at)
    return _Pass(order, spread, min(left_out, int(lows[at])), seen)


def _keep(
    states: NDArray[np.uint64], times: NDArray[np.int32], lows: NDArray[np.int64], width: int
) -> tuple[NDArray[np.int64], int]:
    """Which states go on, the most promising first, and the least bound of those that do not for want of room."""
    sums = times.sum(axis=1, dtype=np.int64)
    order = np.lexsort((lows, sums, *states.T))
    order = order[undominated(states[order], times[order], lows[order])]
    order = order[np.lexsort((sums[order], lows[order]))]
    dropped = int(lows[order[width]]) if len(order) > width else int(np.iinfo(np.int64).max)
    return order[:width], dropped


def _back(
    trail: list[tuple[NDArray[np.int32], NDArray[np.int16]]], at: int
) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """The order of the tasks that led to a state of the last level, and each task's mode."""
    order: list[int] = []
    spread = [False] * len(trail)
    for parents, choices in reversed(trail):
        task, mode = divmod(int(choices[at]), 2)
        order.append(task)
        spread[task] = bool(mode)
        at = int(parents[at])
    return tuple(reversed(order)), tuple(spread)
