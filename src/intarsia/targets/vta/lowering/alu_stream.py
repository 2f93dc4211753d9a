"""The instructions of output tiles, one after the other: micro-operations, tokens, loads and stores around actions.

Who plans a tile says which tiles of inputs are loaded and which operations run on them; this module makes the stream.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.isa import AluOp, Memory
from intarsia.targets.vta.lowering.pattern import ONCE, Run, Sweep
from intarsia.targets.vta.lowering.tile_load import TileLoad
from intarsia.targets.vta.lowering.uops import Sequence, UopStore
from intarsia.targets.vta.stream import StreamBuilder


@dataclass(frozen=True, slots=True)
class Action:
    """One instruction of the core on absolute addresses.

    Attributes:
        kind: what it is; an ALU instruction has an operation, and an immediate or none.
        home: it writes what is stored.
    """

    kind: Literal["reset", "gemm", "alu"]
    sweep: Sweep
    operation: AluOp = AluOp.ADD
    imm: int | None = None
    home: bool = False


@dataclass(slots=True)
class Group:
    """Loads, and the actions that wait for them."""

    loads: list[TileLoad] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)


class Emission:
    """The stream in the making (mutable; nothing of it outlives one lowering)."""

    def __init__(self, config: VtaConfig, uop_address: int, out_address: int, slots: int) -> None:
        self.config, self.uop_address, self.out_address, self.slots = config, uop_address, out_address, slots
        self.builder = StreamBuilder()
        self.uops = UopStore(config.uop_depth)
        self.step_end: list[int] = []
        self.store_end: list[int] = []
        self.waited = -1

    @property
    def step(self) -> int:
        """Number of the next group that reads what was loaded."""
        return len(self.step_end)

    def tile(self, number: int, groups: list[Group], rows: list[tuple[int, int, int]]) -> None:
        """One output tile and its store."""
        wanted = [_sequence(a) for group in groups for a in group.actions]
        together = sum(map(len, dict.fromkeys(wanted))) <= self.config.uop_depth // 2
        if together:
            self._load_uops(wanted)
        writes = self._ready(number)
        last = -1
        for group in groups:
            own = [_sequence(a) for a in group.actions]
            at_once = together or sum(map(len, dict.fromkeys(own))) <= self.config.uop_depth // 2
            if not at_once or not together:
                self._load_uops(own if at_once else [])
            pop = self._loads(group.loads)
            at = -1
            for action in group.actions:
                if not at_once:
                    self._load_uops([_sequence(action)])
                at = self._action(action, pop_prev=pop, pop_next=writes and action.home)
                pop = False
                writes = writes and not action.home
                last = at if action.home else last
            self.step_end.append(at)
        self.builder.set(last, "push_next", 1)
        self._store(rows)

    def finish(self) -> None:
        """FINISH, after the last store."""
        self.builder.set(self.store_end[-1], "push_prev", 1)
        self.builder.finish(pop_next=True)

    def _ready(self, number: int) -> bool:
        """Whether the tile's accumulators are those of a tile that has to be stored first."""
        wait = number - self.slots
        if wait < 0:
            return False
        self.builder.set(self.store_end[wait], "push_prev", 1)
        return True

    def _load_uops(self, wanted: list[Sequence]) -> None:
        block = self.uops.place(wanted)
        if block is not None:
            sram, dram, count = block
            self.builder.load(Memory.UOP, sram_base=sram, dram_base=self.uop_address + dram, x_size=count)

    def _loads(self, loads: list[TileLoad]) -> bool:
        """Emit loads; says whether a token comes from them (accumulators are loaded by the compute unit itself)."""
        own = [f for f in loads if f.memory == Memory.ACC]
        for tile in own:
            tile.emit(self.builder)
        others = [f for f in loads if f.memory != Memory.ACC]
        if not others:
            return False
        freed = max(f.freed for f in others)
        pop = freed > self.waited
        if pop:
            self.waited = freed
            self.builder.set(self.step_end[freed], "push_prev", 1)
        at = -1
        for tile in others:
            at = tile.emit(self.builder, pop=pop)
            pop = False
        self.builder.set(at, "push_next", 1)
        return True

    def _action(self, action: Action, *, pop_prev: bool, pop_next: bool) -> int:
        begin = self.uops.at(_sequence(action))
        outer, inner = action.sweep.outer, action.sweep.inner
        if action.kind == "alu":
            return self.builder.alu(
                action.operation,
                uop_begin=begin,
                uop_end=begin + len(action.sweep.offsets),
                iter_out=outer.extent,
                iter_in=inner.extent,
                dst_out=outer.moves[0],
                dst_in=inner.moves[0],
                src_out=outer.moves[1],
                src_in=inner.moves[1],
                imm=action.imm,
                pop_prev=pop_prev,
                pop_next=pop_next,
            )
        return self.builder.gemm(
            uop_begin=begin,
            uop_end=begin + len(action.sweep.offsets),
            iter_out=outer.extent,
            iter_in=inner.extent,
            dst_out=outer.moves[0],
            dst_in=inner.moves[0],
            src_out=outer.moves[1],
            src_in=inner.moves[1],
            wgt_out=outer.moves[2],
            wgt_in=inner.moves[2],
            reset=action.kind == "reset",
            pop_prev=pop_prev,
            pop_next=pop_next,
        )

    def _store(self, rows: list[tuple[int, int, int]]) -> None:
        pop = True
        while rows:
            (offset, address, count), rows = rows[0], rows[1:]
            stride = rows[0][1] - address if rows else count
            y = 1
            while rows and rows[0] == (offset + y * count, address + y * stride, count) and 0 < stride < 1 << 16:
                rows = rows[1:]
                y += 1
            self.builder.store(
                sram_base=offset,
                dram_base=self.out_address + address,
                y_size=y,
                x_size=count,
                x_stride=stride if y > 1 else count,
                pop_prev=pop,
            )
            pop = False
        self.store_end.append(len(self.builder) - 1)


def _sequence(action: Action) -> Sequence:
    return action.sweep.offsets


def on_itself(action: Action) -> Action:
    """An ALU action with an immediate reads what it writes."""
    sweep = action.sweep
    outer, inner = (Run(r.extent, (r.moves[0], r.moves[0], 0)) for r in (sweep.outer, sweep.inner))
    return replace(action, sweep=Sweep(outer, inner, tuple((d, d, 0) for d, _, _ in sweep.offsets)))


def stretch(base: int, count: int) -> Sweep:
    """``count`` accumulators in a row, as destination and source."""
    return Sweep(ONCE, Run(count, (1, 1, 0)) if count > 1 else ONCE, ((base, base, 0),))
