"""The same outputs as ``interpret``, fast: large integer sums of products as exact floating-point matrix products.

An operator comes in with its inputs; its outputs go out, equal bit for bit to those of the interpreter. Each read is
viewed through strides as an array over all axes (an image as a convolution's kernel sees it, without a copy); the axes
are sorted as a batched matrix product has them (batch, rows, columns, summed); blocks of both views are copied into
matrices so small that every partial sum is exact (up to 2^24 in float32, 2^53 in float64), multiplied by BLAS, and
wrapped to the output's dtype. Sums modulo 2^bits may be taken in any order, so nothing is approximated.

What does not have that form (max and min, floating point, three factors) goes to the interpreter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from intarsia.operators.element import is_floating, numpy_dtype
from intarsia.operators.inputs import Array, check_inputs
from intarsia.operators.interpreter import initial_outputs, interpret, scatter
from intarsia.operators.operator import Access, Affine, Axis, Operator, Statement, Tensor

LARGEST_PADDED = 2**28
"""Elements of a padded copy of an input; what needs more is left to the interpreter."""
WIDEST = 4096
"""The most rows, columns and summed points of one matrix product: its blocks stay below 0.5 GiB."""
CONVERTED_ONCE = 2**25
"""Inputs up to so many elements are converted to floating point once, larger ones block by block."""
LEAST_WORK = 1024
"""Multiplications per matrix product below which the interpreter is as fast."""

Block = dict[str, slice]


@dataclass(frozen=True, slots=True)
class _Factor:
    """An input as it is read: an array over all axes of the operator, with stride 0 along axes that do not move it."""

    array: Array
    axes: tuple[str, ...]

    def matrix(self, rows: list[Axis], columns: list[Axis], block: Block, dtype: np.dtype[Any]) -> Array:
        """A block as a matrix, rows by columns; the other axes stay at the block's first index."""
        if self._stride(rows) < self._stride(columns):
            return self.matrix(columns, rows, block, dtype).T
        named = [a.name for a in (*rows, *columns)]
        order = [self.axes.index(name) for name in (*(a for a in self.axes if a not in named), *named)]
        first = {a: slice(part.start, part.start + 1) for a, part in block.items()}
        part = self.array[tuple(block[a] if a in named else first[a] for a in self.axes)].transpose(order)
        return part.astype(dtype, order="C", copy=False).reshape(_points(rows, block), _points(columns, block))

    def _stride(self, axes: list[Axis]) -> int:
        """Bytes between neighbours along the last axis: what lies closer together is copied together."""
        stride = abs(self.array.strides[self.axes.index(axes[-1].name)]) if axes else 0
        return stride or 1 << 62


@dataclass(frozen=True, slots=True)
class _Contraction:
    """One statement as batched matrix products; ``depth`` summed points are exact in ``dtype``."""

    statement: Statement
    left: _Factor
    right: _Factor
    batch: list[Axis]
    rows: list[Axis]
    columns: list[Axis]
    summed: list[Axis]
    dtype: np.dtype[Any]
    depth: int


