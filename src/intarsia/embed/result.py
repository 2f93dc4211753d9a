"""One question, one answer: search, check and count."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from intarsia.embed.count import CLOSED, COUNTING, Count, count
from intarsia.embed.embedding import Embedding
from intarsia.embed.measures import value
from intarsia.embed.optimise import optimise
from intarsia.embed.problem import MEASURES, REQUIREMENTS, Dtypes, EmbeddingProblem, Family, Measure, Price, Requirement
from intarsia.ground.errors import InputError
from intarsia.machines import Instruction
from intarsia.operators import Operator
from intarsia.solvers import Found, Infeasible, Outcome, OutOfTime


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to a question.

    Attributes:
        problem: the question, with those preferences among its requirements that could be met.
        outcome: what the search said.
        counts: how many embeddings there are, or, of the skewed family, at least are; None where that would take a
            listing of what meets the requirements.
        measures: the best embedding's value for each measure of the objective.
        seconds: wall time of search, check and count.
    """

    problem: EmbeddingProblem
    outcome: Outcome[Embedding]
    counts: Count | None
    measures: tuple[int, ...]
    seconds: float

    @property
    def best(self) -> Embedding | None:
        """The best embedding that was found."""
        return best_of(self.outcome)

    @property
    def bound(self) -> tuple[int, ...]:
        """The proved bound on the objective, empty if nothing fits."""
        return () if isinstance(self.outcome, Infeasible) else self.outcome.bound


def embed(
    operator: Operator,
    instruction: Instruction,
    *,
    family: Family = "fused",
    require: tuple[Requirement, ...] = (),
    prefer: tuple[Measure | Price | Requirement, ...] = ("calls", "duplicated"),
    limit: float = 60.0,
    statement: int = 0,
    dtypes: Dtypes = "exact",
) -> Result:
    """Embed an instruction in an operator: the best embedding, its proof, and how many there are.

    Args:
        operator: what is embedded.
        statement: which of its statements.
        instruction: what it is embedded in.
        family: aligned, fused or skewed.
        require: what every embedding must meet.
        prefer: measures to minimise, the first one first; a requirement among them is met if it can be, those named
            first going first.
        limit: seconds for each search.
        dtypes: "ignore" embeds across element types.

    Raises:
        InputError: for a name that does not exist.
    """
    started = time.monotonic()
    wishes: list[Requirement] = []
    objective: list[Measure | Price] = []
    for name in prefer:
        if not isinstance(name, str):
            objective.append(name)
        elif name in REQUIREMENTS:
            wishes += [r for r in REQUIREMENTS if r == name]
        elif name in MEASURES:
            objective += [m for m in MEASURES if m == name]
        else:
            raise InputError("unknown preference", value=name, allowed=", ".join((*MEASURES, *REQUIREMENTS)))
    goal = tuple(objective) or ("calls", "duplicated")
    problem = EmbeddingProblem(operator, instruction, family, require, goal, limit, statement, dtypes)
    outcome = optimise(problem)
    for wish in wishes:
        stricter = replace(problem, require=(*problem.require, wish))
        found = optimise(stricter)
        if best_of(found) is not None:
            problem, outcome = stricter, found
    best = best_of(outcome)
    measures = () if best is None else value(best, goal)
    if best is not None:
        assert_right(best, dtypes)
    return Result(problem, outcome, _counts(problem, outcome), measures, time.monotonic() - started)


def best_of(outcome: Outcome[Embedding]) -> Embedding | None:
    """The embedding of an outcome, if it has one."""
    match outcome:
        case Found(value=found):
            return found
        case OutOfTime(best=found):
            return found
        case Infeasible():
            return None


def assert_right(embedding: Embedding, dtypes: Dtypes) -> None:
    """No wrong embedding leaves: the independent check, which knows nothing of the search."""
    from intarsia.embed.check import check

    report = check(embedding, ignore_dtypes=dtypes == "ignore")
    assert report.good, f"the search made a wrong embedding:\n{embedding}\n{report}"


def _counts(problem: EmbeddingProblem, outcome: Outcome[Embedding]) -> Count | None:
    if isinstance(outcome, Infeasible):
        return Count(0, 0, "closed form")
    if set(problem.require) - CLOSED:
        return None
    return count(replace(problem, limit=min(problem.limit, COUNTING)))
