"""Output tiles computed tap by tap: every input tile is combined into the outputs, call by call.

Three ways, by what a core can do and by their price (operations of the core for each call; a first call is one less
where it covers the whole tile):

- ``sum``: the identity as weights, one GEMM operation adds an input tensor to its outputs. 1 cycle.
- ``difference``: max(a, x) = max(a - x, 0) + x, and the same with min: a GEMM by minus the identity, the ALU against
  zero, a GEMM by the identity. 3 cycles, and no accumulators but the outputs.
- ``accumulators``: inputs are loaded into accumulators as 32-bit numbers and combined by the ALU. 2 cycles, beside the
  loads that the compute unit does itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from intarsia.program import CallSpace, OperandSpace
from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.isa import AluOp, Memory
from intarsia.targets.vta.lowering.alu_space import AluSpace, covered
from intarsia.targets.vta.lowering.alu_stream import Action, Emission, Group, on_itself, stretch
from intarsia.targets.vta.lowering.alu_tiles import Tile, compact
from intarsia.targets.vta.lowering.dma import Transfer, strides, transfers
from intarsia.targets.vta.lowering.pattern import ONCE, Run, Sweep, sweeps
from intarsia.targets.vta.lowering.slots import Ring
from intarsia.targets.vta.lowering.tile_load import TileLoad
from intarsia.targets.vta.lowering.tiling import Region, box_positions

Ints = NDArray[np.int64]
Taps = Literal["sum", "difference", "accumulators"]
PLUS, MINUS, ZERO = 0, 1, 1
"""Weight tensors: the identity; its negative for differences; for sums zero, where outputs have no call."""


@dataclass(frozen=True, slots=True)
class Step:
    """A part of the reduction of one statement on an output tile.

    Attributes:
        statement: which statement.
        box: the input's positions that are read.
        points: live points of the reduction loops, relative to the part, [points, loops].
        first, count: for each parallel loop the outputs that a point is for, relative to the tile, [points, loops].
        low: first index of each loop.
    """

    statement: int
    box: tuple[tuple[int, int], ...]
    points: Ints
    first: Ints
    count: Ints
    low: dict[str, int]


class TapPlanner:
    """Plans tiles one by one (mutable: the rings remember what is on chip)."""

    def __init__(
        self,
        space: AluSpace,
        config: VtaConfig,
        kind: Taps,
        sizes: dict[str, int],
        order: tuple[str, ...],
        rings: list[Ring],
        regions: list[Region],
        addresses: list[int],
        slots: int,
    ) -> None:
        self.space, self.config, self.kind, self.sizes, self.order = space, config, kind, sizes, order
        self.rings, self.regions, self.addresses, self.slots = rings, regions, addresses, slots
        self.tile_tensors = prod(sizes[loop.name] for loop in space.parallel)
        self.bare = space.bare
        self.names = [loop.name for loop in space.parallel]
        read = config.acc_depth if kind == "accumulators" else config.inp_depth
        self.limits = (config.acc_depth, read, config.wgt_depth)

    def place(self, tile: Tile) -> tuple[int, tuple[int, ...]]:
        """Where an output tile begins, and how far each loop of the order moves."""
        return tile.number % self.slots * self.tile_tensors, compact([tile.size[n] for n in self.order])

    def groups(self, tile: Tile, emission: Emission) -> list[Group]:
        """What a tile takes."""
        steps = [s for i, c in enumerate(self.space.statements) for s in self._steps(i, c, tile)]
        base, _ = self.place(tile)
        count = prod(tile.size.values())
        whole = stretch(base, count)
        covering = self._covering(steps[0], tile) if steps and self.kind == "difference" else -1
        start = [Action("reset", whole, home=True)]
        right = self._starts_right(steps, tile, covering)
        if self.kind == "sum" and not steps:
            steps = [self._anything()]
        if self.kind != "sum" and not right:
            start.append(Action("alu", whole, *self._neutral(), home=True))
        found = [Group([], start)] if not steps else []
        for number, step in enumerate(steps):
            group = Group()
            source = self._load(step, group, emission.step + len(found))
            group.actions += start
            if self.kind == "sum" and number == 0 and not right:
                group.actions.append(Action("gemm", _constant(base, count, source), home=True))
            group.actions += self._actions(step, tile, base, source, covering)
            start, covering = [], -1
            found.append(group)
        return found

    def _anything(self) -> Step:
        """A step that reads one input and calls nothing: what zero is multiplied with."""
        live = self.space.sources[0].live
        empty = np.zeros((0, len(self.names)), dtype=np.int64)
        extents = {loop.name: 0 for loop in (*self.space.parallel, *self.space.reduction)}
        points = np.zeros((0, len(self.space.reduction)), dtype=np.int64)
        return Step(0, tuple((first, first) for first, _ in live), points, empty, empty, extents)

    def _neutral(self) -> tuple[AluOp, int]:
        """The ALU operation that turns zero into what changes no result."""
        match self.space.combine:
            case "+=":
                return AluOp.ADD, 0
            case "max=":
                return AluOp.MIN, self.space.neutral
            case "min=":
                return AluOp.MAX, self.space.neutral

    def _starts_right(self, steps: list[Step], tile: Tile, covering: int) -> bool:
        """Whether zero is a right start, and every output is written by more than a reset."""
        if self.space.combine != "+=":
            return covering >= 0
        if not self.bare:
            return True
        return bool(steps) and covered(
            [(s.first, s.first + s.count) for s in steps], [tile.size[n] for n in self.names]
        )

    def _covering(self, step: Step, tile: Tile) -> int:
        """A point whose call is for every output of the tile, -1 if there is none."""
        size = np.array([tile.size[n] for n in self.names], dtype=np.int64)
        full = np.flatnonzero((step.count == size).all(axis=1))
        return int(full[0]) if len(full) else -1

    def _steps(self, statement: int, space: CallSpace, tile: Tile) -> list[Step]:
        found = []
        loops = space.reduction
        a = np.array([tile.low[n] for n in self.names], dtype=np.int64)
        b = a + np.array([tile.size[n] for n in self.names], dtype=np.int64)
        first = np.maximum(space.ranges.low, a)
        after = np.minimum(space.ranges.high, b)
        live = (after > first).all(axis=1)
        for begin in product(*(range(0, loop.extent, self.sizes[loop.name]) for loop in loops)):
            low = {loop.name: f for loop, f in zip(loops, begin, strict=True)}
            size = {loop.name: min(self.sizes[loop.name], loop.extent - low[loop.name]) for loop in loops}
            inside = live.copy()
            for i, loop in enumerate(loops):
                column = space.ranges.points[:, i]
                inside &= (column >= low[loop.name]) & (column < low[loop.name] + size[loop.name])
            if not inside.any():
                continue
            all_low = {**tile.low, **low}
            box = box_positions(space.factors[0], all_low, {**tile.size, **size})
            points = space.ranges.points[inside] - np.array(begin, dtype=np.int64)
            found.append(Step(statement, box, points, (first - a)[inside], (after - first)[inside], all_low))
        return found

    def _load(self, step: Step, group: Group, number: int) -> int:
        """Give an input tile its slot; returns where it begins."""
        ring = self.rings[step.statement]
        slot, freed = ring.find(step.box), -1
        if slot is None:
            slot, freed = ring.fill(step.box)
            at = self.addresses[step.statement]
            moved = [
                Transfer(t.offset, t.base + at, t.y, t.x, t.stride)
                for t in transfers(self.regions[step.statement], step.box)
            ]
            memory = Memory.ACC if self.kind == "accumulators" else Memory.INP
            group.loads.append(TileLoad(memory, ring.base + slot * ring.size, moved, freed))
        return ring.use(slot, number)

    def _actions(self, step: Step, tile: Tile, base: int, source: int, covering: int) -> list[Action]:
        factor = self.space.sources[step.statement]
        moves = strides(self.regions[step.statement], step.box)
        origin = source + sum(
            m * (start + sum(c * step.low[n] for n, c in dim) - box[0])
            for m, start, dim, box in zip(moves, factor.starts, factor.moves, step.box, strict=True)
        )
        along = _loop_moves(factor, moves)
        if self.kind == "sum":
            return self._sum(step, tile, base, origin, along)
        order = list(range(len(step.points)))
        if covering >= 0:
            order.remove(covering)
            order.insert(0, covering)
        if self.kind == "accumulators":
            calls = [s for i in order for s in self._sweeps(step, tile, [i], (base, origin, 0), along)]
            return [Action("alu", s, self.space.operation, home=True) for s in calls]
        return self._differences(step, tile, order, base, origin, along, covering)

    def _sum(self, step: Step, tile: Tile, base: int, origin: int, along: dict[str, int]) -> list[Action]:
        both = np.concatenate([step.first, step.count], axis=1)
        kinds, member = np.unique(both, axis=0, return_inverse=True)
        found: list[Sweep] = []
        for kind in range(len(kinds)):
            chosen = np.flatnonzero(member.reshape(-1) == kind).tolist()
            found += self._sweeps(step, tile, chosen, (base, origin, PLUS), along)
        return [Action("gemm", s, home=True) for s in found]

    def _differences(
        self,
        step: Step,
        tile: Tile,
        order: list[int],
        base: int,
        origin: int,
        along: dict[str, int],
        covering: int,
    ) -> list[Action]:
        found: list[Action] = []
        pending: list[Sweep] = []
        for point in order:
            plus = self._sweeps(step, tile, [point], (base, origin, PLUS), along)
            if point != covering:
                minus = self._sweeps(step, tile, [point], (base, origin, MINUS), along)
                found += [Action("gemm", s, home=True) for s in _joined(pending, minus, self.config.uop_depth // 4)]
                found += [on_itself(Action("alu", s, self.space.operation, 0, home=True)) for s in minus]
                pending = []
            else:
                found += [Action("gemm", s, home=True) for s in pending]
            pending = plus
        return found + [Action("gemm", s, home=True) for s in pending]

    def _sweeps(
        self, step: Step, tile: Tile, points: list[int], origin: tuple[int, int, int], along: dict[str, int]
    ) -> list[Sweep]:
        """The calls of some points that are for the same outputs."""
        acc = dict(zip(self.order, self.place(tile)[1], strict=True))
        parallel = {i: (acc[n], along.get(n, 0), 0) for i, n in enumerate(self.names)}
        reduction = {i: (0, along.get(loop.name, 0), 0) for i, loop in enumerate(self.space.reduction)}
        box = tuple(zip(step.first[points[0]].tolist(), step.count[points[0]].tolist(), strict=True))
        return sweeps(box, step.points[points], parallel, reduction, origin, self.config.uop_depth // 4, self.limits)


def _constant(base: int, count: int, source: int) -> Sweep:
    """Zero times any input added to outputs in a row: they count as written."""
    return Sweep(ONCE, Run(count, (1, 0, 0)) if count > 1 else ONCE, ((base, source, ZERO),))


def _joined(a: list[Sweep], b: list[Sweep], most_uops: int) -> list[Sweep]:
    """Two lists of GEMMs as one where their loops are the same: the core sees what it has just written."""
    if len(a) == len(b) == 1 and (a[0].outer, a[0].inner) == (b[0].outer, b[0].inner):
        offsets = a[0].offsets + b[0].offsets
        if len(offsets) <= most_uops:
            return [Sweep(a[0].outer, a[0].inner, offsets)]
    return [*a, *b]


def _loop_moves(factor: OperandSpace, move: tuple[int, ...]) -> dict[str, int]:
    found: dict[str, int] = {}
    for m, dim in zip(move, factor.moves, strict=True):
        for name, c in dim:
            found[name] = found.get(name, 0) + m * c
    return found
