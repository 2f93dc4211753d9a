"""An embedding: how every scalar operation of an operator becomes a lane of a call of an instruction.

It is an affine re-indexing. *Loops* are the digits: outer loops enumerate the calls, lane loops the positions along
one axis of the instruction. Every *flat* (one operator axis, or several flattened row-major) has an affine value over
the loops::

    aligned   oc = 16*oc.0 + oc.1          oc.1 lies on instruction axis n
    fused     kh.kw.c = 16*f.0 + f.1       the flattened index, padded once at the end
    skewed    ow = 4*ow.0 + ow.1 ; kw = (16*kw.0 + kw.1) - ow.1     ow.1 on n, kw.1 on k; kw counts to 3 + 3

A lane is undefined (padding) in a call where an operator axis leaves its range, or where the position along an
instruction axis is beyond the product of the lane loops on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from intarsia.machines import Instruction
from intarsia.operators import Access, Affine, Operator, Statement

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Loop:
    """A digit. ``lane`` names the instruction axis it lies on, or is empty for an outer loop."""

    name: str
    extent: int
    lane: str = ""


@dataclass(frozen=True, slots=True)
class Flat:
    """Operator axes flattened row-major (the last runs fastest) and their common value over the loops.

    Attributes:
        axes: one operator axis, or several fused.
        extents: what each axis counts to before it is shifted: its own extent, or more where it is skewed.
        value: the flattened index over the loops, 0 <= value < product of the extents where a lane is defined.
        shifts: what is added to each axis after unflattening: zero, or the lane digits that skew it.
    """

    axes: tuple[str, ...]
    extents: tuple[int, ...]
    value: Affine
    shifts: tuple[Affine, ...]

    def shift(self, axis: str) -> Affine:
        """The shift of one of the axes."""
        return self.shifts[self.axes.index(axis)]


@dataclass(frozen=True, slots=True)
class Embedding:
    """A family of calls.

    Attributes:
        operator, statement: what is embedded (a statement by its index).
        instruction: what it is embedded in.
        operands: instruction operand to operator tensor, the written one first; None stands for the constant 1.
        loops: outer loops first, outermost first; then the lane loops, on each instruction axis the least
            significant first.
        flats: every operator axis in exactly one of them.
    """

    operator: Operator
    statement: int
    instruction: Instruction
    operands: tuple[tuple[str, str | None], ...]
    loops: tuple[Loop, ...]
    flats: tuple[Flat, ...]

    @property
    def outer(self) -> tuple[Loop, ...]:
        """The loops that enumerate calls, outermost first."""
        return tuple(loop for loop in self.loops if not loop.lane)

    def lane_loops(self, axis: str) -> tuple[Loop, ...]:
        """The digits along an instruction axis, least significant first."""
        return tuple(loop for loop in self.loops if loop.lane == axis)

    @property
    def calls(self) -> int:
        """Calls, those that read only padding included."""
        return prod(loop.extent for loop in self.outer)

    @property
    def padded_lanes(self) -> int:
        """Lanes of all calls that do no work of the operator."""
        return self.calls * self.instruction.lanes - self.operator.iterations

    @property
    def body(self) -> Statement:
        """The operator's statement that is embedded."""
        return self.operator.statements[self.statement]

    @property
    def meaning(self) -> Statement:
        """The instruction's statement."""
        return self.instruction.semantics.statements[0]

    def pairs(self) -> tuple[tuple[Access, Access | None], ...]:
        """(instruction access, operator access) for the write and for each factor, in the instruction's order."""
        return access_pairs(self.operator, self.statement, self.instruction, self.operands)

    def __str__(self) -> str:
        from intarsia.embed.printing import loop_nest

        return loop_nest(self)


def access_pairs(
    operator: Operator,
    statement: int,
    instruction: Instruction,
    operands: tuple[tuple[str, str | None], ...],
) -> tuple[tuple[Access, Access | None], ...]:
    """Match accesses through the operand assignment; a tensor read twice is matched in the order of its reads."""
    body, meaning = operator.statements[statement], instruction.semantics.statements[0]
    left = [body.write, *body.reads]
    found: list[tuple[Access, Access | None]] = []
    target = dict(operands)
    for access in (meaning.write, *meaning.reads):
        tensor = target[access.tensor]
        if tensor is None:
            found.append((access, None))
            continue
        match = next(a for a in left if a.tensor == tensor)
        left.remove(match)
        found.append((access, match))
    return tuple(found)


def lane_positions(embedding: Embedding) -> tuple[dict[str, Ints], dict[str, Ints], NDArray[np.bool_]]:
    """All lanes of one call, in the row-major order of the instruction's axes.

    Returns:
        instruction axis -> its position [lanes]; lane loop -> its index [lanes]; used [lanes], False beyond the digits.
    """
    axes = embedding.instruction.semantics.axes
    grid = np.indices([a.extent for a in axes], dtype=np.int64).reshape(len(axes), -1)
    positions = {a.name: grid[i] for i, a in enumerate(axes)}
    used = np.ones(grid.shape[1], dtype=np.bool_)
    digits: dict[str, Ints] = {}
    for axis in axes:
        rest = positions[axis.name]
        for loop in embedding.lane_loops(axis.name):
            digits[loop.name] = rest % loop.extent
            rest = rest // loop.extent
        used &= rest == 0
    return positions, digits, used


def evaluate(affine: Affine, values: Mapping[str, Ints]) -> Ints:
    """The affine form over arrays that broadcast; names without a value must not occur."""
    total = np.asarray(affine.constant, dtype=np.int64)
    for name, coefficient in affine.terms:
        total = total + coefficient * values[name]
    return total


def iterations(embedding: Embedding, outer: Mapping[str, Ints]) -> tuple[dict[str, Ints], NDArray[np.bool_]]:
    """The operator's iteration at every lane of some calls.

    Args:
        embedding: any embedding.
        outer: outer loop -> its index in each call, [calls].

    Returns:
        operator axis -> value [calls, lanes], and whether the lane is defined [calls, lanes]. Values of undefined lanes
        are what the affine form gives, for flattened axes reduced into the box by the unflattening.
    """
    _, digits, used = lane_positions(embedding)
    count = len(next(iter(outer.values()))) if outer else 1
    values = {name: array[:, None] for name, array in outer.items()}
    values |= {name: array[None, :] for name, array in digits.items()}
    defined = np.broadcast_to(used, (count, used.size)).copy()
    found: dict[str, Ints] = {}
    for flat in embedding.flats:
        value = np.broadcast_to(evaluate(flat.value, values), defined.shape)
        defined &= (value >= 0) & (value < prod(flat.extents))
        for name, extent, shift in reversed(list(zip(flat.axes, flat.extents, flat.shifts, strict=True))):
            found[name] = (
                value % extent + evaluate(shift, values) if name != flat.axes[0] else value + evaluate(shift, values)
            )
            defined &= (found[name] >= 0) & (found[name] < embedding.operator.axis(name).extent)
            value = value // extent
    return found, defined


def batches(embedding: Embedding, size: int) -> Iterator[dict[str, Ints]]:
    """All calls in the order of the loop nest, some ``size`` at a time, as outer loop -> index [calls]."""
    extents = tuple(loop.extent for loop in embedding.outer)
    for start in range(0, embedding.calls, size):
        numbers = np.arange(start, min(start + size, embedding.calls), dtype=np.int64)
        columns = np.unravel_index(numbers, extents) if extents else ()
        yield {loop.name: np.asarray(c) for loop, c in zip(embedding.outer, columns, strict=True)}
