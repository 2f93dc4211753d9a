"""The best split of a chain over the stages of one strategy: a dynamic program for each threshold of its slowest stage.

Seconds of a split are ``m + Σ share + tail + constant``, where m is what the slowest stage adds and tail the largest of
(what a stage needs after its last backward pass) less (what the stages before it still drain), at least 0. For a
threshold on m the best Σ share + tail is found from the last stage to the first. A smaller threshold allows fewer
splits, so its best is no smaller: thresholds are searched by halving, each half bounded by its largest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from intarsia.place.contents import Floats
from intarsia.place.stages import Stages
from intarsia.place.tables import Table, mode_of

NEVER = -1e300
"""Instead of −∞, whose sum with ∞ is no number."""
SAME = 1e-12
"""Relative difference of sums that differ only in their order."""

Runs = list[tuple[int, int, int]]
"""For each stage its mode, its start and how many units it has."""


@dataclass(frozen=True, slots=True)
class Chained:
    """What the dynamic programs found.

    Attributes:
        bound: no split takes less.
        splits: one of them takes as long as the bound, unless ``labels`` must decide.
        levels: what the slowest stage may add.
        least: Σ share + tail at least, whatever the slowest stage.
    """

    bound: float
    splits: tuple[Runs, ...]
    levels: Floats
    least: float


def chain_split(stages: Stages, choices: list[Table]) -> Chained | None:
    """The best split, or nothing if none fits.

    Args:
        stages: the runs.
        choices: of each stage.
    """
    slowest = _least_slowest(choices)
    if not np.isfinite(slowest):
        return None
    levels = _levels(choices, slowest)
    seen: dict[int, tuple[float, tuple[Runs, ...]]] = {}

    def value(at: int) -> float:
        if at not in seen:
            seen[at] = through(choices, levels[at])
        return seen[at][0]

    best, candidates = float(levels[0]) + value(0), list(seen[0][1])
    waiting = [(1, int(levels.searchsorted(best - value(len(levels) - 1))) - 1)]
    while waiting:
        first, last = waiting.pop()
        if first > last:
            continue
        if levels[first] + value(last) >= best * (1 - SAME):
            continue
        middle = (first + last) // 2
        total = float(levels[middle]) + value(middle)
        if total < best:
            best, candidates = total, [*seen[middle][1], *candidates]
        waiting += [(first, middle - 1), (middle + 1, last)]
    return Chained(best + stages.constant, tuple(candidates[:4]), levels, value(len(levels) - 1))


def _least_slowest(choices: list[Table]) -> float:
    """The least that the slowest stage can add."""
    units = len(choices[0].slow)
    beyond = np.full(units + 1, np.inf)
    beyond[units] = 0.0
    for table in reversed(choices):
        beyond[:units] = np.maximum(table.slow, _window(beyond, table)).min(axis=(1, 2))
        beyond[units] = np.inf
    return float(beyond[0])


def _window(beyond: Floats, table: Table) -> Floats:
    """What follows each run: shape [a, 1, k]."""
    longest = table.slow.shape[2]
    padded = np.concatenate([beyond[1:], np.full(longest - 1, np.inf)])
    return sliding_window_view(padded, longest)[:, None, :]


def _levels(choices: list[Table], slowest: float) -> Floats:
    """What the slowest stage may add."""
    every = np.concatenate([table.slow.ravel() for table in {id(t): t for t in choices}.values()])
    adds = np.sort(every[np.isfinite(every) & (every >= slowest * (1 - SAME))])
    last = np.append(np.diff(adds) > SAME * adds[:-1], True)
    return np.asarray(adds[last])


def through(choices: list[Table], threshold: float) -> tuple[float, tuple[Runs, ...]]:
    """The least Σ share + tail of splits of which no stage adds more than the threshold, and splits that may have it.

    Two sums are kept for what follows each unit: the least of shares alone, and the least of shares with the tail. The
    second takes the first where a stage's own weights decide the tail; both at once may come from different splits, so
    the value is a bound, and exact where one of the two splits has it.
    """
    units = len(choices[0].slow)
    alone, tailed = np.full(units + 1, np.inf), np.full(units + 1, np.inf)
    alone[units], tailed[units] = 0.0, NEVER
    steps: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    rows = np.arange(units)
    for table in reversed(choices):
        within = table.slow <= threshold
        ahead = _window(alone, table)
        first = np.where(within, table.share + ahead, np.inf).reshape(units, -1)
        second = np.where(
            within, np.maximum(table.ready + ahead, table.later + _window(tailed, table)), np.inf
        ).reshape(units, -1)
        picks = first.argmin(axis=1), second.argmin(axis=1)
        alone[:units], tailed[:units] = first[rows, picks[0]], second[rows, picks[1]]
        alone[units] = tailed[units] = np.inf
        steps.append(picks)
    steps.reverse()
    splits = tuple(_path(choices, [step[way] for step in steps]) for way in (1, 0)) if np.isfinite(alone[0]) else ()
    return max(float(alone[0]), float(tailed[0])), splits


def _path(choices: list[Table], picks: list[NDArray[np.int64]]) -> Runs:
    start = 0
    runs: Runs = []
    for table, pick in zip(choices, picks, strict=True):
        row, units = divmod(int(pick[start]), table.slow.shape[2])
        runs.append((mode_of(table, start, row, units), start, units + 1))
        start += units + 1
    return runs
