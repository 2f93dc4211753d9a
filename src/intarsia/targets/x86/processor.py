"""A processor as this target sees it: name, features, caches and cores, read from the operating system.

In come the files of Linux' ``/proc`` and ``/sys``; out goes a noun. What it does in a second is measured, in
``measure``.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from intarsia.targets.x86.features import Features, host_features

SUFFIXES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


@dataclass(frozen=True, slots=True)
class Cache:
    """A cache that holds data.

    Attributes:
        level: 1 is the nearest.
        size: bytes.
        line: bytes of a line.
        shared: logical cores that share it.
    """

    level: int
    size: int
    line: int
    shared: int


@dataclass(frozen=True, slots=True)
class Processor:
    """A processor.

    Attributes:
        name: as its maker calls it.
        features: what code may use.
        caches: those of one core that hold data, the nearest first; empty if the system does not tell.
        cores: logical cores that this process may run on.
    """

    name: str
    features: Features
    caches: tuple[Cache, ...]
    cores: tuple[int, ...]

    def cache(self, level: int) -> Cache | None:
        """The data cache of a level, None if there is none or nothing is known of it."""
        return next((c for c in self.caches if c.level == level), None)


def host_processor(*, proc: Path = Path("/proc"), sys: Path = Path("/sys")) -> Processor:
    """The processor that this runs on.

    Args:
        proc: where the system tells of processors.
        sys: where it tells of caches.

    Raises:
        InputError: if it is no x86-64 processor.
    """
    features = host_features()
    cores = tuple(sorted(os.sched_getaffinity(0)))
    return Processor(_name(proc / "cpuinfo") or features.cpu, features, _caches(sys, cores[0]), cores)


def _name(file: Path) -> str:
    """The first ``model name``; empty where there is none."""
    found = re.search(r"^model name\s*:\s*(.*\S)\s*$", _text(file), re.MULTILINE)
    return found.group(1) if found else ""


def _caches(sys: Path, core: int) -> tuple[Cache, ...]:
    folder = sys / "devices" / "system" / "cpu" / f"cpu{core}" / "cache"
    found = [_cache(index) for index in sorted(folder.glob("index[0-9]*"))]
    return tuple(sorted((c for c in found if c is not None), key=lambda c: c.level))


def _cache(folder: Path) -> Cache | None:
    """A cache of its folder; None if it holds instructions or is not told whole."""
    level, kind, size, line, shared = (
        _text(folder / name).strip() for name in ("level", "type", "size", "coherency_line_size", "shared_cpu_list")
    )
    amount = re.fullmatch(r"(\d+)([KMG]?)", size)
    if kind not in {"Data", "Unified"} or amount is None or not level.isdigit() or not line.isdigit():
        return None
    return Cache(int(level), int(amount.group(1)) * SUFFIXES[amount.group(2)], int(line), _length(shared))


def _length(ranges: str) -> int:
    """How many numbers a list such as ``0-3,8`` names; 1 if it is empty."""
    parts = [part.split("-") for part in ranges.split(",") if part]
    return sum(int(part[-1]) - int(part[0]) + 1 for part in parts) or 1


def _text(file: Path) -> str:
    """What a file says, empty if it cannot be read: systems may hide it."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
