"""Branch and bound over a space of chips, best bound first, and the certificate that it ends with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from intarsia.machines.template import Point
from intarsia.place.plan import EQUAL
from intarsia.place.space import variants
from intarsia.search.evaluate import Evaluated
from intarsia.search.ladder import Ladder, ladders
from intarsia.search.question import Question
from intarsia.search.rough import Rough
from intarsia.search.workers import Desk, Job, answers

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Told = Callable[[str], None]
FIRST = 3
"""Chips that are evaluated before there are bounds for each: those that a ratio of main layers puts first."""
NEAR = 1.5
"""Variants that are looked at for these: whose own estimate is within this factor of the best."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Why no chip is better.

    Attributes:
        points: chips of the space.
        bounded: removed by a bound on all plans of every variant.
        cut: looked at, and left when no plan could be as good.
        evaluated: with their best plan known, or that none fits.
        bound: no chip of the space has a plan of fewer seconds, whatever the schedules of its layers.
    """

    points: int
    bounded: int
    cut: int
    evaluated: int
    bound: float


@dataclass(frozen=True, slots=True)
class Searched:
    """The best chip.

    Attributes:
        row, point: which it is; nothing where no plan fits on any.
        seconds: of an iteration under its best plan.
        certificate: why no other is better.
        wall: seconds of the search.
        removed: rows of chips that no evaluation looked at.
    """

    row: int
    point: Point | None
    seconds: float
    certificate: Certificate
    wall: float
    removed: Ints

    @property
    def gap(self) -> float:
        """How far the bound is below the seconds, as a fraction of them."""
        return 1 - self.certificate.bound / self.seconds if self.seconds < inf else 0.0


Known = Callable[[Job], Evaluated | None]
Keep = Callable[[Job, Evaluated], None]


def search(
    question: Question,
    *,
    workers: int = 1,
    told: Told = lambda _: None,
    known: Known = lambda _: None,
    keep: Keep = lambda _job, _found: None,
) -> Searched:
    """The chip on which the best plan takes the fewest seconds; of equal ones the first in the order of bounds.

    Args:
        question: what is asked.
        workers: processes that evaluate.
        told: is told how far it is.
        known: what an earlier run has found of a job.
        keep: is given what was found.
    """
    state = _State(question, perf_counter(), told, known, keep)
    points = question.space.points
    for gib in sorted(question.space.hbm_gib, reverse=True):  # more memory never hurts: the first incumbent is good
        rows = np.flatnonzero(points.hbm_gib == gib)
        if len(rows):
            state.capacity(rows, workers)
    return state.answer()


class _State:
    """What is known while a search runs: a bound for each chip, and what evaluations said."""

    def __init__(self, question: Question, start: float, told: Told, known: Known, keep: Keep) -> None:
        self.question, self.start, self.told, self.known, self.keep = question, start, told, known, keep
        self.points = question.space.points
        self.rough = Rough(self.points, question.cluster, question.efficiency)
        self.bounds: Floats = np.full(len(self.points), inf)
        self.found: dict[int, Evaluated] = {}
        self.upper = inf

    def capacity(self, rows: Ints, workers: int) -> None:
        """Bound and evaluate the chips of one capacity."""
        self.told("bounds for every chip")
        every = ladders(self.question, self.rough, self.points.point(int(rows[0])))
        least = np.array([ladder.least for ladder in every])
        for _, found in answers(self.question, self._first(rows, every, least), 1):
            self.upper = min(self.upper, found.seconds)
        live = [ladder for ladder, bound in zip(every, least, strict=True) if bound <= self.upper]
        table = np.array([ladder.bounds(rows, self.upper) for ladder in live]).reshape(len(live), len(rows))
        self.bounds[rows] = table.min(axis=0, initial=inf)
        for job, found in answers(self.question, self._unknown(self._jobs(rows, live, table)), workers):
            self.keep(job, found)
            self._note(job, found)

    def _first(self, rows: Ints, every: list[Ladder], least: Floats) -> Iterator[Job]:
        """A few chips that look good, with the variants that look good on them: their plans bound all from above."""
        guesses = np.array([bound * ladder.slower[rows] for bound, ladder in zip(least, every, strict=True)])
        for place in np.argsort(guesses.min(axis=0), kind="stable")[:FIRST].tolist():
            near = guesses[:, place] <= min(NEAR * guesses[:, place].min(), self.upper)
            listed = tuple((ladder.variant, 0.0) for ladder, one in zip(every, near, strict=True) if one)
            yield Job(int(rows[place]), self.points.point(int(rows[place])), listed, self.upper)

    def _jobs(self, rows: Ints, live: list[Ladder], table: Floats) -> Iterator[Job]:
        """Chips whose bound is at or below the best so far, the least first."""
        for place in np.argsort(self.bounds[rows], kind="stable").tolist():
            if self.bounds[rows[place]] > self.upper:
                return
            column = table[:, place]
            listed = tuple(
                (one.variant, float(bound)) for one, bound in zip(live, column, strict=True) if bound <= self.upper
            )
            yield Job(int(rows[place]), self.points.point(int(rows[place])), listed, self.upper)

    def _unknown(self, jobs: Iterator[Job]) -> Iterator[Job]:
        """The jobs that no earlier run has done."""
        for job in jobs:
            found = self.known(job)
            if found is None:
                yield job
            else:
                self._note(job, found)

    def _note(self, job: Job, found: Evaluated) -> None:
        self.found[job.row] = found
        self.upper = min(self.upper, found.seconds)
        left = int((self.bounds <= self.upper).sum())
        self.told(
            f"{len(self.found)} chips looked at, at most {max(left - len(self.found), 0)} left; best {self.upper:.6g} s"
        )

    def answer(self) -> Searched:
        """The best of what was evaluated, and why nothing is better."""
        row = min(self.found, key=lambda at: (self.found[at].seconds, self.bounds[at], at), default=-1)
        seconds = self.found[row].seconds if row >= 0 else inf
        looked = np.zeros(len(self.points), dtype=np.bool_)
        looked[list(self.found)] = True
        least = min((max(self.bounds[at], one.floor) for at, one in self.found.items()), default=inf)
        whole = sum(one.whole for one in self.found.values())
        certificate = Certificate(
            points=len(self.points),
            bounded=int((~looked).sum()),
            cut=len(self.found) - whole,
            evaluated=whole,
            bound=float(min(least, seconds)),
        )
        point = self.points.point(row) if seconds < inf else None
        wall = perf_counter() - self.start
        return Searched(row, point, seconds, certificate, wall, np.flatnonzero(~looked))


@dataclass(frozen=True, slots=True)
class Audit:
    """Removed chips that were evaluated in full after all.

    Attributes:
        checked: how many.
        beaten: those with a plan of fewer seconds than the best chip's, which there must not be.
        worst: the fewest seconds of any of them.
    """

    checked: int
    beaten: tuple[Point, ...]
    worst: float


def audit(question: Question, searched: Searched, number: int, *, seed: int = 0, told: Told = lambda _: None) -> Audit:
    """Evaluate removed chips in full, with every variant and no bound of the search.

    Args:
        question: what was asked.
        searched: the answer.
        number: how many chips, drawn at random.
        seed: of the draw.
        told: is told how far it is.
    """
    drawn = np.random.default_rng(seed).permutation(searched.removed)[:number]
    desk, beaten, worst = Desk(question), [], inf
    for done, row in enumerate(drawn.tolist()):
        point = question.space.points.point(row)
        every = tuple((variant, 0.0) for variant in variants(question.on(point)))
        found = desk.answer(Job(row, point, every, searched.seconds))
        worst = min(worst, found.seconds)
        if found.seconds < searched.seconds * (1 - EQUAL):
            beaten.append(point)
        told(f"{done + 1} of {len(drawn)} removed chips evaluated")
    return Audit(len(drawn), tuple(beaten), worst)
