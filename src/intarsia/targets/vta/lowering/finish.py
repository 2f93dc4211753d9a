"""The end of an output tile: in which parts it is finished, and the rows of each that are stored."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import prod, sqrt

from intarsia.targets.vta.lowering.dma import LARGEST_SIZE, Transfer, transfers
from intarsia.targets.vta.lowering.tiling import Region

ALU_OVERHEAD = 4 * 7
"""Cycles that every part costs more: four instructions of the compute unit."""
STORE_CYCLES = 3
"""Cycles of the store unit for a tensor of the default core."""


def parts(outer: int, rest: int, *, last: bool) -> list[tuple[int, int]]:
    """(begin, end) of the parts of a tile of ``outer`` biases times ``rest`` tensors that are stored one by one.

    Only the last tile is cut: what its store takes after the last part is finished is time that nothing hides.
    A part is inside one bias, or a number of whole ones.
    """
    count = outer * rest
    if not last:
        return [(0, count)]
    wanted = max(1, round(sqrt(ALU_OVERHEAD * count / STORE_CYCLES)))
    if wanted >= rest:
        step = max(1, round(wanted / rest)) * rest
        return [(i, min(i + step, count)) for i in range(0, count, step)]
    pieces = -(-rest // wanted)
    cuts = [rest * i // pieces for i in range(pieces + 1)]
    return [(o * rest + a, o * rest + b) for o in range(outer) for a, b in pairwise(cuts)]


def rows(region: Region, box: tuple[tuple[int, int], ...]) -> list[tuple[int, int, int]]:
    """(offset in the tile, address in the output region, tensors) of the contiguous rows of an output tile."""
    return [(t.offset + i * t.x, t.base + i * t.stride, t.x) for t in transfers(region, box) for i in range(t.y)]


def stores(tile: list[tuple[int, int, int]], begin: int, end: int) -> Iterator[Transfer]:
    """The transfers of a part of a tile, neighbouring rows of equal length and distance as one."""
    left: list[tuple[int, int, int]] = []
    for offset, address, count in tile:
        first, after = max(offset, begin), min(offset + count, end)
        if after > first:
            left.append((first, address + first - offset, after - first))
    while left:
        (offset, address, count), left = left[0], left[1:]
        stride = left[0][1] - address if left else count
        y = 1
        while left and left[0] == (offset + y * count, address + y * stride, count) and 0 < stride <= LARGEST_SIZE:
            left = left[1:]
            y += 1
        yield Transfer(offset, address, y, count, stride if y > 1 else count)


def tensors_of(size: dict[str, int], names: tuple[str, ...]) -> int:
    """Iterations of some loops of a tile."""
    return prod(size[n] for n in names)
