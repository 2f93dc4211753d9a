"""Chains of elementwise functions on vector cores.

Cycles per element and lane are those published with PHAZE (Wang et al., ICML 2024), forward and backward.
"""

from __future__ import annotations

from intarsia.graph import Elementwise
from intarsia.machines.chips import Chip

CYCLES = {
    "add": (1, 1),
    "multiply": (1, 1),
    "relu": (1, 1),
    "compare": (1, 1),
    "norm": (1, 1),
    "dropout": (2, 1),
    "divide": (10, 10),
    "exp": (12, 2),
    "tanh": (27, 2),
    "root": (15, 16),
    "erf": (15, 15),
}
"""Function to cycles per element and lane, forward and backward."""


def vector_seconds(chip: Chip, work: Elementwise, cores: int) -> float:
    """Seconds of ``cores`` vector cores."""
    return cycles_of(work) / (cores * chip.vector.width * chip.clock)


def cycles_of(work: Elementwise) -> int:
    """Cycles of one lane."""
    return sum(CYCLES[function][work.backward] * elements for function, elements in work.functions)
