"""Removed chips, evaluated in full after all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from intarsia.machines.template import Point
from intarsia.place.serving import Chains, best_serving
from intarsia.search.serving.answer import SearchedServing
from intarsia.search.serving.question import ServingQuestion
from intarsia.solvers import Found

EQUAL = 1e-9
"""Relative difference below which two scores are equal."""


@dataclass(frozen=True, slots=True)
class ServingAudit:
    """Removed chips that were evaluated in full after all.

    Attributes:
        checked: how many.
        beaten: those of a higher score than the best chip's, which there must not be.
    """

    checked: int
    beaten: tuple[Point, ...]


def audit_serving(question: ServingQuestion, searched: SearchedServing, number: int, *, seed: int = 0) -> ServingAudit:
    """Evaluate removed chips by the search for deployments alone, with no bound of the search over chips.

    Args:
        question: what was asked.
        searched: the answer.
        number: how many chips, drawn at random.
        seed: of the draw.
    """
    drawn = np.random.default_rng(seed).permutation(searched.removed)[:number]
    weights = question.costs
    chains, beaten = Chains(question.task.model), []
    for row in drawn.tolist():
        point = question.space.points.point(row)
        outcome = best_serving(question.on(point), chains, runners=0)
        tokens = outcome.value.pace.tokens_per_second if isinstance(outcome, Found) else 0.0
        if tokens / float(weights[row]) > searched.score * (1 + EQUAL):
            beaten.append(point)
    return ServingAudit(len(drawn), tuple(beaten))
