"""Small random models, clusters and strategies, on which everything can be tried."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import twin

from intarsia.graph import Recompute
from intarsia.machines.chips.efficiency import Efficiency
from intarsia.machines.clusters import Cluster, read_cluster
from intarsia.models.transformer import Transformer, from_sizes
from intarsia.place import Choices, Profile, Split, Strategy, demands, stage_memory
from intarsia.place.space import Task

EFFICIENCY = Efficiency(
    matmul=0.75, flash=0.55, memory=0.76, misaligned=0.3, kernel=6e-6, host=6.8e-5, link=0.9, collective=3.4e-5,
    straggle=5.4e-5, error=0.09, source="none",
)  # fmt: skip


def small_model(draw: random.Random, layers: tuple[int, ...]) -> Transformer:
    heads = draw.choice((4, 8))
    model = from_sizes(
        hidden=heads * draw.choice((16, 32, 64, 128, 256)),
        heads=heads,
        layers=draw.choice(layers),
        sequence=draw.choice((128, 512, 1024, 4096)),
        vocab=draw.choice((64, 1000, 32000)),
        gated=draw.random() < 0.5,
        experts=draw.choice((0, 0, 4)),
    )
    if model.experts and model.blocks > 2:
        # two kinds of layers repeat, or one that stands behind another
        return replace(model, experts=replace(model.experts, dense_first=draw.choice((0, 1, 2))))
    return model


def small_efficiency(draw: random.Random) -> Efficiency:
    return replace(
        EFFICIENCY,
        kernel=draw.choice((6e-6, 1e-7)),
        host=draw.choice((6.8e-5, 1e-7)),
        collective=draw.choice((3e-5, 1e-6)),
        straggle=draw.choice((5e-5, 1e-6)),
    )


def small_cluster(draw: random.Random, devices: tuple[int, ...]) -> Cluster:
    return read_cluster(f"{draw.choice(('a100', 'h100', 'tpuv4'))}x{draw.choice(devices)}")


def with_capacity(cluster: Cluster, capacity: int) -> Cluster:
    return replace(cluster, chip=replace(cluster.chip, hbm_bytes=capacity))


def some_capacity(draw: random.Random, profile: Profile, strategy: Strategy) -> int:
    """Bytes of which the fullest stages of some splits need more and others less."""
    every = [Split(counts, (mode,) * strategy.pipeline) for counts in _few(profile, strategy) for mode in Recompute]
    sizes = [
        stage_memory(profile, strategy, split, stage).total for split in every for stage in range(strategy.pipeline)
    ]
    if draw.random() < 0.2:
        return 10**12
    return int(min(sizes) + (max(sizes) - min(sizes)) * draw.random() ** 2)


def _few(profile: Profile, strategy: Strategy) -> list[tuple[tuple[int, ...], ...]]:
    return list(twin.splits(profile, strategy.pipeline))[::3][:6]


@dataclass(frozen=True)
class Case:
    """One strategy of a small task, with a capacity that binds as often as not."""

    task: Task
    profile: Profile
    strategy: Strategy
    efficiency: Efficiency


def small_case(seed: int) -> Case:
    draw = random.Random(seed)
    while True:
        model, efficiency = small_model(draw, (2, 3, 4, 5, 6)), small_efficiency(draw)
        cluster = small_cluster(draw, (4, 6, 8, 12, 16))
        choices = Choices(
            microbatch=(draw.choice((1, 2)),),
            tensor=(draw.choice((1, 2, 4)),),
            context=(draw.choice((1, 1, 2)),),
            gradient_bytes=draw.choice((2, 4)),
        )
        task = Task(model, cluster, draw.choice((4, 8, 12, 16, 24)), model.sequence, choices)
        pairs = [pair for pair in twin.strategies(task, efficiency) if pair[1].pipeline <= 4]
        if not pairs:
            continue
        profile, strategy = draw.choice(pairs)
        task = replace(task, cluster=with_capacity(cluster, some_capacity(draw, profile, strategy)))
        return Case(task, demands(model, strategy.variant, task.cluster).priced(efficiency), strategy, efficiency)
