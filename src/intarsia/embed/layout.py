"""The layout that an embedding asks of a tensor: which registers an operand is loaded with, in which calls.

A *vector* is the content of an operand of the instruction in one call (for ``vta.gemm`` 16 input lanes, or 16x16
weights). Calls that differ only in loops that do not move the operand share a vector. Vectors are indexed by *dims*:
a subscript whose axes are not flattened slides (``2*oh + kh - 3`` is one dim, so that taps and outputs share rows);
the loops behind a flattened axis are dims of their own (im2col, with its duplication).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from math import gcd, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.embed.embedding import Embedding, Flat, Ints, evaluate, lane_positions
from intarsia.operators import DTYPES, Access, Affine, Tensor

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Dim:
    """One index of the packed tensor: position ``(value(outer loops) - origin) / step``, 0 <= position < extent."""

    name: str
    value: Affine
    origin: int
    step: int
    extent: int


@dataclass(frozen=True, slots=True)
class Layout:
    """A tensor as an operand wants it.

    Attributes:
        tensor: the operator's tensor.
        operand: the instruction's operand.
        dims: the indices of a vector, slowest first.
        registers: the operand's shape, such as (1, 16).
        axes: the operand's instruction axes, in the order of its subscripts.
    """

    tensor: Tensor
    operand: str
    dims: tuple[Dim, ...]
    registers: tuple[int, ...]

    @property
    def vectors(self) -> int:
        """Number of vectors, those included that no call needs."""
        return prod(d.extent for d in self.dims)

    @property
    def bytes(self) -> int:
        """Bytes of the packed tensor."""
        return self.vectors * prod(self.registers) * DTYPES[self.tensor.dtype]

    def __str__(self) -> str:
        dims = ", ".join(f"{d.name}<{d.extent}" for d in self.dims)
        registers = "x".join(map(str, self.registers))
        return f"{self.tensor.name} -> {self.operand}[{dims}][{registers}] {self.bytes} bytes"


def layouts(embedding: Embedding) -> tuple[Layout, ...]:
    """The layout of every operand that holds a tensor, the written one first."""
    return tuple(
        layout_of(embedding, meaning.tensor, access) for meaning, access in embedding.pairs() if access is not None
    )


def layout_of(embedding: Embedding, operand: str, access: Access) -> Layout:
    """The layout of one operand."""
    tensor = embedding.operator.tensor(access.tensor)
    registers = embedding.instruction.semantics.tensor(operand).shape
    return Layout(tensor, operand, dims_of(embedding, access), registers)


def flat_of(embedding: Embedding, axis: str) -> Flat:
    """The flat that an operator axis belongs to."""
    return next(f for f in embedding.flats if axis in f.axes)


def subscript_over_loops(embedding: Embedding, subscript: Affine) -> Affine | None:
    """The subscript as an affine form over loops, or None if it has an axis that is flattened with others."""
    total: dict[str, int] = {}
    constant = subscript.constant
    for axis, coefficient in subscript.terms:
        flat = flat_of(embedding, axis)
        if len(flat.axes) > 1:
            return None
        for part in (flat.value, flat.shifts[0]):
            constant += coefficient * part.constant
            for loop, inner in part.terms:
                total[loop] = total.get(loop, 0) + coefficient * inner
    return Affine(tuple((name, c) for name, c in total.items() if c), constant)


def dims_of(embedding: Embedding, access: Access) -> tuple[Dim, ...]:
    """The dims of an operand, in the order of the tensor's dimensions; constant ones are left out."""
    extent = {loop.name: loop.extent for loop in embedding.outer}
    plain: list[str] = []
    sliding: list[Affine] = []
    order: list[Affine | str] = []
    for subscript in access.subscripts:
        over = subscript_over_loops(embedding, subscript)
        if over is None:
            for name in _loops_behind(embedding, subscript):
                if name in extent and name not in plain:
                    plain.append(name)
                    order.append(name)
            continue
        outer = Affine(tuple((n, c) for n, c in over.terms if n in extent))
        if outer.terms and outer not in sliding:
            sliding.append(outer)
            order.append(outer)
    dims: list[Dim] = []
    for entry in order:
        if isinstance(entry, str):
            dims.append(Dim(entry, Affine(((entry, 1),)), 0, 1, extent[entry]))
        elif not {name for name, _ in entry.terms} <= set(plain):
            dims.append(_sliding(entry, extent))
    return tuple(dims)


