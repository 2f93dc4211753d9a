"""What is known while a search runs: a bound for each chip, what evaluations said, and the limits that follow."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import inf
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from intarsia.graph import Variant
from intarsia.place.space import variants
from intarsia.search.answer import answer_of, looked_of
from intarsia.search.bounding import FRONT, steps
from intarsia.search.candidates import Candidate, Candidates
from intarsia.search.certificate import Looked, Moment, Searched
from intarsia.search.evaluate import Job
from intarsia.search.groups import Bounded, Group
from intarsia.search.known import Known
from intarsia.search.objective import Per
from intarsia.search.question import Question
from intarsia.search.shares import Shares
from intarsia.search.staircase import Staircase
from intarsia.search.workers import Crew

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Told = Callable[[Moment], None]
Remember = Callable[[Candidate], tuple[Known | None, ...]]
Keep = Callable[[Candidate, tuple[Known, ...]], None]


@dataclass(frozen=True, slots=True)
class Hands:
    """Who does the work of a search, and who is told.

    Attributes:
        crew: evaluates.
        shares: bounds.
        told: is told how far it is.
        remember: what an earlier run has found of a chip, for each training.
        keep: is given what was found.
    """

    crew: Crew
    shares: Shares
    told: Told
    remember: Remember
    keep: Keep


class State:
    """What a search knows.

    Attributes:
        bounds: no score of a chip is below it; where that is beyond the limit, any that is, [candidates].
        floors: the same of those that were looked at, whatever the schedules, [candidates].
        found: what evaluations said, by row.
        best: what is known by now, as those who evaluate are told.
        upper: what is known in the order that the answer is made in.
        own: of each, a score up to which it is looked at even if another makes it unnecessary, [candidates].
        every: of each training, the variants whose ladders stand.
        least: of these, bounds on their plans on every chip.
        live: by size, the variants that are left for any chip; all where a size is missing.
    """

    def __init__(self, question: Question, hands: Hands) -> None:
        self.question, self.hands = question, hands
        self.candidates = Candidates(question)
        self.weights = self.candidates.costs(question.objective.per)
        self.costs = self.candidates.costs(question.objective.front)
        self.bounds: Floats = np.zeros(len(self.candidates))
        self.floors: Floats = np.zeros(len(self.candidates))
        self.own: Floats = np.zeros(len(self.candidates))
        self.live: dict[int, tuple[tuple[Variant, ...], ...]] = {}
        self.every: tuple[tuple[Variant, ...], ...] = ()
        self.least: list[Floats] = []
        self.found: dict[int, Looked] = {}
        self.upper = Staircase(question.objective.tolerance, ties=question.objective.front is Per.CHIP)
        self.best = self.upper.copy()
        self._start = perf_counter()
        self._history: list[Moment] = []
        self._open: NDArray[np.bool_] = np.full(len(self.candidates), fill_value=True)
        self._left: Ints = np.arange(len(self.candidates))

    def limits(self, rows: Ints) -> Floats:
        """Scores beyond which chips are not wanted; what was evaluated to begin with removes others, not itself."""
        return np.maximum(self.upper.limits(self.costs[rows]), self.own[rows])

    def limit(self, row: int, known: Staircase) -> float:
        """The same of one, by what is known."""
        return max(known.limit(float(self.costs[row])), float(self.own[row]))

    def wanted(self, rows: Ints) -> NDArray[np.bool_]:
        """Whose bounds are within their limits, and on which something may fit."""
        return np.asarray((self.bounds[rows] <= self.limits(rows)) & (self.bounds[rows] < inf))

    def enter(self, group: Group) -> None:
        """Bounds of every variant that is left in a group, all of whose chips are alike in memory and links."""
        self.ladders(self.candidates.at(int(group.rows[0])))
        self.raise_to(group.rows, np.array([own.min(initial=inf) for own in self.least])[:, None])

    def ladders(self, its: Candidate) -> None:
        """Bounds of every variant that is left, with the memory and the links of a chip."""
        count, sized = len(self.question.trainings), self.question.of(its.devices)
        live = self.live.get(self.candidates.devices.index(its.devices))
        self.every = live or tuple(tuple(variants(sized.on(its.point, at))) for at in range(count))
        self.least = self.hands.shares.begin(its.point, self.every, its.devices)

    def climb(self, rows: Ints, *, far: bool = True) -> Floats:
        """Up all ladders with some chips.

        Args:
            rows: the chips.
            far: to their ends; else without the steps that search for plans with sharp bounds.

        Returns:
            of each training, seconds that no plan takes less than, [trainings, rows].
        """
        objective, shares = self.question.objective, self.hands.shares
        limits = self.limits(rows) / self.weights[rows]
        best = np.array([np.full(len(rows), own.min(initial=inf)) for own in self.least])
        trainings = range(len(best))
        shares.rows(self.candidates.chip[rows], [float(objective.cutoff(limits, best, at).max()) for at in trainings])
        every = steps(len(best)) if objective.front is Per.CHIP else FRONT
        for step in every if far else (step for step in every if not step.exact or not step.sharp):
            for at in trainings:
                best[at] = np.maximum(best[at], shares.climb(at, step, objective.cutoff(limits, best, at)))
        self.raise_to(rows, best)
        return best

    def raise_to(self, rows: Ints, best: Floats) -> None:
        """Raise the bounds on scores to those on seconds, [trainings, rows]."""
        bounds = self.question.objective.together(best) * self.weights[rows]
        self.bounds[rows] = np.maximum(self.bounds[rows], bounds)

    def bounded(self, rows: Ints, best: Floats, places: Ints) -> Bounded:
        """The variants that are left on some of the chips that climbed.

        Args:
            rows: those that climbed.
            best: of each training, bounds on their seconds, [trainings, rows].
            places: of those that are asked for.
        """
        objective = self.question.objective
        limits = self.limits(rows[places]) / self.weights[rows[places]]
        left, tables = [], []
        for at, columns in enumerate(self.hands.shares.tables(places)):
            cutoffs = objective.cutoff(limits, best[:, places], at)
            kept = [(n, column) for n, column in columns if (column <= cutoffs).any()]
            left.append(tuple(self.every[at][n] for n, _ in kept))
            tables.append(np.array([column for _, column in kept]).reshape(len(kept), len(places)))
        return Bounded(rows[places], tuple(left), tuple(tables))

    def job(self, bounded: Bounded, place: int, known: Staircase) -> Job:
        """A chip with the variants whose bounds are within its limit, by what is known."""
        row, objective = int(bounded.rows[place]), self.question.objective
        columns = [table[:, place] for table in bounded.tables]
        least = np.array([column.min(initial=inf) for column in columns])
        limit = self.limit(row, known) / float(self.weights[row])
        cutoffs = tuple(float(objective.cutoff(np.array(limit), least, at)) for at in range(len(least)))
        listed = tuple(
            tuple((variant, float(bound)) for variant, bound in zip(own, column, strict=True) if bound <= cutoff)
            for own, column, cutoff in zip(bounded.variants, columns, cutoffs, strict=True)
        )
        its, none = self.candidates.at(row), (None,) * len(least)
        return Job(row, its.point, its.devices, listed, cutoffs, tuple(least.tolist()), limit, none)

    def evaluate(self, jobs: Iterable[Job]) -> Iterable[tuple[Job, tuple[Known, ...]]]:
        """What is found of chips, as it comes; what an earlier run has found is not looked for again."""
        remember = self.hands.remember
        asked = (replace(job, known=remember(Candidate(job.point, job.devices))) for job in jobs)
        for job, known in self.hands.crew.answers(asked):
            self._open[job.row] = False
            self.hands.keep(Candidate(job.point, job.devices), known)
            yield job, known

    def score(self, job: Job, known: tuple[Known, ...]) -> Looked:
        """What a job's answer says of its chip."""
        return looked_of(self.question.objective, float(self.weights[job.row]), job, known)

    def settle(self, looked: Looked) -> None:
        """A chip is evaluated, and what it said counts from now on."""
        self.found[looked.row] = looked
        self.floors[looked.row] = looked.floor
        self.upper.add(float(self.costs[looked.row]), looked.score)

    def note(self) -> None:
        """Say how far the search is."""
        self._left = self._left[self.bounds[self._left] <= self.best.limits(self.costs[self._left])]
        best = self.best.least
        bound = float(np.maximum(self.bounds[self._left], self.floors[self._left]).min(initial=inf))
        bound = min(bound, best / (1 + self.question.objective.tolerance))
        looked, left = len(self._open) - int(self._open.sum()), int(self._open[self._left].sum())
        moment = Moment(perf_counter() - self._start, best, bound, looked, left)
        self._history.append(moment)
        self.hands.told(moment)

    def answer(self) -> Searched:
        """The best of what was evaluated, and why nothing is better."""
        found = answer_of(self.question, self.candidates, self.bounds, self.found)
        return replace(found, wall=perf_counter() - self._start, history=tuple(self._history))
