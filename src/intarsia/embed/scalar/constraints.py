"""What makes a partial map φ: Q ⇀ D a call, one class per family of constraints.

Q is the box of the instruction's lanes, D the operator's box of iterations. For an operand t of the instruction, R_t(q)
is the register that lane q touches and E_t(p) the element that iteration p touches; w is the written operand. A lane is
live where φ is defined. The published families (Rieber, Acosta, Fröning, arXiv 2104.04731) plus padding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from intarsia.embed.scalar.problem import Ints, Operand, ScalarProblem, most_live
from intarsia.embed.scalar.variables import Variables
from intarsia.solvers import Formula


class Family(Protocol):
    """A family of constraints: what it demands in words, and how it says so to a solver."""

    def build(self, problem: ScalarProblem, variables: Variables, formula: Formula) -> None:
        """Add the constraints of the family."""
        ...


@dataclass(frozen=True, slots=True)
class OneToOne:
    """No iteration twice: φ(q) = φ(q') implies q = q'. All-different, decomposed: at most one lane per iteration."""

    def __str__(self) -> str:
        return "one to one: no iteration is computed by two lanes"

    def build(self, problem: ScalarProblem, variables: Variables, formula: Formula) -> None:
        """For every p: at most one q with φ(q) = p."""
        for point in range(problem.iterations):
            formula.at_most(variables.images[:, point].tolist())


@dataclass(frozen=True, slots=True)
class Operands:
    """One register, one element: R_t(q) = R_t(q') implies E_t(φ(q)) = E_t(φ(q')), for each read operand t.

    The converse is not asked: two registers may hold the same element, which is duplication.
    """

    def __str__(self) -> str:
        return "operands: lanes that read one register need one element"

    def build(self, problem: ScalarProblem, variables: Variables, formula: Formula) -> None:
        """For every read operand and register: at most one element that a lane on it needs."""
        for factor in problem.factors:
            for literals in _needed(factor, variables, formula, shared_only=True):
                formula.at_most(literals)


@dataclass(frozen=True, slots=True)
class Result:
    """One register, one output element: R_w(q) = R_w(q') if and only if E_w(φ(q)) = E_w(φ(q')), for live lanes.

    With ``combining``, only "implies": an element may be spread over registers, whose partial sums are added later.
    """

    combining: bool = False

    def __str__(self) -> str:
        also = "" if self.combining else ", and one element accumulates in one register"
        return f"result: one register accumulates one element{also}"

    def build(self, problem: ScalarProblem, variables: Variables, formula: Formula) -> None:
        """For every register at most one element; for every element at most one register."""
        needed = _needed(problem.result, variables, formula, shared_only=self.combining)
        for literals in needed:
            formula.at_most(literals)
        if not self.combining:
            for registers in zip(*needed, strict=True):
                formula.at_most(registers)


@dataclass(frozen=True, slots=True)
class PaddingIsHarmless:
    """An undefined lane u whose result register a live lane uses adds the combine's identity, or nothing new.

    For sums: one of its factor registers is read by no live lane and can hold 0. All such registers hold 0 at once, so
    that undefined lanes cannot disagree. (With floats the other factors must be finite.)

    For max and min with one factor: its register is read by no live lane and holds the identity; or it holds an element
    that a live lane brings to the same result register anyway. With several factors no register can be trusted to make
    their product the identity, and only the copy remains: a live lane of the same result register that needs, in each
    operand, the element that u's register holds.

    Registers that no live lane of this call accumulates in may be disturbed; a family of calls has to keep them free.
    """

    def __str__(self) -> str:
        return "padding: an undefined lane leaves the results of the live ones alone"

    def build(self, problem: ScalarProblem, variables: Variables, formula: Formula) -> None:
        """For every lane u: defined, or its result register unused, or harmless in one of the ways above."""
        used = _live_by_register(problem.result.registers, variables, formula)
        read = [_live_by_register(factor.registers, variables, formula) for factor in problem.factors]
        for lane in range(problem.lanes):
            ways = [-int(variables.undefined[lane]), -used[problem.result.registers[lane]]]
            dead = [-live[f.registers[lane]] for live, f in zip(read, problem.factors, strict=True)]
            if problem.combine == "+=" or len(dead) == 1:
                ways += dead
            if problem.combine != "+=":
                ways += _copies(lane, problem, variables, formula)
            formula.clause(ways)


@dataclass(frozen=True, slots=True)
class PaddedLanes:
    """At most so many lanes are undefined; 0 is a dense call."""

    most: int

    def __str__(self) -> str:
        return f"density: at most {self.most} lanes are undefined"

    def build(self, problem: ScalarProblem, variables: Variables, formula: Formula) -> None:
        """Bound the number of undefined lanes."""
        assert self.most >= 0
        if problem.lanes > self.most:
            formula.at_most(variables.undefined.tolist(), self.most)


def post_pigeonholes(problem: ScalarProblem, variables: Variables, formula: Formula) -> None:
    """What ``OneToOne``, ``Operands`` and ``Result`` imply together and a solver does not see: bounds on live lanes."""
    for operand in (problem.result, *problem.factors):
        for register, most in enumerate(most_live(operand).tolist()):
            formula.at_most((-variables.undefined[operand.registers == register]).tolist(), most)


def _needed(operand: Operand, variables: Variables, formula: Formula, *, shared_only: bool) -> list[list[int]]:
    """For each register, for each element, a literal: a lane on the register needs the element."""
    needed = []
    for register in range(operand.registers.max() + 1):
        lanes = operand.registers == register
        if shared_only and lanes.sum() == 1:
            continue
        elements = range(operand.elements.max() + 1)
        needed.append([variables.holds(formula, lanes, operand.elements == element) for element in elements])
    return needed


def _live_by_register(registers: Ints, variables: Variables, formula: Formula) -> list[int]:
    """For each register a literal: a live lane touches it."""
    return [variables.live(formula, registers == register) for register in range(registers.max() + 1)]


def _copies(lane: int, problem: ScalarProblem, variables: Variables, formula: Formula) -> list[int]:
    """Literals, one for each set of factors: the lane's registers hold them, and a live lane brings them to its result.

    The disjunction over literals that each imply both halves is what the clause needs.
    """
    beside = problem.result.registers == problem.result.registers[lane]
    needs = np.stack([factor.elements for factor in problem.factors], axis=1)
    copies = []
    for needed in np.unique(needs, axis=0):
        halves = [variables.holds(formula, beside, (needs == needed).all(axis=1))]
        for factor, element in zip(problem.factors, needed, strict=True):
            sharing = factor.registers == factor.registers[lane]
            halves.append(variables.holds(formula, sharing, factor.elements == element))
        copies.append(-formula.any_of([-half for half in halves]))
    return copies
