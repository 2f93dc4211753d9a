"""Lower bounds on the iteration of every chip of a space, from one dream chip for each variant.

For a variant (what a device has of a layer) the dream chip takes for both passes of every layer together, whatever is
computed again, the fewest seconds of any chip, and as few for the forward pass; the rest is backward, and all of it
may make weight gradients, which hides the most.
If a chip's passes of the *main* layer take r times the dream's or longer, its plans take no less than those of the
dream with that layer r times slower, for an iteration never gets shorter when a pass takes longer. Nor does it when
fewer of the seconds make weight gradients, which is what fills the gaps of a zero-bubble pipeline: these are known of
each chip. So the bound on the slowed dream's plans, or its best plan, at the rung at or below r and with the weight
gradients at or above the chip's, bounds all such chips at once. Memory and network of the dream are those of one point,
which no chip that is bounded may exceed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intarsia.cost import LayerCost, PassCost
from intarsia.graph import Layer, Recompute, Variant
from intarsia.place.branches import Brancher, space_with
from intarsia.place.nodes import least_seconds
from intarsia.place.profile import LayerProfile, Profile
from intarsia.search.question import Question
from intarsia.search.rough import Rough

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
STEP = 1.0025
"""From one rung to the next."""
STRIDES = (256, 64, 16, 4, 1)
"""Rungs that are looked at, the coarse ones first."""
FILLING = 1.01
"""From one number of seconds of weight gradients to the next."""
FILLED = (16, 4, 1)
"""Those that are looked at again, with the seconds of weight gradients as far apart."""
ALL = 1 << 20
"""All of the main layer's seconds make weight gradients."""
ROUNDING = 1e-12
"""Relative; what is worked out in another order may differ by so much."""


class Ladder:
    """The bounds of one variant.

    Attributes:
        main: the layer that tells chips apart.
        weight: how much of the dream's seconds that layer takes, from 0 to 1.
    """

    def __init__(self, question: Question, brancher: Brancher, rough: Rough, variant: Variant) -> None:
        self.question, self.brancher, self.variant = question, brancher, variant
        self.layers: tuple[Layer, ...] = brancher.task.model.layers(variant)
        self.rough, self.groups = rough, rough.groups_of(variant)
        self.modes = brancher.task.choices.recompute
        self.dream = [self._dream(layer) for layer in self.layers]
        self.forward = [self.rough.least(layer.forward, self.groups) * (1 - ROUNDING) for layer in self.layers]
        whole = [layer.repeat * own[self.modes[0]] for layer, own in zip(self.layers, self.dream, strict=True)]
        self.main = int(np.argmax(whole))
        self.weight = max(whole) / sum(whole)
        self._cheap: dict[tuple[int, int], float] = {}
        self._exact: dict[tuple[int, int], float] = {}
        self._fits = True

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
        return self.bound(0, ALL)

    def rungs(self, rows: Ints, *, sharp: bool) -> NDArray[np.int32]:
        """The rung at or below each chip."""
        ratio = self.slower(rows, sharp=sharp)
        return np.asarray(np.floor(np.log(ratio) / np.log(STEP) + ROUNDING).clip(0).astype(np.int32))

    def fillings(self, rows: Ints) -> NDArray[np.int32]:
        """The number of seconds of weight gradients of the main layer at or above each chip's."""
        seconds = self.rough.weights(self.layers[self.main].backward, self.groups, rows)
        with np.errstate(divide="ignore"):
            steps = np.log(seconds / self.dream[self.main][self.modes[0]]) / np.log(FILLING)
        return np.asarray(np.ceil(steps + ROUNDING).clip(-ALL, ALL).astype(np.int32))

    def bound(self, rung: int, filling: int) -> float:
        """A bound on the plans of the slowed dream."""
        if not self._fits:
            return np.inf
        if (rung, filling) not in self._cheap:
            branch = self.brancher.branch(self._profile(rung, filling))
            self._cheap[rung, filling] = float(branch.first.min()) if branch and len(branch.order) else np.inf
        return self._cheap[rung, filling]

    def best(self, rung: int, filling: int, cutoff: float) -> float:
        """The best plan of the slowed dream, or a bound on it that is beyond the cutoff."""
        key, bound = (rung, filling), self.bound(rung, filling)
        if bound > cutoff or bound == np.inf:
            return bound
        if key in self._exact:
            return self._exact[key]
        found = self.best_of(self._profile(rung, filling), cutoff)
        kept = self._cheap if cutoff < found < np.inf else self._exact
        kept[key] = found
        return found

    def best_of(self, profile: Profile, cutoff: float) -> float:
        """The best plan of some layers, or a bound on it that is beyond the cutoff; infinite where none fits."""
        branch = self.brancher.branch(profile) if self._fits else None
        found = least_seconds(space_with(self.brancher.task, [branch]), cutoff) if branch is not None else np.inf
        # Bytes do not depend on seconds: what does not fit here fits at no rung.
        self._fits = found < np.inf
        return found

    def _profile(self, rung: int, filling: int) -> Profile:
        """The dream chip's layers, the main one slower, with so many seconds of weight gradients at most."""
        layers = []
        for at, (layer, own, forward) in enumerate(zip(self.layers, self.dream, self.forward, strict=True)):
            times, most = (STEP**rung, np.inf) if at == self.main else (1.0, np.inf)
            if at == self.main and filling < ALL:
                most = own[self.modes[0]] * FILLING**filling
            first = PassCost(forward, 0.0, 0.0, 0.0)
            cost = {
                mode: LayerCost(first, PassCost(times * both - forward, 0.0, 0.0, min(times * both, most)))
                for mode, both in own.items()
            }
            layers.append(LayerProfile(layer, cost, {mode: layer.kept_bytes(mode) for mode in own}))
        task = self.brancher.task
        return Profile(self.variant, tuple(layers), task.cluster, self.question.efficiency)
