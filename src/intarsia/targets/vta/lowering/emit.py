"""The instruction stream of a tiled embedding: loads, micro-operations, GEMMs, epilogue, stores and their tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise, product
from math import prod, sqrt

import numpy as np
from numpy.typing import NDArray

from intarsia.program import CallSpace
from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.isa import AluOp, Memory
from intarsia.targets.vta.lowering.dma import Transfer, strides, tensors, transfers
from intarsia.targets.vta.lowering.epilogue import Epilogue
from intarsia.targets.vta.lowering.pattern import Sweep, sweeps
from intarsia.targets.vta.lowering.slots import Ring
from intarsia.targets.vta.lowering.tiling import Buffers, Place, Region, Tiling, box_positions, region
from intarsia.targets.vta.lowering.uops import Sequence, UopStore
from intarsia.targets.vta.stream import Stream, StreamBuilder

Box = tuple[tuple[int, int], ...]
ALU_OVERHEAD = 4 * 7


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where regions begin in device memory, in memory elements of their kind."""

    inp: int
    wgt: int
    bias: int
    constant: int
    out: int
    uop: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that fixes a program but the data.

    Attributes:
        bias_loops: the parallel loops that choose a bias tensor, in their order.
        acc_order: all parallel loops as an accumulator tile is laid out, slowest first; the bias loops lead.
    """

    space: CallSpace
    config: VtaConfig
    tiling: Tiling
    buffers: Buffers
    epilogue: Epilogue | None
    bias_loops: tuple[str, ...]
    acc_order: tuple[str, ...]

    @property
    def sizes(self) -> dict[str, int]:
        """Iterations in a tile by loop."""
        return dict(self.tiling.sizes)

    @property
    def regions(self) -> tuple[Region, Region]:
        """Regions of the input and of the weight operand."""
        inp, wgt = self.space.factors
        return region(inp, self.sizes), region(wgt, self.sizes)

    @property
    def out_region(self) -> Region:
        """The output's region; its dims are the parallel loops in ``acc_order``, blocked by their tiles."""
        return blocked([(self._extent(n), self.sizes[n]) for n in self.acc_order])

    @property
    def bias_region(self) -> Region:
        """The region of bias tensors; its dims are the bias loops."""
        return blocked([(self._extent(n), self.sizes[n]) for n in self.bias_loops])

    def _extent(self, name: str) -> int:
        return next(loop.extent for loop in self.space.parallel if loop.name == name)


