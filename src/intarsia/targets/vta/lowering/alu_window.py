"""Output tiles of a maximum or minimum computed in place: inputs are copied into accumulators and folded there.

A copy is a reset and a GEMM with the identity, 2 cycles; an ALU operation between two accumulators takes 2 more. What a
window shares with its neighbours is folded once: along one sliding dim after the other, by doubling. Of a dim with
position ``s * o + d * k`` (output o, tap k) the positions of one residue modulo s form a *phase*; in a phase the taps
are n positions g apart, and ``area[m] max= area[m + w * g]`` doubles the width w that each element covers, in place,
because elements are written in rising order and read ahead of that. The phases are then folded into one, *home*, which
is stored. Inputs along a reduction that does not slide, and those of further statements, are *planes* folded in halves.
"""

from __future__ import annotations

from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray

from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.isa import Memory
from intarsia.targets.vta.lowering.alu_space import AluSpace
from intarsia.targets.vta.lowering.alu_stream import Action, Emission, Group, stretch
from intarsia.targets.vta.lowering.alu_tiles import Tile, compact
from intarsia.targets.vta.lowering.alu_window_shape import Floor, Pass, Windows, area, planes
from intarsia.targets.vta.lowering.dma import cut
from intarsia.targets.vta.lowering.pattern import sweeps
from intarsia.targets.vta.lowering.slots import Ring
from intarsia.targets.vta.lowering.tile_load import TileLoad
from intarsia.targets.vta.lowering.tiling import Region

Ints = NDArray[np.int64]
NO_POINTS = np.zeros((1, 0), dtype=np.int64)


