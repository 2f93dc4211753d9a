"""Everything that a stage can hold: for each run of neighbouring layers its passes, parameters and bytes, as arrays.

A run is ``[a, k]``: it starts at layer a of the unfolded chain and has k + 1 of them. Rows of recompute modes come
first where a quantity depends on them: ``[r, a, k]``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intarsia.graph import Recompute
from intarsia.place.profile import Profile
from intarsia.place.space import block_of, units_of
from intarsia.place.strategy import Split

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
MODES = (Recompute.NONE, Recompute.SELECTIVE, Recompute.FULL)
_NOTHING = -(1 << 62)


@dataclass(frozen=True, slots=True)
class Contents:
    """All runs of a profile's chain.

    Attributes:
        kinds: for each unit of the chain its layers' kinds, in order. A unit cannot be cut: a layer, and the last one
            with the loss.
        counts: layers of each kind; shape [a, k, kinds].
        valid: the run ends within the chain; shape [a, k].
        forward, backward, weights: seconds; shape [r, a, k].
        kept: bytes of one microbatch's activations; shape [r, a, k].
        working: bytes of one layer that is computed again; shape [r, a, k].
        shared, experts: parameters; shape [a, k].
        largest: parameters of the largest layer; shape [a, k].
        crossing: bytes that cross each cut, 0 at both ends; shape [units + 1].
        block: kind of the only layer that repeats, or -1.
    """

    kinds: tuple[tuple[int, ...], ...]
    counts: Integers
    valid: NDArray[np.bool_]
    forward: Floats
    backward: Floats
    weights: Floats
    kept: Integers
    working: Integers
    shared: Integers
    experts: Integers
    largest: Integers
    crossing: Integers
    block: int

    @property
    def units(self) -> int:
        """Of the chain."""
        return len(self.kinds)

    def split(self, runs: list[tuple[int, int, int]]) -> Split:
        """The split of runs (mode, start, units)."""
        counts = tuple(tuple(int(n) for n in self.counts[start, units - 1]) for _, start, units in runs)
        return Split(counts, tuple(MODES[mode] for mode, _, _ in runs))


def contents(profile: Profile) -> Contents:
    """All runs of a profile's chain."""
    layers = [item.layer for item in profile.layers]
    units = units_of(layers)
    number, kinds = len(units), len(profile.layers)
    each = np.zeros((number + 1, kinds), dtype=np.int64)
    for at, unit in enumerate(units):
        for kind in unit:
            each[at + 1, kind] += 1
    until = each.cumsum(axis=0)
    start = np.arange(number)[:, None]
    stop = start + 1 + np.arange(number)[None, :]
    valid = stop <= number
    counts = until[np.minimum(stop, number)] - until[start]
    present = counts > 0
    shared = counts @ np.array([layer.parameters for layer in layers])
    for kind, layer in enumerate(layers):
        if layer.tied:
            here = np.any([present[..., at] for at, other in enumerate(layers) if other.name == layer.tied], axis=0)
            shared = shared - np.where(here, counts[..., kind] * layer.tied_parameters, 0)
    costs = [[item.cost[mode] for item in profile.layers] for mode in MODES]
    kept = np.array([[item.kept[mode] for item in profile.layers] for mode in MODES])
    again = kept[0] - kept
    return Contents(
        kinds=units,
        counts=counts,
        valid=valid,
        forward=np.stack([counts @ np.array([cost.forward.seconds for cost in row]) for row in costs]),
        backward=np.stack([counts @ np.array([cost.backward.seconds for cost in row]) for row in costs]),
        weights=np.stack([counts @ np.array([cost.backward.weights for cost in row]) for row in costs]),
        kept=np.stack([counts @ row for row in kept]),
        working=np.stack([np.where(present, row, _NOTHING).max(axis=-1) for row in again]),
        shared=shared,
        experts=counts @ np.array([layer.expert_parameters for layer in layers]),
        largest=np.where(present, [layer.parameters + layer.expert_parameters for layer in layers], 0).max(axis=-1),
        crossing=np.array([0, *(layers[unit[-1]].output_bytes for unit in units[:-1]), 0]),
        block=block_of(layers),
    )
