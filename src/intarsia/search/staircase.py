"""The scores that are known of chips, and what these cost: what other chips must be better than.

A chip *dominates* another one if it costs no more and its score is no higher. The lowest scores by cost are a falling
staircase. Where cost does not count all chips cost the same, and it has one step.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from math import inf

import numpy as np
from numpy.typing import NDArray

from intarsia.place.plan import EQUAL

Floats = NDArray[np.float64]


def above(score: float) -> float:
    """A little above: no chip is removed that rounding alone puts there."""
    return score * (1 + EQUAL)


class Staircase:
    """Costs that rise and scores that fall.

    Args:
        tolerance: a chip may be as much better than those that cost no more, as a fraction, and yet not be wanted.
        ties: whether chips are wanted that are only as good as one that costs no more.
    """

    def __init__(self, tolerance: float, *, ties: bool) -> None:
        self._factor = (1 + EQUAL if ties else 1 - EQUAL) / (1 + tolerance)
        self._costs: list[float] = []
        self._scores: list[float] = []

    @property
    def least(self) -> float:
        """The lowest score; infinite while none is known."""
        return self._scores[-1] if self._scores else inf

    def add(self, cost: float, score: float) -> None:
        """A chip that was evaluated; nothing changes where one that costs no more is as good."""
        if score >= self._at(cost):
            return
        first = last = bisect_left(self._costs, cost)
        while last < len(self._scores) and self._scores[last] >= score:
            last += 1
        self._costs[first:last] = [cost]
        self._scores[first:last] = [score]

    def limit(self, cost: float) -> float:
        """The highest score that a chip of this cost is wanted with."""
        return self._at(cost) * self._factor

    def limits(self, costs: Floats) -> Floats:
        """The same of many."""
        return np.array([inf, *self._scores])[np.searchsorted(self._costs, costs, side="right")] * self._factor

    def copy(self) -> Staircase:
        """The same, which changes by itself."""
        other = Staircase(0.0, ties=True)
        other._factor, other._costs, other._scores = self._factor, [*self._costs], [*self._scores]
        return other

    def _at(self, cost: float) -> float:
        """The lowest score that costs no more."""
        place = bisect_right(self._costs, cost)
        return self._scores[place - 1] if place else inf


def along(costs: Floats, scores: Floats, number: int) -> NDArray[np.int64]:
    """The places of some along the whole front, evenly; each [places], as all the others."""
    order = np.lexsort((scores, costs))
    before = np.minimum.accumulate(np.concatenate(([inf], scores[order][:-1])))
    front = order[scores[order] < before]
    return front[np.unique(np.linspace(0, len(front) - 1, number).astype(np.int64))]
