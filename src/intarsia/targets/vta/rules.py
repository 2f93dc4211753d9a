"""Rules that an instruction breaks by itself, whatever ran before it: fields and ranges, a rule a function.

A stream comes in; nothing comes out unless a rule is broken, then the first instruction that breaks one is named.
Sources: the Chisel core and ``sim_driver.cc`` of apache/tvm-vta.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.errors import wrong
from intarsia.targets.vta.isa import AluOp, Memory, Opcode, Unit
from intarsia.targets.vta.stream import Stream

Mask = NDArray[np.bool_]
Column = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Breach:
    """Where a rule is broken ([instructions]), what it says, and the columns whose values are shown."""

    mask: Mask
    rule: str
    shown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _View:
    """The columns of a stream, and which instructions are which."""

    column: dict[str, Column]
    config: VtaConfig
    memory_bytes: int
    strict_rtl: bool

    def __getitem__(self, name: str) -> Column:
        return self.column[name]

    def is_(self, *opcodes: Opcode) -> Mask:
        return np.isin(self["opcode"], opcodes)

    def moves(self) -> Mask:
        return self.is_(Opcode.LOAD, Opcode.STORE) & (self["x_size"] > 0)

    def computes(self) -> Mask:
        return self.is_(Opcode.GEMM, Opcode.ALU)


def check_rules(stream: Stream, config: VtaConfig, memory_bytes: int, *, strict_rtl: bool = False) -> None:
    """Every instruction's own fields, against a memory of ``memory_bytes``.

    Raises:
        SimulationError: the first instruction that breaks a rule.
    """
    columns = stream.columns()
    view = _View(columns, config, memory_bytes, strict_rtl)
    breaches = [breach for rule in _RULES for breach in rule(view) if breach.mask.any()]
    if breaches:
        first = min(breaches, key=lambda breach: int(breach.mask.argmax()))
        index = int(first.mask.argmax())
        detail = ", ".join(f"{name} {int(columns[name][index])}" for name in first.shown)
        raise wrong(stream, index, first.rule, detail)
    _check_end(stream)


def units(stream: Stream) -> NDArray[np.int8]:
    """The unit of each instruction, int8 [instructions]."""
    opcode, memory = stream.column("opcode"), stream.column("memory")
    loads = (opcode == Opcode.LOAD) & ((memory == Memory.INP) | (memory == Memory.WGT))
    return np.where(loads, Unit.LOAD, np.where(opcode == Opcode.STORE, Unit.STORE, Unit.COMPUTE)).astype(np.int8)


def _check_end(stream: Stream) -> None:
    finishes = np.flatnonzero(stream.column("opcode") == Opcode.FINISH)
    if not len(finishes):
        raise wrong(stream, len(stream), "the program has no FINISH")
    if finishes[0] != len(stream) - 1:
        raise wrong(stream, int(finishes[0]) + 1, "an instruction stands after FINISH")


def _kinds(view: _View) -> Iterator[Breach]:
    memory = view["memory"]
    yield Breach(view.is_(Opcode.LOAD) & (memory == Memory.ACC_8BIT), "the RTL has no ACC_8BIT memory", ("memory",))
    yield Breach(view.is_(Opcode.LOAD) & (memory == Memory.OUT), "a LOAD cannot fill the OUT memory", ("memory",))
    yield Breach(view.is_(Opcode.STORE) & (memory != Memory.OUT), "a STORE empties only the OUT memory", ("memory",))
    yield Breach(view.is_(Opcode.ALU) & (view["alu_op"] == AluOp.MUL), "the RTL has no MUL", ("alu_op",))


def _neighbours(view: _View) -> Iterator[Breach]:
    memory = view["memory"]
    first = view.is_(Opcode.LOAD) & ((memory == Memory.INP) | (memory == Memory.WGT))
    last = view.is_(Opcode.STORE)
    flags = (("pop_prev", first), ("push_prev", first), ("pop_next", last), ("push_next", last))
    for name, unit in flags:
        side = "after" if name.endswith("next") else "before"
        yield Breach(unit & (view[name] != 0), f"{name} names a unit {side} this one, and there is none", ())


def _shapes(view: _View) -> Iterator[Breach]:
    yield Breach(view.moves() & (view["y_size"] == 0), "y_size 0 never ends in the RTL", ("x_size", "y_size"))
    padded = (view["y_pad_0"] | view["y_pad_1"] | view["x_pad_0"] | view["x_pad_1"]) != 0
    pads = ("y_pad_0", "y_pad_1", "x_pad_0", "x_pad_1")
    yield Breach(view.moves() & view.is_(Opcode.STORE) & padded, "a STORE takes no padding", pads)
    bare = np.isin(view["memory"], (Memory.UOP, Memory.WGT)) & view.is_(Opcode.LOAD)
    yield Breach(view.moves() & bare & padded, "weights and micro-operations are never padded", pads)
    computed = view["iter_out"] * view["iter_in"] * (view["uop_end"] - view["uop_begin"])
    yield Breach(
        view.computes() & (computed <= 0),
        "a GEMM or ALU without an operation never ends in the RTL",
        ("iter_out", "iter_in", "uop_begin", "uop_end"),
    )


def _uops(view: _View) -> Iterator[Breach]:
    depth = view.config.uop_depth
    yield Breach(view.computes() & (view["uop_end"] > depth), f"the core holds {depth} micro-operations", ("uop_end",))


def _ranges(view: _View) -> Iterator[Breach]:
    config = view.config
    wide = view["x_size"] + view["x_pad_0"] + view["x_pad_1"]
    elements = wide * (view["y_size"] + view["y_pad_0"] + view["y_pad_1"])
    last = view["dram_base"] + (view["y_size"] - 1) * view["x_stride"] + view["x_size"]
    memories = (
        (Memory.UOP, config.uop_depth, config.uop_bytes),
        (Memory.WGT, config.wgt_depth, config.wgt_bytes),
        (Memory.INP, config.inp_depth, config.inp_bytes),
        (Memory.ACC, config.acc_depth, config.acc_bytes),
        (Memory.OUT, config.acc_depth, config.out_bytes),
    )
    shape = ("y_size", "x_size", "y_pad_0", "y_pad_1", "x_pad_0", "x_pad_1")
    for memory, depth, size in memories:
        moves = view.moves() & (view["memory"] == memory)
        yield Breach(
            moves & (view["sram_base"] + elements > depth),
            f"outside the {depth} elements of {memory.name} on chip",
            ("sram_base", *shape),
        )
        yield Breach(
            moves & (last * size > view.memory_bytes),
            f"outside the {view.memory_bytes} bytes of memory ({memory.name} elements have {size} bytes)",
            ("dram_base", "y_size", "x_size", "x_stride"),
        )


def _alu(view: _View) -> Iterator[Breach]:
    alu, immediate = view.is_(Opcode.ALU), view["use_imm"] != 0
    yield Breach(alu & (view["reset"] != 0), "an ALU instruction has no reset", ("reset",))
    yield Breach(alu & ~immediate & (view["imm"] != 0), "an imm without use_imm decides the RTL's shift", ("imm",))
    shifts = alu & immediate & (view["alu_op"] == AluOp.SHR)
    yield Breach(shifts & (abs(view["imm"]) > 31), "the RTL shifts by 5 bits of imm only, from -31 to 31", ("imm",))
    for loop, iterations in (("out", "iter_out"), ("in", "iter_in")):
        differs = view[f"dst_{loop}"] != view[f"src_{loop}"]
        yield Breach(
            alu & immediate & (view[iterations] > 1) & differs,
            "with an immediate the RTL reads acc[src] and the simulator acc[dst]: the factors must be equal",
            (f"dst_{loop}", f"src_{loop}"),
        )
    if view.strict_rtl and view.config.batch > 1:
        yield Breach(alu, f"the RTL's ALU serves row 0 only, and BATCH is {view.config.batch}", ())


_RULES: Final[tuple[Callable[[_View], Iterable[Breach]], ...]] = (
    _kinds,
    _neighbours,
    _shapes,
    _uops,
    _ranges,
    _alu,
)