def _loops_behind(embedding: Embedding, subscript: Affine) -> list[str]:
    names: list[str] = []
    for axis, _ in subscript.terms:
        names += [name for name, _ in flat_of(embedding, axis).value.terms if name not in names]
    return names


def _sliding(outer: Affine, extent: dict[str, int]) -> Dim:
    live = [(n, c) for n, c in outer.terms if extent[n] > 1]
    if not live:
        return Dim(str(outer), outer, 0, 1, 1)
    low = sum(min(0, c * (extent[n] - 1)) for n, c in live)
    high = sum(max(0, c * (extent[n] - 1)) for n, c in live)
    step = reduce(gcd, (abs(c) for _, c in live))
    return Dim(str(outer), outer, low, step, (high - low) // step + 1)


def gather(embedding: Embedding, access: Access, layout: Layout) -> tuple[Ints, NDArray[np.bool_]]:
    """Which element each register of each vector holds.

    Returns:
        flat index into the tensor [vectors, registers], and whether it holds one [vectors, registers]; where it does
        not, the register holds zero if an axis seen by this operand is out of range, else the tensor's pad value
        (index -1 and -2).
    """
    positions, digits, used = lane_positions(embedding)
    operand = embedding.instruction.semantics.tensor(layout.operand)
    meaning = next(m for m, a in embedding.pairs() if m.tensor == layout.operand and a == access)
    register = np.ravel_multi_index(
        [np.broadcast_to(evaluate(s, positions), used.shape) for s in meaning.subscripts], operand.shape
    )
    first = _first_lane(register, used, prod(operand.shape))
    lanes = {name: array[first] for name, array in digits.items()}
    index = _elements(embedding, access, layout, lanes, used[first])
    return index, index >= 0


def in_extents(embedding: Embedding, access: Access, layout: Layout, outer: dict[str, Ints]) -> NDArray[np.bool_]:
    """Whether the axes that an operand's sums of axes name are within their extents, at points of the outer loops.

    The vector that holds element 3 of ``O[4*g + oc]`` belongs to g = 0, oc = 3, but lies also where g = 1, oc = -1, a
    point that computes nothing.

    Args:
        embedding: the embedding.
        access: of the operand.
        layout: of the operand.
        outer: index of each outer loop that counts, [points]; the others are 0.

    Returns:
        [points, registers].
    """
    positions, digits, used = lane_positions(embedding)
    operand = embedding.instruction.semantics.tensor(layout.operand)
    meaning = next(m for m, a in embedding.pairs() if m.tensor == layout.operand and a == access)
    register = np.ravel_multi_index(
        [np.broadcast_to(evaluate(s, positions), used.shape) for s in meaning.subscripts], operand.shape
    )
    first = _first_lane(register, used, prod(operand.shape))
    values: dict[str, Ints] = {loop.name: np.zeros((1, 1), dtype=np.int64) for loop in embedding.outer}
    values |= {name: array[:, None] for name, array in outer.items()}
    values |= {name: array[first][None, :] for name, array in digits.items()}
    points = max((len(array) for array in outer.values()), default=1)
    inside = np.ones((points, len(first)), dtype=np.bool_)
    for subscript in access.subscripts:
        for axis, _ in subscript.terms if len(subscript.terms) > 1 else ():
            inside &= _unflattened(embedding, Affine(((axis, 1),)), values)[1]
    return inside


def _first_lane(register: Ints, used: NDArray[np.bool_], count: int) -> Ints:
    """A lane that reads each register, a used one where there is one."""
    first = np.full(count, -1, dtype=np.int64)
    order = np.argsort(used, kind="stable")
    first[register[order]] = order
    return first


def _elements(
    embedding: Embedding, access: Access, layout: Layout, lanes: dict[str, Ints], used: NDArray[np.bool_]
) -> Ints:
    """Tensor element by vector and register, -1 for zero, -2 for the pad value.

    Every position is kept in the shape of the dims that move it until the last moment: layouts reach 10**8 registers.
    """
    rank = len(layout.dims)
    small = prod(layout.tensor.shape) < 1 << 29
    kind: Any = np.int32 if small else np.int64
    index: dict[str, Array] = {
        d.name: np.arange(d.extent, dtype=kind).reshape([-1 if i == j else 1 for j in range(rank + 1)])
        for i, d in enumerate(layout.dims)
    }
    narrow: dict[str, Array] = {name: array.astype(kind) for name, array in lanes.items()}
    dims = {d.value: d for d in layout.dims}
    plain = {d.name: index[d.name] for d in layout.dims if d.value == Affine(((d.name, 1),))}
    outer_names = {loop.name for loop in embedding.outer}
    total: Array = np.zeros(1, dtype=kind)
    inside, seen = np.ones(1, dtype=np.bool_), used
    for size, subscript in zip(layout.tensor.shape, access.subscripts, strict=True):
        over = subscript_over_loops(embedding, subscript)
        if over is None:
            position, valid = _unflattened(embedding, subscript, {**plain, **narrow})
            seen = seen & valid
        else:
            outer = Affine(tuple((n, c) for n, c in over.terms if n in outer_names))
            inner = Affine(tuple((n, c) for n, c in over.terms if n not in outer_names), over.constant)
            if not outer.terms:
                base: Array = np.zeros(1, dtype=kind)
            elif outer in dims:
                base = dims[outer].origin + dims[outer].step * index[dims[outer].name]
            else:
                base = evaluate(outer, plain)
            position = base + evaluate(inner, narrow)
            if len(subscript.terms) == 1:
                axis, coefficient = subscript.terms[0]
                value = (position - subscript.constant) // coefficient
                seen = seen & (value >= 0) & (value < embedding.operator.axis(axis).extent)
        inside = inside & (position >= 0) & (position < size)
        total = total * kind(size) + position.astype(kind, copy=False)
    full = (*(d.extent for d in layout.dims), used.size)
    found: Array = np.array(np.broadcast_to(total, full))
    if not inside.all():
        found[np.broadcast_to(~inside, full)] = -2
    if not seen.all():
        found[np.broadcast_to(~seen, full)] = -1
    return found.reshape(layout.vectors, used.size)


def _unflattened(embedding: Embedding, subscript: Affine, values: dict[str, Ints]) -> tuple[Ints, NDArray[np.bool_]]:
    total = np.full(1, subscript.constant, dtype=np.int64)
    valid = np.ones(1, dtype=np.bool_)
    for axis, coefficient in subscript.terms:
        flat = flat_of(embedding, axis)
        value = evaluate(flat.value, values)
        if len(flat.axes) > 1:  # a lone axis in a sum is not seen: its lane digits may leave the operand fixed
            valid = valid & (value >= 0) & (value < prod(flat.extents))
        place = flat.axes.index(axis)
        after = prod(flat.extents[place + 1 :])
        position = value // after
        if place > 0:  # the first axis is not reduced: beyond its extent it must not come back as another element
            position = position % flat.extents[place]
        position = position + evaluate(flat.shifts[place], values)
        if len(subscript.terms) == 1:
            valid = valid & (position >= 0) & (position < embedding.operator.axis(axis).extent)
        total = total + coefficient * position
    return total, valid
