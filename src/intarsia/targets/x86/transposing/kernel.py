"""A transposed copy that runs: its code, called on addresses, its work shared by threads."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Protocol

from intarsia.targets.x86.engine import Engine
from intarsia.targets.x86.transposing.emit import NAME, module_of
from intarsia.targets.x86.transposing.transposition import Transposition

ALONE = 1 << 19
"""Bytes below which one thread copies all: handing work to others takes longer."""


class Threads(Protocol):
    """Threads that share work."""

    threads: int

    def each(self, part: Callable[[int], None], parts: int) -> None:
        """Do the parts 0 to ``parts - 1``."""


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

    def at(self, source: int, target: int, threads: Threads | None = None) -> None:
        """Copy from one address to another; the two arrays share no memory."""
        units = self.what.units
        parts = 1 if threads is None or self.what.bytes < ALONE else min(threads.threads, units)
        if threads is None or parts == 1:
            self.part(source, target, 0, units)
            return
        threads.each(lambda i: self.part(source, target, units * i // parts, units * (i + 1) // parts), parts)
