"""What code may use of an x86 processor: its features as LLVM names them.

In comes the processor that this runs on, or a smaller choice; out go the strings that LLVM's code generator takes. A
feature that is not present is switched off by name, so that no default of a processor's name adds one.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from intarsia.ground import InputError

MACHINES = ("x86_64", "amd64")

FLAGS = {"avx512vnni": "avx512_vnni", "avx512bf16": "avx512_bf16", "avxvnni": "avx_vnni"}
"""Features that Linux names otherwise than LLVM."""

HABITS = ("prefer-256-bit",)
"""Tuning of LLVM that is off: it would cut vectors of 512 bits that a kernel asks for."""


@dataclass(frozen=True, slots=True)
class Features:
    """A processor as a code generator sees it.

    Attributes:
        cpu: LLVM's name of the processor, such as ``cascadelake``; it decides how code is scheduled.
        present: features that code may use, sorted.
        absent: all others that LLVM knows, sorted.
    """

    cpu: str
    present: tuple[str, ...]
    absent: tuple[str, ...]

    def has(self, *names: str) -> bool:
        """Whether all of these are present."""
        return all(name in self.present for name in names)

    def without(self, *beginnings: str) -> Features:
        """The same processor less every feature whose name begins with one of these: ``without("avx512")``."""
        kept = tuple(name for name in self.present if not name.startswith(beginnings))
        gone = set(self.present).difference(kept)
        return Features(self.cpu, kept, tuple(sorted(gone.union(self.absent))))

    def __str__(self) -> str:
        """As LLVM's code generator takes it: what is absent comes last and takes along what builds on it."""
        off = (*self.absent, *HABITS)
        return ",".join([*(f"+{name}" for name in self.present), *(f"-{name}" for name in off)])


def flags(names: Iterable[str]) -> str:
    """Features as ``/proc/cpuinfo`` lists them."""
    return ", ".join(FLAGS.get(name, name) for name in names)


@cache
def host_features() -> Features:
    """The features of the processor that this runs on, as it and its operating system report them to LLVM.

    Raises:
        InputError: if it is no x86-64 processor.
    """
    machine = platform.machine()
    if machine.lower() not in MACHINES:
        raise InputError("native code needs an x86-64 processor", value=machine, allowed=", ".join(MACHINES))
    import llvmlite.binding as llvm  # type: ignore[import-untyped]  # has no stubs

    found = llvm.get_host_cpu_features()
    present = tuple(sorted(name for name, has in found.items() if has))
    absent = tuple(sorted(name for name, has in found.items() if not has))
    return Features(llvm.get_host_cpu_name(), present, absent)
