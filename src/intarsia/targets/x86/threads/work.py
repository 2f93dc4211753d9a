"""Calls of native code on ranges, in words that threads read without the interpreter."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass

POINTERS = (2, 8)
"""How many addresses code may take before its range."""
PHASES, WANTED, CYCLES, HEAD = range(4)
"""Words of a work: how many phases, how many threads take part, how many cycles one of them would take; and how many
words these are. The phases follow."""
KIND, CODE, EACH, PARTS, COUNT, STRIDE, FRAMES, PHASE = range(8)
"""Words of a phase: how many addresses its code takes, the code, that of ``each``, threads, units, bytes between the
addresses of two threads (0 where all have the same), where the addresses begin; and how many words these are."""
ENDLESS = float(1 << 40)
"""Cycles of a work whose length is not known: it counts as long."""


@dataclass(frozen=True, slots=True)
class Phase:
    """Units of work that may be done at the same time; a phase begins when the one before has ended.

    Attributes:
        code: where a function begins that takes addresses and a range of units, two numbers of 64 bits.
        count: how many units.
        parts: how many threads take part, at most.
        each: where a function of the same kind begins that a thread calls before its first range; 0 for none.
    """

    code: int
    count: int
    parts: int
    each: int = 0


class Work:
    """Phases on the same addresses; for one caller at a time.

    Attributes:
        address: where its words begin; valid as long as this object lives, as is ``frames``.
        frames: where the addresses of the first thread begin; those of the next follow.
        threads: how many have addresses of their own, 1 where all have the same.
        parts: how many threads take part, at most.
    """

    def __init__(
        self,
        phases: Sequence[Phase],
        arguments: Sequence[Sequence[int]],
        held: object = None,
        *,
        cycles: float = ENDLESS,
    ) -> None:
        """What is to be done.

        Args:
            phases: in their order.
            arguments: the addresses for each thread, or one list for all of them.
            held: what lies there and must live as long.
            cycles: how many one thread is predicted to take.
        """
        pointers = self._pointers = len(arguments[0])
        assert pointers in POINTERS, "code takes another number of addresses"
        assert all(len(arguments) in {1, phase.parts} or phase.parts == 1 for phase in phases), "of each thread, or one"
        flat = [place for frame in arguments for place in frame]
        self._arguments = (ctypes.c_int64 * len(flat))(*flat)
        self.frames = ctypes.addressof(self._arguments)
        stride = 8 * pointers if len(arguments) > 1 else 0
        self.parts = max(phase.parts for phase in phases)
        words = [len(phases), self.parts, int(min(cycles, ENDLESS))]
        for phase in phases:
            words += [pointers, phase.code, phase.each, phase.parts, phase.count, stride, self.frames]
        self._words = (ctypes.c_int64 * len(words))(*words)
        self._held = held
        self.address, self.threads = ctypes.addressof(self._words), len(arguments)

    def put(self, place: int, address: int) -> None:
        """Say where an argument is, for all threads."""
        for frame in range(0, len(self._arguments), self._pointers):
            self._arguments[frame + place] = address
