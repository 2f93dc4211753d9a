"""The living definition of an operator: what its outputs are, given its inputs. Slow and obvious.

Every written tensor starts as the identity of its combining operator. Then, for each point of the reduction axes in
lexicographic order, each statement in order, and each point of the parallel axes in lexicographic order: the reads are
converted to the written tensor's dtype, multiplied from left to right and combined into the written element, all in
that dtype (integers wrap modulo 2^bits, floats round at each step). A read outside its tensor is the tensor's pad
value; a write outside its tensor is dropped.

``interpret`` does all parallel points of a statement at once; ``interpret_scalar`` is the same in plain loops, the
twin that the tests hold against it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from math import isnan
from typing import Any

import numpy as np

from intarsia.operators.element import identity, is_floating, numpy_dtype
from intarsia.operators.inputs import Array, check_inputs
from intarsia.operators.operator import Access, Affine, Axis, Combine, Operator, Statement, Tensor

COMBINING: dict[Combine, np.ufunc] = {"+=": np.add, "max=": np.maximum, "min=": np.minimum}


def interpret(op: Operator, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """The outputs of an operator.

    Args:
        op: the operator.
        inputs: tensor name to array, of the declared shapes and dtypes, for every input.

    Returns:
        Tensor name to array, for every output, of the declared shapes and dtypes.

    Raises:
        InputError: if an input is missing, unknown, or of another shape or dtype.
    """
    check_inputs(op, inputs)
    outputs = initial_outputs(op)
    parallel = open_grid([a for a in op.axes if a.role == "parallel"])
    with np.errstate(all="ignore"):
        for point in _points([a for a in op.axes if a.role == "reduction"]):
            for statement in op.statements:
                written = op.tensor(statement.write.tensor)
                value = np.ones((), numpy_dtype(written.dtype))
                for read in statement.reads:
                    value = value * _gather(op.tensor(read.tensor), read, inputs[read.tensor], parallel | point, value)
                scatter(written, statement, outputs[written.name], parallel | point, value)
    return outputs


def initial_outputs(op: Operator) -> dict[str, Array]:
    """Every output, filled with the identity of its combining operator."""
    combines = {s.write.tensor: s.combine for s in op.statements}
    return {t.name: np.full(t.shape, identity(combines[t.name], t.dtype), numpy_dtype(t.dtype)) for t in op.outputs}


def open_grid(axes: list[Axis]) -> dict[str, Array]:
    """Axis name to its indices, each along a dimension of its own, so that expressions of them broadcast."""
    grid = np.ogrid[tuple(slice(a.extent) for a in axes)] if axes else ()
    return {a.name: indices for a, indices in zip(axes, grid, strict=True)}


def _points(axes: list[Axis]) -> Iterator[dict[str, Array]]:
    for values in product(*(range(a.extent) for a in axes)):
        yield {a.name: np.asarray(v) for a, v in zip(axes, values, strict=True)}


def _value(subscript: Affine, place: Mapping[str, Array]) -> Array:
    return np.asarray(sum((c * place[axis] for axis, c in subscript.terms), start=np.asarray(subscript.constant)))


def _offsets(tensor: Tensor, access: Access, place: Mapping[str, Array]) -> tuple[Array, Array]:
    """Where an access goes: element offsets in C order (0 where outside), and whether it is inside the tensor."""
    offset, inside = np.zeros((), np.int64), np.ones((), np.bool_)
    for subscript, extent in zip(access.subscripts, tensor.shape, strict=True):
        index = _value(subscript, place)
        inside = inside & (index >= 0) & (index < extent)
        offset = offset * extent + index
    return np.where(inside, offset, 0), inside


def _gather(tensor: Tensor, read: Access, array: Array, place: Mapping[str, Array], like: Array) -> Array:
    offsets, inside = _offsets(tensor, read, place)
    pad = np.asarray(tensor.pad, array.dtype)
    return np.where(inside, array.reshape(-1)[offsets], pad).astype(like.dtype)


def scatter(written: Tensor, statement: Statement, output: Array, place: Mapping[str, Array], value: Array) -> None:
    """Combine values into an output, at the points of ``place``; changes ``output`` (C-ordered) only."""
    offsets, inside, values = np.broadcast_arrays(*_offsets(written, statement.write, place), value)
    COMBINING[statement.combine].at(output.reshape(-1), offsets[inside], values[inside])


def interpret_scalar(op: Operator, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """As ``interpret``, one scalar at a time, integers as Python's own; for tiny shapes."""
    check_inputs(op, inputs)
    outputs = initial_outputs(op)
    parallel = [a for a in op.axes if a.role == "parallel"]
    reduction = [a for a in op.axes if a.role == "reduction"]
    with np.errstate(all="ignore"):
        for outer in _scalar_points(reduction):
            for statement in op.statements:
                for inner in _scalar_points(parallel):
                    _step(op, statement, inputs, outputs, outer | inner)
    return outputs


def _scalar_points(axes: list[Axis]) -> Iterator[dict[str, int]]:
    for values in product(*(range(a.extent) for a in axes)):
        yield {a.name: v for a, v in zip(axes, values, strict=True)}


def _step(
    op: Operator, statement: Statement, inputs: Mapping[str, Array], outputs: dict[str, Array], point: dict[str, int]
) -> None:
    written = op.tensor(statement.write.tensor)
    index = _index(statement.write, point)
    if not _inside(index, written.shape):
        return
    value = _wrap(1, written.dtype)
    for read in statement.reads:
        tensor = op.tensor(read.tensor)
        at = _index(read, point)
        element = inputs[tensor.name][at].item() if _inside(at, tensor.shape) else _stored(tensor.pad, tensor.dtype)
        value = _wrap(value * _wrap(element, written.dtype), written.dtype)
    old = outputs[written.name][index]
    new = _combined(statement.combine, _wrap(old.item(), written.dtype), value)
    outputs[written.name][index] = _wrap(new, written.dtype)


def _index(access: Access, point: dict[str, int]) -> tuple[int, ...]:
    return tuple(s.constant + sum(c * point[axis] for axis, c in s.terms) for s in access.subscripts)


def _inside(index: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    return all(0 <= i < n for i, n in zip(index, shape, strict=True))


def _stored(value: float, dtype: str) -> Any:
    return numpy_dtype(dtype).type(value).item() if is_floating(dtype) else value


def _wrap(value: Any, dtype: str) -> Any:
    """A value as the dtype holds it: integers modulo 2^bits, floats rounded."""
    if is_floating(dtype):
        return numpy_dtype(dtype).type(value)
    bits = 8 * numpy_dtype(dtype).itemsize
    low = int(value) % 2**bits
    return low - 2**bits if not dtype.startswith("u") and low >= 2 ** (bits - 1) else low


def _combined(combine: Combine, old: Any, new: Any) -> Any:
    if combine == "+=":
        return old + new
    if isnan(old) or isnan(new):
        return old if isnan(old) else new
    return max(old, new) if combine == "max=" else min(old, new)
