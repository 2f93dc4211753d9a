"""The chip of a space that serves a model best: the most tokens per second, or the most for each mm², watt or dollar.

What bounds a chip are its *rates* alone: multiplications and lanes per second, capacity and bandwidth of the HBM,
links. Chips with the greatest rates of any in a set bound the set. So the different rates are split, the set with the
highest bound first, until a set is one combination, whose chips are then evaluated one after the other; the search
ends when no bound left is above what is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from math import ceil
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from intarsia.machines.chips import TensorCores, VectorCores
from intarsia.machines.template import Point, Points, TemplateSpace, chip_of
from intarsia.place.serving import Chains, RatedCuts, Served, ServingTask, best_serving, bound_with_messages, rated_cuts
from intarsia.search.objective import Objective, Per
from intarsia.search.question import linked
from intarsia.solvers import Found

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
EQUAL = 1e-9
"""Relative difference below which two scores are equal."""


@dataclass(frozen=True)
class ServingQuestion:
    """The chip of a space that serves best.

    Attributes:
        space: the chips, each with one kind of tensor cores.
        task: what is served; the chip of its cluster stands for any of the space.
        per: what tokens per second are counted for each of.
    """

    space: TemplateSpace
    task: ServingTask
    per: Per = Per.CHIP

    def on(self, point: Point) -> ServingTask:
        """The question on one chip."""
        cluster = replace(self.task.cluster, chip=chip_of(point))
        return replace(self.task, cluster=linked(cluster, point.link_bandwidth))

    def with_rates(self, rates: Floats) -> ServingTask:
        """The question on a chip of these rates, whose cores lose nothing: cores of one multiplier at one hertz."""
        multiplies, lanes, gib, bandwidth, links = rates.tolist()
        chip = self.task.cluster.chip
        dream = replace(
            chip,
            clock=1.0,
            tensor=TensorCores(ceil(multiplies), 1, 1, chip.tensor.dataflow),
            vector=VectorCores(ceil(lanes), 1),
            hbm_bytes=int(gib) << 30,
            hbm_bandwidth=bandwidth,
            link_bandwidth=links,
        )
        return replace(self.task, cluster=linked(replace(self.task.cluster, chip=dream), links))


@dataclass(frozen=True, slots=True)
class ServingCertificate:
    """Why no chip serves better.

    Attributes:
        points: chips of the space.
        bounded: removed by a bound from their rates.
        cut: looked at, and left when no deployment could be better, or when none fits or meets the limits.
        evaluated: with their best deployment known.
        bound: no chip of the space has a score above it, whatever the schedules of its layers and the embeddings of
            its products, and with any number of sequences.
    """

    points: int
    bounded: int
    cut: int
    evaluated: int
    bound: float


@dataclass(frozen=True)
class SearchedServing:
    """The chip that serves best.

    Attributes:
        row, point: which it is; -1 and nothing where none serves.
        served: its best deployment.
        score: tokens per second, for each mm², watt or dollar if so asked.
        certificate: why no other is better.
        removed: rows of chips that bounds removed.
        bounds: different rates or sets of them that were bounded.
        wall: seconds of the search.
        nearest: the chip with the highest bound, or, where no bound is above 0, one of those with the most memory.
    """

    row: int
    point: Point | None
    served: Served | None
    score: float
    certificate: ServingCertificate
    removed: Ints
    bounds: int
    wall: float
    nearest: Point

    @property
    def gap(self) -> float:
        """How far the score is below the bound, as a fraction of the bound."""
        return 1 - self.score / self.certificate.bound if self.score else 0.0


@dataclass(frozen=True, slots=True)
class ServingAudit:
    """Removed chips that were evaluated in full after all.

    Attributes:
        checked: how many.
        beaten: those of a higher score than the best chip's, which there must not be.
    """

    checked: int
    beaten: tuple[Point, ...]


def rates_of(points: Points) -> Floats:
    """Multiplications and lanes per second, GiB and bytes per second of HBM, bytes per second of links, [points, 5]."""
    multiplies = points.tensor_cores * points.width * points.depth * points.clock
    lanes = points.vector_cores * points.vector_width * points.clock
    return np.stack((multiplies, lanes, points.hbm_gib, points.hbm_bandwidth, points.link_bandwidth), axis=1).astype(
        np.float64
    )


@dataclass
class _Set:
    """Combinations of rates of which none exceeds ``bound`` tokens per second.

    Attributes:
        places: of the combinations.
        bound: tokens per second.
        rows: of the chips, the highest bound on the score first, where the set is one combination that was opened.
        cuts: of these chips.
        next: place in ``rows``.
    """

    places: Ints
    bound: float
    rows: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    cuts: RatedCuts = field(default_factory=lambda: RatedCuts(()))
    next: int = 0


class _Search:
    """What is known while a search runs."""

    def __init__(self, question: ServingQuestion, told: Callable[[int, float], None]) -> None:
        self.question, self.told, self.chains = question, told, Chains(question.task.model)
        self.points = question.space.points
        self.weights = Objective(question.per).weights(self.points)
        self.rates, which = _different(rates_of(self.points))
        order = np.lexsort((np.arange(len(self.points)), -self.points.buffer_mib, self.weights, which))
        counts = np.bincount(which, minlength=len(self.rates))
        self.rows: list[Ints] = np.split(order, np.cumsum(counts)[:-1])
        self.lightest: Floats = np.array([self.weights[rows[0]] for rows in self.rows])
        self.queue: list[tuple[float, int, _Set]] = []
        self.bounds = self.pushed = 0
        self.looked: list[int] = []
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

    def _bounded(self, places: Ints) -> None:
        """Bound a set, and put it where it belongs."""
        self.bounds += 1
        bound = bound_with_messages(self.question.with_rates(self.rates[places].max(axis=0)), self.chains)
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
            task = self.question.with_rates(self.rates[int(its.places[0])])
            its.cuts = rated_cuts(task, self.chains, self.score * weight)
        tokens, served = its.cuts.most_tokens(
            self.question.on(self.points.point(row)), self.chains, self.score * weight
        )
        self.looked.append(row)
        if served is not None:
            self.evaluated += 1
            if tokens / weight > self.score:
                self.score, self.row, self.served = tokens / weight, row, served
        self.told(len(self.looked), self.score)
        its.next += 1
        if its.next < len(its.rows):
            self._push(its, its.bound / float(self.weights[its.rows[its.next]]))

    def answer(self, wall: float) -> SearchedServing:
        """The best of what was evaluated, and why nothing is better."""
        removed = np.ones(len(self.points), dtype=np.bool_)
        removed[self.looked] = False
        rates = rates_of(self.points)
        nearest = self.looked[0] if self.looked else int(np.lexsort(rates[:, [1, 0, 2]].T)[-1])
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
            wall=wall,
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
    question: ServingQuestion, *, told: Callable[[int, float], None] = lambda _looked, _score: None
) -> SearchedServing:
    """The chip of the highest score; of equal ones the first in the order of bounds.

    Chips of equal bounds come with the largest buffer first, then in the order of the space.

    Args:
        question: what is asked.
        told: is told how many chips were looked at, and the highest score so far.
    """
    started = perf_counter()
    state = _Search(question, told)
    state.run()
    return state.answer(perf_counter() - started)


def audit_serving(question: ServingQuestion, searched: SearchedServing, number: int, *, seed: int = 0) -> ServingAudit:
    """Evaluate removed chips by the search for deployments alone, with no bound of the search over chips.

    Args:
        question: what was asked.
        searched: the answer.
        number: how many chips, drawn at random.
        seed: of the draw.
    """
    drawn = np.random.default_rng(seed).permutation(searched.removed)[:number]
    weights = Objective(question.per).weights(question.space.points)
    chains, beaten = Chains(question.task.model), []
    for row in drawn.tolist():
        point = question.space.points.point(row)
        outcome = best_serving(question.on(point), chains, runners=0)
        tokens = outcome.value.pace.tokens_per_second if isinstance(outcome, Found) else 0.0
        if tokens / float(weights[row]) > searched.score * (1 + EQUAL):
            beaten.append(point)
    return ServingAudit(len(drawn), tuple(beaten))
