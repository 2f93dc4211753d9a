"""Skewed."""

from __future__ import annotations

from intarsia.embed.embedding import Embedding
from intarsia.embed.problem import EmbeddingProblem
from intarsia.solvers import Outcome


def optimise_skewed(problem: EmbeddingProblem) -> Outcome[Embedding]:
    raise NotImplementedError


def skewed_shapes(rules, *, merged):
    raise NotImplementedError
