"""Area of a template chip's parts at 22 nm, in closed form.

Source: fitted to the 29,360 published areas of PHAZE (Wang et al., ICML 2024, arXiv 2407.13143), which it reproduces
within 5e-7: a constant for each processing element and lane, and memories in steps (CACTI's).
"""

from __future__ import annotations

from bisect import bisect_left

from intarsia.ground import InputError

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
"""KiB of a core's own memory to mm²."""
SHARED = {2: 3.33822, 4: 6.07864, 8: 11.9524, 16: 23.7452, 32: 46.7509, 64: 88.6057, 128: 175.423}
"""MiB of the shared buffer to mm²."""


def tensor_core_area(width: int, depth: int) -> float:
    """One tensor core with its own memory, mm².

    Raises:
        InputError: its memory is larger than any that is known.
    """
    return ELEMENT * width * depth + _stepped(LOCAL, BYTES_PER_ELEMENT * width * depth / 1024, "KiB", "tensor core")


def vector_core_area(width: int) -> float:
    """One vector core with its own memory, mm².

    Raises:
        InputError: its memory is larger than any that is known.
    """
    return LANE * width + _stepped(LOCAL, BYTES_PER_ELEMENT * width / 1024, "KiB", "vector core")


def buffer_area(mib: float) -> float:
    """The shared buffer, mm².

    Raises:
        InputError: it is larger than any that is known.
    """
    return _stepped(SHARED, mib, "MiB", "shared buffer")


def _stepped(table: dict[int, float], size: float, unit: str, what: str) -> float:
    """The area of the next size up."""
    sizes = sorted(table)
    place = bisect_left(sizes, size)
    if place == len(sizes):
        raise InputError(
            f"no area is known for a {what} with so much memory",
            value=f"{size:g} {unit}",
            allowed=f"at most {sizes[-1]} {unit}",
        )
    return table[sizes[place]]
