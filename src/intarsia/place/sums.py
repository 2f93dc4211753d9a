"""Sums over a profile's chain, and seconds on its network, that lower bounds are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from intarsia.cost import Placed, collective_seconds, message_seconds
from intarsia.graph import Pattern
from intarsia.place.contents import MODES, Floats, Integers
from intarsia.place.profile import Profile
from intarsia.place.space import Task, units_of


@dataclass(frozen=True, slots=True)
class Work:
    """Sums over a profile's chain that bounds are made of; of many profiles at once, those of seconds in rows.

    Attributes:
        seconds: of each unit, in the mode that takes least, [units].
        backward: seconds of backward passes, all units, in that mode.
        weights: seconds of weight gradients, all units.
        shared, experts: parameters of each unit, tied ones left out.
        kept: bytes of each unit's activations, in the mode that keeps least.
        crossing: least bytes that a cut can send.
        layers: in the chain.
    """

    seconds: Floats
    backward: Floats | float
    weights: Floats | float
    shared: Floats
    experts: Floats
    kept: Floats
    crossing: int
    layers: int


def work_of(profile: Profile, task: Task) -> Work:
    """The sums of a profile."""
    modes = [mode for mode in MODES if mode in task.choices.recompute]
    layers = profile.layers
    seconds = [min(item.cost[mode].seconds for mode in modes) for item in layers]
    kept = [min(item.kept[mode] for mode in modes) for item in layers]
    own = [item.layer.parameters - item.layer.tied_parameters for item in layers]
    units = units_of([item.layer for item in profile.layers])
    return Work(
        seconds=np.array([sum(seconds[kind] for kind in unit) for unit in units]),
        backward=sum(item.layer.repeat * min(item.cost[m].backward.seconds for m in modes) for item in layers),
        weights=sum(item.layer.repeat * max(item.cost[mode].backward.weights for mode in modes) for item in layers),
        shared=np.array([sum(own[kind] for kind in unit) for unit in units], dtype=np.float64),
        experts=np.array(
            [sum(layers[kind].layer.expert_parameters for kind in unit) for unit in units], dtype=np.float64
        ),
        kept=np.array([sum(kept[kind] for kind in unit) for unit in units], dtype=np.float64),
        crossing=min((layers[unit[-1]].layer.output_bytes for unit in units[:-1]), default=0),
        layers=sum(item.layer.repeat for item in layers),
    )


class Network:
    """Seconds of collectives and messages on the first devices of one cluster, each worked out once.

    The devices count by the levels of network that they need (``levels``).
    """

    def __init__(self, profile: Profile) -> None:
        cluster, efficiency = profile.cluster, profile.efficiency
        first = {
            number: replace(cluster, levels=cluster.levels[:number]) for number in range(1, len(cluster.levels) + 1)
        }

        @cache
        def line(stride: int, levels: int) -> tuple[float, float]:
            none, much = (message_seconds(size, stride, first[levels], efficiency) for size in (0.0, 1e9))
            return none, (much - none) / 1e9

        @cache
        def collective(pattern: Pattern, size: float, ranks: int, stride: int, levels: int) -> float:
            return collective_seconds(pattern, size, Placed(ranks, stride), first[levels], efficiency)

        self.line: Callable[[int, int], tuple[float, float]] = line
        self.collective: Callable[[Pattern, float, int, int, int], float] = collective
        self.cluster = cluster

    def levels(self, devices: Floats) -> Integers:
        """How many levels so many first devices need, as ``Cluster.first`` says."""
        inner = np.array([level.devices for level in self.cluster.levels[:-1]])
        needed = 1 + (devices[:, None] > inner[None, :]).sum(axis=1)
        found: Integers = np.where(devices >= self.cluster.devices, len(self.cluster.levels), needed)
        return found
