"""Stages: what is packed at run time, before the loops or inside some of them."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TypeAlias

from intarsia.operators import DTYPES, Tensor
from intarsia.targets.x86.lowering.feed import Source, Terms
from intarsia.targets.x86.lowering.memory import Box
from intarsia.targets.x86.lowering.registers import PIECE, Registers

NARROW = 16
"""Bytes of a row that are woven at once, where there are as many."""


@dataclass(frozen=True, slots=True)
class PadCopy:
    """The given tensor copied into a larger box whose border holds the pad value; done before all loops.

    Attributes:
        tensor: which.
        operand: the factor whose argument it is.
        box: with the border.
        offset: of the box in the scratch memory.
        given: element type of the given tensor where it is narrower than the box's; empty where it is the same.
        apart: lines between rows of the last dimension, beside what they need.
    """

    tensor: str
    operand: str
    box: Box
    offset: int
    given: str = ""
    apart: int = 0

    @property
    def bytes(self) -> int:
        """Of the copy."""
        return self.box.bytes

    def copied(self, tensor: Tensor) -> tuple[tuple[tuple[int, int, int], ...], int]:
        """Loops over runs (iterations, bytes in the tensor, bytes in the box), outermost first; elements of a run."""
        shape, box, rank = tensor.shape, self.box, len(tensor.shape)
        run = rank
        while run and (run == rank or (box.low[run] == 0 and box.high[run] == shape[run])):
            run -= 1
        item = DTYPES[self.given or tensor.dtype]
        given = [item * prod(shape[i + 1 :]) for i in range(rank)]
        loops = tuple((shape[i], given[i], box.strides[i]) for i in range(run) if shape[i] > 1)
        return loops, prod(shape[run:])


@dataclass(frozen=True, slots=True)
class TableCopy:
    """A packed tensor made element by element from a table of indices (what ``gather`` says); before all loops.

    ``given`` is as in ``PadCopy``.
    """

    tensor: str
    operand: str
    count: int
    item: int
    offset: int
    given: str = ""

    @property
    def bytes(self) -> int:
        """Of the copy."""
        return self.count * self.item


@dataclass(frozen=True, slots=True)
class RowCheck:
    """Row ``row`` is inside the tensor where ``0 <= constant + sum(coefficient * loop) < size``."""

    row: int
    terms: Terms
    constant: int
    size: int


@dataclass(frozen=True, slots=True)
class Borders:
    """What of a stage's rows lies beside the tensor.

    Attributes:
        rows: what decides whether a row is read or a row of pad values instead.
        column: the dim whose positions may be outside, -1 for none.
        valid: for each position of it whether each piece of a row is inside.
        offset: of a row of pad values in scratch memory, of ``span`` bytes.
    """

    rows: tuple[RowCheck, ...]
    column: int
    valid: tuple[tuple[bool, ...], ...]
    offset: int = 0
    span: int = 0


@dataclass(frozen=True, slots=True)
class Interleave:
    """Four rows of bytes woven into double words: double word t of a run is byte t of each row.

    Where bytes are widened they are two rows, and double word t is byte t of both, each as 16 bits.

    Attributes:
        operand: the factor it feeds.
        source: where the rows are (given or scratch), and ``address`` of the first one over the fixed loops.
        rows: bytes from the first row to each of the rows; a missing one is None and counts as zeros.
        dims: iterations, bytes in the source, bytes packed: what is packed in each run of the stage, outermost first.
        run: bytes of a row that lie behind each other.
        level: how many parallel loops are outside.
        offset: of the packed bytes in the scratch memory.
        quarters: bytes from the address to each piece of 16 bytes, four of them in a register of 512 bits. Register k
            of four holds bytes 4k to 4k+3 of each piece: what unpacking makes of four rows without another shuffle.
            Empty for plain runs.
        borders: where rows lie beside the tensor; None: nowhere.
        pad: the byte that stands there.
        given: element type of rows that are widened, else empty.
    """

    operand: str
    source: Source
    constant: int
    terms: Terms
    rows: tuple[int | None, ...]
    dims: tuple[tuple[int, int, int], ...]
    run: int
    level: int
    offset: int
    quarters: tuple[int, ...] = ()
    borders: Borders | None = None
    pad: int = 0
    given: str = ""

    def at_once(self, registers: Registers) -> int:
        """Bytes of a row that are woven at once, where rows are no pieces of 16 bytes.

        Where a run is shorter, more is written than belongs to it: the next position, which comes later, puts it right.
        """
        if self.run >= registers.size and not self.given:
            return registers.size
        return registers.lanes if self.run < NARROW else NARROW

    @property
    def bytes(self) -> int:
        """Packed bytes of one run of the stage."""
        own = 4 * PIECE * len(self.quarters) if self.quarters else 4 * self.run
        return own + sum((n - 1) * packed for n, _, packed in self.dims)


Stage: TypeAlias = PadCopy | TableCopy | Interleave
