"""What an embedding means, derived a second time from its definition: calls in, the iteration of every lane out.

This is the checker's own reading of ``Embedding``; it shares no code with the enumeration that programs are made from.
Digits are enumerated and put at their position (the other way round from dividing a position into digits).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from intarsia.embed.embedding import Embedding, Flat, Loop
from intarsia.embed.layout import Layout
from intarsia.operators import Access, Affine, Tensor

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

PAD = -2
"""Stands for an element outside the tensor: the tensor's pad value."""


@dataclass(frozen=True, slots=True)
class Table:
    """Some calls, all their lanes.

    Attributes:
        calls: outer loop -> index [calls].
        positions: instruction axis -> position [lanes].
        axes: operator axis -> value [calls, lanes]; of no meaning where the lane is undefined.
        defined: the lane has an iteration [calls, lanes].
    """

    calls: dict[str, Ints]
    positions: dict[str, Ints]
    axes: dict[str, Ints]
    defined: Bools


@dataclass(frozen=True, slots=True)
class Match:
    """One access of the instruction and the access of the operator that it stands for (None: the constant 1)."""

    meaning: Access
    access: Access | None
    operand: Tensor
    tensor: Tensor | None


def matches(embedding: Embedding) -> tuple[Match, ...]:
    """The write and the factors in the instruction's order; reads of one tensor in the order of the text."""
    meaning = embedding.instruction.semantics.statements[0]
    body = embedding.operator.statements[embedding.statement]
    assigned = dict(embedding.operands)
    waiting = {t.name: [r for r in body.reads if r.tensor == t.name] for t in embedding.operator.tensors}
    found = [_match(embedding, meaning.write, body.write)]
    for access in meaning.reads:
        tensor = assigned[access.tensor]
        found.append(_match(embedding, access, waiting[tensor].pop(0) if tensor is not None else None))
    return tuple(found)


def _match(embedding: Embedding, meaning: Access, access: Access | None) -> Match:
    operand = embedding.instruction.semantics.tensor(meaning.tensor)
    tensor = embedding.operator.tensor(access.tensor) if access is not None else None
    return Match(meaning, access, operand, tensor)


def table_of(embedding: Embedding, calls: dict[str, Ints]) -> Table:
    """The iteration of every lane of these calls."""
    axes = embedding.instruction.semantics.axes
    grid = np.indices(tuple(a.extent for a in axes), dtype=np.int64).reshape(len(axes), -1)
    positions = {a.name: grid[i] for i, a in enumerate(axes)}
    count = next(iter(calls.values())).size if calls else 1
    values: dict[str, Ints] = {name: index[:, None] for name, index in calls.items()}
    defined = np.ones((count, grid.shape[1]), dtype=np.bool_)
    for axis in axes:
        digits, used = _digits(embedding.lane_loops(axis.name), axis.extent)
        defined &= used[positions[axis.name]][None, :]
        values |= {name: digit[positions[axis.name]][None, :] for name, digit in digits.items()}
    found: dict[str, Ints] = {}
    for flat in embedding.flats:
        _unflatten(embedding, flat, values, found, defined)
    return Table(calls, positions, found, defined)


def _digits(loops: tuple[Loop, ...], extent: int) -> tuple[dict[str, Ints], Bools]:
    """Every combination of digits at its position, the first loop the least significant."""
    used = np.zeros(extent, dtype=np.bool_)
    count = prod(loop.extent for loop in loops)
    grid = np.indices(tuple(loop.extent for loop in loops), dtype=np.int64).reshape(len(loops), count)
    place = np.zeros(count, dtype=np.int64)
    weight = 1
    for row, loop in zip(grid, loops, strict=True):
        place += weight * row
        weight *= loop.extent
    exists = place < extent
    used[place[exists]] = True
    digits = {loop.name: np.zeros(extent, dtype=np.int64) for loop in loops}
    for row, loop in zip(grid, loops, strict=True):
        digits[loop.name][place[exists]] = row[exists]
    return digits, used


