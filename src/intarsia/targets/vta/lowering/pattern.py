"""The GEMM instructions of one step: which calls of a tile run as hardware loops and which as micro-operations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Offsets = tuple[tuple[int, int, int], ...]

LARGEST_COUNT = (1 << 14) - 1


@dataclass(frozen=True, slots=True)
class Run:
    """``extent`` calls; (dst, src, wgt) move by these from one to the next."""

    extent: int
    moves: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Sweep:
    """One GEMM or ALU instruction relative to the addresses of its tiles: two hardware loops around ``offsets``."""

    outer: Run
    inner: Run
    offsets: Offsets

    @property
    def calls(self) -> int:
        """Calls of the core."""
        return self.outer.extent * self.inner.extent * len(self.offsets)


ONCE = Run(1, (0, 0, 0))


def sweeps(
    box: tuple[tuple[int, int], ...],
    points: Ints,
    parallel: Mapping[int, tuple[int, int, int]],
    reduction: Mapping[int, tuple[int, int, int]],
    origin: tuple[int, int, int],
    most_uops: int,
    limits: tuple[int, int, int],
) -> list[Sweep]:
    """Instructions for all reduction ``points`` on a box of outputs.

    Args:
        box: (first, count) of each parallel loop, relative to the tile.
        points: index of each reduction loop relative to the tile, [points, reduction loops].
        parallel: parallel loop number to its (dst, src, wgt) move.
        reduction: reduction loop number to its (dst, src, wgt) move.
        origin: (dst, src, wgt) at index 0 of all loops.
        most_uops: micro-operations that one instruction may have.
        limits: what the factors of dst, src and wgt must stay below.
    """
    start = list(origin)
    runs: list[Run] = []
    for loop, (first, count) in enumerate(box):
        moves = parallel[loop]
        start = [s + first * m for s, m in zip(start, moves, strict=True)]
        if count > 1:
            runs.append(Run(count, moves))
    rest: list[tuple[int, int, int]] = [(0, 0, 0)]
    arithmetic = _arithmetic(points)
    if arithmetic is None:
        moved = np.array([reduction[i] for i in range(points.shape[1])], dtype=np.int64).reshape(-1, 3)
        rest = [(d, s, w) for d, s, w in (points @ moved).tolist()]
    else:
        for loop, (first, step, count) in enumerate(arithmetic):
            moves = reduction[loop]
            start = [s + first * m for s, m in zip(start, moves, strict=True)]
            if count > 1:
                runs.append(Run(count, (step * moves[0], step * moves[1], step * moves[2])))
    outer, inner, enumerated = _hardware(_merged(runs), limits)
    lists = [[tuple(i * m for m in run.moves) for i in range(run.extent)] for run in enumerated]
    offsets = [
        (start[0] + sum(p[0] for p in parts), start[1] + sum(p[1] for p in parts), start[2] + sum(p[2] for p in parts))
        for parts in product(*lists, rest)
    ]
    return [Sweep(outer, inner, tuple(offsets[i : i + most_uops])) for i in range(0, len(offsets), most_uops)]


def _arithmetic(points: Ints) -> list[tuple[int, int, int]] | None:
    """(first, step, count) of each column if the points are the product of arithmetic progressions, else None."""
    found = []
    for column in points.T:
        values = np.unique(column)
        steps = np.diff(values)
        if len(steps) and (steps != steps[0]).any():
            return None
        found.append((int(values[0]), int(steps[0]) if len(steps) else 1, len(values)))
    return found if prod(count for _, _, count in found) == len(points) else None


def _merged(runs: list[Run]) -> list[Run]:
    """Join two runs into one where the second continues the first."""
    runs = list(runs)
    for a, b in ((a, b) for a in runs for b in runs if a is not b):
        continues = all(x == b.extent * y for x, y in zip(a.moves, b.moves, strict=True))
        if continues and a.extent * b.extent <= LARGEST_COUNT:
            rest = [r for r in runs if r is not a and r is not b]
            return _merged([*rest, Run(a.extent * b.extent, b.moves)])
    return runs


def _hardware(runs: list[Run], limits: tuple[int, int, int]) -> tuple[Run, Run, list[Run]]:
    """The two longest runs that the instruction's fields can hold, and the others."""

    def fits(run: Run) -> bool:
        return run.extent <= LARGEST_COUNT and all(0 <= m < top for m, top in zip(run.moves, limits, strict=True))

    ranked = sorted((r for r in runs if fits(r)), key=lambda r: -r.extent)[:2]
    others = [r for r in runs if all(r is not h for h in ranked)]
    ranked += [ONCE] * (2 - len(ranked))
    return ranked[1], ranked[0], others
