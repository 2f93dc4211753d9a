"""Branch and bound over a space of chips, best bound first, and the certificate that it ends with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import inf
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from intarsia.graph import Variant
from intarsia.machines.template import Point
from intarsia.place.plan import EQUAL
from intarsia.search.certificate import Certificate, Looked, Moment, Searched
from intarsia.search.evaluate import Job, Known, turns
from intarsia.search.ladder import Ladder, ladders
from intarsia.search.question import Question
from intarsia.search.rough import Rough
from intarsia.search.workers import Crew, Here

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Told = Callable[[Moment], None]
Remember = Callable[[Point], tuple[Known | None, ...]]
Keep = Callable[[Point, tuple[Known, ...]], None]
SAMPLE = 1 << 15
"""Chips among which those that are evaluated first are chosen."""
FIRST = 3
"""Chips that are evaluated before there are bounds for each: those that a ratio of main layers puts first."""
NEAR = 1.5
"""Variants that are looked at for these: whose own estimate is within this factor of the best."""


def search(
    question: Question,
    *,
    crew: Crew | None = None,
    told: Told = lambda _: None,
    remember: Remember | None = None,
    keep: Keep = lambda _point, _found: None,
) -> Searched:
    """The chip of the least score; of equal ones the first in the order of bounds.

    Args:
        question: what is asked.
        crew: who evaluates; this process for None.
        told: is told how far it is.
        remember: what an earlier run has found of a chip, for each training.
        keep: is given what was found.
    """
    state = _State(question, crew or Here(question), told, remember, keep)
    groups = state.groups()
    if len(groups) > 1:
        state.relax()
        groups = state.promising(groups)
    for rows in groups:
        state.group(rows)
    return state.answer()


@dataclass(frozen=True, slots=True)
class _Ranking:
    """Chips of one memory and network, bounded.

    Attributes:
        rows: which.
        every: of each training, the variants that are left.
        tables: of each training, their bounds, [variants, rows].
        order: of the chips, the least bound first.
    """

    rows: Ints
    every: list[list[Ladder]]
    tables: list[Floats]
    order: list[int]


def above(score: float) -> float:
    """A little above: no chip is removed that rounding alone puts there."""
    return score * (1 + EQUAL)


class _State:
    """What is known while a search runs: a bound for each chip, and what evaluations said."""

    def __init__(self, question: Question, crew: Crew, told: Told, remember: Remember | None, keep: Keep) -> None:
        self.question, self.crew, self.told, self.keep = question, crew, told, keep
        self.remember = remember or (lambda _: (None,) * len(question.trainings))
        self.start = perf_counter()
        self.points = question.space.points
        self.weights = question.objective.weights(self.points)
        self.rough = Rough(self.points, question.cluster, question.efficiency, question.mapping)
        self.bounds: Floats = np.zeros(len(self.points))
        self.live: list[tuple[Variant, ...]] = [()] * len(question.trainings)
        self.answered: dict[int, tuple[Known, ...]] = {}
        self.found: dict[int, Looked] = {}
        self.history: list[Moment] = []
        self.best = self.upper = inf

    def groups(self) -> list[Ints]:
        """Rows of chips with one memory and one network, those with the most first."""
        points = self.points
        columns = (points.hbm_gib, points.hbm_bandwidth, points.link_bandwidth)
        keys, which = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)
        return [np.flatnonzero(which.ravel() == at) for at in reversed(range(len(keys)))]

    def relax(self) -> None:
        """Bound all chips as if each had the memory and the links of the best, and leave out what is beyond those."""
        points = self.points
        best = replace(
            points.point(int(np.argmax(points.hbm_bandwidth))),
            link_bandwidth=float(points.link_bandwidth.max()),
            **({} if points.stacks.any() else {"hbm_gib": int(points.hbm_gib.max())}),
        )
        rows = np.arange(len(points))
        every = self._ladders(best)
        self._begin(rows, every)
        listed, _ = self._bound(rows, every)
        self.live = [tuple(ladder.variant for ladder in own) for own in listed]
        self._note()

    def promising(self, groups: list[Ints]) -> list[Ints]:
        """The groups in the order of the best of a few chips of each that look good."""
        reached = []
        for group in groups:
            rows = group[self.bounds[group] <= above(self.upper)]
            reached.append(self._begin(rows, self._ladders(self.points.point(int(rows[0])))) if len(rows) else inf)
        return [groups[at] for at in np.argsort(reached, kind="stable").tolist()]

    def group(self, rows: Ints) -> None:
        """Bound and evaluate the chips of one memory and network."""
        rows = rows[self.bounds[rows] <= above(self.upper)]
        if not len(rows):
            return
        every = self._ladders(self.points.point(int(rows[0])))
        if self.upper == inf or not any(self.live):
            self._begin(rows, every)
        listed, tables = self._bound(rows, every)
        ranking = _Ranking(rows, listed, tables, np.argsort(self.bounds[rows], kind="stable").tolist())
        self._note()
        settling = self._settle(ranking)
        for job, known in self.crew.answers(self._jobs(ranking)):
            self.keep(job.point, known)
            self.answered[job.row] = known
            self.best = min(self.best, self._looked(job, known).score)
            next(settling, None)
            self._note()
        self.best = self.upper

    def _ladders(self, point: Point) -> list[list[Ladder]]:
        return [ladders(self.question, at, self.rough, point, only) for at, only in enumerate(self.live)]

    def _begin(self, rows: Ints, every: list[list[Ladder]]) -> float:
        """Evaluate a few chips that look good, with the variants that look good on them: they bound all from above."""
        best = inf
        for job, known in Here(self.question).answers(self._first(rows, every)):
            best = min(best, self._looked(job, known).score)
            self.upper = self.best = min(self.upper, best)
        return best

    def _first(self, rows: Ints, every: list[list[Ladder]]) -> Iterator[Job]:
        shown = rows if len(rows) <= SAMPLE else rows[np.linspace(0, len(rows) - 1, SAMPLE).astype(np.int64)]
        near = [[ladder for ladder in own if ladder.least <= NEAR * min(one.least for one in own)] for own in every]
        guesses = [
            np.array([ladder.least * ladder.slower(shown, sharp=False) for ladder in own if ladder.least < inf])
            for own in near
        ]
        if any(not len(table) for table in guesses):
            return
        together = self.question.objective.together(np.array([table.min(axis=0) for table in guesses]))
        for place in np.argsort(together * self.weights[shown], kind="stable")[:FIRST].tolist():
            listed = tuple(
                tuple(
                    (ladder.variant, 0.0)
                    for ladder, good in zip(own, column <= NEAR * column.min(), strict=True)
                    if good
                )
                for own, column in zip(near, (table[:, place] for table in guesses), strict=True)
            )
            row = int(shown[place])
            bounds = tuple(min(ladder.least for ladder in own) for own in every)
            none, rests = (None,) * len(every), (0.0,) * len(every)
            yield Job(row, self.points.point(row), listed, rests, bounds, self._limit(row, self.best), none)

    def _bound(self, rows: Ints, every: list[list[Ladder]]) -> tuple[list[list[Ladder]], list[Floats]]:
        """The variants of each training that are left, and their bounds on every chip, [variants, rows]."""
        objective = self.question.objective
        limits = above(self.upper) / self.weights[rows]
        best = np.array([np.full(len(rows), min((ladder.least for ladder in own), default=inf)) for own in every])
        listed, tables = [], []
        for at, own in enumerate(every):
            cutoffs = objective.cutoff(limits, best, at)
            live = [ladder for ladder in own if ladder.least <= cutoffs.max(initial=0.0)]
            table = np.array([ladder.bounds(rows, cutoffs) for ladder in live]).reshape(len(live), len(rows))
            best[at] = table.min(axis=0, initial=inf)
            listed.append(live)
            tables.append(table)
        self.bounds[rows] = np.maximum(self.bounds[rows], objective.together(best) * self.weights[rows])
        return listed, tables

    def _jobs(self, ranking: _Ranking) -> Iterator[Job]:
        """Chips whose bound is at or below the best of all answers so far, the least first."""
        for place in ranking.order:
            if self.bounds[ranking.rows[place]] > above(self.best):
                return
            job = self._job(ranking, place, self.best)
            yield replace(job, known=self.remember(job.point))

    def _settle(self, ranking: _Ranking) -> Iterator[None]:
        """Say of each chip, in the order of bounds, what somebody says who knows the chips before it and no other.

        So what is said does not depend on the order in which answers come. ``upper`` is the best so far in this order.
        Waits where an answer is missing.
        """
        for place in ranking.order:
            row = int(ranking.rows[place])
            if self.bounds[row] > above(self.upper):
                return
            while row not in self.answered:
                yield
            job = self._job(ranking, place, self.upper)
            self.found[row] = self._looked(job, self.answered[row])
            self.upper = min(self.upper, self.found[row].score)

    def _job(self, ranking: _Ranking, place: int, best: float) -> Job:
        """A chip with the variants whose bounds are not beyond a score."""
        row, objective = int(ranking.rows[place]), self.question.objective
        columns = [table[:, place] for table in ranking.tables]
        least = np.array([column.min(initial=inf) for column in columns])
        limit = self._limit(row, best)
        cutoffs = tuple(float(objective.cutoff(np.array(limit), least, at)) for at in range(len(least)))
        listed = tuple(
            tuple((ladder.variant, float(bound)) for ladder, bound in zip(own, column, strict=True) if bound <= cutoff)
            for own, column, cutoff in zip(ranking.every, columns, cutoffs, strict=True)
        )
        none = (None,) * len(least)
        return Job(row, self.points.point(row), listed, cutoffs, tuple(least.tolist()), limit, none)

    def _limit(self, row: int, best: float) -> float:
        return above(best) / float(self.weights[row])

    def _looked(self, job: Job, known: tuple[Known, ...]) -> Looked:
        """What a job's answer says of its chip; the answer may be that of a job with a higher limit."""
        seconds, floors, objective = [inf] * len(known), list(job.bounds), self.question.objective

        def answer(at: int, cutoff: float) -> float:
            own = known[at]
            floors[at] = max(floors[at], own.floor(min(cutoff, own.cutoff), job.listed[at], job.rests[at]))
            if own.seconds <= cutoff:
                seconds[at] = own.seconds
            return seconds[at]

        turns(objective, job, answer)
        weight = float(self.weights[job.row])
        score, floor = (weight * float(objective.together(np.array(one))) for one in (seconds, floors))
        return Looked(job.row, job.point, tuple(seconds), tuple(floors), score, floor)

    def _note(self) -> None:
        left = int((self.bounds <= above(self.best)).sum())
        bound = self._least()
        looked = len(self.answered)
        moment = Moment(perf_counter() - self.start, self.best, bound, looked, max(left - looked, 0))
        self.history.append(moment)
        self.told(moment)

    def _least(self) -> float:
        """What no chip's score is below."""
        bounds = self.bounds.copy()
        bounds[list(self.found)] = [max(one.floor, bounds[row]) for row, one in self.found.items()]
        return min(float(bounds.min()), self.best)

    def answer(self) -> Searched:
        """The best of what was evaluated, and why nothing is better."""
        best = min(self.found.values(), key=lambda one: (one.score, self.bounds[one.row], one.row), default=None)
        best = best if best is not None and best.whole else None
        looked = np.zeros(len(self.points), dtype=np.bool_)
        looked[list(self.found)] = True
        whole = sum(one.whole for one in self.found.values())
        certificate = Certificate(
            points=len(self.points),
            bounded=int((~looked).sum()),
            cut=len(self.found) - whole,
            evaluated=whole,
            bound=self._least() if best else inf,
        )
        return Searched(
            row=best.row if best else -1,
            point=best.point if best else None,
            seconds=best.seconds if best else (inf,) * len(self.question.trainings),
            score=best.score if best else inf,
            certificate=certificate,
            wall=perf_counter() - self.start,
            removed=np.flatnonzero(~looked),
            looked=tuple(self.found.values()),
            history=tuple(self.history),
        )
