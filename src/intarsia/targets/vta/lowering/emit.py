"""The instruction stream of a plan: loads, micro-operations, GEMMs, epilogue, stores and their tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from math import prod

from intarsia.targets.vta.isa import AluOp, Memory
from intarsia.targets.vta.lowering.dma import Transfer, tensors, transfers
from intarsia.targets.vta.lowering.finish import parts, rows, tensors_of
from intarsia.targets.vta.lowering.plan import Addresses, Emitted, Plan
from intarsia.targets.vta.lowering.slots import Ring
from intarsia.targets.vta.lowering.steps import Step, StepPlanner
from intarsia.targets.vta.lowering.tile_load import TileLoad
from intarsia.targets.vta.lowering.uops import Sequence
from intarsia.targets.vta.lowering.writer import Writer


@dataclass(slots=True)
class _Placed:
    """A step with its slots: the loads that this takes and the micro-operations with their addresses."""

    step: Step
    sequences: list[Sequence]
    loads: list[TileLoad] = field(default_factory=list)


@dataclass(slots=True)
class _End:
    """The end of a tile: its parts, micro-operations for the ALU and for biases, loads of biases, tensors of a bias."""

    chunks: list[tuple[int, int]]
    sequences: list[Sequence] = field(default_factory=list)
    bias: list[Sequence] = field(default_factory=list)
    loads: list[TileLoad] = field(default_factory=list)
    rest: int = 1


def emit(plan: Plan, addresses: Addresses) -> Emitted:
    """The program of a plan."""
    emitter = _Emitter(plan, addresses)
    emitter.run()
    return Emitted(emitter.builder.build(), emitter.writer.uops.columns())


class _Emitter:
    """The state of one generation; nothing of it outlives ``emit``."""

    def __init__(self, plan: Plan, addresses: Addresses) -> None:
        self.plan, self.addresses = plan, addresses
        self.config = plan.config
        self.planner = StepPlanner(plan)
        self.writer = Writer(plan.config.uop_depth, addresses)
        self.builder = self.writer.builder
        buffers = plan.buffers
        self.kind = "none" if plan.epilogue is None else plan.epilogue.bias
        self.by_gemm = self.kind in ("wgt", "inp")
        self.inp = Ring(0, *buffers.inp)
        self.wgt = Ring(0, *buffers.wgt)
        size, count = {"wgt": buffers.wgt, "inp": buffers.inp}.get(self.kind, buffers.acc)
        self.bias = Ring(size * count, *buffers.bias)
        self.constant = (plan.config.inp_depth if self.kind == "wgt" else plan.config.wgt_depth) - 1
        self.regions = self.planner.regions
        self.out_region, self.bias_region = plan.out_region, plan.bias_region
        self.sequences: dict[object, list[Sequence]] = {}
        self.store_end: list[int] = []
        self.constant_loaded = False

    def run(self) -> None:
        extent = {loop.name: loop.extent for loop in self.plan.space.parallel}
        sizes = self.planner.sizes
        order = self.plan.tiling.order
        ranges = [range(0, extent[name], sizes[name]) for name in order]
        total = prod(len(r) for r in ranges)
        for number, first in enumerate(product(*ranges)):
            low = dict(zip(order, first, strict=True))
            size = {name: min(sizes[name], extent[name] - low[name]) for name in order}
            self._tile(number, low, size, last=number == total - 1)
        self.builder.set(self.store_end[-1], "push_prev", 1)
        self.builder.finish(pop_next=True)

    # One output tile.

    def _tile(self, number: int, low: dict[str, int], size: dict[str, int], *, last: bool) -> None:
        size_acc, slots = self.plan.buffers.acc
        base = number % slots * size_acc
        planned = (self.planner.plan(i, low, size) for i in range(len(self.planner.tiles)))
        steps = [self._place(step, base) for step in planned if step is not None]
        count = prod(size.values())
        end = self._plan_end(base, low, size, last=last)
        reset: Sequence = ((base, 0, 0),)
        own = [reset, *end.sequences]
        everything = own + [q for step in steps for q in step.sequences]
        together = sum(map(len, dict.fromkeys(everything))) <= self.config.uop_depth // 2
        self.writer.load_uops(everything if together else [reset])
        wait = number - slots
        if wait >= 0:
            self.builder.set(self.store_end[wait], "push_prev", 1)
        at = self.writer.uop(reset)
        self.builder.gemm(uop_begin=at, uop_end=at + 1, iter_in=count, dst_in=1, reset=True, pop_next=wait >= 0)
        for step in steps:
            if not together:
                self.writer.load_uops(step.sequences)
            self._step(step)
        if not together:
            self.writer.load_uops(end.sequences)
        self._end(end, base, low, size)

    # One reduction tile.

    def _place(self, step: Step, acc: int) -> _Placed:
        """Give a step's tiles their slots and write down the loads that this takes."""
        number = self.writer.new_step()
        placed = _Placed(step, [])
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
                placed.loads.append(TileLoad(memory, ring.base + slot * ring.size, moved, freed))
            bases.append(ring.use(slot, number))
        inp, wgt = bases
        key = (id(step.pattern), acc, inp, wgt)
        if key not in self.sequences:
            self.sequences[key] = [
                tuple((d + acc, s + inp, w + wgt) for d, s, w in sweep.offsets) for sweep in step.pattern
            ]
        placed.sequences = self.sequences[key]
        return placed

    def _step(self, placed: _Placed) -> None:
        pop = self.writer.loads(placed.loads)
        at = -1
        for sweep, sequence in zip(placed.step.pattern, placed.sequences, strict=True):
            begin = self.writer.uop(sequence)
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
        self.writer.end_step(at)

    # Epilogue and store.

    def _plan_end(self, base: int, low: dict[str, int], size: dict[str, int], *, last: bool) -> _End:
        count, biases = prod(size.values()), tensors_of(size, self.plan.bias_loops)
        found = _End(parts(biases, count // biases, last=last))
        chunks = found.chunks
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
            found.loads.append(TileLoad(memory, self.bias.base + slot * self.bias.size, moved, freed))
        at = self.bias.use(slot, len(self.writer.step_end))
        rest = count // max(tensors(box), 1)
        for begin, _ in chunks:
            own = at + begin // rest
            source, weight = {"wgt": (self.constant, own), "inp": (own, self.constant)}.get(self.kind, (own, 0))
            found.bias.append(((base + begin, source, weight),))
        found.rest = rest
        found.sequences += found.bias
        if self.by_gemm:
            self.writer.new_step()
        return found

    def _end(self, todo: _End, base: int, low: dict[str, int], size: dict[str, int]) -> None:
        epilogue = self.plan.epilogue
        pop = False
        if self.by_gemm:
            pop = self._bias_loads(todo)
        elif self.kind == "acc":
            self._bias_accumulators(todo)
        box = tuple((low[n], low[n] + size[n] - 1) for n in self.plan.acc_order)
        tile = rows(self.out_region, box)
        for number, (begin, end) in enumerate(todo.chunks):
            at = -1
            if epilogue is None:
                at = self.writer.alu(AluOp.ADD, todo.sequences[number], end - begin, 0)
            else:
                if epilogue.shift:
                    at = self.writer.alu(AluOp.SHR, todo.sequences[number], end - begin, epilogue.shift)
                if epilogue.bias != "none":
                    last_read = self._add_bias(todo, number, end - begin, pop=pop)
                    pop = False
                    if number == len(todo.chunks) - 1 and self.by_gemm:
                        self.writer.end_step(last_read)
                self.writer.alu(AluOp.MAX, todo.sequences[number], end - begin, epilogue.low)
                at = self.writer.alu(AluOp.MIN, todo.sequences[number], end - begin, epilogue.high)
            self.builder.set(at, "push_next", 1)
            self.writer.store(tile, base, begin, end)
        self.store_end.append(len(self.builder) - 1)

    def _bias_loads(self, todo: _End) -> bool:
        if not self.constant_loaded and todo.loads:
            self.constant_loaded = True
            one = [Transfer(0, self.addresses.constant, 1, 1, 1)]
            memory = Memory.INP if self.kind == "wgt" else Memory.WGT
            todo.loads.append(TileLoad(memory, self.constant, one))
        return self.writer.loads(todo.loads)

    def _bias_accumulators(self, todo: _End) -> None:
        for load in todo.loads:
            load.emit(self.builder)

    def _add_bias(self, todo: _End, number: int, count: int, *, pop: bool) -> int:
        begin = self.writer.uop(todo.bias[number])
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


def _shifted(transfer: Transfer, address: int) -> Transfer:
    return Transfer(transfer.offset, transfer.base + address, transfer.y, transfer.x, transfer.stride)
