"""How fast transposed copies are: measured by themselves, apart from plans."""

from __future__ import annotations

from math import prod

import numpy as np

from intarsia.targets.x86.engine import Engine
from intarsia.targets.x86.lowering.packed import aligned_copy
from intarsia.targets.x86.measure import fastest
from intarsia.targets.x86.transposing import TransposingKernel, Transposition, widest_of

SIDES = ((64, 784), (784, 64), (256, 196), (196, 256), (512, 49), (49, 512))
"""Rows and columns of what is copied; both arrays fit the second cache."""
RUNS, SECONDS = 12, 0.005


def bytes_turned(engine: Engine, hertz: float) -> float:
    """Bytes of a transposed copy in a cycle, the geometric mean of some copies on the core that this thread is on."""
    rates = []
    for rows, columns in SIDES:
        copy = TransposingKernel(Transposition(1, rows, columns, 1, widest_of(engine.features)), engine)
        read, written = (aligned_copy(np.zeros(rows * columns, np.uint8)) for _ in range(2))
        source, target = read.ctypes.data, written.ctypes.data
        seconds = fastest(lambda: copy.at(source, target), runs=RUNS, seconds=SECONDS)  # noqa: B023 (called at once)
        rates.append(copy.what.bytes / seconds / hertz)
    return float(prod(rates) ** (1 / len(rates)))
