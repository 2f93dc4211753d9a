"""The published placement problem: equal to its literal recurrence, and of few states at the published sizes."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest
import twin

from intarsia.place import published
from intarsia.place.published import ChainProblem, place_chain


def problem(seed: int, layers: int, devices: int, widths: tuple[int, ...]) -> ChainProblem:
    draw = random.Random(seed)
    cost = np.array([draw.uniform(0.5, 2.0) for _ in range(layers)])
    size = np.array([draw.uniform(0.5, 2.0) for _ in range(layers)])
    loss = np.array([1 / width * (1 + 0.1 * index) for index, width in enumerate(widths)])[:, None]
    return ChainProblem(
        widths=widths,
        seconds=cost * loss,
        states=size / np.array(widths)[:, None],
        activations=0.2 * size * loss,
        gradients=0.3 * size / np.array(widths)[:, None],
        devices=devices,
        microbatches=draw.choice((4, 7, 32)),
        capacity=draw.uniform(1.0, 6.0),
        bandwidth=draw.choice((0.1, 1.0, 10.0)),
    )


@pytest.mark.parametrize("seed", range(60))
def test_it_equals_the_literal_recurrence(seed: int) -> None:
    draw = random.Random(1000 + seed)
    small = problem(seed, draw.randint(1, 6), draw.randint(2, 9), ((1,), (1, 2), (1, 2, 4))[seed % 3])
    found = place_chain(small)
    slow = twin.published(small)
    if found is None:
        assert slow == float("inf")
        return
    assert found.seconds == pytest.approx(slow, rel=1e-12)
    width = small.widths.index(found.width)
    borders = [*found.starts, small.layers]
    runs = [slice(a, b) for a, b in pairwise(borders)]
    assert all(run.start < run.stop for run in runs)
    for at, run in enumerate(runs):
        held = small.states[width, run].sum() + (len(runs) - at) * small.activations[width, run].sum()
        assert held <= small.capacity * (1 + 1e-12)
    slowest = max(float(small.seconds[width, run].sum()) for run in runs)
    assert small.iteration(width, len(runs), slowest) == pytest.approx(found.seconds, rel=1e-12)


@pytest.mark.parametrize("devices", [1024, 4096])
def test_at_the_published_sizes_its_table_grows_with_the_layers_only(devices: int) -> None:
    large = problem(0, 96, devices, (1, 2, 4, 8))
    assert place_chain(large) is not None
    for width in range(4):
        least, _ = published._least_slowest(large, width)
        assert least.shape == (1 + 96, 96 + 1)  # stages; first layer
