"""Is an iteration ever shorter where a pass takes longer? Bounds of plans and of chips rest on it that none is."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from plans import EFFICIENCY, strategy_of

from intarsia.cost import LayerCost, PassCost
from intarsia.graph import Layer, Recompute
from intarsia.machines.clusters import read_cluster
from intarsia.models.transformer import from_sizes
from intarsia.place import Pipeline, Split
from intarsia.place.profile import LayerProfile, Profile
from intarsia.place.space import units_of
from intarsia.place.step import step_time

CLUSTER = read_cluster("a100x64")
MODEL = from_sizes(hidden=256, heads=4, layers=3, sequence=512, vocab=100_000)
CLOSE = 1e-9
EVERY = 500
"""Pairs of profiles that are drawn: what went wrong once did so in one of a hundred."""


def profile_of(layers: tuple[Layer, ...], seconds: np.ndarray, weights: np.ndarray) -> Profile:
    """Forward and backward seconds of each layer, [layers, 2], and those of its weight gradients, [layers]."""
    items = []
    for layer, (forward, backward), own in zip(layers, seconds.tolist(), weights.tolist(), strict=True):
        cost = LayerCost(PassCost(forward, 0.0, 0.0, 0.0), PassCost(backward, 0.0, 0.0, own))
        items.append(
            LayerProfile(layer, dict.fromkeys(Recompute, cost), {mode: layer.kept_bytes(mode) for mode in Recompute})
        )
    return Profile(strategy_of().variant, tuple(items), CLUSTER, EFFICIENCY)


def splits_of(layers: tuple[Layer, ...], stages: int) -> list[Split]:
    """Every one."""
    units = units_of(layers)
    found = []
    for cuts in combinations(range(1, len(units)), stages - 1):
        bounds = (0, *cuts, len(units))
        kinds = [[kind for unit in units[a:b] for kind in unit] for a, b in pairwise(bounds)]
        counts = tuple(tuple(own.count(kind) for kind in range(len(layers))) for own in kinds)
        found.append(Split(counts, (Recompute.NONE,) * stages))
    return found


@pytest.mark.parametrize("zero", range(4))
@pytest.mark.parametrize("order", list(Pipeline))
def test_longer_passes_or_fewer_weight_gradients_never_shorten_an_iteration(order: Pipeline, zero: int) -> None:
    random = np.random.default_rng(zero)
    layers = MODEL.layers(strategy_of().variant)
    splits = {stages: splits_of(layers, stages) for stages in (2, 3)}
    number = len(layers)
    for _ in range(EVERY):
        stages = int(random.choice([2, 3]))
        split = splits[stages][random.integers(len(splits[stages]))]
        strategy = strategy_of(
            pipeline=stages, global_batch=2 * int(random.integers(1, 6)), data=2, zero=zero, order=order
        )
        # from passes that take longer than any exchange to passes that take none of its time
        short = 10.0 ** random.uniform(-6, -2) * random.uniform(0.05, 1, (number, 2))
        most = short[:, 1] * random.uniform(0, 1, number)
        longer = short * (1 + random.choice([0, 0.01, 0.1, 1], (number, 2)) * random.uniform(0, 1, (number, 2)))
        fewer = most * random.choice([1, 1, random.uniform(0, 1)], number)
        low, high = (
            step_time(profile_of(layers, *its), strategy, split).seconds for its in ((short, most), (longer, fewer))
        )
        assert low <= high * (1 + CLOSE)


@pytest.mark.parametrize("zero", range(4))
@pytest.mark.parametrize("order", list(Pipeline))
def test_what_computes_backward_in_the_place_of_forward_hides_more(order: Pipeline, zero: int) -> None:
    """The dream chip of a search runs the least that any chip takes forward, and all else backward."""
    random = np.random.default_rng(zero)
    layers = MODEL.layers(strategy_of().variant)
    for split in splits_of(layers, 3) * 20:
        batch = 2 * int(random.integers(1, 6))
        strategy = strategy_of(pipeline=3, global_batch=batch, data=2, zero=zero, order=order)
        real = 10.0 ** random.uniform(-6, -2) * random.uniform(0.05, 1, (len(layers), 2))
        first = real[:, 0] * random.choice([0, random.uniform(0, 1), 1], len(layers))
        dream = np.stack((first, real.sum(axis=1) - first), axis=1)
        weights = real[:, 1] * random.uniform(0, 1, len(layers))
        low, high = (
            step_time(profile_of(layers, *its), strategy, split).seconds
            for its in ((dream, real.sum(axis=1)), (real, weights))
        )
        assert low <= high * (1 + CLOSE)
