"""Removed chips that are evaluated in full after all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import numpy as np

from intarsia.machines.template import Point
from intarsia.place.plan import EQUAL
from intarsia.place.space import variants
from intarsia.search.certificate import Searched
from intarsia.search.evaluate import Desk, Job
from intarsia.search.question import Question


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found.

    Attributes:
        checked: how many chips.
        beaten: those of a lower score than the best chip's, which there must not be.
        worst: the lowest score of any of them; infinite if none is as low as the best.
    """

    checked: int
    beaten: tuple[Point, ...]
    worst: float


def audit(
    question: Question,
    searched: Searched,
    number: int,
    *,
    seed: int = 0,
    told: Callable[[int, int], None] = lambda _done, _of: None,
) -> Audit:
    """Evaluate removed chips in full, with every variant and no bound of the search.

    Args:
        question: what was asked.
        searched: the answer.
        number: how many chips, drawn at random.
        seed: of the draw.
        told: is told how many of how many are done.
    """
    drawn = np.random.default_rng(seed).permutation(searched.removed)[:number]
    points, objective = question.space.points, question.objective
    count = len(question.trainings)
    desk, beaten, worst = Desk(question), [], inf
    for done, row in enumerate(drawn.tolist()):
        point = points.point(row)
        every = tuple(tuple((v, 0.0) for v in variants(question.on(point, at))) for at in range(count))
        weight = float(objective.weights(points.rows(np.array([row])))[0])
        limit = searched.score / weight
        known = desk.answer(Job(row, point, every, (0.0,) * count, (0.0,) * count, limit, (None,) * count))
        score = weight * float(objective.together(np.array([one.seconds for one in known])))
        worst = min(worst, score)
        if score < searched.score * (1 - EQUAL):
            beaten.append(point)
        told(done + 1, len(drawn))
    return Audit(len(drawn), tuple(beaten), worst)
