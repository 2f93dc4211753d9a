"""Every embedding of a problem, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from intarsia.embed.constraints import Rules
from intarsia.embed.embedding import Embedding
from intarsia.embed.fixed import fixed_outcome
from intarsia.embed.listing import shapes
from intarsia.embed.operands import assignments, representatives
from intarsia.embed.problem import EmbeddingProblem
from intarsia.embed.requirements import meeting, satisfied
from intarsia.embed.shape import build
from intarsia.embed.skew_listing import skewed_shapes
from intarsia.embed.space import space_of
from intarsia.solvers import Found


def enumerate_embeddings(
    problem: EmbeddingProblem,
    limit: int | None = None,
    *,
    distinct: bool = False,
    alive: Callable[[], bool] = lambda: True,
) -> Iterator[Embedding]:
    """Every embedding of the problem's family that meets its requirements.

    Args:
        problem: the question; its objective is not looked at.
        limit: the most embeddings to yield, None for all.
        distinct: one for each set of lanes and class of interchangeable operands, instead of every order of the digits
            and every assignment.
        alive: says whether to go on.
    """
    if "fixed" in problem.require:
        only = fixed_outcome(problem)
        yield from [only.value][:limit] if isinstance(only, Found) else []
        return
    left = -1 if limit is None else limit
    for operands in representatives(problem) if distinct else assignments(problem):
        rules = Rules(problem, operands)
        found = (
            skewed_shapes(rules, merged=distinct)
            if problem.family == "skewed" and rules.plain
            else shapes(space_of(rules), merged=distinct)
        )
        for shape in found:
            if left == 0 or not alive():
                return
            embedding = meeting(rules, shape) if distinct else build(problem, shape)
            if embedding is not None and (distinct or satisfied(rules, embedding)):
                left -= 1
                yield embedding
