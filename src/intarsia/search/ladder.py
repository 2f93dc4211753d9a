"""Lower bounds on the iteration of every chip of a space, from one dream chip for each variant.

For a variant (what a device has of a layer) the dream chip takes for both passes of every layer together, whatever is
computed again, the fewest seconds of any chip; all are backward and make weight gradients, which hides the most.
If a chip's passes of the *main* layer take r times the dream's or longer, its plans take no less than those of the
dream with that layer r times slower, for an iteration never gets shorter when a pass takes longer. So the bound on the
slowed dream's plans, or its best plan, at the rung at or below r bounds all such chips at once.
"""

from __future__ import annotations

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


class Ladder:
    """The bounds of one variant."""

    def __init__(self, question: Question, brancher: Brancher, rough: Rough, variant: Variant) -> None:
        self.question, self.brancher, self.variant = question, brancher, variant
        self.layers: tuple[Layer, ...] = question.model.layers(variant)
        self.rough, self.groups = rough, rough.groups(variant)
        columns = [self._columns(layer) for layer in self.layers]
        self.dream = [{mode: float(column.min()) for mode, column in own.items()} for own in columns]
        first = question.choices.recompute[0]
        whole = [layer.repeat * own[first] for layer, own in zip(self.layers, self.dream, strict=True)]
        self.main = int(np.argmax(whole))
        self.slower = self._slower(columns[self.main])
        self._cheap: dict[float, float] = {}
        self._exact: dict[float, float] = {}

    def _columns(self, layer: Layer, rows: Ints | None = None) -> dict[Recompute, Floats]:
        """Both passes of a layer on chips, by what is computed again."""
        both = self.rough.seconds(layer.forward, self.groups, rows) + self.rough.seconds(
            layer.backward, self.groups, rows
        )
        modes = self.question.choices.recompute
        return {mode: both + self.rough.seconds(layer.recomputed(mode), self.groups, rows) for mode in modes}

    def _slower(self, columns: dict[Recompute, Floats]) -> Floats:
        """How many times the dream's seconds the main layer takes at least."""
        own = self.dream[self.main]
        ratios = [column / own[mode] for mode, column in columns.items() if own[mode]]
        return np.asarray(np.min(ratios, axis=0)) * (1 - 1e-12)

    @property
    def least(self) -> float:
        """A bound for every chip."""
        return self._bound(1.0)

    def bounds(self, rows: Ints, cutoff: float) -> Floats:
        """A bound for each of some chips, seconds; where it is beyond the cutoff, at least the cutoff."""
        slower = self._slower(self._columns(self.layers[self.main], rows))
        rungs = np.floor(np.log(slower) / np.log(STEP) + 1e-9).clip(0).astype(np.int64)
        values: dict[int, float] = {}
        beyond = False
        for rung in np.unique(rungs).tolist():
            values[rung] = np.inf if beyond else self._best(STEP**rung, cutoff)
            beyond = beyond or values[rung] > cutoff
        return np.array([values[rung] for rung in rungs.tolist()])

    def _bound(self, slower: float) -> float:
        """A bound on the plans of the slowed dream."""
        if slower not in self._cheap:
            branch = self.brancher.branch(self._profile(slower))
            self._cheap[slower] = float(branch.first.min()) if branch and len(branch.order) else np.inf
        return self._cheap[slower]

    def _best(self, slower: float, cutoff: float) -> float:
        """The best plan of the slowed dream, or a bound on it that is beyond the cutoff."""
        if self._exact.get(slower, 0.0) > cutoff:
            return self._exact[slower]
        if self._bound(slower) > cutoff:
            return self._cheap[slower]
        branch = self.brancher.branch(self._profile(slower))
        assert branch is not None
        found = np.inf
        for step in best_first(space_with(self.brancher.task, [branch])):
            found = min(step.bound, step.seconds) if isinstance(step, Solved) else step
            if isinstance(step, Solved) or found > cutoff:
                break
        else:
            found = np.inf
        self._exact[slower] = found
        return found

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


def ladders(question: Question, rough: Rough, point: Point) -> list[Ladder]:
    """A ladder for each variant, with the memory of a point."""
    brancher = Brancher(question.on(point))
    return [Ladder(question, brancher, rough, variant) for variant in variants(brancher.task)]
