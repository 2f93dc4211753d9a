"""A chip's own bounds: those on plans of a variant, if every pass took as long as a bound on its schedules says.

A rung of the ladder knows how long a chip's main layer takes, both passes together; here it is every layer, each pass
by itself, whatever is computed again, and the weight gradients of the chip's own products. An iteration never gets
shorter when a pass takes longer, nor when less can be hidden, so no plan on the chip takes less, whatever its
schedules.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from intarsia.cost import LayerCost, PassCost
from intarsia.graph import Layer, Recompute
from intarsia.place.profile import LayerProfile, Profile
from intarsia.place.space import units_of
from intarsia.place.sums import Work, work_of
from intarsia.search.ladder import Ladder

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Columns:
    """Bounds on the passes of a layer, each [chips]; backward ones with what is computed again first."""

    forward: Floats
    backward: dict[Recompute, Floats]
    weights: Floats

    def cost(self, at: int) -> dict[Recompute, LayerCost]:
        """Of one chip."""
        forward = PassCost(float(self.forward[at]), 0.0, 0.0, 0.0)
        weights = float(self.weights[at])
        return {
            mode: LayerCost(forward, PassCost(float(column[at]), 0.0, 0.0, weights))
            for mode, column in self.backward.items()
        }

    def least(self, modes: tuple[Recompute, ...]) -> tuple[Floats, Floats]:
        """Seconds of both passes, and of the backward one, in the mode that takes least."""
        backward = reduce(np.minimum, [self.backward[mode] for mode in modes])
        return self.forward + backward, backward


class OwnPasses:
    """Bounds on the passes of some chips under one variant, and on their plans.

    Args:
        ladder: of the variant, whose memory and network no chip exceeds.
        rows: the chips.
        sharp: how schedules are bounded.
    """

    def __init__(self, ladder: Ladder, rows: Ints, *, sharp: bool) -> None:
        self._ladder = ladder
        self._layers = [_columns(ladder, layer, rows, sharp=sharp) for layer in ladder.layers]
        self._kept = [{mode: layer.kept_bytes(mode) for mode in Recompute} for layer in ladder.layers]

    def firsts(self) -> Floats:
        """What no plan takes less than, by quick bounds, [chips]."""
        profile, brancher = self._profile(0), self._ladder.brancher
        return brancher.firsts(profile, self._work(profile))

    def best(self, at: int, cutoff: float) -> float:
        """What no plan on one of the chips takes less than, by its best plan, or a bound that is beyond the cutoff."""
        return self._ladder.best_of(self._profile(at), cutoff)

    def _profile(self, at: int) -> Profile:
        ladder = self._ladder
        layers = (
            LayerProfile(layer, columns.cost(at), kept)
            for layer, columns, kept in zip(ladder.layers, self._layers, self._kept, strict=True)
        )
        return Profile(ladder.variant, tuple(layers), ladder.brancher.task.cluster, ladder.question.efficiency)

    def _work(self, profile: Profile) -> Work:
        """The sums of all chips' profiles in rows, as ``work_of`` has them of one."""
        layers, modes = self._ladder.layers, self._ladder.modes
        both, backward = zip(*(columns.least(modes) for columns in self._layers), strict=True)
        units = [reduce(np.add, [both[kind] for kind in unit]) for unit in units_of(layers)]
        repeats = [layer.repeat for layer in layers]
        return replace(
            work_of(profile, self._ladder.brancher.task),
            seconds=np.stack(units, axis=1),
            backward=reduce(np.add, [n * column for n, column in zip(repeats, backward, strict=True)]),
            weights=reduce(np.add, [n * own.weights for n, own in zip(repeats, self._layers, strict=True)]),
        )


def _columns(ladder: Ladder, layer: Layer, rows: Ints, *, sharp: bool) -> _Columns:
    rough, groups = ladder.rough, ladder.groups
    seconds = rough.seconds if sharp else rough.coarse
    back = seconds(layer.backward, groups, rows)
    again = {mode: layer.recomputed(mode) for mode in Recompute}
    return _Columns(
        seconds(layer.forward, groups, rows),
        {mode: back + seconds(nodes, groups, rows) if nodes else back for mode, nodes in again.items()},
        rough.weights(layer.backward, groups, rows),
    )
