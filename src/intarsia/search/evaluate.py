"""One chip in full: its best plan, or a bound that says that it is no better than a cutoff."""

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


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What is known of a chip after it was looked at.

    Attributes:
        seconds: of its best plan; infinite where none fits, or where the bound is beyond the cutoff.
        bound: no plan on it takes less, with the schedules that were made for its layers.
        floor: no plan on it takes less, whatever the schedules of its layers.
    """

    seconds: float
    bound: float
    floor: float

    @property
    def whole(self) -> bool:
        """Whether the best plan is known, or that nothing fits."""
        return self.seconds < inf or self.bound == inf


def evaluate(
    question: Question, brancher: Brancher, point: Point, listed: Sequence[tuple[Variant, float]], cutoff: float = inf
) -> Evaluated:
    """The best plan of a chip.

    Args:
        question: the search's.
        brancher: of the question on any chip with this capacity.
        point: the chip.
        listed: the variants that plans may have, each with a bound on its plans, 0 for none.
        cutoff: seconds beyond which nobody wants to know how many.
    """
    task = question.on(point)
    rough = Rough(single(point), task.cluster, question.efficiency)
    branches, floors = [], []
    for variant, least in listed:
        profile = demands(question.model, variant, task.cluster).priced(question.efficiency)
        branch = brancher.branch(profile, task)
        if branch is not None and len(branch.order):
            branches.append(branch)
            floors.append((least, _longer(profile, rough)))
    bound = inf
    for step in best_first(space_with(task, branches)):
        if isinstance(step, Solved):
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
