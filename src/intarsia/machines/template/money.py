"""What a packaged chip costs to make, in dollars. Estimates: foundries publish no prices; designing it is not in it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
WAFER = 2891.0
"""A processed wafer of 28 nm, the class of the template's 22 nm (Khan and Mann, "AI chips", CSET 2020, from TSMC's
accounts of 2020)."""
DIAMETER = 300.0
"""Of a wafer, mm."""
DEFECTS = 0.05e-2
"""For each mm², of 28 nm: 0.05 a cm² (Ning et al., "Supply chain aware computer architecture", ISCA 2023)."""
CLUSTERING = 3.0
"""Of the negative binomial yield (the same; Stapper's usual value)."""
HBM_GIB = 7.0
"""A GiB of HBM (spot price of October 2023, in LLMCompass, ISCA 2024); of 2025's HBM3E twice as much is told."""
INTERPOSER = 750.0 / (814 + 6 * 110)
"""Packaging on silicon, for each mm² of interposer: what is estimated for an H100 (750 dollars; Silicon Analysts, 2026,
after Epoch AI and Raymond James), over its die and six sites of stacks."""
STACK_AREA = 110.0
"""Of an HBM2E stack on the interposer, mm² (10 × 11 mm)."""


def die_dollars(area: Floats, wafer: float = WAFER, defects: float = DEFECTS) -> Floats:
    """A good die of so many mm², each of at most the reticle: the wafer over the dies on it that work.

    Args:
        area: mm².
        wafer: dollars.
        defects: for each mm².
    """
    dies = np.pi * (DIAMETER / 2) ** 2 / area - np.pi * DIAMETER / np.sqrt(2 * area)
    working = (1 + area * defects / CLUSTERING) ** -CLUSTERING
    return np.asarray(wafer / (dies * working), dtype=np.float64)


def package_dollars(area: Floats, stacks: Floats) -> Floats:
    """The interposer with all that lies on it, without die and stacks."""
    return INTERPOSER * (area + STACK_AREA * stacks)
