"""One sweep through the sets of placed tasks, level by level: exact where no state is left out, else a beam.

Of two states with the same tasks placed, one whose cores are free and whose tasks can start no later than in the other
makes the other superfluous. A state whose lower bound reaches the limit is superfluous too. Where more are left than
fit, those with the least bounds are kept; the bound of the answer is then the least of those left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from intarsia.schedule.dominance_kernel import undominated
from intarsia.schedule.facts import Facts
from intarsia.schedule.states_kernel import expand

ROOM = 6
"""Successors of a level that are looked at, for each state that is kept."""

Trail = list[tuple[NDArray[np.int32], NDArray[np.int16]]]
"""For each level and state, the state before it and the choice that led to it."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep found.

    Attributes:
        order: the tasks of a schedule below the limit in the order of their starts; empty if none was found.
        spread: for each task whether that schedule spreads it.
        low: no schedule is shorter, ticks; the limit, if none is below it.
        states: how many were looked at.
    """

    order: tuple[int, ...]
    spread: tuple[bool, ...]
    low: int
    states: int


def sweep(facts: Facts, low: int, limit: int, width: int, end: float) -> Sweep:
    """Search for schedules below a limit.

    Args:
        facts: the problem.
        low: a lower bound that is known, ticks.
        limit: schedules of so many ticks or more do not count.
        width: states of a level that are kept.
        end: when to give up, in seconds of ``perf_counter``.
    """
    tasks, words = facts.waits.shape
    columns = int(facts.first[-1]) + tasks
    states, times = np.zeros((1, words), dtype=np.uint64), np.zeros((1, columns), dtype=np.int32)
    lows, ends = np.full(1, low, dtype=np.int64), np.zeros(1, dtype=np.int64)
    trail: Trail = []
    seen, left_out, room = 0, limit, ROOM * width
    children, child_times = np.empty((room, words), dtype=np.uint64), np.empty((room, columns), dtype=np.int32)
    child_lows, child_ends = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
    parents, choices = np.empty(room, dtype=np.int32), np.empty(room, dtype=np.int16)
    for _ in range(tasks):
        if perf_counter() >= end:
            return Sweep((), (), min(left_out, int(lows.min())), seen)
        count, missed = expand(
            *facts, states, times, lows, ends, limit, children, child_times, child_lows, child_ends, parents, choices
        )
        seen += count
        left_out = min(left_out, missed)
        if not count:
            return Sweep((), (), left_out, seen)
        keep, dropped = _keep(children[:count], child_times[:count], child_lows[:count], child_ends[:count], width)
        left_out = min(left_out, dropped)
        states, times, lows, ends = children[keep], child_times[keep], child_lows[keep], child_ends[keep]
        trail.append((parents[keep], choices[keep]))
    at = int(lows.argmin())
    order, spread = _back(trail, at)
    return Sweep(order, spread, min(left_out, int(lows[at])), seen)


def _keep(
    states: NDArray[np.uint64], times: NDArray[np.int32], lows: NDArray[np.int64], ends: NDArray[np.int64], width: int
) -> tuple[NDArray[np.int64], int]:
    """Which states go on, the most promising first, and the least bound of those that do not for want of room."""
    sums = times.sum(axis=1, dtype=np.int64)
    order = np.lexsort((lows, sums, *states.T))
    order = order[undominated(states[order], times[order], lows[order], ends[order])]
    order = order[np.lexsort((sums[order], lows[order]))]
    dropped = int(lows[order[width]]) if len(order) > width else int(np.iinfo(np.int64).max)
    return order[:width], dropped


def _back(trail: Trail, at: int) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """The order of the tasks that led to a state of the last level, and each task's mode."""
    order: list[int] = []
    spread = [False] * len(trail)
    for parents, choices in reversed(trail):
        task, mode = divmod(int(choices[at]), 2)
        order.append(task)
        spread[task] = bool(mode)
        at = int(parents[at])
    return tuple(reversed(order)), tuple(spread)
