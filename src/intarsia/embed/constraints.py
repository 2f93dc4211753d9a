"""The constraint families of the axis level, one class each.

A digit of factor f on instruction axis a moves the image of a lane by a direction v of the operator's box:
phi(q) = base + sum over digits of digit(q_a) * v. Every family below says which v, or which factors, are allowed.
Directions are mappings from operator axis to integer coefficient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from intarsia.embed.embedding import access_pairs
from intarsia.embed.operands import Operands
from intarsia.embed.problem import EmbeddingProblem
from intarsia.operators import Access, Affine, Operator, Statement, least

Direction: TypeAlias = Mapping[str, int]
Pairs: TypeAlias = tuple[tuple[Access, Access | None], ...]


def moved(access: Access, direction: Direction) -> bool:
    """Whether a step along the direction changes the element that the access names: A v != 0."""
    return any(sum(c * direction.get(name, 0) for name, c in s.terms) for s in access.subscripts)


@dataclass(frozen=True)
class OperandsKept:
    """OPERANDS: two lanes that read one register read one element.

    An instruction axis a that does not move the register of an operand leaves its register in place, so a direction v
    on a must leave the element in place: for every factor of the instruction whose access a does not move, and that
    holds a tensor t, A_t v = 0. (The converse is not asked: two registers may hold one element; that is duplication.)
    """

    pairs: Pairs

    def allows(self, axis: str, direction: Direction) -> bool:
        """Whether the direction may lie on the instruction axis."""
        for meaning, access in self.pairs[1:]:
            if access is not None and not moved(meaning, {axis: 1}) and moved(access, direction):
                return False
        return True


@dataclass(frozen=True)
class ResultKept:
    """RESULT: two lanes accumulate in one register if and only if their images accumulate in one output element.

    Along one instruction axis a: v moves the write exactly if a moves the register of the result.
    """

    pairs: Pairs

    def allows(self, axis: str, direction: Direction) -> bool:
        """Whether the direction may lie on the instruction axis."""
        meaning, access = self.pairs[0]
        assert access is not None
        return moved(meaning, {axis: 1}) == moved(access, direction)


@dataclass(frozen=True)
class OneHome:
    """ONE HOME: across all calls an output element lives in one (register, lane).

    The digits that move the write must be decided by the output element. That holds if the axis that a digit is taken
    from is parallel, and every subscript of the write that contains it names each of its axes' values uniquely over the
    box: sorted by size, each coefficient exceeds what the smaller ones reach together. (``O[oh + kh]`` does not: the
    same element would sit in lane oh - kh of as many calls as kh has values.)
    """

    operator: Operator
    body: Statement

    def allows(self, axis: str) -> bool:
        """Whether a parallel operator axis may carry digits."""
        containing = [s for s in self.body.write.subscripts if s.coefficient(axis)]
        return any(self._unique(s) for s in containing)

    def _unique(self, subscript: Affine) -> bool:
        reach = 0
        for name, c in sorted(subscript.terms, key=lambda term: abs(term[1])):
            if abs(c) <= reach:
                return False
            reach += abs(c) * (self.operator.axis(name).extent - 1)
        return True


@dataclass(frozen=True)
class PaddingHarmless:
    """PADDING IS HARMLESS: a lane whose axis x has left its range must not change any result that is kept.

    x is *guarded*, and may overflow, if one of these holds:

    - x is parallel and a subscript of the write consists of x alone: the register of an overflowing lane holds no
      output element, whatever it accumulates;
    - x is a reduction, the combine is +, and a subscript of a factor consists of x alone: the factor's packed register
      is zero where x is out of range, and feeds only lanes with that same x.

    For max and min no factor annihilates, so a reduction axis is never guarded there. Several axes flattened into one
    are guarded by any factor (or, if parallel, by the write) in which one of them occurs, because registers behind a
    flattened index are enumerated by that index and are zero (or dead) beyond its end; what is asked of a parallel
    axis is that the write sees each of them alone. Unguarded axes need exact digits.
    """

    operator: Operator
    body: Statement

    def guarded(self, axes: tuple[str, ...]) -> bool:
        """Whether the axis, or the flattened axes, may be rounded up."""
        if all(self.operator.axis(name).role == "parallel" for name in axes):
            return all(_alone(self.body.write, name) for name in axes)
        if self.body.combine != "+=":
            return False
        if len(axes) == 1:
            return any(_alone(read, axes[0]) for read in self.body.reads)
        return any(s.coefficient(name) for read in self.body.reads for s in read.subscripts for name in axes)


def _alone(access: Access, axis: str) -> bool:
    return any(tuple(name for name, _ in s.terms) == (axis,) for s in access.subscripts)


@dataclass(frozen=True)
class IdleHarmless:
    """IDLE LANES ARE HARMLESS: lanes beyond the digits of an instruction axis change no result that is kept.

    Registers that no digit has hold zero. If the axis moves the result's register, idle lanes have results of their
    own, which nobody reads. If not, they add to a result that is kept, so zero must be the combine's identity: for sums
    if the axis moves the register of any factor that holds a tensor; for a maximum of one factor if that factor's dtype
    has nothing below zero; never for a minimum. Otherwise digits must fill the axis.
    """

    operator: Operator
    combine: str
    pairs: Pairs

    def allows(self, axis: str) -> bool:
        """Whether lanes of the instruction axis may idle."""
        (result, _), *factors = self.pairs
        if moved(result, {axis: 1}):
            return True
        zero = [access for meaning, access in factors if access is not None and moved(meaning, {axis: 1})]
        if self.combine == "+=":
            return bool(zero)
        if self.combine == "min=" or len(factors) != 1:
            return False
        return any(least(self.operator.tensor(access.tensor).dtype) == 0 for access in zero)


@dataclass(frozen=True)
class Rules:
    """All families for one assignment of operands; a family named in ``problem.dropped`` allows everything."""

    problem: EmbeddingProblem
    operands: Operands

    @cached_property
    def pairs(self) -> Pairs:
        """(instruction access, operator access), the written one first."""
        problem = self.problem
        return access_pairs(problem.operator, problem.statement, problem.instruction, self.operands)

    @cached_property
    def body(self) -> Statement:
        """The statement that is embedded."""
        return self.problem.operator.statements[self.problem.statement]

    @cached_property
    def capacities(self) -> dict[str, int]:
        """The instruction axes that have room for a digit, and their extents."""
        return {a.name: a.extent for a in self.problem.instruction.semantics.axes if a.extent > 1}

    @cached_property
    def live(self) -> tuple[str, ...]:
        """The operator axes of more than one iteration."""
        return tuple(a.name for a in self.problem.operator.axes if a.extent > 1)

    @cached_property
    def plain(self) -> bool:
        """Whether every register of the instruction is addressed by single axes, one to a subscript."""
        accesses = [meaning for meaning, _ in self.pairs]
        return all(len(s.terms) <= 1 for a in accesses for s in a.subscripts) and all(
            len(names := [n for s in a.subscripts for n, _ in s.terms]) == len(set(names)) for a in accesses
        )

    @cached_property
    def filled(self) -> tuple[str, ...]:
        """The instruction axes that digits must fill, because idle lanes would change a result."""
        if "padding" in self.problem.dropped:
            return ()
        combine = self.problem.instruction.semantics.statements[0].combine
        idle = IdleHarmless(self.problem.operator, combine, self.pairs)
        return tuple(axis for axis in self.capacities if not idle.allows(axis))

    @cached_property
    def padding(self) -> PaddingHarmless:
        """The rule for overflowing axes."""
        return PaddingHarmless(self.problem.operator, self.body)

    def guarded(self, axes: tuple[str, ...]) -> bool:
        """Whether the axes may be rounded up."""
        return "padding" in self.problem.dropped or self.padding.guarded(axes)

    def allows(self, axis: str, direction: Direction) -> bool:
        """Whether a direction may lie on an instruction axis."""
        dropped = self.problem.dropped
        if "operands" not in dropped and not OperandsKept(self.pairs).allows(axis, direction):
            return False
        return "result" in dropped or ResultKept(self.pairs).allows(axis, direction)

    def serves(self, name: str) -> tuple[str, ...]:
        """The instruction axes that digits of an operator axis may lie on, for steps along that axis alone."""
        if self.problem.operator.axis(name).role == "parallel" and not self.has_home(name):
            return ()
        return tuple(a for a in self.capacities if self.allows(a, {name: 1}))

    def has_home(self, name: str) -> bool:
        """Whether digits of a parallel axis keep every output element in one lane."""
        return "home" in self.problem.dropped or OneHome(self.problem.operator, self.body).allows(name)
