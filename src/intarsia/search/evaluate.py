"""One chip in full: the best plan of each training, or that it is no better than a limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf

import numpy as np

from intarsia.graph import Variant
from intarsia.machines.template import Point, single
from intarsia.place.branches import Branch, Brancher, space_with
from intarsia.place.nodes import best_first
from intarsia.place.plan import EQUAL
from intarsia.place.profile import Demands, Profile, ScheduledPass, demands
from intarsia.place.solve import Solved
from intarsia.place.space import Task
from intarsia.search.objective import Objective
from intarsia.search.question import Question
from intarsia.search.rough import Rough
from intarsia.solvers import Limits

Listed = tuple[tuple[Variant, float], ...]
"""Variants that plans may have, each with a bound on its plans, 0 for none."""
PROVING = Limits(seconds=5.0)
"""For the shortest schedule of one pass; nearly all take a few hundredths of a second."""


@dataclass(frozen=True, slots=True)
class OfVariant:
    """Facts about the plans of one variant on a chip, whatever else was asked.

    Attributes:
        variant: which.
        first: no plan takes less, with the schedules that were made for its layers; infinite where none fits.
        longer: how many times a quick bound on its schedules they take, at most; infinite if not worked out.
        proved: how many times the shortest schedules, or a bound on them, they take, at most; 0 if not worked out.
        fills: seconds of weight gradients that fill gaps, at most; a shorter schedule leaves them as they are.
    """

    variant: Variant
    first: float
    longer: float
    proved: float = 0.0
    fills: float = 0.0

    def floor(self, least: float, made: float) -> float:
        """What no plan takes less than, whatever the schedules; the shortest ones are asked for where they matter.

        Args:
            least: a bound on its plans, whatever the schedules.
            made: what no plan takes less than with the schedules that were made.
        """
        quick = self.quick(least, made)
        return max(quick, self._shorter(made, self.proved)) if quick < made and self.proved else quick

    def quick(self, least: float, made: float) -> float:
        """The same by quick bounds on schedules."""
        return max(least, self._shorter(made, self.longer)) if self.longer < inf else least

    def _shorter(self, made: float, times: float) -> float:
        """With schedules so many times shorter.

        If all were as much shorter, so were the plans. But weight gradients stay as long, and what fills gaps is then
        ``times`` as much, in proportion.
        """
        return (max(made, self.first) - (times - 1) * self.fills) / times


@dataclass(frozen=True, slots=True)
class Known:
    """Facts about one training on a chip: they hold in every search, and do not depend on how much it wanted to know.

    Attributes:
        cutoff: up to which seconds plans were looked for.
        seconds: of the best plan; infinite where none takes the cutoff or less.
        bound: no plan takes less, with the schedules that were made; infinite as the seconds are.
        variants: of each variant that was listed.
    """

    cutoff: float
    seconds: float
    bound: float
    variants: tuple[OfVariant, ...]

    def says(self, cutoff: float, listed: Listed, *, prove: bool = True) -> bool:
        """Whether it answers a question with this cutoff: it looked as far, at all of the variants that matter.

        Args:
            cutoff: seconds.
            listed: the variants, each with a bound on its plans.
            prove: whether it must know how much shorter their schedules can be, where that matters.
        """
        sure, has = min(cutoff, self.seconds), self._by_variant()
        return sure <= self.cutoff and all(
            variant in has and (not prove or has[variant].proved > 0 or has[variant].quick(bound, sure) >= sure)
            for variant, bound in listed
            if bound <= sure
        )

    def floor(self, cutoff: float, listed: Listed, rest: float) -> float:
        """What no plan takes less than, whatever the schedules, as somebody says who looked up to this cutoff.

        Args:
            cutoff: seconds.
            listed: the variants that were looked at, each with a bound on its plans.
            rest: a bound on the plans of all others.
        """
        made, has = self._made(cutoff), self._by_variant()
        floors = [has[variant].floor(bound, made) if variant in has else bound for variant, bound in listed]
        return min([rest, *floors])

    def _made(self, cutoff: float) -> float:
        """What no plan takes less than with the schedules that were made, or the cutoff."""
        return self.bound if self.seconds <= cutoff else cutoff

    def _by_variant(self) -> dict[Variant, OfVariant]:
        return {one.variant: one for one in self.variants}


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
        prove: whether it is asked how much shorter schedules can be, and for the shortest ones where they matter.
    """
    task = question.on(point, at)
    best, bound, sure = inf, inf, cutoff
    found: list[tuple[float, OfVariant, _Schedules | None]] = []
    for variant, least in sorted(listed, key=lambda pair: pair[1]):
        if least > sure:
            break
        asked = demands(task.model, variant, task.cluster)
        branch = brancher.branch(asked.priced(question.efficiency), task)
        if branch is None or not len(branch.order):
            found.append((least, OfVariant(variant, inf, 1.0), None))
            continue
        seconds, its = _best(task, branch, sure)
        best, bound, sure = min(best, seconds), min(bound, its), min(sure, seconds)
        schedules = _Schedules(question, point, asked, branch.profile) if prove else None
        longer = schedules.longer() if schedules else inf
        first = float(branch.first[branch.order[0]])
        found.append((least, OfVariant(variant, first, longer, fills=_fills(branch)), schedules))
    return Known(cutoff, best, bound, tuple(_proved(*one, sure) for one in found))


