"""One chip in full: the best plan of each training, or bounds that say that it is no better than a limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from intarsia.graph import Variant
from intarsia.machines.template import Point, single
from intarsia.place.branches import Brancher, space_with
from intarsia.place.nodes import best_first
from intarsia.place.profile import Profile, demands
from intarsia.place.solve import Solved
from intarsia.search.question import Question
from intarsia.search.rough import Rough

Listed = tuple[tuple[Variant, float], ...]
"""Variants that plans may have, each with a bound on its plans, 0 for none."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What is known of one training on a chip after it was looked at.

    Attributes:
        seconds: of its best plan; infinite where none fits, or where the bound is beyond the cutoff.
        bound: no plan takes less, with the schedules that were made for its layers.
        floor: no plan takes less, whatever the schedules of its layers.
    """

    seconds: float
    bound: float
    floor: float

    @property
    def whole(self) -> bool:
        """Whether the best plan is known, or that nothing fits."""
        return self.seconds < inf or self.bound == inf


@dataclass(frozen=True, slots=True)
class Known:
    """What an earlier run found of a training on a chip, and up to which seconds it looked."""

    cutoff: float
    found: Evaluated

    def says(self, cutoff: float) -> bool:
        """Whether it answers a question with this cutoff: the best plan is known, or it looked as far."""
        return self.found.seconds < inf or self.cutoff >= cutoff


@dataclass(frozen=True, slots=True)
class Job:
    """A chip to be evaluated.

    Attributes:
        row, point: which.
        listed: of each training, the variants that may be good enough.
        bounds: of each training, seconds that no plan is below.
        limit: of the objective's seconds together, beyond which nobody wants to know how many.
        known: of each training, what an earlier run found, or nothing.
    """

    row: int
    point: Point
    listed: tuple[Listed, ...]
    bounds: tuple[float, ...]
    limit: float
    known: tuple[Known | None, ...]


class Desk:
    """One process's memory: what plans on chips with one memory and network share."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self._branchers: dict[tuple[int, float, float, int], Brancher] = {}

    def answer(self, job: Job) -> tuple[Known, ...]:
        """The trainings in turn, until they are together beyond the limit; those after it are left at their bounds."""
        values = list(job.bounds)
        answers = [Known(0.0, Evaluated(inf, bound, bound)) for bound in job.bounds]
        objective = self.question.objective
        for at, (listed, known) in enumerate(zip(job.listed, job.known, strict=True)):
            cutoff = float(objective.cutoff(np.array(job.limit), np.array(values), at))
            if known is not None and known.says(cutoff):
                answers[at] = known
            else:
                brancher = self.brancher(job.point, at)
                answers[at] = Known(cutoff, evaluate(self.question, at, brancher, job.point, listed, cutoff))
            values[at] = answers[at].found.seconds
            if values[at] == inf:
                break
        return tuple(answers)

    def brancher(self, point: Point, at: int) -> Brancher:
        """What serves a training on chips with this memory and these links."""
        key = (point.hbm_gib, point.hbm_bandwidth, point.link_bandwidth, at)
        if key not in self._branchers:
            self._branchers[key] = Brancher(self.question.on(point, at))
        return self._branchers[key]


def evaluate(
    question: Question,
    at: int,
    brancher: Brancher,
    point: Point,
    listed: Sequence[tuple[Variant, float]],
    cutoff: float,
) -> Evaluated:
    """The best plan of a training on a chip.

    Args:
        question: the search's.
        at: which training.
        brancher: of it on any chip with this memory and these links.
        point: the chip.
        listed: the variants that plans may have, each with a bound on its plans, 0 for none.
        cutoff: seconds beyond which nobody wants to know how many.
    """
    task = question.on(point, at)
    rough = Rough(single(point), question.cluster, question.efficiency, question.mapping)
    branches, floors = [], []
    for variant, least in listed:
        profile = demands(task.model, variant, task.cluster).priced(question.efficiency)
        branch = brancher.branch(profile, task)
        if branch is not None and len(branch.order):
            branches.append(branch)
            floors.append((least, _longer(profile, rough)))
    bound = inf
    for step in best_first(space_with(task, branches)):
        if isinstance(step, Solved):
            if step.seconds > cutoff:  # a variant that is not listed may be better, but not than the cutoff
                return Evaluated(inf, cutoff, _floor(floors, min(step.bound, cutoff)))
            bound = min(step.bound, step.seconds)
            return Evaluated(step.seconds, bound, _floor(floors, bound))
        if step > cutoff:
            return Evaluated(inf, step, _floor(floors, step))
    return Evaluated(inf, bound, bound)


def _floor(floors: list[tuple[float, float]], bound: float) -> float:
    """What no plan takes less than whatever the schedules, from a bound on plans with these schedules."""
    return min(max(least, bound / longer) for least, longer in floors)


def _longer(profile: Profile, rough: Rough) -> float:
    """How many times the bound on its schedules a variant's passes take, at most."""
    groups, only = rough.groups(profile.variant), np.zeros(1, dtype=np.int64)
    found = 1.0
    for item in profile.layers:
        forward, back = (float(rough.seconds(n, groups, only)[0]) for n in (item.layer.forward, item.layer.backward))
        for mode, cost in item.cost.items():
            again = float(rough.seconds(item.layer.recomputed(mode), groups, only)[0])
            pairs = ((cost.forward.seconds, forward), (cost.backward.seconds, again + back))
            found = max(found, *(made / least for made, least in pairs if least))
    return found
