"""Feeds: which memory a factor's registers come from, where in it, and how they are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from intarsia.targets.x86.lowering.stages import Interleave

Source = Literal["given", "constant", "scratch"]
"""The caller's tensor; an array packed once, before the first run; memory of the kernel's own."""

Terms: TypeAlias = tuple[tuple[str, int], ...]
"""Loops and what each of their steps counts."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a register is made of memory.

    Attributes:
        width: bytes that are read; all of them, or 4, 8, 16 or 32 that are repeated over the register.
        pick: for each piece of the register one of the pieces read, -1 for any; empty where they are in order.
        piece: bytes of a piece.
        size: bytes of the register, 64 or 32.
    """

    width: int
    pick: tuple[int, ...] = ()
    piece: int = 4
    size: int = 64

    @property
    def wide(self) -> bool:
        """Whether as many bytes are read as a register has."""
        return self.width == self.size

    @property
    def spread(self) -> bool:
        """Whether elements in order each begin a double word, in registers where one instruction does that."""
        each = 4 // self.piece
        return self.size < 64 and all(p == (-1 if i % each else i // each) for i, p in enumerate(self.pick))

    def __str__(self) -> str:
        if self.pick:
            return f"{self.width} bytes, shuffled by {self.piece}"
        return f"{self.size} bytes" if self.wide else f"{self.width} bytes, repeated {self.size // self.width}x"


@dataclass(frozen=True, slots=True)
class Feed:
    """Where a factor's register comes from in each call.

    Attributes:
        operand: of the instruction.
        tensor: of the operator.
        source: which memory.
        constant: bytes from the memory's beginning.
        terms: bytes for each step of a loop; of a loop in the tile, for each iteration, counted at the tile's corner.
        inner: of loops in the tile: bytes for each iteration within the tile.
        form: how the register is made.
        aligned: whether whole registers lie on multiples of their size.
        weave: rows that registers are woven of where they are used; None for registers that lie in memory.
        four: the loop over the four registers that are woven together.
        column: positions for each step of a loop, of the columns that may lie beside the tensor.
    """

    operand: str
    tensor: str
    source: Source
    constant: int
    terms: Terms
    inner: Terms
    form: Form
    aligned: bool = False
    weave: Interleave | None = None
    four: str = ""
    column: Terms = ()

    def step(self, loop: str) -> int:
        """Bytes for each step of a loop."""
        return dict(self.terms).get(loop, 0)

    def within(self, loop: str) -> int:
        """Bytes for each iteration within the tile."""
        return dict(self.inner).get(loop, 0)
