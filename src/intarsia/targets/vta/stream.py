"""A program as a table: one row an instruction, one column a field, built by appending.

Programs reach a million instructions, so no Python object stands for an instruction until one is asked for.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from intarsia.targets.vta.isa import COLUMN, COLUMNS, AluOp, Instruction, Memory, Opcode, instruction_of, row_of

_WIDTH: Final = len(COLUMNS)
_BLOCK: Final = 1024
"""Rows turned at a time: what fits in the cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """Instructions in the order in which they are fetched.

    Attributes:
        table: int64 [instructions, columns], the columns being ``isa.COLUMNS``.
    """

    table: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, index: int) -> Instruction:
        return instruction_of(self.table[index].tolist())

    def __iter__(self) -> Iterator[Instruction]:
        for row in self.table.tolist():
            yield instruction_of(row)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and np.array_equal(self.table, other.table)

    __hash__ = None  # type: ignore[assignment]  # mutable: arrays

    def column(self, name: str) -> NDArray[np.int64]:
        """One field of all instructions, [instructions]; a view."""
        return self.table[:, COLUMN[name]]

    def columns(self) -> dict[str, NDArray[np.int64]]:
        """All fields, each a contiguous copy [instructions]: for those who read several of them."""
        turned = np.empty((_WIDTH, len(self)), dtype=np.int64)
        for first in range(0, len(self), _BLOCK):
            turned[:, first : first + _BLOCK] = self.table[first : first + _BLOCK].T
        return dict(zip(COLUMNS, turned, strict=True))

    @staticmethod
    def of(*instructions: Instruction) -> Stream:
        """A stream of typed instructions."""
        rows = [row_of(instruction) for instruction in instructions]
        return Stream(np.array(rows, dtype=np.int64).reshape(-1, _WIDTH))


class StreamBuilder:
    """Collects instructions; each method returns the index of the instruction it appended."""

    def __init__(self) -> None:
        self._cells = array("q")

    def __len__(self) -> int:
        return len(self._cells) // _WIDTH

    def load(
        self,
        memory: Memory,
        *,
        sram_base: int = 0,
        dram_base: int = 0,
        y_size: int = 1,
        x_size: int = 0,
        x_stride: int | None = None,
        y_pad_0: int = 0,
        y_pad_1: int = 0,
        x_pad_0: int = 0,
        x_pad_1: int = 0,
        pop_prev: bool = False,
        pop_next: bool = False,
        push_prev: bool = False,
        push_next: bool = False,
    ) -> int:
        """A LOAD; sizes in elements of ``memory``, ``x_stride`` is ``x_size`` unless given."""
        stride = x_size if x_stride is None else x_stride
        shape = (memory, sram_base, dram_base, y_size, x_size, stride, y_pad_0, y_pad_1, x_pad_0, x_pad_1)
        self._cells.extend((Opcode.LOAD, pop_prev, pop_next, push_prev, push_next, *shape, *(0,) * 14))
        return len(self) - 1

    def store(
        self,
        *,
        sram_base: int = 0,
        dram_base: int = 0,
        y_size: int = 1,
        x_size: int = 0,
        x_stride: int | None = None,
        pop_prev: bool = False,
        push_prev: bool = False,
    ) -> int:
        """A STORE of output tensors; ``x_stride`` is ``x_size`` unless given."""
        stride = x_size if x_stride is None else x_stride
        shape = (Memory.OUT, sram_base, dram_base, y_size, x_size, stride)
        self._cells.extend((Opcode.STORE, pop_prev, 0, push_prev, 0, *shape, *(0,) * 18))
        return len(self) - 1

    def gemm(
        self,
        *,
        uop_begin: int,
        uop_end: int,
        iter_out: int = 1,
        iter_in: int = 1,
        dst_out: int = 0,
        dst_in: int = 0,
        src_out: int = 0,
        src_in: int = 0,
        wgt_out: int = 0,
        wgt_in: int = 0,
        reset: bool = False,
        pop_prev: bool = False,
        pop_next: bool = False,
        push_prev: bool = False,
        push_next: bool = False,
    ) -> int:
        """A GEMM over micro-operations ``uop_begin`` to ``uop_end``, which is not included."""
        loops = (reset, uop_begin, uop_end, iter_out, iter_in, dst_out, dst_in, src_out, src_in, wgt_out, wgt_in)
        self._cells.extend((Opcode.GEMM, pop_prev, pop_next, push_prev, push_next, *(0,) * 10, *loops, 0, 0, 0))
        return len(self) - 1

    def alu(
        self,
        operation: AluOp,
        *,
        uop_begin: int,
        uop_end: int,
        iter_out: int = 1,
        iter_in: int = 1,
        dst_out: int = 0,
        dst_in: int = 0,
        src_out: int = 0,
        src_in: int = 0,
        imm: int | None = None,
        pop_prev: bool = False,
        pop_next: bool = False,
        push_prev: bool = False,
        push_next: bool = False,
    ) -> int:
        """An ALU instruction; with ``imm`` the second operand is that number, else acc[src].

        With ``imm`` the core wants the same source as destination, in the factors and in the micro-operations.
        """
        loops = (0, uop_begin, uop_end, iter_out, iter_in, dst_out, dst_in, src_out, src_in, 0, 0)
        tail = (operation, 0, 0) if imm is None else (operation, 1, imm)
        self._cells.extend((Opcode.ALU, pop_prev, pop_next, push_prev, push_next, *(0,) * 10, *loops, *tail))
        return len(self) - 1

    def finish(self, *, pop_prev: bool = False, pop_next: bool = False) -> int:
        """The end of the program."""
        self._cells.extend((Opcode.FINISH, pop_prev, pop_next, *(0,) * (_WIDTH - 3)))
        return len(self) - 1

    def extend(self, rows: NDArray[np.int64]) -> None:
        """Appends rows [instructions, columns] made elsewhere, for instance by repeating a pattern."""
        if rows.ndim != 2 or rows.shape[1] != _WIDTH:
            raise ValueError(f"rows are [instructions, {_WIDTH}], not {list(rows.shape)}")
        self._cells.frombytes(np.ascontiguousarray(rows, dtype=np.int64).tobytes())

    def set(self, index: int, name: str, value: int) -> None:
        """Changes one field of an instruction already appended, such as a token flag."""
        if not 0 <= index < len(self):
            raise IndexError(f"instruction {index} of {len(self)}")
        self._cells[index * _WIDTH + COLUMN[name]] = value

    def build(self) -> Stream:
        """The stream so far; the builder may go on."""
        return Stream(np.array(self._cells, dtype=np.int64).reshape(-1, _WIDTH))
