"""One reduction tile of an output tile: the boxes of vectors that it reads, and its GEMMs relative to their slots."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from intarsia.targets.vta.lowering.dma import strides
from intarsia.targets.vta.lowering.pattern import Sweep, sweeps
from intarsia.targets.vta.lowering.plan import Plan
from intarsia.targets.vta.lowering.tiling import box_positions

Box: TypeAlias = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """What a step reads, input box and weight box, and its instructions with addresses relative to the slots."""

    pattern: tuple[Sweep, ...]
    boxes: tuple[Box, Box]


class StepPlanner:
    """Plans the steps of one program; equal steps share their pattern (it lives inside one generation)."""

    def __init__(self, plan: Plan) -> None:
        self.whole = plan
        self.space, self.config, self.sizes = plan.space, plan.config, plan.sizes
        self.regions = plan.regions
        self.patterns: dict[object, tuple[Sweep, ...]] = {}
        self.tiles = self._reduction_tiles()

    def _reduction_tiles(self) -> list[tuple[dict[str, int], dict[str, int], NDArray[np.int64]]]:
        """(first index, count) by reduction loop and the live points of every reduction tile."""
        loops = self.space.reduction
        points = self.space.ranges.points
        ranges = [range(0, loop.extent, self.sizes[loop.name]) for loop in loops]
        found = []
        for first in product(*ranges):
            low = {loop.name: f for loop, f in zip(loops, first, strict=True)}
            size = {loop.name: min(self.sizes[loop.name], loop.extent - low[loop.name]) for loop in loops}
            inside = np.ones(len(points), dtype=np.bool_)
            for i, loop in enumerate(loops):
                inside &= (points[:, i] >= low[loop.name]) & (points[:, i] < low[loop.name] + size[loop.name])
            found.append((low, size, np.flatnonzero(inside)))
        return found

    def plan(self, number: int, low: dict[str, int], size: dict[str, int]) -> Step | None:
        """The step of a reduction tile on a tile of outputs, None if it reads only padding."""
        rlow, rsize, chosen = self.tiles[number]
        if not len(chosen):
            return None
        names = [loop.name for loop in self.space.parallel]
        a = np.array([low[n] for n in names], dtype=np.int64)
        b = a + np.array([size[n] for n in names], dtype=np.int64)
        first = np.maximum(self.space.ranges.low[chosen], a)
        after = np.minimum(self.space.ranges.high[chosen], b)
        alive = (after > first).all(axis=1)
        if not alive.any():
            return None
        all_low, all_size = {**low, **rlow}, {**size, **rsize}
        boxes = tuple(box_positions(f, all_low, all_size) for f in self.space.factors)
        inp, wgt = boxes
        moves = [strides(r, box) for r, box in zip(self.regions, boxes, strict=True)]
        origin = [
            sum(
                m * (start + sum(c * all_low[n] for n, c in dim) - box[d][0])
                for d, (m, start, dim) in enumerate(zip(move, f.starts, f.moves, strict=True))
            )
            for move, f, box in zip(moves, self.space.factors, boxes, strict=True)
        ]
        key = (
            number,
            tuple(size.values()),
            (first - a).tobytes(),
            (after - a).tobytes(),
            tuple(moves),
            tuple(origin),
        )
        if key not in self.patterns:
            points = self.space.ranges.points[chosen][alive] - np.array(
                [rlow[loop.name] for loop in self.space.reduction], dtype=np.int64
            )
            self.patterns[key] = self._pattern(points, (first - a)[alive], (after - first)[alive], size, moves, origin)
        return Step(self.patterns[key], (inp, wgt))

    def _pattern(
        self,
        points: NDArray[np.int64],
        first: NDArray[np.int64],
        count: NDArray[np.int64],
        size: dict[str, int],
        moves: list[tuple[int, ...]],
        origin: list[int],
    ) -> tuple[Sweep, ...]:
        acc = self._acc_moves(size)
        inp, wgt = (self._loop_moves(i, moves[i]) for i in range(2))
        parallel = {
            i: (acc[loop.name], inp.get(loop.name, 0), wgt.get(loop.name, 0))
            for i, loop in enumerate(self.space.parallel)
        }
        reduction = {
            i: (0, inp.get(loop.name, 0), wgt.get(loop.name, 0)) for i, loop in enumerate(self.space.reduction)
        }
        limits = (self.config.acc_depth, self.config.inp_depth, self.config.wgt_depth)
        found: list[Sweep] = []
        both = np.concatenate([first, count], axis=1)
        kinds, member = np.unique(both, axis=0, return_inverse=True)
        for kind, row in enumerate(kinds.tolist()):
            box = tuple(zip(row[: len(parallel)], row[len(parallel) :], strict=True))
            group = points[member.reshape(-1) == kind]
            found += sweeps(
                box, group, parallel, reduction, (0, origin[0], origin[1]), max(1, self.config.uop_depth // 4), limits
            )
        return tuple(found)

    def _acc_moves(self, size: dict[str, int]) -> dict[str, int]:
        moves, stride = {}, 1
        for name in reversed(self.whole.acc_order):
            moves[name] = stride
            stride *= size[name]
        return moves

    def _loop_moves(self, factor: int, move: tuple[int, ...]) -> dict[str, int]:
        found: dict[str, int] = {}
        for m, dim in zip(move, self.space.factors[factor].moves, strict=True):
            for name, c in dim:
                found[name] = found.get(name, 0) + m * c
        return found
