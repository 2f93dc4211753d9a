"""Micro-operations: which sequences are on chip, and the loads that bring in those that are not.

A sequence is the list of (dst, src, wgt) that one instruction runs over. The table in device memory grows by blocks;
on chip, blocks are put one behind the other and wrap round, dropping what they overwrite.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Sequence = tuple[tuple[int, int, int], ...]

EVEN = 2
"""Blocks begin at even addresses: two micro-operations are one beat of the memory port."""


@dataclass(slots=True)
class UopStore:
    """The micro-operation buffer during generation (mutable; it lives inside one lowering).

    Attributes:
        depth: micro-operations on chip.
        table: all micro-operations in device memory, in order.
    """

    depth: int
    table: list[tuple[int, int, int]] = field(default_factory=list)
    _resident: dict[Sequence, int] = field(default_factory=dict)
    _blocks: dict[tuple[Sequence, ...], int] = field(default_factory=dict)
    _next: int = 0

    def missing(self, wanted: list[Sequence]) -> list[Sequence]:
        """Those not on chip, each once."""
        return list(dict.fromkeys(s for s in wanted if s not in self._resident))

    def place(self, wanted: list[Sequence]) -> tuple[int, int, int] | None:
        """Bring ``wanted`` on chip: (sram base, dram base, micro-operations) of the load, None if all are there."""
        missing = self.missing(wanted)
        if not missing:
            return None
        base, count = self._room(missing)
        if any(self._hit(s, base, base + count) for s in wanted if s in self._resident):
            missing = list(dict.fromkeys(wanted))
            base, count = self._room(missing)
        for sequence in [s for s in self._resident if self._hit(s, base, base + count)]:
            del self._resident[sequence]
        at = base
        for sequence in missing:
            self._resident[sequence] = at
            at += len(sequence)
        self._next = at + at % EVEN
        return base, self._block(tuple(missing)), count

    def _room(self, block: list[Sequence]) -> tuple[int, int]:
        """Address and length of a block that would be put next."""
        count = sum(map(len, block))
        if count > self.depth:
            raise AssertionError(f"{count} micro-operations in one step, the buffer holds {self.depth}")
        return (self._next if self._next + count <= self.depth else 0), count

    def _hit(self, sequence: Sequence, begin: int, end: int) -> bool:
        at = self._resident[sequence]
        return at < end and at + len(sequence) > begin

    def _block(self, block: tuple[Sequence, ...]) -> int:
        if block not in self._blocks:
            self.table.extend([(0, 0, 0)] * (len(self.table) % EVEN))
            self._blocks[block] = len(self.table)
            for sequence in block:
                self.table.extend(sequence)
        return self._blocks[block]

    def find(self, sequence: Sequence) -> int | None:
        """Where a sequence is on chip, None if it has to be loaded."""
        return self._resident.get(sequence)

    def at(self, sequence: Sequence) -> int:
        """Where a sequence is on chip."""
        return self._resident[sequence]

    def columns(self) -> NDArray[np.int64]:
        """The table as [micro-operations, 3]: dst, src, wgt."""
        return np.array(self.table, dtype=np.int64).reshape(-1, 3)
