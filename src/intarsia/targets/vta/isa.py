"""The instruction set: opcodes, the bit fields of each instruction, and one instruction as a typed value.

An instruction is 128 bits, least significant bit first; the second half begins at bit 64.
Source: ``hw_spec.h`` and ``hw_spec_const.h`` of apache/tvm-vta.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Final

from intarsia.targets.vta.config import VtaConfig

INSTRUCTION_BYTES: Final = 16


class Opcode(IntEnum):
    """What an instruction does."""

    LOAD = 0
    STORE = 1
    GEMM = 2
    FINISH = 3
    ALU = 4


class Memory(IntEnum):
    """The on-chip memory that a LOAD fills or a STORE empties."""

    UOP = 0
    WGT = 1
    INP = 2
    ACC = 3
    OUT = 4
    ACC_8BIT = 5


class AluOp(IntEnum):
    """The operation of an ALU instruction; SHR by a negative amount shifts left."""

    MIN = 0
    MAX = 1
    ADD = 2
    SHR = 3
    MUL = 4


class Unit(IntEnum):
    """The three units, each of which runs its instructions in order."""

    LOAD = 0
    COMPUTE = 1
    STORE = 2


COLUMNS: Final = (
    "opcode", "pop_prev", "pop_next", "push_prev", "push_next",
    "memory", "sram_base", "dram_base", "y_size", "x_size", "x_stride", "y_pad_0", "y_pad_1", "x_pad_0", "x_pad_1",
    "reset", "uop_begin", "uop_end", "iter_out", "iter_in",
    "dst_out", "dst_in", "src_out", "src_in", "wgt_out", "wgt_in", "alu_op", "use_imm", "imm",
)  # fmt: skip
"""Columns of a stream's table, in order."""

COLUMN: Final = {name: index for index, name in enumerate(COLUMNS)}


@dataclass(frozen=True, slots=True)
class Field:
    """A bit field: ``width`` bits of the column ``name`` from bit ``start`` of the 128; it may be empty."""

    name: str
    start: int
    width: int
    signed: bool = False

    @property
    def low(self) -> int:
        """Least value that fits."""
        return -(1 << self.width - 1) if self.signed else 0

    @property
    def high(self) -> int:
        """Greatest value that fits."""
        return (1 << self.width - 1) - 1 if self.signed else (1 << self.width) - 1


def instruction_fields(opcode: Opcode, config: VtaConfig) -> tuple[Field, ...]:
    """The bit fields of an instruction on a core with these depths, from bit 0 upwards."""
    head = [("opcode", 3), ("pop_prev", 1), ("pop_next", 1), ("push_prev", 1), ("push_next", 1)]
    memory = [("memory", 3), ("sram_base", 16), ("dram_base", 32)]
    shape = [("y_size", 16), ("x_size", 16), ("x_stride", 16)]
    padding = [("y_pad_0", 4), ("y_pad_1", 4), ("x_pad_0", 4), ("x_pad_1", 4)]
    uop, acc = config.log_uop_depth, config.log_acc_depth
    loops = [("reset", 1), ("uop_begin", uop), ("uop_end", uop + 1), ("iter_out", 14), ("iter_in", 14)]
    dst = [("dst_out", acc), ("dst_in", acc)]
    src = [("src_out", config.log_inp_depth), ("src_in", config.log_inp_depth)]
    wgt = [("wgt_out", config.log_wgt_depth), ("wgt_in", config.log_wgt_depth)]
    alu = [("src_out", acc), ("src_in", acc), ("alu_op", 3), ("use_imm", 1), ("imm", 16)]
    match opcode:
        case Opcode.LOAD | Opcode.STORE:
            return (*_placed(head + memory, 0), *_placed(shape + padding, 64))
        case Opcode.GEMM:
            return (*_placed(head + loops, 0), *_placed(dst + src + wgt, 64))
        case Opcode.ALU:
            return (*_placed(head + loops, 0), *_placed(dst + alu, 64))
        case Opcode.FINISH:
            return tuple(_placed(head, 0))


def uop_fields(config: VtaConfig) -> tuple[Field, ...]:
    """The bit fields of a 32-bit micro-operation: dst, src, wgt."""
    return tuple(
        _placed([("dst", config.log_acc_depth), ("src", config.log_src_depth), ("wgt", config.log_wgt_depth)], 0)
    )


def _placed(widths: list[tuple[str, int]], start: int) -> Iterator[Field]:
    for name, width in widths:
        yield Field(name, start, width, signed=name == "imm")
        start += width


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flags:
    """Tokens taken before and given after an instruction, from and to the neighbouring units."""

    pop_prev: bool = False
    pop_next: bool = False
    push_prev: bool = False
    push_next: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish(_Flags):
    """The end of a program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Transfer(_Flags):
    """``y_size`` rows of ``x_size`` elements of ``memory``, in DRAM ``x_stride`` apart; ``x_size`` 0: only tokens."""

    memory: Memory
    sram_base: int = 0
    dram_base: int = 0
    y_size: int = 0
    x_size: int = 0
    x_stride: int = 0
    y_pad_0: int = 0
    y_pad_1: int = 0
    x_pad_0: int = 0
    x_pad_1: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Load(_Transfer):
    """DRAM to SRAM, padded with zeros."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Store(_Transfer):
    """SRAM to DRAM: the low 8 bits of accumulators, without padding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gemm(_Flags):
    """acc[dst] += inp[src] · wgt[wgt]ᵀ over out, in and micro-operations; with ``reset`` acc[dst] = 0."""

    reset: bool = False
    uop_begin: int = 0
    uop_end: int = 0
    iter_out: int = 0
    iter_in: int = 0
    dst_out: int = 0
    dst_in: int = 0
    src_out: int = 0
    src_in: int = 0
    wgt_out: int = 0
    wgt_in: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Alu(_Flags):
    """acc[dst] = op(acc[dst], imm or acc[src]) over out, in and micro-operations."""

    alu_op: AluOp
    use_imm: bool = False
    imm: int = 0
    reset: bool = False
    uop_begin: int = 0
    uop_end: int = 0
    iter_out: int = 0
    iter_in: int = 0
    dst_out: int = 0
    dst_in: int = 0
    src_out: int = 0
    src_in: int = 0


Instruction = Load | Store | Gemm | Alu | Finish

_KINDS: Final[dict[Opcode, type[Load | Store | Gemm | Alu | Finish]]] = {
    Opcode.LOAD: Load,
    Opcode.STORE: Store,
    Opcode.GEMM: Gemm,
    Opcode.ALU: Alu,
    Opcode.FINISH: Finish,
}
_TYPES: Final = {"memory": Memory, "alu_op": AluOp, "use_imm": bool, "reset": bool}
_TYPES_OF_FLAGS: Final = dict.fromkeys(("pop_prev", "pop_next", "push_prev", "push_next"), bool)


def instruction_of(row: list[int]) -> Instruction:
    """A row of a stream's table as a typed value."""
    kind = _KINDS[Opcode(row[0])]
    types = _TYPES | _TYPES_OF_FLAGS
    values = {field.name: types.get(field.name, int)(row[COLUMN[field.name]]) for field in fields(kind)}
    return kind(**values)


def row_of(instruction: Instruction) -> tuple[int, ...]:
    """The row of a stream's table that holds an instruction; columns that it does not have are 0."""
    row = [0] * len(COLUMNS)
    row[0] = next(opcode for opcode, kind in _KINDS.items() if type(instruction) is kind)
    for field in fields(instruction):
        row[COLUMN[field.name]] = int(getattr(instruction, field.name))
    return tuple(row)
