"""What every part of a program is written with: micro-operations, loads and their tokens, ALU instructions, stores."""

from __future__ import annotations

from intarsia.targets.vta.isa import AluOp, Memory
from intarsia.targets.vta.lowering.finish import stores
from intarsia.targets.vta.lowering.plan import Addresses
from intarsia.targets.vta.lowering.tile_load import TileLoad
from intarsia.targets.vta.lowering.uops import Sequence, UopStore
from intarsia.targets.vta.stream import StreamBuilder


class Writer:
    """The stream in the making, and which of its instructions others wait for (mutable).

    Attributes:
        builder: the stream.
        uops: what the buffer of micro-operations holds.
        step_end: the last instruction of each step that reads what was loaded; -1 of those that are still to come.
    """

    def __init__(self, uop_depth: int, addresses: Addresses) -> None:
        self.builder = StreamBuilder()
        self.uops = UopStore(uop_depth)
        self.step_end: list[int] = []
        self._uop_depth, self._addresses = uop_depth, addresses
        self._waited = -1
        self._finished = 0

    def new_step(self) -> int:
        """The number of a step that is planned."""
        self.step_end.append(-1)
        return len(self.step_end) - 1

    def end_step(self, at: int) -> None:
        """The first step that has not ended ends with this instruction."""
        self.step_end[self._finished] = at
        self._finished += 1

    def uop(self, sequence: Sequence) -> int:
        """Where a sequence is on chip; it is brought in only now if its step has more than the buffer holds."""
        at = self.uops.find(sequence)
        if at is not None:
            return at
        self.load_uops([sequence])
        return self.uops.at(sequence)

    def load_uops(self, wanted: list[Sequence]) -> None:
        """Bring sequences into the buffer, if they fit there together."""
        if sum(map(len, dict.fromkeys(wanted))) > self._uop_depth:
            return
        block = self.uops.place(wanted)
        if block is not None:
            sram, dram, count = block
            self.builder.load(Memory.UOP, sram_base=sram, dram_base=self._addresses.uop + dram, x_size=count)

    def loads(self, loads: list[TileLoad]) -> bool:
        """Emit a group of loads that hands over one token; says whether there was any."""
        if not loads:
            return False
        needed = max(load.freed for load in loads)
        if needed > self._waited:
            self.builder.set(self.step_end[needed], "push_prev", 1)
        at = -1
        for load in sorted(loads, key=lambda one: one.freed):
            # Loads into slots that are free already go first; the first that has to wait waits for all.
            pop = load.freed > self._waited
            self._waited = needed if pop else self._waited
            at = load.emit(self.builder, pop=pop)
        self.builder.set(at, "push_next", 1)
        return True

    def alu(self, operation: AluOp, sequence: Sequence, count: int, imm: int) -> int:
        """An operation with an immediate on so many accumulators in a row."""
        at = self.uop(sequence)
        return self.builder.alu(operation, uop_begin=at, uop_end=at + 1, iter_in=count, dst_in=1, src_in=1, imm=imm)

    def store(self, tile: list[tuple[int, int, int]], base: int, begin: int, end: int) -> None:
        """A part of an output tile, once its accumulators are done."""
        pop = True
        for t in stores(tile, begin, end):
            self.builder.store(
                sram_base=base + t.offset,
                dram_base=self._addresses.out + t.base,
                y_size=t.y,
                x_size=t.x,
                x_stride=t.stride,
                pop_prev=pop,
            )
            pop = False
