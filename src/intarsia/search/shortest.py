"""What no plan of a variant on a chip takes less than, whatever the schedules of its layers.

An iteration never gets shorter when a pass takes longer (``place.step``), and weight gradients are as long under every
schedule. So the best plan on layers whose passes take what no schedule is shorter than is a bound on all plans.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import numpy as np

from intarsia.cost import LayerCost, PassCost
from intarsia.graph import Node, Recompute
from intarsia.machines.template import Point, single
from intarsia.place.branches import Brancher, space_with
from intarsia.place.nodes import least_seconds
from intarsia.place.plan import EQUAL
from intarsia.place.profile import Demands, LayerProfile, Profile, ScheduledPass
from intarsia.place.space import Task
from intarsia.search.question import Question
from intarsia.search.rough import Rough
from intarsia.solvers import Limits

PROVING = Limits(seconds=5.0)
"""For the shortest schedule of one pass; nearly all take a few hundredths of a second."""
NEARLY = 1e-6
"""Schedules that can be shorter by this part at most are worth no other search for plans."""
Bounded = Callable[[tuple[Node, ...], tuple[Node, ...], float], float]
"""What no schedule of a pass is shorter than: of what is computed again, what then runs, and the seconds as made."""


@dataclass(frozen=True, slots=True)
class Shortest:
    """The layers of one variant on a chip.

    Attributes:
        question: the search's.
        task: the training on the chip.
        brancher: of the training on any chip with this memory and these links.
        point: the chip.
        asked: the layers.
        made: the same with the schedules that were made.
    """

    question: Question
    task: Task
    brancher: Brancher
    point: Point
    asked: Demands
    made: Profile

    def quick(self, made: float, cutoff: float) -> float:
        """By quick bounds on schedules, or more than the cutoff.

        Args:
            made: seconds that no plan takes less than with the schedules that were made.
            cutoff: seconds beyond which nobody wants to know how many.
        """
        return self._best(self._rough(), made, cutoff)

    def proved(self, made: float, cutoff: float) -> float:
        """By the shortest schedules, or by bounds on them where they take too long to find, or more than the cutoff.

        Args:
            made: seconds that no plan takes less than with the schedules that were made.
            cutoff: seconds beyond which nobody wants to know how many.
        """
        rough, its = self._rough(), self.question

        def least(again: tuple[Node, ...], nodes: tuple[Node, ...], made: float) -> float:
            quick = rough(again, nodes, made)
            if quick >= made * (1 - NEARLY):
                return quick
            groups = Rough.groups_of(self.asked.variant)
            return max(quick, ScheduledPass(again, nodes, groups).least(self.asked.cluster, its.efficiency, PROVING))

        return self._best(least, made, cutoff)

    def _rough(self) -> Bounded:
        its = self.question
        rough = Rough(single(self.point), its.cluster, its.efficiency, its.mapping)
        groups, only = Rough.groups_of(self.asked.variant), np.zeros(1, dtype=np.int64)

        def least(again: tuple[Node, ...], nodes: tuple[Node, ...], made: float) -> float:
            found = sum(float(rough.seconds(own, groups, only)[0]) for own in (again, nodes) if own)
            return min(found, made)  # rounding may put a bound a little above what it bounds

        return least

    def _profile(self, bounded: Bounded) -> tuple[Profile, float]:
        """Layers at their least seconds, and how many times these the schedules that were made take, at most."""
        layers, longer = [], 1.0
        for item in self.made.layers:
            layer, forward = item.layer, next(iter(item.cost.values())).forward.seconds
            first = PassCost(bounded((), layer.forward, forward), 0.0, 0.0, 0.0)
            longer = max(longer, _times(forward, first.device))
            # Modes that compute the same again share a pass.
            known: dict[tuple[Node, ...], PassCost] = {}
            cost: dict[Recompute, LayerCost] = {}
            for mode, its in item.cost.items():
                again, backward = layer.recomputed(mode), its.backward.seconds
                if again not in known:
                    known[again] = PassCost(bounded(again, layer.backward, backward), 0.0, 0.0, its.backward.weights)
                    longer = max(longer, _times(backward, known[again].device))
                cost[mode] = LayerCost(first, known[again])
            layers.append(LayerProfile(layer, cost, item.kept))
        return Profile(self.made.variant, tuple(layers), self.made.cluster, self.made.efficiency), longer

    def _best(self, bounded: Bounded, made: float, cutoff: float) -> float:
        """The best plan, or a bound on it that is beyond the cutoff; infinite where none fits.

        If all passes were r times shorter, so were the plans, but for weight gradients that then fill r times as much
        of a plan's gaps; what fills gaps is less than the plan, so that (2 - r) / r of it are left.
        """
        profile, longer = self._profile(bounded)
        if longer <= 1 + NEARLY:
            return made * (2 - longer) / longer
        branch = self.brancher.branch(profile, self.task)
        return least_seconds(space_with(self.task, [branch]), cutoff * (1 + EQUAL)) if branch is not None else np.inf


def _times(made: float, least: float) -> float:
    """How many times the least seconds those that were made are; infinite where nothing is known of the least."""
    return made / least if least else inf if made else 1.0
