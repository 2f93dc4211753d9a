"""From a fit to the noun: the embedding whose calls it counts, to be checked, printed and run like any other."""

from __future__ import annotations

from intarsia.embed.constraints import Rules
from intarsia.embed.embedding import Embedding
from intarsia.embed.problem import EmbeddingProblem
from intarsia.embed.skew_space import Skew, spaces
from intarsia.embed.stationary.costs import Fit
from intarsia.embed.ties import Ties
from intarsia.machines import Instruction
from intarsia.operators import Operator


def embedding_of(operator: Operator, instruction: Instruction, fit: Fit) -> Embedding:
    """The embedding of a fit of the operator in the array that ``instruction`` (``systolic:WxD``) describes.

    Args:
        operator: whose roles were fitted.
        instruction: ``o[m, n] += x[m, k] * w[k, n]`` with one m; the array of the fit.
        fit: of ``best_fit`` or ``front``.
    """
    problem = EmbeddingProblem(operator, instruction, "skewed", dtypes="ignore")
    body = operator.statements[0]
    rules = Rules(problem, (("o", body.write.tensor), ("x", fit.role.streamed), ("w", fit.role.stationary)))
    chosen: list[Skew] = []
    for slide, size in zip(fit.role.slides, fit.patch, strict=True):
        if size > 1:
            step = {slide.outer: slide.outer_step, slide.inner: slide.sign * slide.inner_step}
            vector = tuple(step.get(name, 0) for name in rules.live)
            chosen.append(("n", rules.live.index(slide.outer), vector, size))
    found = [Ties(space) for space in spaces(rules, tuple(chosen))]
    ties = next(ties for ties in found if ties.feasible and ties.calls == fit.calls)
    return ties.shape(next(ties.stacked()))