class WindowPlanner:
    """Plans tiles one by one (mutable: the rings remember what is on chip)."""

    def __init__(
        self,
        space: AluSpace,
        config: VtaConfig,
        shape: Windows,
        sizes: dict[str, int],
        floor: Floor,
        rings: list[Ring],
        regions: list[Region],
        addresses: list[int],
    ) -> None:
        self.space, self.config, self.shape, self.sizes, self.floor = space, config, shape, sizes, floor
        self.rings, self.regions, self.addresses = rings, regions, addresses
        self.reads = (config.acc_depth, config.inp_depth, config.wgt_depth)
        self.folds = (config.acc_depth, config.acc_depth, config.wgt_depth)

    def place(self, tile: Tile) -> tuple[int, tuple[int, ...]]:
        """Where an output tile begins, and how far each loop of the order moves."""
        home = self.shape.combinations[-1]
        return self._base(home, tile), compact(area(self.shape, home, tile.size))

    def _base(self, combination: tuple[int, ...], tile: Tile) -> int:
        if any(combination):
            return self.floor.areas[combination]
        return tile.number % self.floor.slots * self.floor.home

    def groups(self, tile: Tile, emission: Emission) -> list[Group]:
        """What a tile takes."""
        found: list[Group] = []
        for combination in self.shape.combinations:
            first = True
            for statement in range(len(self.space.sources)):
                for low, size in self._parts(statement):
                    number = emission.step + len(found)
                    found.append(self._step(tile, combination, statement, low, size, number, first=first))
                    first = False
        found[-1].actions += [a for p in self.shape.passes for a in self._pass(p, tile)]
        return found

    def _parts(self, statement: int) -> list[tuple[dict[str, int], dict[str, int]]]:
        """First index and number of planes along each reduction loop, step by step."""
        parts = planes(self.space, self.space.sources[statement], self.sizes)
        extent = {loop.name: loop.extent for loop in self.space.reduction}
        found = []
        for first in product(*(range(0, extent[name], size) for name, size in parts)):
            low = {name: f for (name, _), f in zip(parts, first, strict=True)}
            found.append((low, {name: min(size, extent[name] - low[name]) for name, size in parts}))
        return found

    def _step(
        self,
        tile: Tile,
        combination: tuple[int, ...],
        statement: int,
        low: dict[str, int],
        size: dict[str, int],
        number: int,
        *,
        first: bool,
    ) -> Group:
        """Load the planes of an area, copy them, fold them."""
        group = Group()
        home = not any(combination)
        counts = area(self.shape, combination, tile.size)
        whole, depth = prod(counts), prod(size.values())
        source, moves, plane = self._load(group, tile, combination, statement, low, size, number)
        base, fold = self._base(combination, tile), self.floor.fold
        if first:
            group.actions.append(Action("reset", stretch(base, whole), home=home))
        more = depth - 1 if first else depth
        if more:
            group.actions.append(Action("reset", stretch(fold, whole * more)))
        if first:
            group.actions += self._copies(base, 0, counts, source, moves, 1, home=home)
            source += plane
        if more:
            group.actions += self._copies(fold, plane, counts, source, moves, more, home=False)
        while more > 1:
            half = more // 2
            group.actions.append(self._fold(fold, fold + (more - half) * whole, half * whole, home=False))
            more -= half
        if more:
            group.actions.append(self._fold(base, fold, whole, home=home))
        return group

    def _fold(self, to: int, source: int, count: int, *, home: bool) -> Action:
        run = ((0, count),)
        sweep = sweeps(run, NO_POINTS, {0: (1, 1, 0)}, {}, (to, source, 0), 1, self.folds)
        return Action("alu", sweep[0], self.space.operation, home=home)

    def _copies(
        self, to: int, plane: int, counts: list[int], source: int, moves: list[int], depth: int, *, home: bool
    ) -> list[Action]:
        along = [(prod(counts), plane, 0)]
        along += [(d, s, 0) for d, s in zip(compact(counts), moves, strict=True)]
        box = tuple((0, count) for count in (depth, *counts))
        found = sweeps(
            box, NO_POINTS, dict(enumerate(along)), {}, (to, source, 0), self.config.uop_depth // 4, self.reads
        )
        return [Action("gemm", s, home=home) for s in found]

    def _load(
        self,
        group: Group,
        tile: Tile,
        combination: tuple[int, ...],
        statement: int,
        low: dict[str, int],
        size: dict[str, int],
        number: int,
    ) -> tuple[int, list[int], int]:
        """Where the planes of an area are on chip, how far each loop of the order moves there, how far a plane does."""
        source, region, ring = self.space.sources[statement], self.regions[statement], self.rings[statement]
        phases = {s.dim: (s, s.phases[p]) for s, p in zip(self.shape.slides, combination, strict=True)}
        base, dims, counts = self.addresses[statement], [], []
        for d in region.order:
            place, moves = region.places[d], source.moves[d]
            if d in phases:
                slide, phase = phases[d]
                base += (tile.low[slide.loop] + phase.first) * place.outer + phase.residue * place.inner
                counts.append(tile.size[slide.loop] + phase.halo)
                dims.append((counts[-1], place.outer))
                continue
            name = moves[0][0] if moves else ""
            begin = {**tile.low, **low}.get(name, 0)
            counts.append({**tile.size, **size}.get(name, 1))
            base += begin // place.tile * place.outer + begin % place.tile * place.inner
            dims.append((counts[-1], place.inner))
        key = (base, *dims)
        slot, freed = ring.find(key), -1
        if slot is None:
            slot, freed = ring.fill(key)
            group.loads.append(TileLoad(Memory.INP, ring.base + slot * ring.size, cut(base, dims), freed))
        step = compact(counts)
        loop = {d: m[0][0] for d, m in enumerate(source.moves) if m} | {s.dim: s.loop for s in self.shape.slides}
        moves_of = {loop[d]: s for d, s in zip(region.order, step, strict=True) if d in loop}
        plane = prod(c for d, c in zip(region.order, counts, strict=True) if loop.get(d) in self.shape.order)
        return ring.use(slot, number), [moves_of.get(n, 0) for n in self.shape.order], plane

    def _pass(self, fold: Pass, tile: Tile) -> list[Action]:
        """A fold on a tile, without the lines that are padding."""
        to, source = (compact(area(self.shape, c, tile.size)) for c in (fold.to, fold.source))
        box, begin_to, begin_source = [], self._base(fold.to, tile), self._base(fold.source, tile)
        for i, name in enumerate(self.shape.order):
            first, after = 0, tile.size[name]
            if i < len(fold.extra):
                after += fold.extra[i]
            if i in fold.open:
                first, after = self._live(i, fold.source[i], tile, after)
            if after <= first:
                return []
            if i == fold.along:
                begin_source += fold.shift * source[i]
            box.append((first, after - first))
        along = {i: (to[i], source[i], 0) for i in range(len(box))}
        most = self.config.uop_depth // 4
        found = sweeps(tuple(box), NO_POINTS, along, {}, (begin_to, begin_source, 0), most, self.folds)
        home = not any(fold.to)
        return [Action("alu", s, self.space.operation, home=home) for s in found]

    def _live(self, slide: int, phase: int, tile: Tile, after: int) -> tuple[int, int]:
        """The positions of an area along a slide, as far as they hold elements."""
        dim = self.shape.slides[slide]
        first, last = self.space.sources[0].live[dim.dim]
        at = tile.low[dim.loop] + dim.phases[phase].first
        residue = dim.phases[phase].residue
        least = -(-(first - residue) // dim.stride) - at
        most = (last - residue) // dim.stride - at
        return max(0, least), min(after, most + 1)
