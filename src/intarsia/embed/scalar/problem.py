"""One call as tables: which register each lane touches, which element each iteration touches.

A register is a subscript tuple of an instruction's operand; an element is a subscript tuple of an operator's tensor,
also where it lies outside the tensor: two different places in the padding are two elements, although both hold the pad
value, so that the maps do not depend on where the call stands.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intarsia.embed.scalar.assignment import Assignment
from intarsia.ground.errors import InputError
from intarsia.machines import Instruction
from intarsia.operators import Access, Combine, Operator

Ints = NDArray[np.int64]

LARGEST = 2**17
"""Lanes times iterations beyond which the scalar space is refused."""


@dataclass(frozen=True, slots=True, eq=False)
class Operand:
    """What lanes and iterations touch through one operand, numbered from 0.

    Attributes:
        registers: the register of each lane, [lanes].
        elements: the element of each iteration, [iterations]; all 0 for the constant 1.
    """

    registers: Ints
    elements: Ints


@dataclass(frozen=True, slots=True, eq=False)
class ScalarProblem:
    """The tables of one call for one operand assignment.

    Attributes:
        points: the iterations in lexicographic order, [iterations, d].
        combine: of the operator and of the instruction.
        result: the written operand.
        factors: the read operands, in the order of the instruction's reads.
    """

    points: Ints
    combine: Combine
    result: Operand
    factors: tuple[Operand, ...]

    @property
    def lanes(self) -> int:
        """Scalar operations of the instruction."""
        return len(self.result.registers)

    @property
    def iterations(self) -> int:
        """Scalar operations of the operator."""
        return len(self.points)


def scalar_problem(
    operator: Operator, instruction: Instruction, assignment: Assignment, *, statement: int = 0
) -> ScalarProblem:
    """The tables of a call.

    Raises:
        InputError: if the operator has no axes, or the two boxes are too large for the scalar space.
    """
    where = f"{operator.name} in {instruction.name}"
    if not operator.axes:
        raise InputError("an operator without axes has no scalar embedding", where=where)
    if instruction.lanes * operator.iterations > LARGEST:
        raise InputError(
            "too large for the scalar space",
            where=where,
            value=f"{instruction.lanes} lanes × {operator.iterations} iterations",
            allowed=f"a product up to {LARGEST}",
        )
    body, meaning = operator.statements[statement], instruction.semantics.statements[0]
    lanes, points = box(instruction.semantics), box(operator)
    factors = tuple(
        Operand(
            _numbers(instruction.semantics, lanes, read),
            np.zeros(len(points), np.int64) if index is None else _numbers(operator, points, body.reads[index]),
        )
        for read, index in zip(meaning.reads, assignment, strict=True)
    )
    result = Operand(_numbers(instruction.semantics, lanes, meaning.write), _numbers(operator, points, body.write))
    return ScalarProblem(points, body.combine, result, factors)


def most_live(operand: Operand) -> Ints:
    """For each register, how many of its lanes can be live at once, [registers]: pigeons and holes.

    Lanes on one register need one element, and different iterations; no more of them than the element has.
    """
    return np.bincount(operand.registers).clip(max=np.bincount(operand.elements).max())


def least_undefined(problem: ScalarProblem) -> int:
    """A bound below the number of undefined lanes of any call."""
    live = min(int(most_live(operand).sum()) for operand in (problem.result, *problem.factors))
    return problem.lanes - min(live, problem.iterations)


def box(operator: Operator) -> Ints:
    """The points of the box of axes in lexicographic order, [points, axes]."""
    extents = [a.extent for a in operator.axes]
    return np.indices(extents, dtype=np.int64).reshape(len(extents), -1).T


def _numbers(operator: Operator, points: Ints, access: Access) -> Ints:
    """The place that each point accesses, numbered from 0 in lexicographic order of the subscripts."""
    columns = [
        np.array([subscript.coefficient(axis.name) for axis in operator.axes], np.int64)
        for subscript in access.subscripts
    ]
    if not columns:
        return np.zeros(len(points), np.int64)
    constants = np.array([subscript.constant for subscript in access.subscripts], np.int64)
    places = points @ np.stack(columns, axis=1) + constants
    _, numbers = np.unique(places, axis=0, return_inverse=True)
    return np.asarray(numbers.reshape(-1), np.int64)