def evaluate(op: Operator, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """The outputs of an operator, equal to ``interpret(op, inputs)``; below 1 GiB of memory beyond both, usually.

    Args:
        op: the operator.
        inputs: tensor name to array, of the declared shapes and dtypes, for every input.

    Returns:
        Tensor name to array, for every output, of the declared shapes and dtypes.

    Raises:
        InputError: if an input is missing, unknown, or of another shape or dtype.
    """
    check_inputs(op, inputs)
    if not all(_is_matrix_product(op, s) for s in op.statements):
        return interpret(op, inputs)
    outputs = initial_outputs(op)
    for statement in op.statements:
        written = op.tensor(statement.write.tensor)
        _accumulate(_contraction(op, statement, inputs), written, outputs[written.name])
    return outputs


def _is_matrix_product(op: Operator, statement: Statement) -> bool:
    if statement.combine != "+=" or len(statement.reads) > 2 or is_floating(op.tensor(statement.write.tensor).dtype):
        return False
    if any(_padded_elements(op, read) > LARGEST_PADDED for read in statement.reads):
        return False
    batch = prod(a.extent for a in op.axes if a.role == "parallel" and all(_moves(r, a) for r in statement.reads))
    return len(statement.reads) == 1 or op.iterations >= LEAST_WORK * batch


def _moves(access: Access, axis: Axis) -> bool:
    return any(s.coefficient(axis.name) for s in access.subscripts)


def _contraction(op: Operator, statement: Statement, inputs: Mapping[str, Array]) -> _Contraction:
    written = numpy_dtype(op.tensor(statement.write.tensor).dtype)
    parallel = [a for a in op.axes if a.role == "parallel"]
    right, *others = sorted(statement.reads, key=lambda read: not (parallel and _moves(read, parallel[-1])))
    arrays = [_padded(op, read, inputs[read.tensor], written) for read in (right, *others)]
    bound = max(1, prod(_magnitude(array) for array in arrays))
    dtype, largest = _exact(bound)
    factors = [_factor(op, read, array, dtype) for read, array in zip((right, *others), arrays, strict=True)]
    ones = _Factor(np.broadcast_to(np.ones((), dtype), [a.extent for a in op.axes]), tuple(a.name for a in op.axes))
    columns = [a for a in parallel if _moves(right, a) and not any(_moves(read, a) for read in others)]
    batch = [a for a in parallel if _moves(right, a) and a not in columns]
    return _Contraction(
        statement,
        left=factors[1] if others else ones,
        right=factors[0],
        batch=batch,
        rows=[a for a in parallel if a not in batch and a not in columns],
        columns=columns,
        summed=[a for a in op.axes if a.role == "reduction"],
        dtype=dtype,
        depth=min(WIDEST, largest // bound),
    )


def _exact(bound: int) -> tuple[np.dtype[Any], int]:
    """The fastest dtype that sums many products up to ``bound`` exactly, and how large a sum may be in it."""
    if bound <= 2**16:
        return np.dtype(np.float32), 2**24
    if bound <= 2**45:
        return np.dtype(np.float64), 2**53
    return np.dtype(np.int64), bound * WIDEST  # wraps modulo 2^64, which every output dtype divides


def _reach(op: Operator, read: Access) -> list[tuple[int, int]]:
    """For each dimension the interval, end excluded, that holds the tensor and all that is read of it."""
    return [_interval(op, s, extent) for s, extent in zip(read.subscripts, op.tensor(read.tensor).shape, strict=True)]


def _interval(op: Operator, subscript: Affine, extent: int) -> tuple[int, int]:
    ends = [c * (op.axis(axis).extent - 1) for axis, c in subscript.terms]
    low = subscript.constant + sum(e for e in ends if e < 0)
    high = subscript.constant + sum(e for e in ends if e > 0)
    return min(0, low), max(extent, high + 1)


def _padded_elements(op: Operator, read: Access) -> int:
    """Elements of the copy that ``_padded`` makes, 0 if it makes none."""
    elements = prod(high - low for low, high in _reach(op, read))
    return 0 if elements == prod(op.tensor(read.tensor).shape) else elements


def _padded(op: Operator, read: Access, array: Array, written: np.dtype[Any]) -> Array:
    """An input with its pad values around it, as wide as its reads reach; values as the written dtype holds them."""
    tensor = op.tensor(read.tensor)
    around = [(-low, high - n) for (low, high), n in zip(_reach(op, read), tensor.shape, strict=True)]
    if any(before or after for before, after in around):
        array = np.pad(array, around, constant_values=tensor.pad)
    return array if np.can_cast(array.dtype, written) else array.astype(written)


def _magnitude(array: Array) -> int:
    return max(abs(int(array.min())), abs(int(array.max())))


def _factor(op: Operator, read: Access, array: Array, dtype: np.dtype[Any]) -> _Factor:
    if array.size <= CONVERTED_ONCE:
        array = array.astype(dtype, order="C")
    origin = [s.constant - low for s, (low, _) in zip(read.subscripts, _reach(op, read), strict=True)]
    strides = [
        sum(s.coefficient(a.name) * stride for s, stride in zip(read.subscripts, array.strides, strict=True))
        for a in op.axes
    ]
    corner = array[tuple(slice(o, None) for o in origin)]
    view = as_strided(corner, [a.extent for a in op.axes], strides, writeable=False)
    return _Factor(view, tuple(a.name for a in op.axes))


def _accumulate(c: _Contraction, written: Tensor, output: Array) -> None:
    """Add every block of the product to the output (C-ordered), which changes."""
    total = np.dtype(np.int32 if c.dtype == np.float32 else np.int64)
    outer = product(_blocks(c.batch, 1), _blocks(c.rows, WIDEST), _blocks(c.columns, WIDEST))
    for batch, rows, columns in outer:
        block = batch | rows | columns
        partial = np.zeros((_points(c.rows, block), _points(c.columns, block)), total)
        for summed in _blocks(c.summed, c.depth):
            left = c.left.matrix(c.rows, c.summed, block | summed, c.dtype)
            right = c.right.matrix(c.summed, c.columns, block | summed, c.dtype)
            partial += (left @ right).astype(total, copy=False)
        _write(c, written, output, block, partial.astype(output.dtype, copy=False))


def _write(c: _Contraction, written: Tensor, output: Array, block: Block, values: Array) -> None:
    axes = [a.name for a in (*c.rows, *c.columns)]
    values = values.reshape([_length(block[a]) for a in axes])
    window = _window(c.statement.write, written, block)
    if window is None:
        indices = np.ogrid[tuple(block[a] for a in axes)] if axes else ()
        single = {a.name: np.asarray(block[a.name].start) for a in c.batch}
        scatter(written, c.statement, output, single | dict(zip(axes, indices, strict=True)), values)
        return
    slices, order = window
    long = [a for a in axes if _length(block[a]) > 1]
    values = values.reshape([_length(block[a]) for a in long]).transpose([long.index(a) for a in order])
    output[slices] += values.reshape(output[slices].shape)


def _window(write: Access, written: Tensor, block: Block) -> tuple[tuple[slice, ...], list[str]] | None:
    """The part of the output that a block fills, with the axis of each long dimension; None if it is no window."""
    slices: list[slice] = []
    order: list[str] = []
    for subscript, extent in zip(write.subscripts, written.shape, strict=True):
        first = subscript.constant + sum(c * block[a].start for a, c in subscript.terms)
        long = [(a, c) for a, c in subscript.terms if _length(block[a]) > 1]
        step = long[0][1] if long else 1
        last = first + step * (_length(block[long[0][0]]) - 1) if long else first
        if len(long) > 1 or step < 1 or first < 0 or last >= extent or (long and long[0][0] in order):
            return None
        slices.append(slice(first, last + 1, step))
        order += [long[0][0]] if long else []
    return tuple(slices), order


def _length(part: slice) -> int:
    return int(part.stop - part.start)


def _points(axes: list[Axis], block: Block) -> int:
    return prod(_length(block[a.name]) for a in axes)


def _blocks(axes: list[Axis], limit: int) -> Iterator[Block]:
    """Cut a box into blocks of at most ``limit`` points: last axes whole, one axis in runs, first axes one by one."""
    room = limit
    runs: list[int] = []
    for axis in reversed(axes):
        runs.insert(0, max(1, min(axis.extent, room)))
        room //= axis.extent
    cuts = [range(0, axis.extent, run) for axis, run in zip(axes, runs, strict=True)]
    for starts in product(*cuts):
        yield {a.name: slice(s, min(s + run, a.extent)) for a, s, run in zip(axes, starts, runs, strict=True)}
