"""Packed tensors that are described by ``embed.gather``: constants, packed once by NumPy, and tables for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.embed import Embedding, Layout, gather, layout_of
from intarsia.embed.embedding import Ints, evaluate
from intarsia.operators import DTYPES, Access
from intarsia.targets.x86.lowering.feed import Form, Terms
from intarsia.targets.x86.lowering.memory import register_digits

WIDTHS = (4, 8, 16, 32)


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a packed constant: (loop, iterations, iterations of the loop for each), outermost first.

    A loop in the tile occurs twice: its tiles, and the iterations within one.
    """

    parts: tuple[tuple[str, int, int], ...]

    @property
    def vectors(self) -> int:
        """Registers that are packed."""
        return prod(count for _, count, _ in self.parts)


def access_of(embedding: Embedding, operand: str) -> Access:
    """What the operator reads, or writes, through an operand of the instruction."""
    found = next(a for m, a in embedding.pairs() if m.tensor == operand)
    assert found is not None
    return found


def vector_steps(layout: Layout) -> dict[str, int]:
    """Vectors of a layout for each step of an outer loop."""
    steps: dict[str, int] = {}
    for i, dim in enumerate(layout.dims):
        inner = prod(d.extent for d in layout.dims[i + 1 :])
        for name, c in dim.value.terms:
            steps[name] = steps.get(name, 0) + c // dim.step * inner
    return steps


def vector_origin(layout: Layout) -> int:
    """The vector where all outer loops are 0."""
    origin = 0
    for dim in layout.dims:
        origin = origin * dim.extent + (dim.value.constant - dim.origin) // dim.step
    return origin


def indices(embedding: Embedding, operand: str) -> Ints:
    """What each register element of each vector holds, as ``gather`` says."""
    access = access_of(embedding, operand)
    return gather(embedding, access, layout_of(embedding, operand, access))[0]


