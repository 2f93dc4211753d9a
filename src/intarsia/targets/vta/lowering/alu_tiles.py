"""Output tiles of the ALU's operators: which there are, and where they lie in accumulators and in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod

from intarsia.targets.vta.lowering.slots import Ring
from intarsia.targets.vta.lowering.tiling import Region


@dataclass(frozen=True, slots=True)
class Tile:
    """An output tile: first index and number of each parallel loop, and which it is."""

    number: int
    low: dict[str, int]
    size: dict[str, int]


def tiles(extents: dict[str, int], sizes: dict[str, int], order: tuple[str, ...], taper: tuple[str, int]) -> list[Tile]:
    """All output tiles in their order.

    Args:
        extents: of each parallel loop.
        sizes: iterations of each parallel loop in a tile.
        order: the loops, outermost first.
        taper: a loop, and how often the first and the last tile are halved along it, so that computing starts early
            and little is left to store at the end.
    """
    boxes = []
    for first in product(*(range(0, extents[name], sizes[name]) for name in order)):
        low = dict(zip(order, first, strict=True))
        boxes.append((low, {name: min(sizes[name], extents[name] - low[name]) for name in order}))
    name, times = taper
    if not times or not order:
        return [Tile(i, low, size) for i, (low, size) in enumerate(boxes)]
    head = list(_pieces(*boxes[0], name, times, rising=True))
    tail = list(_pieces(*boxes[-1], name, times, rising=False))
    cut = [*head, *boxes[1:-1], *tail] if len(boxes) > 1 else tail
    return [Tile(i, low, size) for i, (low, size) in enumerate(cut)]


def _pieces(
    low: dict[str, int], size: dict[str, int], name: str, times: int, *, rising: bool
) -> Iterator[tuple[dict[str, int], dict[str, int]]]:
    counts = []
    left = size[name]
    for _ in range(times):
        half = -(-left // 2)
        counts.append(half)
        left -= half
    counts.append(left)
    at = low[name]
    for count in reversed(counts) if rising else counts:
        if count:
            yield {**low, name: at}, {**size, name: count}
            at += count


def output_rows(
    region: Region, order: tuple[str, ...], tile: Tile, base: int, strides: tuple[int, ...]
) -> list[tuple[int, int, int]]:
    """(accumulator, address in the output region, tensors) of the contiguous rows of an output tile.

    Args:
        region: the output's, its dims in ``order``.
        order: the parallel loops, slowest first.
        tile: which part.
        base: where it begins in the accumulators.
        strides: how far each loop moves there.
    """
    address, dims = 0, []
    for place, name, stride in zip(region.places, order, strides, strict=True):
        first = tile.low[name]
        address += first // place.tile * place.outer + first % place.tile * place.inner
        if tile.size[name] > 1:
            dims.append((tile.size[name], stride, place.inner))
    run = 1
    while dims and dims[-1][1] == run and dims[-1][2] == run:
        run *= dims.pop()[0]
    rows = []
    for index in product(*(range(count) for count, _, _ in dims)):
        at = sum(i * s for i, (_, s, _) in zip(index, dims, strict=True))
        to = sum(i * s for i, (_, _, s) in zip(index, dims, strict=True))
        rows.append((base + at, address + to, run))
    return rows


def rings(base: int, sizes: list[int], counts: list[int]) -> list[Ring]:
    """One ring of slots for each input, behind each other in a buffer."""
    found = []
    for size, count in zip(sizes, counts, strict=True):
        found.append(Ring(base, size, count))
        base += size * count
    return found


def compact(counts: list[int]) -> tuple[int, ...]:
    """Strides of a dense box, the last dim the fastest."""
    return tuple(prod(counts[i + 1 :]) for i in range(len(counts)))
