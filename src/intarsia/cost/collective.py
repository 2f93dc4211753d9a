"""Seconds of a collective over the levels of a network, by the best of the usual algorithms.

Sources: ring and tree costs as in Thakur, Rabenseifner, Gropp, "Optimization of Collective Communication Operations in
MPICH" (2005); the hierarchical form reduces inside a node, between nodes on a share each, and gathers inside again.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, gcd, log2

import numpy as np
from numpy.typing import NDArray

from intarsia.graph import Pattern
from intarsia.machines.chips.efficiency import Efficiency
from intarsia.machines.clusters import Cluster, Level


@dataclass(frozen=True, slots=True)
class Placed:
    """A group of ranks on a cluster: ``ranks`` chips whose numbers are ``stride`` apart.

    Attributes:
        ranks: of the group.
        stride: between the numbers of neighbours.
    """

    ranks: int
    stride: int


def collective_seconds(
    pattern: Pattern, bytes_whole: float, group: Placed, cluster: Cluster, efficiency: Efficiency
) -> float:
    """Seconds of one collective that nothing hides.

    Args:
        pattern: which.
        bytes_whole: of the whole buffer on one chip (see ``intarsia.graph.Collective``).
        group: who takes part.
        cluster: the network.
        efficiency: of its links.
    """
    if group.ranks == 1 or bytes_whole == 0:
        return 0.0
    shares = _shares(group, cluster)
    start = efficiency.collective
    if pattern is Pattern.ALL_TO_ALL:
        return start + _all_to_all(bytes_whole, group, shares, efficiency)
    return start + min(
        sum(min(base + slope * bytes_whole for base, slope in step) for step in way)
        for way in _ways(pattern, group, shares, efficiency)
    )


def collectives_seconds(
    pattern: Pattern, bytes_whole: NDArray[np.float64], group: Placed, cluster: Cluster, efficiency: Efficiency
) -> NDArray[np.float64]:
    """The same for many sizes at once, of any pattern but all-to-all."""
    seconds = np.zeros(bytes_whole.shape)
    if group.ranks == 1:
        return seconds
    best = np.full(bytes_whole.shape, np.inf)
    for way in _ways(pattern, group, _shares(group, cluster), efficiency):
        whole = np.zeros(bytes_whole.shape)
        for step in way:
            whole += np.minimum.reduce([base + slope * bytes_whole for base, slope in step])
        best = np.minimum(best, whole)
    return np.where(bytes_whole > 0, efficiency.collective + best, 0.0)


def sent_bytes(pattern: Pattern, bytes_whole: float, ranks: int) -> float:
    """Bytes that a rank sends in a collective, the mean over its group.

    The same for a ring and a tree, flat or level by level: each rank but one hands on what the others need of the whole
    buffer, once for each pass over it.
    """
    passes = 2.0 if pattern is Pattern.ALL_REDUCE else 1.0
    return passes * bytes_whole * (ranks - 1) / ranks


def message_seconds(bytes_sent: float, stride: int, cluster: Cluster, efficiency: Efficiency, ranks: int = 2) -> float:
    """Seconds of one message to the chip ``stride`` numbers away, the slowest in a chain of ``ranks`` chips."""
    level = _shares(Placed(ranks, stride), cluster)[-1][0]
    return bytes_sent / (level.bandwidth * efficiency.link) + level.latency


def _shares(group: Placed, cluster: Cluster) -> list[tuple[Level, int]]:
    """The levels that a group spans, innermost first, with how many parts of the group meet at each."""
    shares = []
    met = 1
    for level in cluster.levels:
        inside = _inside(group, level.devices) if level is not cluster.levels[-1] else group.ranks
        if inside > met:
            shares.append((level, ceil(inside / met)))
            met = inside
        if met >= group.ranks:
            break
    return shares


def _inside(group: Placed, devices: int) -> int:
    """How many neighbours of the group share a unit of so many chips, wherever in the units the group begins."""
    return 1 if devices % group.stride else gcd(group.ranks, devices // group.stride)


Line = tuple[float, float]
"""Seconds of no bytes, and seconds of each byte of the whole buffer."""


def _ways(
    pattern: Pattern, group: Placed, shares: list[tuple[Level, int]], efficiency: Efficiency
) -> list[list[tuple[Line, Line]]]:
    """The algorithms: steps that follow each other, each the faster of a ring and a tree.

    Flat: one step over the outermost level. Hierarchical: each level works on the share that the levels inside it leave
    to one chip. A ring exchange hands everything from neighbour to neighbour, and has no other way.
    """
    if pattern is Pattern.RING:
        ring, _ = _ring_or_tree(1.0, 1.0, group.ranks, shares[-1][0], efficiency)
        return [[(ring, ring)]]
    passes = 2.0 if pattern is Pattern.ALL_REDUCE else 1.0
    ways = [[_ring_or_tree(passes, 1.0, group.ranks, shares[-1][0], efficiency)]]
    if len(shares) > 1:
        steps = []
        part = 1.0
        for level, parts in shares:
            steps.append(_ring_or_tree(passes, part, parts, level, efficiency))
            part /= parts
        ways.append(steps)
    return ways


def _ring_or_tree(passes: float, part: float, ranks: int, level: Level, efficiency: Efficiency) -> tuple[Line, Line]:
    """Both algorithms on ``part`` of the whole buffer."""
    rate = level.bandwidth * efficiency.link
    steps = passes * (ranks - 1)
    ring = (steps * level.latency, steps * part / ranks / rate)
    tree = (passes * ceil(log2(ranks)) * level.latency, passes * part / rate)
    return ring, tree


def _all_to_all(size: float, group: Placed, shares: list[tuple[Level, int]], efficiency: Efficiency) -> float:
    """Every rank sends each other rank an equal part; the levels work at the same time."""
    met = 1
    slowest = 0.0
    for level, parts in shares:
        reached = met * parts
        part = size * (reached - met) / group.ranks
        slowest = max(slowest, part / (level.bandwidth * efficiency.link) + (parts - 1) * level.latency)
        met = reached
    return slowest
