"""The chips of one memory and network in the order of their bounds, for the best score alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from intarsia.search.evaluate import Job
from intarsia.search.groups import Bounded
from intarsia.search.known import Known
from intarsia.search.state import State

Ints = NDArray[np.int64]
Answered = dict[int, tuple[Known, ...]]


def in_order(state: State, rows: Ints) -> None:
    """Bound and evaluate them.

    Args:
        state: of the search; the ladders of these chips stand.
        rows: which.
    """
    best = state.climb(rows)
    order = np.argsort(state.bounds[rows], kind="stable")
    bounded = state.bounded(rows, best, order[state.wanted(rows[order])])
    state.note()
    answered: Answered = {}
    settling = _settle(state, bounded, answered)
    for job, known in state.evaluate(_jobs(state, bounded)):
        answered[job.row] = known
        state.best.add(float(state.costs[job.row]), state.score(job, known).score)
        next(settling, None)
        state.note()
    state.best = state.upper.copy()


def _jobs(state: State, bounded: Bounded) -> Iterator[Job]:
    """Chips whose bound is within the limit of all answers so far, the least first."""
    for place, row in enumerate(bounded.rows.tolist()):
        if state.bounds[row] <= state.limit(row, state.best):
            yield state.job(bounded, place, state.best)


def _settle(state: State, bounded: Bounded, answered: Answered) -> Iterator[None]:
    """Say of each chip, in the order of bounds, what somebody says who knows the chips before it and no other.

    So what is said does not depend on the order in which answers come. Waits where an answer is missing.
    """
    for place, row in enumerate(bounded.rows.tolist()):
        if state.bounds[row] > state.limit(row, state.upper):
            continue
        while row not in answered:
            yield
        job = state.job(bounded, place, state.upper)
        state.settle(state.score(job, answered[row]))