def blocked(dims: list[tuple[int, int]]) -> Region:
    """A region of (extent, tile) dims: tile numbers outermost, all tiles of full size."""
    inner = prod(tile for _, tile in dims)
    outer = inner * prod(-(-extent // tile) for extent, tile in dims)
    total, places = outer, []
    for extent, tile in dims:
        inner //= tile
        outer //= -(-extent // tile)
        places.append(Place(extent, 0, tile, outer, inner))
    return Region(tuple(range(len(dims))), tuple(places), total)


@dataclass(slots=True)
class _Step:
    """One reduction tile of an output tile: what it reads and its instructions relative to the slots."""

    pattern: tuple[Sweep, ...]
    boxes: tuple[Box, Box]
    slots: list[int] = field(default_factory=list)
    loads: list[tuple[Ring, Memory, int, list[Transfer], int]] = field(default_factory=list)
    sequences: list[Sequence] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Emitted:
    """A stream and its table of micro-operations [n, 3]."""

    stream: Stream
    uops: NDArray[np.int64]


def emit(plan: Plan, addresses: Addresses) -> Emitted:
    """The program of a plan."""
    emitter = _Emitter(plan, addresses)
    emitter.run()
    return Emitted(emitter.builder.build(), emitter.uops.columns())


class _Emitter:
    """The state of one generation; nothing of it outlives ``emit``."""

    def __init__(self, plan: Plan, addresses: Addresses) -> None:
        self.plan, self.addresses = plan, addresses
        self.space, self.config = plan.space, plan.config
        self.sizes = plan.sizes
        self.builder = StreamBuilder()
        self.uops = UopStore(plan.config.uop_depth)
        buffers = plan.buffers
        self.kind = "none" if plan.epilogue is None else plan.epilogue.bias
        self.by_gemm = self.kind in ("wgt", "inp")
        self.inp = Ring(0, *buffers.inp)
        self.wgt = Ring(0, *buffers.wgt)
        size, count = {"wgt": buffers.wgt, "inp": buffers.inp}.get(self.kind, buffers.acc)
        self.bias = Ring(size * count, *buffers.bias)
        self.constant = (plan.config.inp_depth if self.kind == "wgt" else plan.config.wgt_depth) - 1
        self.regions = plan.regions
        self.out_region, self.bias_region = plan.out_region, plan.bias_region
        self.patterns: dict[object, tuple[Sweep, ...]] = {}
        self.sequences: dict[object, list[Sequence]] = {}
        self.step_end: list[int] = []
        self.store_end: list[int] = []
        self.waited = -1
        self.finished = 0
        self.constant_loaded = False
        names = [loop.name for loop in self.space.parallel]
        self.parallel_at = {name: i for i, name in enumerate(names)}
        self.rtiles = self._reduction_tiles()

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

    def run(self) -> None:
        extent = {loop.name: loop.extent for loop in self.space.parallel}
        order = self.plan.tiling.order
        ranges = [range(0, extent[name], self.sizes[name]) for name in order]
        total = prod(len(r) for r in ranges)
        for number, first in enumerate(product(*ranges)):
            low = dict(zip(order, first, strict=True))
            size = {name: min(self.sizes[name], extent[name] - low[name]) for name in order}
            self._tile(number, low, size, last=number == total - 1)
        self.builder.set(self.store_end[-1], "push_prev", 1)
        self.builder.finish(pop_next=True)

    # One output tile.

    def _tile(self, number: int, low: dict[str, int], size: dict[str, int], *, last: bool) -> None:
        size_acc, slots = self.plan.buffers.acc
        base = number % slots * size_acc
        steps = [s for i in range(len(self.rtiles)) if (s := self._plan_step(i, low, size)) is not None]
        first_step = len(self.step_end)
        for offset, step in enumerate(steps):
            self._allocate(step, first_step + offset, base)
        count = prod(size.values())
        epilogue = self._plan_epilogue(base, low, size, count, first_step + len(steps), last=last)
        reset: Sequence = ((base, 0, 0),)
        own = [reset, *epilogue.sequences]
        everything = own + [q for step in steps for q in step.sequences]
        together = sum(map(len, dict.fromkeys(everything))) <= self.config.uop_depth // 2
        self._load_uops(everything if together else [reset])
        wait = number - slots
        if wait >= 0:
            self.builder.set(self.store_end[wait], "push_prev", 1)
        at = self._uop(reset)
        self.builder.gemm(uop_begin=at, uop_end=at + 1, iter_in=count, dst_in=1, reset=True, pop_next=wait >= 0)
        for step in steps:
            if not together:
                self._load_uops(step.sequences)
            self._step(step)
        if not together:
            self._load_uops(epilogue.sequences)
        self._epilogue(epilogue, base, low, size)

    def _uop(self, sequence: Sequence) -> int:
        """Where a sequence is on chip; it is brought in only now if its step has more than the buffer holds."""
        at = self.uops.find(sequence)
        if at is not None:
            return at
        self._load_uops([sequence])
        return self.uops.at(sequence)

    def _load_uops(self, wanted: list[Sequence]) -> None:
        if sum(map(len, dict.fromkeys(wanted))) > self.config.uop_depth:
            return
        block = self.uops.place(wanted)
        if block is not None:
            sram, dram, count = block
            self.builder.load(Memory.UOP, sram_base=sram, dram_base=self.addresses.uop + dram, x_size=count)

    # One reduction tile.

    def _plan_step(self, rtile: int, low: dict[str, int], size: dict[str, int]) -> _Step | None:
        rlow, rsize, chosen = self.rtiles[rtile]
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
            rtile,
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
        return _Step(self.patterns[key], (inp, wgt))

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
        for name in reversed(self.plan.acc_order):
            moves[name] = stride
            stride *= size[name]
        return moves

    def _loop_moves(self, factor: int, move: tuple[int, ...]) -> dict[str, int]:
        found: dict[str, int] = {}
        for m, dim in zip(move, self.space.factors[factor].moves, strict=True):
            for name, c in dim:
                found[name] = found.get(name, 0) + m * c
        return found

    def _allocate(self, step: _Step, number: int, acc: int) -> None:
        """Give the step's tiles their slots and write down the loads that this takes."""
        bases = []
        for ring, memory, box, place, address in zip(
            (self.inp, self.wgt),
            (Memory.INP, Memory.WGT),
            step.boxes,
            self.regions,
            (self.addresses.inp, self.addresses.wgt),
            strict=True,
        ):
            slot, freed = ring.find(box), -1
            if slot is None:
                slot, freed = ring.fill(box)
                moved = [_shifted(t, address) for t in transfers(place, box)]
                step.loads.append((ring, memory, ring.base + slot * ring.size, moved, freed))
            bases.append(ring.use(slot, number))
        key = (id(step.pattern), acc, *bases)
        if key not in self.sequences:
            inp, wgt = bases
            self.sequences[key] = [
                tuple((d + acc, s + inp, w + wgt) for d, s, w in sweep.offsets) for sweep in step.pattern
            ]
        step.sequences = self.sequences[key]
        self.step_end.append(-1)

    def _loads(self, loads: list[tuple[Ring, Memory, int, list[Transfer], int]]) -> bool:
        """Emit a group of loads that hands over one token; says whether there was any."""
        if not loads:
            return False
        needed = max(entry[4] for entry in loads)
        if needed > self.waited:
            self.builder.set(self.step_end[needed], "push_prev", 1)
        at = -1
        for _, memory, sram, moved, freed in sorted(loads, key=lambda entry: entry[4]):
            # Loads into slots that are free already go first; the first that has to wait waits for all.
            pop = freed > self.waited
            self.waited = max(self.waited, needed if pop else self.waited)
            for t in moved:
                at = self.builder.load(
                    memory,
                    sram_base=sram + t.offset,
                    dram_base=t.base,
                    y_size=t.y,
                    x_size=t.x,
                    x_stride=t.stride,
                    pop_next=pop,
                )
                pop = False
        self.builder.set(at, "push_next", 1)
        return True

    def _step(self, step: _Step) -> None:
        pop = self._loads(step.loads)
        at = -1
        for sweep, sequence in zip(step.pattern, step.sequences, strict=True):
            begin = self._uop(sequence)
            outer, inner = sweep.outer, sweep.inner
            at = self.builder.gemm(
                uop_begin=begin,
                uop_end=begin + len(sequence),
                iter_out=outer.extent,
                iter_in=inner.extent,
                dst_out=outer.moves[0],
                src_out=outer.moves[1],
                wgt_out=outer.moves[2],
                dst_in=inner.moves[0],
                src_in=inner.moves[1],
                wgt_in=inner.moves[2],
                pop_prev=pop,
            )
            pop = False
        self._end_step(at)

    def _end_step(self, at: int) -> None:
        self.step_end[self.finished] = at
        self.finished += 1

    # Epilogue and store.

    def _plan_epilogue(
        self, base: int, low: dict[str, int], size: dict[str, int], count: int, number: int, *, last: bool
    ) -> _Epilogue:
        chunks = self._chunks(size, count, last=last)
        found = _Epilogue(chunks)
        epilogue = self.plan.epilogue
        for begin, _ in chunks:
            found.sequences.append(((base + begin, base + begin, 0),))
        if epilogue is None or epilogue.bias == "none":
            return found
        box = tuple((low[n], low[n] + size[n] - 1) for n in self.plan.bias_loops)
        slot, freed = self.bias.find(box), -1
        memory = {"wgt": Memory.WGT, "inp": Memory.INP}.get(self.kind, Memory.ACC)
        if slot is None:
            slot, freed = self.bias.fill(box)
            moved = [_shifted(t, self.addresses.bias) for t in transfers(self.bias_region, box)]
            found.loads.append((self.bias, memory, self.bias.base + slot * self.bias.size, moved, freed))
        at = self.bias.use(slot, number)
        rest = count // max(tensors(box), 1)
        for begin, _ in chunks:
            own = at + begin // rest
            source, weight = {"wgt": (self.constant, own), "inp": (own, self.constant)}.get(self.kind, (own, 0))
            found.bias.append(((base + begin, source, weight),))
        found.rest = rest
        found.sequences += found.bias
        if self.by_gemm:
            self.step_end.append(-1)
        return found

    def _chunks(self, size: dict[str, int], count: int, *, last: bool) -> list[tuple[int, int]]:
        """(begin, end) of the parts of a tile that are finished and stored one by one."""
        if not last:
            return [(0, count)]
        outer = prod(size[n] for n in self.plan.bias_loops)
        rest = count // outer
        wanted = max(1, round(sqrt(ALU_OVERHEAD * count / 3)))
        if wanted >= rest:
            step = max(1, round(wanted / rest)) * rest
            return [(i, min(i + step, count)) for i in range(0, count, step)]
        parts = -(-rest // wanted)
        cuts = [rest * i // parts for i in range(parts + 1)]
        return [(o * rest + a, o * rest + b) for o in range(outer) for a, b in pairwise(cuts)]

    def _epilogue(self, todo: _Epilogue, base: int, low: dict[str, int], size: dict[str, int]) -> None:
        epilogue = self.plan.epilogue
        pop = False
        if self.by_gemm:
            pop = self._bias_loads(todo)
        elif self.kind == "acc":
            self._bias_accumulators(todo)
        rows = self._rows(low, size)
        for number, (begin, end) in enumerate(todo.chunks):
            at = -1
            if epilogue is None:
                at = self._alu(AluOp.ADD, todo.sequences[number], end - begin, 0)
            else:
                if epilogue.shift:
                    at = self._alu(AluOp.SHR, todo.sequences[number], end - begin, epilogue.shift)
                if epilogue.bias != "none":
                    last_read = self._add_bias(todo, number, end - begin, pop=pop)
                    pop = False
                    if number == len(todo.chunks) - 1 and self.by_gemm:
                        self._end_step(last_read)
                self._alu(AluOp.MAX, todo.sequences[number], end - begin, epilogue.low)
                at = self._alu(AluOp.MIN, todo.sequences[number], end - begin, epilogue.high)
            self.builder.set(at, "push_next", 1)
            self._store(rows, base, begin, end)
        self.store_end.append(len(self.builder) - 1)

    def _bias_loads(self, todo: _Epilogue) -> bool:
        if not self.constant_loaded and todo.loads:
            self.constant_loaded = True
            one = [Transfer(0, self.addresses.constant, 1, 1, 1)]
            memory = Memory.INP if self.kind == "wgt" else Memory.WGT
            todo.loads.append((self.bias, memory, self.constant, one, -1))
        return self._loads(todo.loads)

    def _bias_accumulators(self, todo: _Epilogue) -> None:
        for _, memory, sram, moved, _ in todo.loads:
            for t in moved:
                self.builder.load(
                    memory, sram_base=sram + t.offset, dram_base=t.base, y_size=t.y, x_size=t.x, x_stride=t.stride
                )

    def _add_bias(self, todo: _Epilogue, number: int, count: int, *, pop: bool) -> int:
        begin = self._uop(todo.bias[number])
        inner = min(todo.rest, count)
        rows = inner if count > inner else 0  # a whole accumulator buffer does not fit the field
        if self.by_gemm:
            return self.builder.gemm(
                uop_begin=begin,
                uop_end=begin + 1,
                iter_out=count // inner,
                iter_in=inner,
                dst_out=rows,
                dst_in=1,
                wgt_out=1 if self.kind == "wgt" else 0,
                src_out=0 if self.kind == "wgt" else 1,
                pop_prev=pop,
            )
        return self.builder.alu(
            AluOp.ADD,
            uop_begin=begin,
            uop_end=begin + 1,
            iter_out=count // inner,
            iter_in=inner,
            dst_out=rows,
            dst_in=1,
            src_out=1,
        )

    def _alu(self, operation: AluOp, sequence: Sequence, count: int, imm: int) -> int:
        at = self._uop(sequence)
        return self.builder.alu(operation, uop_begin=at, uop_end=at + 1, iter_in=count, dst_in=1, src_in=1, imm=imm)

    def _rows(self, low: dict[str, int], size: dict[str, int]) -> list[tuple[int, int, int]]:
        """(offset in the tile, address in the output region, tensors) of the contiguous rows of an output tile."""
        box = tuple((low[n], low[n] + size[n] - 1) for n in self.plan.acc_order)
        rows = []
        for t in transfers(self.out_region, box):
            rows += [(t.offset + i * t.x, t.base + i * t.stride, t.x) for i in range(t.y)]
        return rows

    def _store(self, rows: list[tuple[int, int, int]], base: int, begin: int, end: int) -> None:
        parts: list[tuple[int, int, int]] = []
        for offset, address, count in rows:
            first, after = max(offset, begin), min(offset + count, end)
            if after > first:
                parts.append((first, address + first - offset, after - first))
        pop = True
        while parts:
            (offset, address, count), parts = parts[0], parts[1:]
            stride = parts[0][1] - address if parts else count
            y = 1
            while parts and parts[0] == (offset + y * count, address + y * stride, count) and 0 < stride < 1 << 16:
                parts = parts[1:]
                y += 1
            self.builder.store(
                sram_base=base + offset,
                dram_base=self.addresses.out + address,
                y_size=y,
                x_size=count,
                x_stride=stride if y > 1 else count,
                pop_prev=pop,
            )
            pop = False


@dataclass(slots=True)
class _Epilogue:
    """What the end of a tile needs: its parts, the micro-operations, the loads of biases."""

    chunks: list[tuple[int, int]]
    sequences: list[Sequence] = field(default_factory=list)
    bias: list[Sequence] = field(default_factory=list)
    loads: list[tuple[Ring, Memory, int, list[Transfer], int]] = field(default_factory=list)
    rest: int = 1


def _shifted(transfer: Transfer, address: int) -> Transfer:
    return Transfer(transfer.offset, transfer.base + address, transfer.y, transfer.x, transfer.stride)
