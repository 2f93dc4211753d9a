"""The chips of one memory and network in rounds, for a front: coarse bounds, own bounds, plans.

A chip must be looked at more closely if no other that is left could remove it: none that costs no more has a lower
bound. Those are the *skyline* of what is left; none of them can remove another one. So a round looks at them together,
first at their own bounds, then at their plans, and what is learnt of them removes others before these are looked at.
Where bounds stay as they are, no order evaluates fewer chips. What a round does depends on the rounds before it alone,
not on who does it.
"""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
from numpy.typing import NDArray

from intarsia.search.state import State

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
TOGETHER = 512
"""Chips that get own bounds at once: what their passes take is worked out for many nearly as fast as for one."""
NEARLY = 1.005
"""Variants whose bounds are within this factor of a chip's least one are looked at for their best plans at once."""


def in_rounds(state: State, rows: Ints) -> None:
    """Bound and evaluate them.

    Args:
        state: of the search; the ladders of these chips stand.
        rows: which.
    """
    best = state.climb(rows)
    state.note()
    open_, own = np.full(len(rows), fill_value=True), np.zeros(len(rows), dtype=np.bool_)
    while True:
        left, depths = _left(state, rows, open_)
        if not len(left):
            return
        if (depths[~own[left]] == 0).any():
            nearest = np.argsort(depths, kind="stable")
            chosen = left[nearest][~own[left[nearest]]][:TOGETHER]
            _sharpen(state, rows, best, chosen)
            own[chosen] = True
            left, depths = _left(state, rows, open_)
        chosen = _apart(state, rows, left[(depths == 0) & own[left]])
        if len(chosen):
            _evaluate(state, rows, best, chosen)
            open_[chosen] = False
        state.note()


def _left(state: State, rows: Ints, open_: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """The places of chips that are still to be looked at, by rising cost, and how deep each is below the skyline."""
    places = np.flatnonzero(open_ & state.wanted(rows))
    costs, bounds = state.costs[rows[places]], state.bounds[rows[places]]
    places = places[np.lexsort((bounds, costs))]
    return places, layers(state.bounds[rows[places]])


def layers(bounds: Floats) -> Ints:
    """How many chips there are in the longest chain of which each could remove the next, down to each chip.

    Args:
        bounds: of chips by rising cost, of equal ones by rising bound, [chips].

    Returns:
        0 on the skyline, [chips].
    """
    lowest: list[float] = []
    found = []
    for bound in bounds.tolist():
        depth = bisect_right(lowest, bound)
        lowest[depth : depth + 1] = [bound]
        found.append(depth)
    return np.array(found, dtype=np.int64)


def _sharpen(state: State, rows: Ints, best: Floats, chosen: Ints) -> None:
    """Give some chips their own bounds: quick ones, then of the variants that decide those of best plans."""
    objective, its = state.question.objective, rows[chosen]
    limits = state.limits(its) / state.weights[its]
    for at in range(len(best)):
        cutoffs = objective.cutoff(limits, best[:, chosen], at)
        best[at, chosen] = np.maximum(best[at, chosen], state.hands.shares.own(at, chosen, cutoffs))
        open_ = np.flatnonzero(best[at, chosen] <= cutoffs)
        while len(open_):
            places = chosen[open_]
            most = best[at, places] * NEARLY
            best[at, places] = np.maximum(best[at, places], state.hands.shares.plans(at, places, most, cutoffs[open_]))
            # Where the least bound is not above ``most`` now, it is an own one.
            open_ = open_[(most < best[at, places]) & (best[at, places] <= cutoffs[open_])]
    state.raise_to(its, best[:, chosen])


def _apart(state: State, rows: Ints, skyline: Ints) -> Ints:
    """Those of the skyline, by rising cost, that are better than the one before by more than the tolerance."""
    if not state.question.objective.tolerance:
        return skyline
    kept, limit = [], np.inf
    for place in skyline.tolist():
        bound = float(state.bounds[rows[place]])
        if bound < limit:
            kept.append(place)
            limit = bound / (1 + state.question.objective.tolerance)
    return np.array(kept, dtype=np.int64)


def _evaluate(state: State, rows: Ints, best: Floats, chosen: Ints) -> None:
    """The plans on some chips; each knows what was known before the round."""
    bounded = state.bounded(rows, best, chosen)
    jobs = [state.job(bounded, place, state.upper) for place in range(len(chosen))]
    found = {}
    for job, known in state.evaluate(iter(jobs)):
        found[job.row] = state.score(job, known)
        state.best.add(float(state.costs[job.row]), found[job.row].score)
        state.note()
    for job in jobs:
        state.settle(found[job.row])
    state.best = state.upper.copy()
