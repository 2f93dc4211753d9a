"""Seconds of a layer's passes on a chip that runs one kernel after the other, each on all its cores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import log2

import numpy as np
from numpy.typing import NDArray

from intarsia.cost.collective import Placed, collective_seconds
from intarsia.cost.demand import Demand, demand
from intarsia.graph import Collective, Contraction, Group, Node, Pattern
from intarsia.machines.chips.efficiency import Efficiency
from intarsia.machines.clusters import Cluster

HIDING = (4.0, 1.7)
"""How well device and host hide behind each other in a pass without and with collectives: the exponents of a norm, for
which infinity is perfect hiding and 1 is none. At a collective every rank waits for the slowest host of its group. Not
fitted: chosen with the fitted runs and two published tables of larger ones in view (``docs/decisions/0008``)."""


RING_SHOWN = 0.5
"""Of a ring exchange of keys and values, the part that lengthens the fused attention it runs beside; all that is longer
than the attention shows as well. Eager attention hides none of it. An assumption: as for FSDP's exchange of weights."""


@dataclass(frozen=True, slots=True)
class PassCost:
    """Seconds of one pass of one layer over one microbatch.

    Attributes:
        device: kernels, one after the other.
        exposed: collectives, which no kernel of the pass hides.
        host: until the host has issued all of them.
        weights: the part of ``device`` that makes weight gradients, which nobody waits for.
    """

    device: float
    exposed: float
    host: float
    weights: float

    @property
    def seconds(self) -> float:
        """The longer of device and host, and a little of the shorter."""
        return self._with(self.device + self.exposed)

    @property
    def shown(self) -> float:
        """What the collectives add."""
        return self.seconds - self._with(self.device)

    def _with(self, device: float) -> float:
        return _beside(device, self.host, HIDING[self.exposed > 0])


@lru_cache(maxsize=65536)
def _beside(device: float, host: float, hiding: float) -> float:
    longer, shorter = max(device, host), min(device, host)
    return longer * (1 + (shorter / longer) ** hiding) ** (1 / hiding) if longer else 0.0


@dataclass(frozen=True, slots=True)
class LayerCost:
    """Seconds of one layer: forward, and backward with what it computes again."""

    forward: PassCost
    backward: PassCost

    @property
    def seconds(self) -> float:
        """Both passes."""
        return self.forward.seconds + self.backward.seconds


Groups = Mapping[Group, Placed]
"""Where the ranks of each group are on the cluster."""


@dataclass(frozen=True, slots=True)
class PassDemand:
    """What the kernels of a pass ask for, one column each, and its collectives; free of efficiencies.

    Attributes:
        roofs: rows of seconds and bytes: products, those off the 16-byte border, flash, vector, HBM bytes; shape
            [5, kernels].
        weights: 1 for kernels that make weight gradients; shape [kernels].
        messages: pattern, bytes and ranks of each collective.
    """

    roofs: NDArray[np.float64]
    weights: NDArray[np.float64]
    messages: tuple[tuple[Pattern, int, Placed], ...]

    def cost(self, cluster: Cluster, efficiency: Efficiency) -> PassCost:
        """Seconds under an efficiency: the highest roof of each kernel, and what a kernel takes beyond its work."""
        matmul, bandwidth = efficiency.matmul, cluster.chip.hbm_bandwidth * efficiency.memory
        reached = np.array([[matmul], [matmul * efficiency.misaligned], [efficiency.flash], [1.0], [bandwidth]])
        seconds = (self.roofs / reached).max(axis=0) + efficiency.kernel
        exposed = ring = 0.0
        for pattern, size, group in self.messages:
            lasts = collective_seconds(pattern, size, group, cluster, efficiency)
            ring += lasts if pattern is Pattern.RING else 0.0
            exposed += 0.0 if pattern is Pattern.RING else lasts
        exposed += max(ring - float(seconds @ (self.roofs[2] > 0)), RING_SHOWN * ring)
        waits = sum(efficiency.straggle * log2(group.ranks) for _, _, group in self.messages)
        return PassCost(
            device=float(seconds.sum()),
            exposed=exposed,
            host=len(self.weights) * efficiency.host + waits,
            weights=float(seconds @ self.weights),
        )


def pass_demand(nodes: tuple[Node, ...], cluster: Cluster, groups: Groups) -> PassDemand:
    """The demands of kernels that run one after the other."""
    asked: list[Demand] = []
    weights: list[bool] = []
    messages: list[tuple[Pattern, int, Placed]] = []
    for node in nodes:
        if isinstance(node.work, Collective):
            group = groups[node.work.group]
            if group.ranks > 1:
                messages.append((node.work.pattern, node.work.bytes_whole, group))
            continue
        asked.append(demand(cluster.chip, node.work))
        weights.append(isinstance(node.work, Contraction) and node.work.accumulates)
    roofs = np.array(
        [
            [d.contraction * (not d.misaligned), d.contraction * d.misaligned, d.flash, d.vector, d.hbm_bytes]
            for d in asked
        ],
        dtype=np.float64,
    )
    return PassDemand(
        roofs=np.ascontiguousarray(roofs.reshape(len(asked), 5).T),
        weights=np.array(weights, dtype=np.float64),
        messages=tuple(messages),
    )
