"""A transposed copy that runs: its code, called on addresses, its work shared by threads."""

from __future__ import annotations

import ctypes

from intarsia.targets.x86.engine import Engine
from intarsia.targets.x86.threads import Phase, Pool, Work
from intarsia.targets.x86.transposing.emit import NAME, module_of
from intarsia.targets.x86.transposing.transposition import Transposition

GRAIN = 1 << 18
"""Bytes that are worth a thread: what one thread copies another multiplies, so lines move between their caches.

Copies of 300 KB shared by two threads made a 3x3 convolution of 64 channels take 183 us instead of 77.
"""


class TransposingKernel:
    """The code of a transposed copy.

    Attributes:
        what: is copied.
        part: copies the units of work of a range: address that is read, that is written, first unit, the one behind.
    """

    def __init__(self, what: Transposition, engine: Engine) -> None:
        self.what = what
        self.native = engine.compile(module_of(what))
        pointers, numbers = [ctypes.c_void_p] * 2, [ctypes.c_int64] * 2
        self.part = self.native.function(NAME, None, *pointers, *numbers)

    def at(self, source: int, target: int, pool: Pool | None = None) -> None:
        """Copy from one address to another; the two arrays share no memory."""
        units = self.what.units
        parts = 1 if pool is None else max(1, min(pool.threads, units, self.what.bytes // GRAIN))
        if pool is None or parts == 1:
            self.part(source, target, 0, units)
        else:
            pool.share(Work([Phase(self.native.address(NAME), units, parts)], [(source, target)]))
