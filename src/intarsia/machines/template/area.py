"""Area of a template chip's parts at 22 nm, in closed form.

Source: fitted to the 29,360 published areas of PHAZE (Wang et al., ICML 2024, arXiv 2407.13143), which it reproduces
within 5e-7: a constant for each processing element and lane, and CACTI's memories. The published sizes are powers of
two; between two of them a memory lies on the straight line, as if it were put together from banks. What the published
template leaves out (control, network on the chip, memory controllers) is left out here, too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.ground import InputError

Floats = NDArray[np.float64]
Sizes = NDArray[Any] | np.int64 | np.float64
ELEMENT = 760.041e-6
"""Of a multiplier-accumulator of a tensor core, mm²."""
LANE = 759.824e-6
"""Of a lane of a vector core, mm²."""
BYTES_PER_ELEMENT = 16
"""Of a core's own memory, for each processing element or lane."""
LOCAL = {
    1: 0.00613398, 2: 0.00824843, 4: 0.0126105, 8: 0.0221399, 16: 0.038583, 32: 0.0633384, 64: 0.115579,
    128: 0.204764, 256: 0.446565, 512: 0.89789, 1024: 1.63413,
}  # fmt: skip
"""KiB of a core's own memory to mm²; a smaller one takes as much as the smallest."""
SHARED = {2: 3.33822, 4: 6.07864, 8: 11.9524, 16: 23.7452, 32: 46.7509, 64: 88.6057, 128: 175.423}
"""MiB of the shared buffer to mm²; the same."""
PHY = 10.45
"""The physical interface of an HBM2E stack, mm²: the A100's at 7 nm. Taken at any node, since bumps and analogue
circuits do not shrink (LLMCompass, Zhang et al., ISCA 2024)."""
LINK = 1.888 / 25e9
"""The same of links, mm² for each byte per second and direction: an NVLink 3 of 25 GB/s (LLMCompass)."""
RETICLE = 858.0
"""The largest die that is exposed at once, mm²: 26 × 33 mm."""


def tensor_core_area(width: int, depth: int) -> float:
    """One tensor core with its own memory, mm².

    Raises:
        InputError: its memory is larger than any that is known.
    """
    _refuse(LOCAL, BYTES_PER_ELEMENT * width * depth / 1024, "KiB", "tensor core")
    return float(tensor_core_areas(np.int64(width * depth)))


def vector_core_area(width: int) -> float:
    """One vector core with its own memory, mm².

    Raises:
        InputError: its memory is larger than any that is known.
    """
    _refuse(LOCAL, BYTES_PER_ELEMENT * width / 1024, "KiB", "vector core")
    return float(vector_core_areas(np.int64(width)))


def buffer_area(mib: float) -> float:
    """The shared buffer, mm².

    Raises:
        InputError: it is larger than any that is known.
    """
    _refuse(SHARED, mib, "MiB", "shared buffer")
    return float(buffer_areas(np.float64(mib)))


def tensor_core_areas(elements: Sizes) -> Floats:
    """The same as columns, infinite where the memory is larger than any that is known; elements: width × depth."""
    return np.asarray(ELEMENT * elements, dtype=np.float64) + _memory(LOCAL, BYTES_PER_ELEMENT / 1024 * elements)


def vector_core_areas(lanes: Sizes) -> Floats:
    """The same of vector cores."""
    return np.asarray(LANE * lanes, dtype=np.float64) + _memory(LOCAL, BYTES_PER_ELEMENT / 1024 * lanes)


def buffer_areas(mib: Sizes) -> Floats:
    """The same of shared buffers."""
    return _memory(SHARED, mib)


def _memory(table: dict[int, float], size: Sizes) -> Floats:
    sizes, areas = list(table), list(table.values())
    return np.asarray(np.interp(size, sizes, areas, right=np.inf), dtype=np.float64)


def _refuse(table: dict[int, float], size: float, unit: str, what: str) -> None:
    if size > max(table):
        raise InputError(
            f"no area is known for a {what} with so much memory",
            value=f"{size:g} {unit}",
            allowed=f"at most {max(table)} {unit}",
        )
