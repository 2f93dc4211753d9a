"""Branch and bound over a space of chips and clusters, best bound first, and the certificate that it ends with.

A chip is removed when its bound is beyond the *limit* of what it costs: the lowest score that is known of one that
costs no more. Where cost does not count that is the best score, and the search ends with the best chip; else with the
front.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
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
from intarsia.search.evaluate import Job, Known
from intarsia.search.groups import Bounded, Group, groups_of
from intarsia.search.objective import Per
from intarsia.search.question import Question
from intarsia.search.shares import Own, Shares
from intarsia.search.staircase import Staircase, above, along
from intarsia.search.workers import Crew, Here

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Told = Callable[[Moment], None]
Remember = Callable[[Candidate], tuple[Known | None, ...]]
Keep = Callable[[Candidate, tuple[Known, ...]], None]
SAMPLE = 1 << 15
"""Chips among which those that are evaluated first are chosen."""
FIRST = 3
"""Chips that are evaluated before there are bounds for each: those that a ratio of main layers puts first."""
NEAR = 1.5
"""Variants that are looked at for these: whose own estimate is within this factor of the best,"""
NEAREST = 8
"""so many at most."""
SPREAD = 64
"""Chips that are evaluated before there are bounds for each, where a front is searched for: along its whole length."""


def search(
    question: Question,
    *,
    crew: Crew | None = None,
    shares: Shares | None = None,
    told: Told = lambda _: None,
    remember: Remember | None = None,
    keep: Keep = lambda _candidate, _found: None,
) -> Searched:
    """The chip of the least score, and the front; of equal ones the first in the order of bounds.

    Args:
        question: what is asked.
        crew: who evaluates; this process for None.
        shares: who bounds; this process for None.
        told: is told how far it is.
        remember: what an earlier run has found of a chip, for each training.
        keep: is given what was found.
    """
    state = _State(question, crew or Here(question), shares or Shares([Own(question)]), told, remember, keep)
    groups = groups_of(state.candidates)
    if len(groups) > len(question.clusters):
        state.relax()
    if len(groups) > 1:
        groups = state.promising(groups)
    for group in groups:
        state.group(group)
    return state.answer()


class _State:
    """What is known while a search runs: a bound for each chip, and what evaluations said."""

    def __init__(
        self, question: Question, crew: Crew, shares: Shares, told: Told, remember: Remember | None, keep: Keep
    ) -> None:
        self.question, self.crew, self.shares, self.told, self.keep = question, crew, shares, told, keep
        self.remember = remember or (lambda _: (None,) * len(question.trainings))
        self.start = perf_counter()
        self.candidates = Candidates(question)
        self.weights = self.candidates.costs(question.objective.per)
        self.costs = self.candidates.costs(question.objective.front)
        self.bounds: Floats = np.zeros(len(self.candidates))
        self.floors: Floats = np.zeros(len(self.candidates))
        self.live: dict[int, tuple[tuple[Variant, ...], ...]] = {}
        self.every: tuple[tuple[Variant, ...], ...] = ()
        self.least: list[Floats] = []
        self.answered: dict[int, tuple[Known, ...]] = {}
        self.found: dict[int, Looked] = {}
        self.history: list[Moment] = []
        self.left: Ints = np.arange(len(self.candidates))
        self.begun = False
        self.own: Floats = np.zeros(len(self.candidates))
        self.upper = Staircase(question.objective.tolerance)
        self.best = self.upper.copy()

    def relax(self) -> None:
        """Bound all chips as if each had the memory and the links of the best, and leave out what is beyond those."""
        for size in range(len(self.candidates.devices)):
            rows = np.flatnonzero(self.candidates.size == size)
            if not len(rows):
                continue
            points = self.candidates.points.rows(self.candidates.chip[rows])
            best = replace(
                points.point(int(np.argmax(points.hbm_bandwidth))),
                link_bandwidth=float(points.link_bandwidth.max()),
                **({} if points.stacks.any() else {"hbm_gib": int(points.hbm_gib.max())}),
            )
            self._ladders(Candidate(best, self.candidates.devices[size]))
            self._begin(rows)
            self.live[size] = self._bound(rows).variants
            self._note()

    def promising(self, groups: list[Group]) -> list[Group]:
        """The groups in the order of the best of a few chips of each that look good."""
        reached = []
        for group in groups:
            rows = group.rows[self._wanted(group.rows)]
            if len(rows):
                self._enter(Group(group.size, rows))
            reached.append(self._begin(rows) if len(rows) else inf)
        return [groups[at] for at in np.argsort(reached, kind="stable").tolist()]

    def group(self, group: Group) -> None:
        """Bound and evaluate the chips of one memory and network."""
        rows = group.rows[self._wanted(group.rows)]
        if not len(rows):
            return
        self._enter(Group(group.size, rows))
        if not self.begun or self.upper.least == inf:
            self._begin(rows)
        bounded = self._bound(rows)
        self._note()
        settling = self._settle(bounded)
        for job, known in self.crew.answers(self._jobs(bounded)):
            self.keep(Candidate(job.point, job.devices), known)
            self.answered[job.row] = known
            if not self.question.objective.tolerance:
                # With one, a chip that ``_settle`` leaves out may be better than what is known there.
                self.best.add(float(self.costs[job.row]), self._looked(job, known).score)
            next(settling, None)
            self._note()
        self.best = self.upper.copy()

    def _wanted(self, rows: Ints) -> NDArray[np.bool_]:
        """Whose bounds are within their limits."""
        return np.asarray(self.bounds[rows] <= self._limits(rows))

    def _limits(self, rows: Ints) -> Floats:
        """Scores beyond which chips are not wanted; what was evaluated to begin with removes others, not itself."""
        return np.maximum(self.upper.limits(self.costs[rows]), self.own[rows])

    def _limit(self, row: int, known: Staircase) -> float:
        """The same of one, by what is known."""
        return max(known.limit(float(self.costs[row])), float(self.own[row]))

    def _enter(self, group: Group) -> None:
        """Bounds of every variant that is left in a group, all of whose chips are alike in memory and links."""
        self._ladders(self.candidates.at(int(group.rows[0])))
        least = np.array([own.min(initial=inf) for own in self.least])
        bounds = float(self.question.objective.together(least)) * self.weights[group.rows]
        self.bounds[group.rows] = np.maximum(self.bounds[group.rows], bounds)

    def _ladders(self, its: Candidate) -> None:
        """Bounds of every variant that is left, with the memory and the links of a chip."""
        count, sized = len(self.question.trainings), self.question.of(its.devices)
        live = self.live.get(self.candidates.devices.index(its.devices))
        self.every = live or tuple(tuple(variants(sized.on(its.point, at))) for at in range(count))
        self.least = self.shares.begin(its.point, self.every, its.devices)

    def _begin(self, rows: Ints) -> float:
        """Evaluate a few chips that look good, with the variants that look good on them: they bound all from above."""
        best = inf
        for job, known in self.crew.answers(self._first(rows)):
            score = self._looked(job, known).score
            best = min(best, score)
            self.best.add(float(self.costs[job.row]), score)
            if self.question.objective.tolerance and score < inf:
                self.own[job.row] = above(score)
        self.upper, self.begun = self.best.copy(), True
        return best

    def _first(self, rows: Ints) -> Iterator[Job]:
        shown = rows if len(rows) <= SAMPLE else rows[np.linspace(0, len(rows) - 1, SAMPLE).astype(np.int64)]
        bounds = tuple(float(own.min(initial=inf)) for own in self.least)
        if inf in bounds:
            return
        objective, chip = self.question.objective, self.candidates.chip
        guesses = np.array([self.shares.least_guess(at, chip[shown], NEAR * own) for at, own in enumerate(bounds)])
        scores = objective.together(guesses) * self.weights[shown]
        alone = objective.front is Per.CHIP
        chosen = shown[np.argsort(scores, kind="stable")[:FIRST] if alone else along(self.costs[shown], scores, SPREAD)]
        columns = [self.shares.guess(at, chip[chosen], NEAR * own) for at, own in enumerate(bounds)]
        for place, row in enumerate(chosen.tolist()):
            listed = []
            for every, own in zip(self.every, columns, strict=True):
                guessed = sorted((float(column[place]), n) for n, column in own)[:NEAREST]
                listed.append(tuple((every[n], 0.0) for seconds, n in guessed if seconds <= NEAR * guessed[0][0]))
            none, rests = (None,) * len(bounds), (0.0,) * len(bounds)
            # With a tolerance, what is cut would depend on the order in which answers come.
            limit = inf if objective.tolerance else self._limit(row, self.best) / float(self.weights[row])
            its = self.candidates.at(row)
            yield Job(row, its.point, its.devices, tuple(listed), rests, bounds, limit, none, prove=False)

    def _bound(self, rows: Ints) -> Bounded:
        """Bound some chips: which are left, with which variants, and their bounds."""
        objective, shares = self.question.objective, self.shares
        limits = self._limits(rows) / self.weights[rows]
        best = np.array([np.full(len(rows), own.min(initial=inf)) for own in self.least])
        trainings = range(len(best))
        shares.rows(self.candidates.chip[rows], [float(objective.cutoff(limits, best, at).max()) for at in trainings])
        for step in steps(len(best)) if objective.front is Per.CHIP else FRONT:
            for at in trainings:
                best[at] = np.maximum(best[at], shares.climb(at, step, objective.cutoff(limits, best, at)))
        self.bounds[rows] = np.maximum(self.bounds[rows], objective.together(best) * self.weights[rows])
        order = np.argsort(self.bounds[rows], kind="stable")
        places = order[self._wanted(rows[order])]
        left, tables = [], []
        for at, columns in enumerate(shares.tables(places)):
            cutoffs = objective.cutoff(limits[places], best[:, places], at)
            kept = [(n, column) for n, column in columns if (column <= cutoffs).any()]
            left.append(tuple(self.every[at][n] for n, _ in kept))
            tables.append(np.array([column for _, column in kept]).reshape(len(kept), len(places)))
        return Bounded(rows[places], tuple(left), tuple(tables))

    def _jobs(self, bounded: Bounded) -> Iterator[Job]:
        """Chips whose bound is within the limit of all answers so far, the least first."""
        for place, row in enumerate(bounded.rows.tolist()):
            if self.bounds[row] <= self._limit(row, self.best):
                job = self._job(bounded, place, self.best)
                yield replace(job, known=self.remember(Candidate(job.point, job.devices)))

    def _settle(self, bounded: Bounded) -> Iterator[None]:
        """Say of each chip, in the order of bounds, what somebody says who knows the chips before it and no other.

        So what is said does not depend on the order in which answers come. ``upper`` is what is known in this order.
        Waits where an answer is missing.
        """
        for place, row in enumerate(bounded.rows.tolist()):
            if self.bounds[row] > self._limit(row, self.upper):
                continue
            while row not in self.answered:
                yield
            job = self._job(bounded, place, self.upper)
            self.found[row] = self._looked(job, self.answered[row])
            self.floors[row] = self.found[row].floor
            self.upper.add(float(self.costs[row]), self.found[row].score)
            if self.question.objective.tolerance:
                self.best = self.upper

    def _job(self, bounded: Bounded, place: int, known: Staircase) -> Job:
        """A chip with the variants whose bounds are within its limit, by what is known."""
        row, objective = int(bounded.rows[place]), self.question.objective
        columns = [table[:, place] for table in bounded.tables]
        least = np.array([column.min(initial=inf) for column in columns])
        limit = self._limit(row, known) / float(self.weights[row])
        cutoffs = tuple(float(objective.cutoff(np.array(limit), least, at)) for at in range(len(least)))
        listed = tuple(
            tuple((variant, float(bound)) for variant, bound in zip(own, column, strict=True) if bound <= cutoff)
            for own, column, cutoff in zip(bounded.variants, columns, cutoffs, strict=True)
        )
        its, none = self.candidates.at(row), (None,) * len(least)
        return Job(row, its.point, its.devices, listed, cutoffs, tuple(least.tolist()), limit, none)

    def _looked(self, job: Job, known: tuple[Known, ...]) -> Looked:
        return looked_of(self.question.objective, float(self.weights[job.row]), job, known)

    def _note(self) -> None:
        self.left = self.left[self.bounds[self.left] <= self.best.limits(self.costs[self.left])]
        best, looked = self.best.least, len(self.answered)
        bound = float(np.maximum(self.bounds[self.left], self.floors[self.left]).min(initial=inf))
        bound = min(bound, best / (1 + self.question.objective.tolerance))
        moment = Moment(perf_counter() - self.start, best, bound, looked, max(len(self.left) - looked, 0))
        self.history.append(moment)
        self.told(moment)

    def answer(self) -> Searched:
        """The best of what was evaluated, and why nothing is better."""
        found = answer_of(self.question, self.candidates, self.bounds, self.found)
        return replace(found, wall=perf_counter() - self.start, history=tuple(self.history))
