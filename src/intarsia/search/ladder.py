"""Lower bounds on the iteration of every chip of a space, from one dream chip for each variant.

For a variant (what a device has of a layer) the dream chip takes for both passes of every layer together, whatever is
computed again, the fewest seconds of any chip; all are backward and make weight gradients, which hides the most.
If a chip's passes of the *main* layer take r times the dream's or longer, its plans take no less than those of the
dream with that layer r times slower, for an iteration never gets shorter when a pass takes longer. So the bound on the
slowed dream's plans, or its best plan, at the rung at or below r bounds all such chips at once. Memory and network of
the dream are those of one point, which no chip that is bounded may exceed.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from intarsia.cost import LayerCost, PassCost
from intarsia.graph import Layer, Recompute, Variant
from intarsia.machines.template import Point
from intarsia.place.branches import Brancher, space_with
from intarsia.place.nodes import best_first
from intarsia.place.profile import LayerProfile, Profile
from intarsia.place.solve import Solved
from intarsia.place.space import variants
from intarsia.search.question import Question
from intarsia.search.rough import Rough

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
STEP = 1.0025
"""From one rung to the next."""
STRIDES = (256, 64, 16, 4, 1)
"""Rungs that are looked at, the coarse ones first."""
ROUNDING = 1e-12
"""Relative; what is worked out in another order may differ by so much."""


class Ladder:
    """The bounds of one variant."""

    def __init__(self, question: Question, brancher: Brancher, rough: Rough, variant: Variant) -> None:
        self.question, self.brancher, self.variant = question, brancher, variant
        self.layers: tuple[Layer, ...] = brancher.task.model.layers(variant)
        self.rough, self.groups = rough, rough.groups(variant)
        self.modes = brancher.task.choices.recompute
        self.dream = [self._dream(layer) for layer in self.layers]
        whole = [layer.repeat * own[self.modes[0]] for layer, own in zip(self.layers, self.dream, strict=True)]
        self.main = int(np.argmax(whole))
        self._cheap: dict[int, float] = {}
        self._exact: dict[int, float] = {}

    def _dream(self, layer: Layer) -> dict[Recompute, float]:
        """Both passes of a layer on the dream chip, by what is computed again; of every mode, as profiles are."""
        both = self.rough.least(layer.forward, self.groups) + self.rough.least(layer.backward, self.groups)
        return {mode: both + self.rough.least(layer.recomputed(mode), self.groups) for mode in Recompute}

    def slower(self, rows: Ints, *, sharp: bool) -> Floats:
        """How many times the dream's seconds the main layer takes at least on some chips."""
        layer, own = self.layers[self.main], self.dream[self.main]
        seconds = self.rough.seconds if sharp else self.rough.coarse
        both = seconds(layer.forward, self.groups, rows) + seconds(layer.backward, self.groups, rows)
        again = {mode: layer.recomputed(mode) for mode in self.modes}
        ratios = [
            (both + seconds(nodes, self.groups, rows) if nodes else both) / own[mode] for mode, nodes in again.items()
        ]
        return np.asarray(np.min(ratios, axis=0)) * (1 - ROUNDING)

    @property
    def least(self) -> float:
        """A bound for every chip."""
        return self._bound(0)

    def bounds(self, rows: Ints, cutoffs: Floats) -> Floats:
        """A bound for each of some chips, seconds; where it is beyond the chip's cutoff, any that is beyond it."""
        found = np.full(len(rows), self.least)
        for sharp in (False, True):
            live = np.flatnonzero(found <= cutoffs)
            slower = self.slower(rows[live], sharp=sharp)
            found[live] = np.maximum(found[live], self._climbed(slower, cutoffs[live]))
        return found

    def _climbed(self, slower: Floats, cutoffs: Floats) -> Floats:
        """Bounds from rungs: those that lie far apart come first, for most chips are beyond their cutoff on one."""
        rungs = np.floor(np.log(slower) / np.log(STEP) + ROUNDING).clip(0).astype(np.int64)
        found = np.zeros(len(slower))
        for stride in STRIDES:
            live = np.flatnonzero(found <= cutoffs)
            below = rungs[live] // stride * stride
            for rung in np.unique(below).tolist():
                at = live[below == rung]
                found[at] = np.maximum(found[at], self._best(rung, float(cutoffs[at].max())))
        return found

    def _bound(self, rung: int) -> float:
        """A bound on the plans of the slowed dream."""
        if rung not in self._cheap:
            branch = self.brancher.branch(self._profile(STEP**rung))
            self._cheap[rung] = float(branch.first.min()) if branch and len(branch.order) else np.inf
        return self._cheap[rung]

    def _best(self, rung: int, cutoff: float) -> float:
        """The best plan of the slowed dream, or a bound on it that is beyond the cutoff."""
        if self._bound(rung) > cutoff:
            return self._cheap[rung]
        if rung in self._exact:
            return self._exact[rung]
        branch = self.brancher.branch(self._profile(STEP**rung))
        assert branch is not None
        for step in best_first(space_with(self.brancher.task, [branch])):
            if isinstance(step, Solved):
                self._exact[rung] = min(step.bound, step.seconds)
                return self._exact[rung]
            if step > cutoff:
                self._cheap[rung] = step
                return step
        self._exact[rung] = np.inf
        return np.inf

    def _profile(self, slower: float) -> Profile:
        """The dream chip's layers, the main one slower."""
        layers = []
        for at, (layer, own) in enumerate(zip(self.layers, self.dream, strict=True)):
            times = slower if at == self.main else 1.0
            cost = {
                mode: LayerCost(PassCost(0.0, 0.0, 0.0, 0.0), PassCost(times * both, 0.0, 0.0, times * both))
                for mode, both in own.items()
            }
            layers.append(LayerProfile(layer, cost, {mode: layer.kept_bytes(mode) for mode in own}))
        task = self.brancher.task
        return Profile(self.variant, tuple(layers), task.cluster, self.question.efficiency)


def ladders(question: Question, at: int, rough: Rough, point: Point, only: Collection[Variant] = ()) -> list[Ladder]:
    """A ladder for each variant of a training, or for some, with the memory and the links of a point."""
    brancher = Brancher(question.on(point, at))
    return [Ladder(question, brancher, rough, variant) for variant in only or variants(brancher.task)]
