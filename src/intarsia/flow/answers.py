"""What ``embed`` and ``explain`` are asked, and what they answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from intarsia.embed import Embedding
from intarsia.embed.scalar import Call
from intarsia.machines import Instruction
from intarsia.operators import Operator
from intarsia.solvers import Found, Outcome

Fit: TypeAlias = Embedding | Call
"""A solution of an axis-level space, or of the scalar one."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of an embedding.

    Attributes:
        operator, instruction: what is embedded in what.
        space: aligned, fused, skewed or scalar.
        require, prefer: requirements, and what is minimised, the most important first.
        limit: seconds of wall time of the search, and again of a listing that was asked for; in the scalar space the
            search and the count share them.
    """

    operator: Operator
    instruction: Instruction
    space: str = "fused"
    require: tuple[str, ...] = ()
    prefer: tuple[str, ...] = ("calls", "duplicated")
    limit: float = 60.0


@dataclass(frozen=True, slots=True)
class Counts:
    """How many solutions there are.

    Attributes:
        total: of all that meet the requirements.
        classes: of them modulo symmetry, None where that is not counted.
        complete: whether the counting ended; if not, there are at least so many.
    """

    total: int
    classes: int | None
    complete: bool = True


@dataclass(frozen=True, slots=True)
class EmbedAnswer:
    """The answer to a question.

    Attributes:
        question: what was asked.
        outcome: the best solution with its bound, or why there is none; checked.
        counts: of all solutions, None where there are none, and where only a long listing would tell.
        measures: (name, value) of the best solution.
        listed: all solutions if they were asked for (as many as the limit allows), else none.
    """

    question: Question
    outcome: Outcome[Fit]
    counts: Counts | None
    measures: tuple[tuple[str, int], ...]
    listed: tuple[Fit, ...] = ()

    @property
    def optimal(self) -> bool:
        """Whether the best attains the bound on what is preferred; the scalar space prefers few padded lanes."""
        preferred = ("padded",) if self.question.space == "scalar" else self.question.prefer
        values = tuple(dict(self.measures).get(name) for name in preferred)
        return isinstance(self.outcome, Found) and self.outcome.bound == values


@dataclass(frozen=True, slots=True)
class Service:
    """Whether an operator axis may lie on an instruction axis; ``why_not`` is empty if it may."""

    axis: str
    lane: str
    why_not: str


@dataclass(frozen=True, slots=True)
class Assigned:
    """What may lie where, once it is settled which tensor each operand holds.

    Attributes:
        operands: instruction operand to operator tensor, None for the constant 1.
        services: every operator axis with every instruction axis, those of one iteration left out.
        guarded: operator axes that may be rounded up.
    """

    operands: tuple[tuple[str, str | None], ...]
    services: tuple[Service, ...]
    guarded: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What stands behind an answer.

    Attributes:
        answer: the answer.
        assigned: the best solution's assignment of tensors to operands; every one where there is no solution, those
            that an exchange of operands connects once.
        before: the operator's own loop nest.
    """

    answer: EmbedAnswer
    assigned: tuple[Assigned, ...]
    before: str
