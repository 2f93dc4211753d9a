"""A box of a packed operand as two-dimensional transfers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod

from intarsia.targets.vta.lowering.tiling import Region

LARGEST_SIZE = (1 << 16) - 1


@dataclass(frozen=True, slots=True)
class Transfer:
    """One LOAD or STORE: ``y`` rows of ``x`` tensors, ``stride`` apart in memory, from ``base``, to ``offset``."""

    offset: int
    base: int
    y: int
    x: int
    stride: int


def transfers(region: Region, box: tuple[tuple[int, int], ...]) -> list[Transfer]:
    """The transfers of a box of positions (first, last per dim), compact on chip in the region's order."""
    base = 0
    dims: list[tuple[int, int]] = []
    for d in region.order:
        place, (first, last) = region.places[d], box[d]
        first, last = first - place.first, last - place.first
        base += first // place.tile * place.outer + first % place.tile * place.inner
        if last > first:
            dims.append((last - first + 1, place.inner))
    return cut(base, dims)


def cut(base: int, dims: list[tuple[int, int]]) -> list[Transfer]:
    """The transfers of a box given by the (extent, stride) of its dims, slowest first."""
    return list(_cut(base, _merged([d for d in dims if d[0] > 1])))


def _merged(dims: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Neighbouring (extent, stride) that are one longer run, as one."""
    merged: list[tuple[int, int]] = []
    for extent, stride in reversed(dims):
        if merged and merged[-1][0] * merged[-1][1] == stride:
            merged[-1] = (merged[-1][0] * extent, merged[-1][1])
        else:
            merged.append((extent, stride))
    return merged[::-1]


def _cut(base: int, dims: list[tuple[int, int]]) -> Iterator[Transfer]:
    x = dims.pop()[0] if dims and dims[-1][1] == 1 else 1
    y, stride = dims.pop() if dims else (1, x)
    offset = 0
    for index in product(*(range(extent) for extent, _ in dims)):
        at = base + sum(i * s for i, (_, s) in zip(index, dims, strict=True))
        yield from _bounded(offset, at, y, x, stride)
        offset += x * y


def _bounded(offset: int, base: int, y: int, x: int, stride: int) -> Iterator[Transfer]:
    """Keep the sizes and the stride within their 16 bits."""
    if y > 1 and stride > LARGEST_SIZE:
        for row in range(y):
            yield from _bounded(offset + row * x, base + row * stride, 1, x, x)
        return
    if x > LARGEST_SIZE or y > LARGEST_SIZE:
        raise AssertionError(f"a tile of {y} x {x} tensors is larger than any buffer")
    yield Transfer(offset, base, y, x, stride if y > 1 else x)


def strides(region: Region, box: tuple[tuple[int, int], ...]) -> tuple[int, ...]:
    """On-chip stride of each dim in a box, in tensors."""
    found = [0] * len(box)
    stride = 1
    for d in reversed(region.order):
        found[d] = stride
        stride *= box[d][1] - box[d][0] + 1
    return tuple(found)


def tensors(box: tuple[tuple[int, int], ...]) -> int:
    """Tensors of a box; 0 if nothing in it is live."""
    return prod(max(last - first + 1, 0) for first, last in box)
