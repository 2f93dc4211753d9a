"""Which bias belongs to which lane of which output tensor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from intarsia.embed.embedding import evaluate, lane_positions
from intarsia.operators import Operator
from intarsia.program import CallSpace
from intarsia.targets.vta.lowering.epilogue import Epilogue
from intarsia.targets.vta.lowering.plan import Plan

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
    """Flat bias element by bias tensor of the region and register, -1 where a lane computes nothing."""

    index: Ints


def bias_map(plan: Plan) -> BiasMap:
    """The index map of the bias region."""
    space = plan.space
    embedding, written = space.embedding, space.written
    shape = written.layout.tensor.shape
    keep = [loop for loop in space.parallel if loop.name in plan.bias_loops]
    extents = [loop.extent for loop in keep]
    grid = np.indices(extents, dtype=np.int64).reshape(len(keep), prod(extents))
    calls = {loop.name: np.zeros(prod(extents), dtype=np.int64) for loop in embedding.outer}
    calls |= {loop.name: grid[i] for i, loop in enumerate(keep)}
    register = _lane_of_register(plan)
    channel = _channels(plan, calls, channel_dims(embedding.operator, embedding.statement), shape)[:, register]
    offset = np.zeros(prod(extents), dtype=np.int64)
    for p, name in zip(plan.bias_region.places, plan.bias_loops, strict=True):
        position = calls[name]
        offset += position // p.tile * p.outer + position % p.tile * p.inner
    index = np.full((plan.bias_region.tensors, register.size), -1, dtype=np.int64)
    index[offset] = channel
    return BiasMap(index)


def _lane_of_register(plan: Plan) -> Ints:
    """A lane that writes each register of the result, a used one where there is one."""
    embedding = plan.space.embedding
    positions, _, used = lane_positions(embedding)
    write = embedding.meaning.write
    shape = plan.space.written.layout.registers
    register = np.ravel_multi_index([evaluate(s, positions) for s in write.subscripts], shape)
    lane = np.zeros(prod(shape), dtype=np.int64)
    order = np.argsort(used, kind="stable")
    lane[register[order]] = order
    return lane


def _channels(plan: Plan, calls: dict[str, Ints], dims: tuple[int, ...], shape: tuple[int, ...]) -> Ints:
    """Flat channel by call and lane, -1 where a lane is beyond the channels."""
    embedding = plan.space.embedding
    _, digits, used = lane_positions(embedding)
    values = {name: array[:, None] for name, array in calls.items()}
    values |= {name: array[None, :] for name, array in digits.items()}
    subscripts = [plan.space.written.access.subscripts[d] for d in dims]
    axes = {name for s in subscripts for name, _ in s.terms}
    valid = used[None, :]
    found: dict[str, Ints] = {}
    for flat in embedding.flats:
        if not axes & set(flat.axes):
            continue
        value = evaluate(flat.value, values)
        valid = valid & (value >= 0) & (value < prod(flat.extents))
        for place, name in enumerate(flat.axes):
            after = prod(flat.extents[place + 1 :])
            position = value // after % flat.extents[place] + evaluate(flat.shifts[place], values)
            found[name] = position
            if name in axes:
                valid = valid & (position >= 0) & (position < embedding.operator.axis(name).extent)
    channel = np.zeros((1, 1), dtype=np.int64)
    for d, subscript in zip(dims, subscripts, strict=True):
        position = evaluate(subscript, found)
        valid = valid & (position >= 0) & (position < shape[d])
        channel = channel * shape[d] + position
    count = len(next(iter(calls.values()))) if calls else 1
    return np.broadcast_to(np.where(valid, channel, -1), (count, used.size))


def fitted(space: CallSpace, epilogue: Epilogue | None) -> Epilogue | None:
    """The epilogue with the bias kept where an embedding allows: by column, by row, or in the accumulators."""
    if epilogue is None or not epilogue.by_gemm:
        return epilogue
    embedding = space.embedding
    dims = channel_dims(embedding.operator, embedding.statement)
    axes = {name for d in dims for name, _ in space.written.access.subscripts[d].terms}
    moving = {
        loop
        for flat in embedding.flats
        if axes & set(flat.axes)
        for affine in (flat.value, *flat.shifts)
        for loop, _ in affine.terms
    }
    lanes = {loop.lane for loop in embedding.loops if loop.lane and loop.extent > 1 and loop.name in moving}
    row, column = (s.terms[0][0] for s in embedding.meaning.write.subscripts)
    if not lanes & {row}:
        return replace(epilogue, bias="wgt")
    return replace(epilogue, bias="acc" if lanes & {column} else "inp")
