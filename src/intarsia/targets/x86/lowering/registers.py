"""Vector registers of one size: their lanes, and how LLVM calls their types."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from intarsia.embed import Embedding

WORD = 4
"""Bytes of a double word: what an accumulator's lane holds."""
PIECE = 16
"""Bytes within which packing and unpacking work."""


@dataclass(frozen=True, slots=True)
class Registers:
    """Registers of one size.

    Attributes:
        size: bytes, 64 (zmm) or 32 (ymm).
    """

    size: int

    @property
    def lanes(self) -> int:
        """Double words of a register."""
        return self.size // WORD

    @property
    def pieces(self) -> int:
        """Pieces of 16 bytes of a register."""
        return self.size // PIECE

    @property
    def count(self) -> int:
        """Registers that a tile may fill: all of them, or of 32 with one left to the compiler."""
        return 31 if self.size == 64 else 16

    @property
    def words(self) -> str:
        """LLVM's type of a register of double words."""
        return f"<{self.lanes} x i32>"

    @property
    def floats(self) -> str:
        """LLVM's type of a register of floats."""
        return f"<{self.lanes} x float>"

    @property
    def shorts(self) -> str:
        """LLVM's type of a register of 16-bit integers."""
        return f"<{self.size // 2} x i16>"

    @property
    def bytes(self) -> str:
        """LLVM's type of a register of bytes."""
        return f"<{self.size} x i8>"


def registers_of(embedding: Embedding) -> Registers:
    """The registers of an embedding's instruction: those that hold what it writes."""
    written = embedding.instruction.semantics.tensor(embedding.meaning.write.tensor)
    return Registers(WORD * prod(written.shape))
