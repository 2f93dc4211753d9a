"""A few chips that are evaluated before there are bounds for each: they bound all others from above."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

import numpy as np
from numpy.typing import NDArray

from intarsia.search.evaluate import Job
from intarsia.search.objective import Per
from intarsia.search.staircase import above, along
from intarsia.search.state import State

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SAMPLE = 1 << 15
"""Chips among which they are chosen."""
FIRST = 3
"""So many: those that a ratio of main layers puts first."""
NEAR = 1.5
"""Variants that are looked at for these: whose own estimate is within this factor of the best,"""
NEAREST = 8
"""so many at most."""
SPREAD = 64
"""So many where a front is searched for: along its whole length."""


def begin(state: State, rows: Ints) -> float:
    """Evaluate a few chips that look good, with the variants that look good on them.

    Returns:
        the lowest score.
    """
    best, front = inf, state.question.objective.front is not Per.CHIP
    for job, known in state.hands.crew.answers(_jobs(state, rows)):
        score = state.score(job, known).score
        best = min(best, score)
        # Variants whose bounds were beyond a chip's limit are not looked at any more: with them it may be better.
        if front and not score <= state.limit(job.row, state.upper):
            continue
        state.best.add(float(state.costs[job.row]), score)
        if front and score < inf:
            state.own[job.row] = above(score)
    state.upper = state.best.copy()
    return best


def _jobs(state: State, rows: Ints) -> Iterator[Job]:
    shown = rows if len(rows) <= SAMPLE else rows[np.linspace(0, len(rows) - 1, SAMPLE).astype(np.int64)]
    bounds = tuple(float(own.min(initial=inf)) for own in state.least)
    if inf in bounds:
        return
    objective, chip, shares = state.question.objective, state.candidates.chip, state.hands.shares
    guesses = np.array([shares.least_guess(at, chip[shown], NEAR * own) for at, own in enumerate(bounds)])
    scores = objective.together(guesses) * state.weights[shown]
    alone = objective.front is Per.CHIP
    chosen = shown[np.argsort(scores, kind="stable")[:FIRST] if alone else along(state.costs[shown], scores, SPREAD)]
    columns = [shares.guess(at, chip[chosen], NEAR * own) for at, own in enumerate(bounds)]
    for place, row in enumerate(chosen.tolist()):
        listed = []
        for every, own in zip(state.every, columns, strict=True):
            guessed = sorted((float(column[place]), n) for n, column in own)[:NEAREST]
            listed.append(tuple((every[n], 0.0) for seconds, n in guessed if seconds <= NEAR * guessed[0][0]))
        none, rests = (None,) * len(bounds), (0.0,) * len(bounds)
        # Of a front each of them is looked at again: which they are must not depend on the order of answers.
        limit = state.limit(row, state.best) / float(state.weights[row]) if alone else inf
        its = state.candidates.at(row)
        yield Job(row, its.point, its.devices, tuple(listed), rests, bounds, limit, none, prove=False)