def _fills(branch: Branch) -> float:
    """Seconds of weight gradients that fill gaps of any of its plans, at most: two microbatches' of all stages."""
    if branch.entries.bubbles.all():
        return 0.0
    layers = branch.profile.layers
    return 2 * sum(item.layer.repeat * max(cost.backward.weights for cost in item.cost.values()) for item in layers)


def _best(task: Task, branch: Branch, cutoff: float) -> tuple[float, float]:
    """Of a variant's plans: seconds and what none takes less than; infinite if the seconds are beyond the cutoff."""
    for step in best_first(space_with(task, [branch])):
        if isinstance(step, Solved):
            if step.seconds <= cutoff:
                return step.seconds, min(step.bound, step.seconds)
        elif step > cutoff * (1 + EQUAL):  # rounding may put a bound a little above the best plan
            break
    return inf, inf


def _proved(least: float, known: OfVariant, schedules: _Schedules | None, sure: float) -> OfVariant:
    """With the shortest schedules, where quick bounds on them leave better plans possible than were made."""
    if schedules is None or known.quick(least, sure) >= sure:
        return known
    return replace(known, proved=schedules.proved_longer())


@dataclass(frozen=True, slots=True)
class _Schedules:
    """The schedules of one variant's layers on a chip."""

    question: Question
    point: Point
    asked: Demands
    priced: Profile

    def longer(self) -> float:
        """How many times a quick bound they take, at most."""
        its = self.question
        rough = Rough(single(self.point), its.cluster, its.efficiency, its.mapping)
        groups, only = rough.groups(self.asked.variant), np.zeros(1, dtype=np.int64)
        found = 1.0
        for item in self.priced.layers:
            layer = item.layer
            forward, back = (float(rough.seconds(nodes, groups, only)[0]) for nodes in (layer.forward, layer.backward))
            for mode, cost in item.cost.items():
                again = float(rough.seconds(layer.recomputed(mode), groups, only)[0])
                pairs = ((cost.forward.seconds, forward), (cost.backward.seconds, again + back))
                found = max(found, *(made / least for made, least in pairs if least))
        return found

    def proved_longer(self) -> float:
        """How many times the shortest schedules, or a bound on them, they take, at most."""
        found = 1.0
        for item, asked in zip(self.priced.layers, self.asked.layers, strict=True):
            # Modes that compute the same again share a pass.
            made = {id(own): (item.cost[mode].backward.seconds, own) for mode, own in asked.passes.backward.items()}
            forward = next(iter(item.cost.values())).forward.seconds, asked.passes.forward
            for seconds, passes in (*made.values(), forward):
                if isinstance(passes, ScheduledPass) and seconds:
                    least = passes.least(self.asked.cluster, self.question.efficiency, PROVING)
                    found = max(found, seconds / least)
        return found
