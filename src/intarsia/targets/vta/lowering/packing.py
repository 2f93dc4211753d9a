"""How tensors become bytes in device memory and back: index maps made once, applied to any data."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from intarsia.embed.embedding import Embedding
from intarsia.embed.layout import gather, in_extents
from intarsia.program import CallSpace, OperandSpace
from intarsia.targets.vta.lowering.plan import Plan
from intarsia.targets.vta.lowering.tiling import Region

Ints = NDArray[np.int64]

AT_ONCE = 1 << 20
"""Elements that are moved at once: NumPy widens indices, and layouts reach 10**9 of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Packing:
    """A packed input tensor.

    Attributes:
        tensor: its name.
        index: element of the flat tensor that each element of the region holds, -1 for zero, -2 for the pad value.
        pad: the tensor's pad value.
        embedding, factor, place: what the map was made of: the operand's vectors, and where they lie in the region.
        wide: an element takes four bytes, not one: the region is loaded into accumulators.
    """

    tensor: str
    index: Ints
    pad: int
    embedding: Embedding
    factor: OperandSpace
    place: Region
    wide: bool = False

    def pack(self, values: NDArray[np.int8]) -> NDArray[np.signedinteger]:
        """The region's elements for a tensor's values."""
        flat = np.concatenate([values.reshape(-1), np.array([self.pad, 0], dtype=values.dtype)])
        packed = np.empty(self.index.size, dtype=np.int32 if self.wide else values.dtype)
        for start in range(0, packed.size, AT_ONCE):
            packed[start : start + AT_ONCE] = flat[self.index[start : start + AT_ONCE]]
        return packed


def packing(space: CallSpace, factor: OperandSpace, place: Region) -> Packing:
    """The index map of a factor's region."""
    layout = factor.layout
    index, _ = gather(space.embedding, factor.access, layout)
    offsets, kept = _offsets(factor, place)
    packed = np.full((place.tensors, prod(layout.registers)), -1, dtype=index.dtype)
    for start in range(0, len(kept), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        packed[offsets[some]] = index[kept[some]]
    return Packing(layout.tensor.name, packed.reshape(-1), int(layout.tensor.pad), space.embedding, factor, place)


def _offsets(factor: OperandSpace, place: Region) -> tuple[Ints, Ints]:
    """Where each vector lies in the region, and which vectors lie in it at all (live positions of sliding dims)."""
    extents = [d.extent for d in factor.layout.dims]
    columns = np.unravel_index(np.arange(prod(extents), dtype=np.int64), extents) if extents else ()
    total = np.zeros(prod(extents), dtype=np.int64)
    inside = np.ones(prod(extents), dtype=np.bool_)
    for p, column in zip(place.places, columns, strict=True):
        position = np.asarray(column) - p.first
        inside &= (position >= 0) & (position < p.extent)
        total += position // p.tile * p.outer + position % p.tile * p.inner
    kept = np.flatnonzero(inside)
    return total[kept], kept


def output_index(plan: Plan, base: int) -> Ints:
    """Byte address of each element of the output tensor, in the tensor's shape, -1 where no lane computes it."""
    space = plan.space
    written = space.written
    element = outputs(plan)
    names = [loop.name for loop in space.parallel]
    extents = [loop.extent for loop in space.parallel]
    grid = np.indices(extents, dtype=np.int64).reshape(len(extents), prod(extents))
    place = plan.out_region
    offset = np.zeros(prod(extents), dtype=np.int64)
    for d, name in enumerate(plan.acc_order):
        p, position = place.places[d], grid[names.index(name)]
        offset += position // p.tile * p.outer + position % p.tile * p.inner
    registers = prod(written.layout.registers)
    address = base + offset[:, None] * registers + np.arange(registers, dtype=np.int64)[None, :]
    found = np.full(prod(written.layout.tensor.shape), -1, dtype=np.int64)
    valid = element >= 0
    found[element[valid]] = address[valid]
    return found.reshape(written.layout.tensor.shape)


def outputs(plan: Plan) -> Ints:
    """Flat output element by point of the parallel loops and register, negative where there is none."""
    space = plan.space
    written = space.written
    index, holds = gather(space.embedding, written.access, written.layout)
    names = [loop.name for loop in space.parallel]
    extents = [loop.extent for loop in space.parallel]
    grid = np.indices(extents, dtype=np.int64).reshape(len(extents), prod(extents))
    vector = np.zeros(prod(extents), dtype=np.int64)
    for dim, moves, start in zip(written.layout.dims, written.moves, written.starts, strict=True):
        position = np.full(prod(extents), start, dtype=np.int64)
        for name, c in moves:
            position += c * grid[names.index(name)]
        vector = vector * dim.extent + position
    computed = in_extents(space.embedding, written.access, written.layout, dict(zip(names, grid, strict=True)))
    return np.where(holds[vector] & computed, index[vector], -1)