def _unflatten(
    embedding: Embedding, flat: Flat, values: dict[str, Ints], found: dict[str, Ints], defined: Bools
) -> None:
    """Adds the flat's axes to ``found`` and takes out of ``defined`` the lanes where one is out of range."""
    index = np.broadcast_to(over(flat.value, values), defined.shape)
    size = prod(flat.extents)
    defined &= (index >= 0) & (index < size)
    # As a vector: NumPy 2.4 unravels an array [n, 1] of more than 8192 numbers wrong.
    coordinates = np.unravel_index(np.clip(index, 0, size - 1).reshape(-1), flat.extents)
    for name, coordinate, shift in zip(flat.axes, coordinates, flat.shifts, strict=True):
        found[name] = np.asarray(coordinate, dtype=np.int64).reshape(index.shape) + over(shift, values)
        defined &= (found[name] >= 0) & (found[name] < embedding.operator.axis(name).extent)


def over(affine: Affine, values: dict[str, Ints]) -> Ints:
    """The value of an affine form over arrays that broadcast."""
    total = np.full((1, 1), affine.constant, dtype=np.int64)
    for name, coefficient in affine.terms:
        total = total + coefficient * values[name]
    return total


def elements(access: Access, shape: tuple[int, ...], axes: dict[str, Ints], like: tuple[int, ...]) -> Ints:
    """Flat index of the element that the access names, ``PAD`` outside the tensor; of the shape ``like``."""
    flat = np.zeros(like, dtype=np.int64)
    inside = np.ones(like, dtype=np.bool_)
    for size, subscript in zip(shape, access.subscripts, strict=True):
        place = np.full(like, subscript.constant, dtype=np.int64)
        for name, coefficient in subscript.terms:
            place += coefficient * axes[name]
        inside &= (place >= 0) & (place < size)
        flat = flat * size + place
    return np.where(inside, flat, PAD)


def registers(match: Match, positions: dict[str, Ints]) -> Ints:
    """Flat index of the operand's register that every lane uses [lanes], ``PAD`` outside the operand."""
    lanes = next(iter(positions.values())).shape
    return elements(match.meaning, match.operand.shape, positions, lanes)


def vectors(layout: Layout, calls: dict[str, Ints], count: int) -> tuple[Ints, Bools]:
    """The vector that every call finds the operand in [calls], and whether the layout has it."""
    number = np.zeros(count, dtype=np.int64)
    exists = np.ones(count, dtype=np.bool_)
    for dim in layout.dims:
        offset = np.full(count, dim.value.constant - dim.origin, dtype=np.int64)
        for name, coefficient in dim.value.terms:
            offset += coefficient * calls[name]
        exists &= (offset % dim.step == 0) & (offset >= 0) & (offset < dim.step * dim.extent)
        number = number * dim.extent + offset // dim.step
    return number, exists


def all_calls(embedding: Embedding, start: int, stop: int) -> dict[str, Ints]:
    """The calls with these numbers in the order of the nest."""
    extents = tuple(loop.extent for loop in embedding.outer)
    if not extents:
        return {}
    columns = np.unravel_index(np.arange(start, stop, dtype=np.int64), extents)
    return {loop.name: np.asarray(c, dtype=np.int64) for loop, c in zip(embedding.outer, columns, strict=True)}


def some_calls(embedding: Embedding, count: int, seed: int) -> dict[str, Ints]:
    """Random calls, each with its neighbours along every loop: that is where two calls share a vector."""
    outer = embedding.outer
    if not outer:
        return {}
    random = np.random.default_rng(seed)
    extents = np.array([loop.extent for loop in outer], dtype=np.int64)
    base = random.integers(0, extents, size=(count, extents.size))
    near = (base[:, None, :] + np.eye(extents.size, dtype=np.int64)) % extents
    far = np.where(np.eye(extents.size, dtype=np.bool_), random.integers(0, extents, size=(count, 1, extents.size)), 0)
    jump = (base[:, None, :] + far) % extents
    rows = np.unique(np.concatenate([base, near.reshape(-1, extents.size), jump.reshape(-1, extents.size)]), axis=0)
    return {loop.name: rows[:, i].copy() for i, loop in enumerate(outer)}
