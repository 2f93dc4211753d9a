"""Runs an embedding on the instruction that it names: inputs come in, the output goes out.

Each operand is packed by its layout, every call executes all lanes of the instruction's statement on the registers that
it finds (padding included: nothing is masked), results accumulate in the vectors of the written operand, and at the end
those vectors that calls have written are unpacked. Integers wrap in the dtype of the instruction's written operand,
floats round in it. A wrong embedding therefore gives a wrong output.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np

from intarsia.embed.embedding import Embedding, Ints, batches, evaluate, lane_positions
from intarsia.embed.layout import Layout, gather, layout_of
from intarsia.operators import Access, Combine, check_inputs, identity, numpy_dtype
from intarsia.operators.inputs import Array

LANES_AT_A_TIME = 1 << 20
"""Lanes whose products are held at once."""

COMBINE: dict[Combine, np.ufunc] = {"+=": np.add, "max=": np.maximum, "min=": np.minimum}


@dataclass(frozen=True, slots=True)
class _Operand:
    """An operand in memory: ``data[vector, register]``, and where calls and lanes find theirs."""

    data: Array
    layout: Layout | None
    register: Ints

    def vectors(self, calls: Mapping[str, Ints], count: int) -> Ints:
        """The vector of each call [calls]."""
        number = np.zeros(count, dtype=np.int64)
        for dim in self.layout.dims if self.layout else ():
            number = number * dim.extent + (evaluate(dim.value, calls) - dim.origin) // dim.step
        return number


def run(embedding: Embedding, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """The output of the embedded statement.

    Args:
        embedding: what to run.
        inputs: tensor name to array, for every input of the operator.

    Returns:
        The written tensor's name to its array, in the operator's shape and dtype.

    Raises:
        InputError: if an input is missing, unknown, or of another shape or dtype.
    """
    check_inputs(embedding.operator, inputs)
    combine = embedding.meaning.combine
    positions, _, _ = lane_positions(embedding)
    meanings = embedding.pairs()
    result = _accumulators(embedding, positions)
    factors = [_packed(embedding, meaning, access, inputs, positions) for meaning, access in meanings[1:]]
    written = np.zeros(result.data.shape[0], dtype=np.bool_)
    lanes = result.register.size
    order = np.argsort(result.register, kind="stable")
    starts = np.flatnonzero(np.diff(result.register[order], prepend=-1))
    targets = result.register[order][starts]
    with np.errstate(all="ignore"):
        for calls in batches(embedding, max(1, LANES_AT_A_TIME // lanes)):
            count = next(iter(calls.values())).size if calls else 1
            value = np.ones((count, lanes), dtype=result.data.dtype)
            for factor in factors:
                value *= factor.data[factor.vectors(calls, count)][:, factor.register]
            partial = COMBINE[combine].reduceat(value[:, order], starts, axis=1, dtype=value.dtype)
            homes = result.vectors(calls, count)
            COMBINE[combine].at(result.data, (homes[:, None], targets[None, :]), partial)
            written[homes] = True
    return _unpacked(embedding, result, written)


def _packed(
    embedding: Embedding,
    meaning: Access,
    access: Access | None,
    inputs: Mapping[str, Array],
    positions: dict[str, Ints],
) -> _Operand:
    """A factor, loaded as its layout says, already in the dtype that the instruction accumulates in."""
    semantics = embedding.instruction.semantics
    operand = semantics.tensor(meaning.tensor)
    accumulator = numpy_dtype(semantics.tensor(embedding.meaning.write.tensor).dtype)
    register = _register(meaning, operand.shape, positions)
    if access is None:
        return _Operand(np.ones((1, prod(operand.shape)), dtype=accumulator), None, register)
    layout = layout_of(embedding, meaning.tensor, access)
    index, holds = gather(embedding, access, layout)
    elements = inputs[access.tensor].reshape(-1).astype(numpy_dtype(operand.dtype))
    pad = np.asarray(layout.tensor.pad, dtype=elements.dtype)
    empty = np.where(index == -1, np.zeros((), dtype=elements.dtype), pad)
    data = np.where(holds, elements[np.maximum(index, 0)], empty).astype(accumulator)
    return _Operand(data, layout, register)


def _accumulators(embedding: Embedding, positions: dict[str, Ints]) -> _Operand:
    """The vectors of the written operand, each register the identity of the combining operator."""
    meaning, access = embedding.pairs()[0]
    assert access is not None
    operand = embedding.instruction.semantics.tensor(meaning.tensor)
    layout = layout_of(embedding, meaning.tensor, access)
    start = identity(embedding.meaning.combine, operand.dtype)
    data = np.full((layout.vectors, prod(operand.shape)), start, dtype=numpy_dtype(operand.dtype))
    return _Operand(data, layout, _register(meaning, operand.shape, positions))


def _register(meaning: Access, shape: tuple[int, ...], positions: dict[str, Ints]) -> Ints:
    """The register of each lane [lanes]."""
    lanes = next(iter(positions.values())).shape
    places = [np.broadcast_to(evaluate(s, positions), lanes) for s in meaning.subscripts]
    return np.asarray(np.ravel_multi_index(places, shape), dtype=np.int64)


def _unpacked(embedding: Embedding, result: _Operand, written: Array) -> dict[str, Array]:
    """The output tensor; elements that no vector holds keep the identity."""
    access = embedding.body.write
    assert result.layout is not None
    tensor = result.layout.tensor
    dtype = numpy_dtype(tensor.dtype)
    index, holds = gather(embedding, access, result.layout)
    holds = holds & written[:, None]
    output = np.full(prod(tensor.shape), identity(embedding.body.combine, tensor.dtype), dtype=dtype)
    output[index[holds]] = result.data[holds].astype(dtype)
    return {tensor.name: output.reshape(tensor.shape)}
