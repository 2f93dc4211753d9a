"""Chips small enough to count by hand, and real ones changed in one figure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from intarsia.machines.chips import Chip, Dataflow, TensorCores, VectorCores, read_chip


def systolic(*, count: int = 1, width: int = 2, depth: int = 3, clock: float = 1.0) -> Chip:
    """A tiny systolic chip; at 1 Hz its seconds are cycles."""
    chip = read_chip("tpuv4")
    return replace(chip, clock=clock, tensor=TensorCores(count, width, depth, Dataflow.SYSTOLIC))


def tiled(**changes: Any) -> Chip:
    """An A100 with other figures."""
    return replace(read_chip("a100"), **changes)


def lanes(count: int, width: int, clock: float) -> Chip:
    """An A100 with other vector cores."""
    return replace(read_chip("a100"), clock=clock, vector=VectorCores(count, width))