def narrowed(table: Ints, item: int) -> tuple[Form, Ints]:
    """The narrowest form that repeats to the registers, and the elements that it keeps."""
    size = table.shape[1] * item
    for width in (w for w in WIDTHS if w < size):
        kept = table[:, : width // item]
        if (table.reshape(len(table), size // width, width // item) == kept[:, None, :]).all():
            return Form(width, size=size), np.ascontiguousarray(kept)
    return Form(size, size=size), table


def constant_steps(embedding: Embedding, operand: str) -> dict[str, int]:
    """Vectors of an operand's layout for each step of an outer loop."""
    return vector_steps(layout_of(embedding, operand, access_of(embedding, operand)))


def order_of(
    embedding: Embedding,
    steps: Mapping[str, int],
    parallel: tuple[str, ...],
    tile: Mapping[str, int],
    reduction: tuple[str, ...],
) -> Order:
    """Registers in the order in which the nest needs them, so that they are read from front to back."""
    extent = {loop.name: loop.extent for loop in embedding.outer}
    mine = [name for name in parallel if steps.get(name)]
    parts = [(name, -(-extent[name] // tile.get(name, 1)), tile.get(name, 1)) for name in mine]
    parts += [(name, extent[name], 1) for name in reduction if steps.get(name)]
    parts += [(name, tile[name], 1) for name in mine if name in tile]
    return Order(tuple(parts))


def terms_of(order: Order, width: int) -> tuple[Terms, Terms]:
    """Bytes for each step of a loop, and within the tile."""
    inner: dict[str, int] = {}
    outer: dict[str, int] = {}
    below = width
    seen: set[str] = set()
    for name, count, each in reversed(order.parts):
        last = name not in seen
        seen.add(name)
        if last and any(n == name and e > 1 for n, _, e in order.parts):
            inner[name] = below
        else:
            outer[name] = below // each
            inner.setdefault(name, below // each)
        below *= count
    return tuple(outer.items()), tuple(inner.items())


def written_elements(embedding: Embedding, loops: tuple[str, ...]) -> Ints:
    """The element of the written tensor in each lane at each point of the parallel loops, -1 where there is none.

    Returns:
        [points, lanes], points in row-major order of ``loops``; the other outer loops of parallel axes have one point.
    """
    positions, inside = written_positions(embedding, loops)
    access = access_of(embedding, embedding.operands[0][0])
    element: Any = np.zeros((1, 1), dtype=np.int64)
    for size, position in zip(embedding.operator.tensor(access.tensor).shape, positions, strict=True):
        element = element * size + position
    return np.asarray(np.where(inside, element, -1))


def written_positions(embedding: Embedding, loops: tuple[str, ...]) -> tuple[list[Ints], NDArray[np.bool_]]:
    """Position along each dimension of the written tensor, as ``written_elements``, and whether it is a result."""
    operand = embedding.operands[0][0]
    access = access_of(embedding, operand)
    digits, used = register_digits(embedding, operand)
    extent = {loop.name: loop.extent for loop in embedding.outer}
    grid = np.indices([extent[n] for n in loops], dtype=np.int64).reshape(len(loops), prod(extent[n] for n in loops))
    values = {loop.name: np.zeros((1, 1), dtype=np.int64) for loop in embedding.outer}
    values |= {name: column[:, None] for name, column in zip(loops, grid, strict=True)}
    values |= {name: column[None, :] for name, column in digits.items()}
    inside = np.broadcast_to(used, (grid.shape[1], len(used))).copy()
    axes: dict[str, Ints] = {}
    for flat in embedding.flats:
        if embedding.operator.axis(flat.axes[0]).role != "parallel":
            continue
        value = evaluate(flat.value, values)
        inside &= (value >= 0) & (value < prod(flat.extents))
        for name, size, shift in reversed(list(zip(flat.axes, flat.extents, flat.shifts, strict=True))):
            axes[name] = value % size + evaluate(shift, values)
            value = value // size
            inside &= (axes[name] >= 0) & (axes[name] < embedding.operator.axis(name).extent)
    positions = []
    for size, subscript in zip(embedding.operator.tensor(access.tensor).shape, access.subscripts, strict=True):
        position = evaluate(subscript, axes)
        inside &= (position >= 0) & (position < size)
        positions.append(np.asarray(position))
    return positions, inside


def parameter_loops(embedding: Embedding, dim: int) -> frozenset[str]:
    """The loops that move a dimension of the written tensor."""
    subscript = access_of(embedding, embedding.operands[0][0]).subscripts[dim]
    axes = {name for name, _ in subscript.terms}
    return frozenset(
        name
        for flat in embedding.flats
        if axes.intersection(flat.axes)
        for value in (flat.value, *flat.shifts)
        for name, _ in value.terms
    )


def parameter_order(
    embedding: Embedding, moving: frozenset[str], parallel: tuple[str, ...], tile: Mapping[str, int]
) -> Order:
    """The order of bias and scale."""
    return order_of(embedding, dict.fromkeys(moving, 1), parallel, tile, ())


def pack_parameters(
    embedding: Embedding,
    parallel: tuple[str, ...],
    tile: Mapping[str, int],
    dim: int,
    bias: NDArray[Any],
    scale: NDArray[Any],
) -> NDArray[Any]:
    """Bias (int32) and scale (float32), each [size of the dimension], as the epilogue reads them."""
    order = parameter_order(embedding, parameter_loops(embedding, dim), parallel, tile)
    extent = {loop.name: loop.extent for loop in embedding.outer}
    loops = tuple(dict.fromkeys(name for name, _, _ in order.parts))
    positions, inside = written_positions(embedding, loops)
    channel = np.where(inside, np.broadcast_to(positions[dim], inside.shape), 0)
    index: Any = np.zeros([count for _, count, _ in order.parts], dtype=np.int64)
    for name in loops:
        value: Any = 0
        for i, (part, count, each) in enumerate(order.parts):
            if part == name:
                value = value + each * np.arange(count).reshape([-1 if i == j else 1 for j in range(len(order.parts))])
        index = index * extent[name] + np.minimum(value, extent[name] - 1)
    chosen = channel[index.reshape(-1)]
    found = np.empty((len(chosen), 2, chosen.shape[1]), dtype=np.int32)
    found[:, 0] = bias[chosen]
    found[:, 1] = scale.astype(np.float32)[chosen].view(np.int32)
    return aligned_copy(found.reshape(-1))


def item_of(embedding: Embedding, operand: str) -> int:
    """Bytes of an element of an operand's tensor."""
    return DTYPES[embedding.operator.tensor(access_of(embedding, operand).tensor).dtype]


def aligned_copy(content: NDArray[Any]) -> NDArray[Any]:
    """The same elements, beginning on a multiple of 64 bytes."""
    memory = np.empty(content.nbytes + 64, dtype=np.uint8)
    start = -memory.ctypes.data % 64
    place = memory[start : start + content.nbytes].view(content.dtype)
    place[:] = content
    return place
