"""Why nothing fits, in words, and the smallest change that would help."""

from __future__ import annotations

from intarsia.embed.problem import EmbeddingProblem


def explain(problem: EmbeddingProblem) -> tuple[tuple[str, ...], str]:
    """A minimal conflicting set of constraint families and requirements, and the smallest relaxation."""
    return (), ""
