"""The search: sets of chips by the bounds of their rates, the highest first.

What bounds a chip are its *rates* alone: multiplications and lanes per second, capacity and bandwidth of the HBM,
links. Chips with the greatest rates of any in a set bound the set. So the different rates are split, the set with the
highest bound first, until a set is one combination, whose chips are then evaluated one after the other; the search
ends when no bound left is above what is known. At the end those that were looked at get sharper bounds (``ceilings``),
which say how much their schedules, and numbers of sequences that were not tried, could still win.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from intarsia.place.serving import Chains, RatedCuts, Served, bound_with_messages, rated_cuts
from intarsia.search.serving.answer import SearchedServing, ServingCertificate, ServingLooked, ServingMoment
from intarsia.search.serving.ceilings import ceilings
from intarsia.search.serving.journal import Journal, nowhere
from intarsia.search.serving.question import ServingQuestion, rates_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Watch = Callable[[ServingMoment], None]
EVERY = 0.1
"""Seconds between two moments of the history, if the best stays the same; what is left takes a walk to count."""


@dataclass
class _Set:
    """Combinations of rates of which none exceeds ``bound`` tokens per second.

    Attributes:
        places: of the combinations.
        bound: tokens per second.
        rows: of the chips, the highest bound on the score first, where the set is one combination that was opened.
        next: place in ``rows``.
        floor: tokens per second that were worth something when the first of them was looked at.
        cuts: that may make more; worked out when they are needed.
    """

    places: Ints
    bound: float
    rows: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    next: int = 0
    floor: float = 0.0
    cuts: RatedCuts | None = None


class _Search:
    """What is known while a search runs."""

    def __init__(self, question: ServingQuestion, watch: Watch, journal: Journal) -> None:
        self.question, self.watch, self.chains = question, watch, Chains(question.task.model)
        self.journal = journal
        self.started = perf_counter()
        self.points = question.space.points
        self.weights = question.costs
        self.rates, which = _different(rates_of(self.points))
        order = np.lexsort((np.arange(len(self.points)), -self.points.buffer_mib, self.weights, which))
        self.sizes: Ints = np.bincount(which, minlength=len(self.rates))
        self.rows: list[Ints] = np.split(order, np.cumsum(self.sizes)[:-1])
        self.lightest: Floats = np.array([self.weights[rows[0]] for rows in self.rows])
        self.queue: list[tuple[float, int, _Set]] = []
        self.bounds = self.pushed = 0
        self.looked: list[ServingLooked] = []
        self.history: list[ServingMoment] = []
        self.evaluated, self.score, self.row = 0, 0.0, -1
        self.served: Served | None = None
        self.highest = 0.0

    def run(self) -> None:
        """Until no bound is above what is known."""
        self._bounded(np.arange(len(self.rates)))
        while self.queue and -self.queue[0][0] > self.score:
            _, _, its = heappop(self.queue)
            if len(its.places) > 1:
                for half in _halves(self.rates, its.places):
                    self._bounded(half)
            else:
                self._look(its)
            self._tell()
        self._sharpen()
        self._tell(end=True)

    def _sharpen(self) -> None:
        """Bounds of those that were looked at, by what their cores are; all others are bounded by the best."""
        if self.served is None:
            return
        rows = np.array([one.row for one in self.looked])
        above = self.journal.recall(len(rows))
        if above is None:
            above = ceilings(self.question, self.chains, rows, self.score).tolist()
            self.journal.note(above)
        self.looked = [replace(one, bound=min(one.bound, own)) for one, own in zip(self.looked, above, strict=True)]
        self.highest = max(one.bound for one in self.looked)

    def _bounded(self, places: Ints) -> None:
        """Bound a set, and put it where it belongs."""
        self.bounds += 1
        known = self.journal.recall(1)
        if known is None:
            rates = self.rates[places].max(axis=0)
            known = [bound_with_messages(self.question.with_rates(rates), self.chains)]
            self.journal.note(known)
        (bound,) = known
        its = _Set(places, bound)
        if len(places) == 1:
            its.rows = self.rows[int(places[0])]
        self._push(its, bound / float(self.lightest[places].min()))

    def _push(self, its: _Set, score: float) -> None:
        self.pushed += 1
        heappush(self.queue, (-score, self.pushed, its))

    def _look(self, its: _Set) -> None:
        """At the next chip of one combination of rates."""
        row = int(its.rows[its.next])
        weight = float(self.weights[row])
        if not self.looked:  # no set or chip that is left has a higher bound
            self.highest = its.bound / weight
        if not its.next:
            its.floor = self.score * weight
        served = self._most(its, row, self.score * weight)
        found = 0.0 if served is None else served.pace.tokens_per_second
        score = found / weight
        self.looked.append(ServingLooked(row, self.points.point(row), found, score, its.bound / weight))
        self.evaluated += served is not None
        if score > self.score:
            self.score, self.row, self.served = score, row, served
        its.next += 1
        if its.next < len(its.rows):
            self._push(its, its.bound / float(self.weights[its.rows[its.next]]))

    def _most(self, its: _Set, row: int, floor: float) -> Served | None:
        """The deployment on a chip with the most tokens per second, if they are more than a floor.

        That there is none is remembered, for most chips have none; the few others are looked at again.
        """
        known = self.journal.recall(1)
        if known == [0.0]:
            return None
        if its.cuts is None:
            its.cuts = rated_cuts(self.question.with_rates(self.rates[int(its.places[0])]), self.chains, its.floor)
        _, served = its.cuts.most_tokens(self.question.on(self.points.point(row)), self.chains, floor)
        if known is None:
            self.journal.note([float(served is not None)])
        assert known is None or served is not None, "a journal of another search"
        return served

    def _tell(self, *, end: bool = False) -> None:
        """How far the search is: where the best has changed, at the end, and now and then."""
        last = self.history[-1] if self.history else None
        since = perf_counter() - self.started - (last.wall if last else -EVERY)
        if not end and last is not None and last.best == self.score and since < EVERY:
            return
        better = [(-score, its) for score, _, its in self.queue if -score > self.score]
        bound = self.highest if self.looked else max((score for score, _ in better), default=0.0)
        left = sum(int(self.sizes[its.places].sum()) - its.next for _, its in better)
        moment = ServingMoment(perf_counter() - self.started, self.score, bound, len(self.looked), left)
        self.history.append(moment)
        self.watch(moment)

    def answer(self) -> SearchedServing:
        """The best of what was evaluated, and why nothing is better."""
        removed = np.ones(len(self.points), dtype=np.bool_)
        removed[[one.row for one in self.looked]] = False
        rates = rates_of(self.points)
        nearest = self.looked[0].row if self.looked else int(np.lexsort(rates[:, [1, 0, 2]].T)[-1])
        return SearchedServing(
            row=self.row,
            point=self.points.point(self.row) if self.served else None,
            served=self.served,
            score=self.score,
            certificate=ServingCertificate(
                points=len(self.points),
                bounded=int(removed.sum()),
                cut=len(self.looked) - self.evaluated,
                evaluated=self.evaluated,
                bound=self.highest,
            ),
            removed=np.flatnonzero(removed),
            bounds=self.bounds,
            looked=tuple(self.looked),
            history=tuple(self.history),
            wall=perf_counter() - self.started,
            nearest=self.points.point(nearest),
        )


def _different(rates: Floats) -> tuple[Floats, Ints]:
    """Different rows, and of every row its place among them; column by column, which is quick for a million rows."""
    which = np.zeros(len(rates), dtype=np.int64)
    for column in rates.T:
        values, place = np.unique(column, return_inverse=True)
        _, which = np.unique(which * len(values) + place, return_inverse=True)
    _, first = np.unique(which, return_index=True)
    return rates[first], which


def _halves(rates: Floats, places: Ints) -> Iterator[Ints]:
    """Two sets with the lower and the higher values of the rate that spreads the most."""
    own = rates[places]
    widest = int(np.argmax(own.max(axis=0) / own.min(axis=0)))
    values = np.unique(own[:, widest])
    low = own[:, widest] < values[len(values) // 2]
    yield places[~low]
    yield places[low]


def search_serving(
    question: ServingQuestion, *, journal: Journal = nowhere, watch: Watch = lambda _: None
) -> SearchedServing:
    """The chip of the highest score; of equal ones the first in the order of bounds.

    Chips of equal bounds come with the largest buffer first, then in the order of the space.

    Args:
        question: what is asked.
        journal: of an earlier search for the same, which goes on from there.
        watch: is told how far the search is.
    """
    state = _Search(question, watch, journal)
    state.run()
    return state.answer()
