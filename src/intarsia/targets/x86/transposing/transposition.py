"""A transposed copy as data: which elements, in which blocks, and how the work is cut for threads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from intarsia.targets.x86.code_generator import AVX512
from intarsia.targets.x86.features import Features
from intarsia.targets.x86.lowering import Speeds
from intarsia.targets.x86.lowering.registers import PIECE

SHARE = 64
"""Blocks of columns that one unit of work has where a written row is shorter than a piece of 16 bytes."""
FULL = 0.6
"""The part of a cache that arrays may fill."""


@dataclass(frozen=True)
class Transposition:
    """``[batch, rows, columns]`` copied as ``[batch, columns, rows]``, both row-major.

    Attributes:
        batch, rows, columns: of what is read.
        item: bytes of an element.
        widest: bytes of the widest register that code may use.
        flipped: whether the highest bit of each byte is turned over; for bytes only.
        slack: whether 16 bytes behind what is read may be read too.
    """

    batch: int
    rows: int
    columns: int
    item: int
    widest: int
    flipped: bool = False
    slack: bool = False

    @property
    def bytes(self) -> int:
        """What is read, and as much is written."""
        return self.batch * self.rows * self.columns * self.item

    @property
    def trivial(self) -> bool:
        """Whether the bytes stay as and where they are."""
        return (self.rows == 1 or self.columns == 1) and not self.flipped

    @cached_property
    def each(self) -> int:
        """Elements of a piece of 16 bytes: columns of a block."""
        return PIECE // self.item

    @cached_property
    def narrow(self) -> bool:
        """Whether a written row is shorter than a piece: several of them lie in one register then."""
        return self.rows < self.each

    @cached_property
    def register(self) -> int:
        """Bytes of the registers: the widest that a written row fills."""
        return next((s for s in (64, 32, PIECE) if s <= self.widest and s <= self.rows * self.item), PIECE)

    @cached_property
    def high(self) -> int:
        """Rows of a block; a power of two, of which some may be none where a written row is short."""
        if not self.narrow:
            return self.register // self.item
        return 1 << (self.rows - 1).bit_length()

    @cached_property
    def by_rows(self) -> bool:
        """Whether the outer loop is over blocks of rows: the longer side, so that the inner loop's lines stay near."""
        return not self.narrow and self.rows > self.columns

    @cached_property
    def blocks(self) -> int:
        """Blocks along the outer loop; the last one begins earlier where they do not divide."""
        return -(-self.rows // self.high) if self.by_rows else -(-self.columns // self.each)

    @cached_property
    def shares(self) -> int:
        """Units of work in each of the batch."""
        return -(-self.blocks // SHARE) if self.narrow else self.blocks

    @property
    def units(self) -> int:
        """Units of work, that any number of threads may take in any order."""
        return self.batch * self.shares


def widest_of(features: Features) -> int:
    """Bytes of the widest register for bytes."""
    return 64 if features.has(*AVX512) else 32


def cycles_of(what: Transposition, speeds: Speeds) -> float:
    """What a transposed copy is predicted to take: its instructions, or bytes from a cache that holds both arrays."""
    both = 2 * what.bytes
    rate = next((rate for size, rate in reversed(speeds.caches) if both > size * FULL), both)
    return max(what.bytes / speeds.turned, both / rate)
