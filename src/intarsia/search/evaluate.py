"""One chip in full: the best plan of each training, or that it is no better than a limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf

import numpy as np

from intarsia.graph import Variant
from intarsia.machines.template import Point
from intarsia.place.branches import Branch, Brancher, space_with
from intarsia.place.nodes import best_first, unproved
from intarsia.place.plan import EQUAL
from intarsia.place.profile import demands
from intarsia.place.solve import Solved
from intarsia.place.space import Task
from intarsia.search.known import Known, Listed, OfVariant
from intarsia.search.objective import Objective
from intarsia.search.question import Question
from intarsia.search.shortest import Shortest

FEW = 8
"""The shortest schedules of so many kinds of layers are found in less time than the best plan by quick bounds."""


@dataclass(frozen=True, slots=True)
class Job:
    """A chip to be evaluated.

    Attributes:
        row, point, devices: which, and how many of it.
        listed: of each training, the variants that may be good enough.
        rests: of each training, seconds that no plan with another variant is below.
        bounds: of each training, seconds that no plan is below.
        limit: of the objective's seconds together, beyond which nobody wants to know how many.
        known: of each training, what an earlier run found, or nothing.
        prove: whether it is asked how much shorter schedules can be, and for the shortest ones where they matter.
    """

    row: int
    point: Point
    devices: int
    listed: tuple[Listed, ...]
    rests: tuple[float, ...]
    bounds: tuple[float, ...]
    limit: float
    known: tuple[Known | None, ...]
    prove: bool = True


def turns(objective: Objective, job: Job, answer: Callable[[int, float], float]) -> None:
    """The trainings in turn, until they are together beyond the limit.

    Args:
        objective: of the search.
        job: the chip.
        answer: is given a training and the seconds beyond which nobody wants to know how many; says the seconds of its
            best plan, infinite where they are beyond that.
    """
    values = list(job.bounds)
    for at in range(len(values)):
        values[at] = answer(at, float(objective.cutoff(np.array(job.limit), np.array(values), at)))
        if values[at] == inf:
            return


class Desk:
    """One process's memory: what plans on chips with one memory and network share."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self._sized = {one.devices: question.of(one.devices) for one in question.clusters}
        self._branchers: dict[tuple[int, int, float, float, int], Brancher] = {}

    def answer(self, job: Job) -> tuple[Known, ...]:
        """What is known of the trainings in turn, until they are together beyond the limit; nothing of those after."""
        answers = [Known(0.0, inf, inf, ()) for _ in job.bounds]

        def answer(at: int, cutoff: float) -> float:
            known, listed = job.known[at], job.listed[at]
            if known is None or not known.says(cutoff, listed, prove=job.prove):
                sized, brancher = self._sized[job.devices], self.brancher(job.point, job.devices, at)
                known = evaluate(sized, at, brancher, job.point, listed, cutoff, prove=job.prove)
            answers[at] = known
            return known.seconds

        turns(self.question.objective, job, answer)
        return tuple(answers)

    def brancher(self, point: Point, devices: int, at: int) -> Brancher:
        """What serves a training on so many chips with this memory and these links."""
        key = (devices, point.hbm_gib, point.hbm_bandwidth, point.link_bandwidth, at)
        if key not in self._branchers:
            self._branchers[key] = Brancher(self._sized[devices].on(point, at))
        return self._branchers[key]


def evaluate(
    question: Question,
    at: int,
    brancher: Brancher,
    point: Point,
    listed: Listed,
    cutoff: float,
    *,
    prove: bool = True,
) -> Known:
    """The best plan of a training on a chip.

    Args:
        question: the search's.
        at: which training.
        brancher: of it on any chip with this memory and these links.
        point: the chip.
        listed: the variants that plans may have, each with a bound on its plans, 0 for none.
        cutoff: seconds beyond which nobody wants to know how many.
        prove: whether it is asked what shorter schedules could win, and for the shortest ones where that matters.
    """
    task = question.on(point, at)
    best, bound, sure = inf, inf, cutoff
    found: list[tuple[float, Variant, Shortest | None]] = []
    for variant, least in sorted(listed, key=lambda pair: pair[1]):
        if least > sure:
            break
        asked = demands(task.model, variant, task.cluster)
        branch = brancher.branch(asked.priced(question.efficiency), task)
        if branch is None or not len(branch.order):
            found.append((least, variant, None))
            continue
        seconds, its = _best(task, branch, sure)
        best, bound, sure = min(best, seconds), min(bound, its), min(sure, seconds)
        found.append((least, variant, Shortest(question, task, brancher, point, asked, branch.profile)))
    return Known(cutoff, best, bound, tuple(_facts(*one, min(bound, sure), sure, prove=prove) for one in found))


def _best(task: Task, branch: Branch, cutoff: float) -> tuple[float, float]:
    """Of a variant's plans: seconds, infinite if they are beyond the cutoff, and what none takes less than."""
    space = space_with(task, [branch])
    for step in best_first(space):
        if isinstance(step, Solved):
            if step.seconds <= cutoff:
                return step.seconds, min(step.bound, step.seconds, unproved(space))
        elif step > cutoff * (1 + EQUAL):  # rounding may put a bound a little above the best plan
            break
    return inf, unproved(space)


def _facts(
    least: float, variant: Variant, layers: Shortest | None, made: float, sure: float, *, prove: bool
) -> OfVariant:
    """With the shortest schedules, where bounds on plans, or quick ones on schedules, leave better plans possible."""
    if layers is None:
        return OfVariant(variant, quick=inf)
    many = len(layers.made.layers) > FEW
    known = OfVariant(variant, layers.quick(made, sure) if prove and many and least < sure else 0.0)
    return replace(known, proved=layers.proved(made, sure)) if prove and not known.settled(least, made) else known
