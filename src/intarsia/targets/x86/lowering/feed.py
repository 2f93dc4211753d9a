"""Feeds: which memory a factor's registers come from, where in it, and how they are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Source = Literal["given", "constant", "scratch"]
"""The caller's tensor; an array packed once, before the first run; memory of the kernel's own."""

Terms: TypeAlias = tuple[tuple[str, int], ...]
"""Loops and what each of their steps counts."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a register of 64 bytes is made of memory.

    Attributes:
        width: bytes that are read; 64, or 4, 8, 16 or 32 that are repeated over the register.
        pick: for each piece of the register one of the pieces read, -1 for any; empty where they are in order.
        piece: bytes of a piece.
    """

    width: int
    pick: tuple[int, ...] = ()
    piece: int = 4

    def __str__(self) -> str:
        if self.pick:
            return f"{self.width} bytes, shuffled by {self.piece}"
        return "64 bytes" if self.width == 64 else f"{self.width} bytes, repeated {64 // self.width}x"


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
        aligned: whether registers of 64 bytes lie on multiples of 64.
    """

    operand: str
    tensor: str
    source: Source
    constant: int
    terms: Terms
    inner: Terms
    form: Form
    aligned: bool = False

    def step(self, loop: str) -> int:
        """Bytes for each step of a loop."""
        return dict(self.terms).get(loop, 0)

    def within(self, loop: str) -> int:
        """Bytes for each iteration within the tile."""
        return dict(self.inner).get(loop, 0)
