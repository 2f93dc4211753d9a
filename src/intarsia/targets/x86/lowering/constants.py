"""Constants in the order in which a kernel reads them, packed once by NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.embed import Embedding, Flat, layout_of
from intarsia.embed.embedding import Ints
from intarsia.targets.x86.lowering.memory import Address, address_of, given_box, outside, register_digits
from intarsia.targets.x86.lowering.packed import (
    Order,
    access_of,
    aligned_copy,
    constant_steps,
    indices,
    order_of,
    vector_origin,
    vector_steps,
)

AT_ONCE = 1 << 20
"""Elements whose places are held at a time."""


def pack_constant(
    embedding: Embedding,
    operand: str,
    parallel: tuple[str, ...],
    tile: Mapping[str, int],
    reduction: tuple[str, ...],
    width: int,
    array: NDArray[Any],
) -> NDArray[Any]:
    """A constant tensor as its feed reads it, some bytes of each register: a flat array on a multiple of 64 bytes."""
    order = order_of(embedding, constant_steps(embedding, operand), parallel, tile, reduction)
    kept = width // array.itemsize
    address = _whole(embedding, operand)
    if address is not None:
        return aligned_copy(_by_address(embedding, order, address, kept, array))
    return aligned_copy(_by_table(embedding, operand, order, kept, array))


def _whole(embedding: Embedding, operand: str) -> Address | None:
    """Where each register lies in the tensor as it is given; None if some lane of some register lies beside it."""
    access = access_of(embedding, operand)
    if outside(embedding, access) or not register_digits(embedding, operand)[1].all():
        return None
    moving = {name for subscript in access.subscripts for name, _ in subscript.terms}
    if not all(_inside(embedding, flat) for flat in embedding.flats if moving & set(flat.axes)):
        return None
    return address_of(embedding, operand, access, given_box(embedding.operator.tensor(access.tensor)))


def _inside(embedding: Embedding, flat: Flat) -> bool:
    """Whether axes stay in their range over all loops; False where they slide, which is not looked at."""
    if any(shift.constant or shift.terms for shift in flat.shifts):
        return False
    extent = {loop.name: loop.extent for loop in embedding.loops}
    ends = [c * (extent[name] - 1) for name, c in flat.value.terms]
    low = flat.value.constant + sum(e for e in ends if e < 0)
    return low >= 0 and flat.value.constant + sum(e for e in ends if e > 0) < prod(flat.extents)


def _by_address(embedding: Embedding, order: Order, address: Address, kept: int, array: NDArray[Any]) -> NDArray[Any]:
    """Elements by where they lie, some registers at a time."""
    steps, item = dict(address.terms), array.itemsize
    first = _places(embedding, order, steps, address.constant) // item
    lanes = np.array(address.lanes[:kept], np.int64) // item
    flat, found = array.reshape(-1), np.empty((len(first), kept), array.dtype)
    each = max(1, AT_ONCE // kept)
    for low in range(0, len(first), each):
        np.take(flat, first[low : low + each, None] + lanes, out=found[low : low + each], mode="clip")
    return found.reshape(-1)


def _by_table(embedding: Embedding, operand: str, order: Order, kept: int, array: NDArray[Any]) -> NDArray[Any]:
    """Elements by a table: of the array, zero where it says -1, the pad value where it says -2."""
    access = access_of(embedding, operand)
    layout = layout_of(embedding, operand, access)
    table = indices(embedding, operand)[:, :kept]
    table = table[_places(embedding, order, vector_steps(layout), vector_origin(layout))]
    found = array.reshape(-1)[np.maximum(table, 0)]
    found[table == -1] = 0
    found[table == -2] = embedding.operator.tensor(access.tensor).pad
    return np.asarray(found.reshape(-1))


def _places(embedding: Embedding, order: Order, steps: Mapping[str, int], origin: int) -> Ints:
    """Where registers are, in an order; beyond the end of a loop its last iteration once more."""
    extent = {loop.name: loop.extent for loop in embedding.outer}
    rank = len(order.parts)
    value: dict[str, Any] = {}
    for i, (name, count, each) in enumerate(order.parts):
        shape = [-1 if i == j else 1 for j in range(rank)]
        value[name] = value.get(name, 0) + each * np.arange(count).reshape(shape)
    place: Any = np.full([count for _, count, _ in order.parts], origin)
    for name, position in value.items():
        place = place + steps.get(name, 0) * np.minimum(position, extent[name] - 1)
    return np.asarray(place.reshape(-1))
