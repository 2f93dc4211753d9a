"""Which bias belongs to which lane of which output tensor."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from intarsia.operators import Operator
from intarsia.program import CallSpace
from intarsia.targets.vta.lowering.emit import Plan
from intarsia.targets.vta.lowering.packing import outputs

Ints = NDArray[np.int64]


def channel_dims(operator: Operator, statement: int) -> tuple[int, ...]:
    """Dims of the output that a constant tensor alone decides (the output channels); the last dim if none is."""
    body = operator.statements[statement]
    constant = {
        name
        for read in body.reads
        if operator.tensor(read.tensor).constant
        for s in read.subscripts
        for name, _ in s.terms
    }
    dims = [i for i, s in enumerate(body.write.subscripts) if s.terms and all(n in constant for n, _ in s.terms)]
    return tuple(dims) if dims else (len(body.write.subscripts) - 1,)


def bias_shape(operator: Operator, statement: int) -> tuple[int, ...]:
    """Shape of the bias tensor: the extents of the channel dims."""
    shape = operator.tensor(operator.statements[statement].write.tensor).shape
    return tuple(shape[d] for d in channel_dims(operator, statement))


def spread(bias: NDArray[np.int32], operator: Operator, statement: int) -> NDArray[np.int32]:
    """The bias with the output's number of dims, broadcasting against it."""
    shape = operator.tensor(operator.statements[statement].write.tensor).shape
    dims = channel_dims(operator, statement)
    return bias.reshape([shape[d] if d in dims else 1 for d in range(len(shape))])


def bias_loops(space: CallSpace) -> tuple[str, ...]:
    """The parallel loops that move a channel dim of the output."""
    operator = space.embedding.operator
    access = space.written.access
    dims = channel_dims(operator, space.embedding.statement)
    axes = {name for d in dims for name, _ in access.subscripts[d].terms}
    moving = {
        loop
        for flat in space.embedding.flats
        if axes & set(flat.axes)
        for affine in (flat.value, *flat.shifts)
        for loop, _ in affine.terms
    }
    return tuple(loop.name for loop in space.parallel if loop.name in moving)


@dataclass(frozen=True, slots=True, eq=False)
class BiasMap:
    """Flat bias element by bias tensor of the region and register, -1 where a lane computes nothing.

    ``by_column`` says that all batch rows of a tensor have the same bias, so that a GEMM can add it.
    """

    index: Ints
    by_column: bool


def bias_map(plan: Plan) -> BiasMap:
    """The index map of the bias region."""
    space = plan.space
    shape = space.written.layout.tensor.shape
    dims = channel_dims(space.embedding.operator, space.embedding.statement)
    element = outputs(plan)
    coordinates = np.unravel_index(np.maximum(element, 0), shape)
    channel = np.zeros_like(element)
    for d in dims:
        channel = channel * shape[d] + coordinates[d]
    channel = np.where(element >= 0, channel, -1)
    names = [loop.name for loop in space.parallel]
    extents = [loop.extent for loop in space.parallel]
    keep = [names.index(n) for n in plan.bias_loops]
    grid = channel.reshape([*extents, -1])
    rest = tuple(i for i in range(len(extents)) if i not in keep)
    top = grid.max(axis=rest) if rest else grid
    order = sorted(keep)
    top = np.transpose(top, [*(order.index(k) for k in keep), len(keep)])
    place = plan.bias_region
    numbers = np.indices([extents[k] for k in keep], dtype=np.int64).reshape(len(keep), -1)
    offset = np.zeros(numbers.shape[1] if keep else 1, dtype=np.int64)
    for p, position in zip(place.places, numbers, strict=True):
        offset += position // p.tile * p.outer + position % p.tile * p.inner
    index = np.full((place.tensors, element.shape[1]), -1, dtype=np.int64)
    index[offset] = top.reshape(-1, element.shape[1])
    batch, block = space.written.layout.registers
    rows = index.reshape(-1, batch, block)
    columns = rows.max(axis=1, keepdims=True)
    return BiasMap(index, bool(((rows == columns) | (rows < 0)).all()))


def bias_count(space: CallSpace, loops: tuple[str, ...]) -> int:
    """Number of bias tensors."""
    return prod(loop.extent for loop in space.parallel if loop.name in loops)
