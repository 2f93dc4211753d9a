"""Removed chips that are evaluated in full after all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import numpy as np

from intarsia.place.plan import EQUAL
from intarsia.place.space import variants
from intarsia.search.candidates import Candidate, Candidates
from intarsia.search.certificate import Searched
from intarsia.search.evaluate import Desk, Job
from intarsia.search.question import Question
from intarsia.search.staircase import Staircase


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found.

    Attributes:
        checked: how many chips.
        beaten: those of a lower score than the best chip that costs no more, by more than the tolerance of a front;
            which there must not be.
        worst: the lowest score of any of them; infinite if none is as low as the best.
    """

    checked: int
    beaten: tuple[Candidate, ...]
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
    candidates, objective = Candidates(question), question.objective
    weights, costs = candidates.costs(objective.per), candidates.costs(objective.front)
    front = Staircase(objective.tolerance, ties=True)
    for step in searched.front:
        front.add(step.cost, step.looked.score)
    count = len(question.trainings)
    desk, beaten, worst = Desk(question), [], inf
    for done, row in enumerate(drawn.tolist()):
        its, weight = candidates.at(row), float(weights[row])
        sized = question.of(its.devices)
        every = tuple(tuple((v, 0.0) for v in variants(sized.on(its.point, at))) for at in range(count))
        limit, none = front.limit(float(costs[row])), (0.0,) * count
        job = Job(row, its.point, its.devices, every, none, none, limit / weight, (None,) * count, prove=False)
        known = desk.answer(job)
        score = weight * float(objective.together(np.array([one.seconds for one in known])))
        worst = min(worst, score)
        if score < limit * (1 - 2 * EQUAL):
            beaten.append(its)
        told(done + 1, len(drawn))
    return Audit(len(drawn), tuple(beaten), worst)
