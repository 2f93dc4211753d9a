"""How long is a collective, against a twin that sends every message, and where on the network does a group meet?"""

from __future__ import annotations

from dataclasses import replace
from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intarsia.cost import Placed, collective_seconds, collectives_seconds, message_seconds
from intarsia.graph import Pattern
from intarsia.machines.chips import efficiency_of, read_chip
from intarsia.machines.clusters import Cluster, Level, read_cluster

IDEAL = replace(efficiency_of(read_chip("a100")), link=1.0, collective=0.0)
ALL = list(Pattern)
REDUCING = [Pattern.ALL_REDUCE, Pattern.ALL_GATHER, Pattern.REDUCE_SCATTER]


def network(*levels: tuple[int, float, float]) -> Cluster:
    """Levels of (devices, bytes per second, seconds of latency)."""
    named = tuple(Level(f"level {at}", *level) for at, level in enumerate(levels))
    return Cluster("test", read_chip("a100"), levels[-1][0], named, "test")


def ring(pattern: Pattern, size: float, ranks: int, level: Level) -> float:
    """Every rank sends one part to its neighbour in each step, until all ranks have what they should."""
    seconds = 0.0
    rounds = 2 if pattern is Pattern.ALL_REDUCE else 1
    for _ in range(rounds):
        parts = [{rank} for rank in range(ranks)]
        while any(len(has) < ranks for has in parts):
            seconds += level.latency + size / ranks / level.bandwidth
            parts = [has | {(rank - len(has)) % ranks} for rank, has in enumerate(parts)]
    return seconds


def tree(pattern: Pattern, size: float, ranks: int, level: Level) -> float:
    """Ranks join in pairs, pairs of pairs, …; the whole buffer is pipelined up the tree, and down for an all-reduce."""
    groups, hops = ranks, 0
    while groups > 1:
        groups, hops = -(-groups // 2), hops + 1
    rounds = 2 if pattern is Pattern.ALL_REDUCE else 1
    return rounds * (hops * level.latency + size / level.bandwidth)


@given(st.sampled_from(REDUCING), st.floats(1, 1e9), st.integers(2, 24), st.floats(1e9, 1e12), st.floats(1e-7, 1e-4))
def test_one_level_is_the_faster_of_ring_and_tree(
    pattern: Pattern, size: float, ranks: int, bandwidth: float, latency: float
) -> None:
    cluster = network((ranks, bandwidth, latency))
    level = cluster.levels[0]
    expected = min(ring(pattern, size, ranks, level), tree(pattern, size, ranks, level))
    assert collective_seconds(pattern, size, Placed(ranks, 1), cluster, IDEAL) == pytest.approx(expected)


@given(st.sampled_from(REDUCING), st.floats(1, 1e10), st.integers(1, 4), st.integers(1, 4))
def test_two_levels_are_the_faster_of_flat_and_hierarchical(
    pattern: Pattern, size: float, inside: int, nodes: int
) -> None:
    cluster = network((2**inside, 300e9, 2e-6), (2 ** (inside + nodes), 25e9, 5e-6))
    inner, outer = cluster.levels
    ranks, share = 2 ** (inside + nodes), size / 2**inside

    def best(part: float, group: int, level: Level) -> float:
        return min(ring(pattern, part, group, level), tree(pattern, part, group, level))

    expected = min(best(size, ranks, outer), best(size, 2**inside, inner) + best(share, 2**nodes, outer))
    assert collective_seconds(pattern, size, Placed(ranks, 1), cluster, IDEAL) == pytest.approx(expected)


def test_an_all_reduce_is_a_reduce_scatter_and_an_all_gather() -> None:
    cluster = read_cluster("a100x64")
    for group in (Placed(8, 1), Placed(64, 1), Placed(8, 8)):
        reduce, scatter, gather = (collective_seconds(p, 1e9, group, cluster, IDEAL) for p in REDUCING)
        assert reduce == pytest.approx(scatter + gather)


def test_a_known_all_reduce() -> None:
    """1 GB over eight chips of 300 GB/s: 2 · 7/8 · 1 GB ÷ 300 GB/s, and 14 hops of 2 µs."""
    cluster = read_cluster("a100x8")
    seconds = collective_seconds(Pattern.ALL_REDUCE, 1e9, Placed(8, 1), cluster, IDEAL)
    assert seconds == pytest.approx(2 * 7 / 8 / 300 + 28e-6)
    real = replace(IDEAL, link=0.8, collective=3e-5)
    seconds = collective_seconds(Pattern.ALL_REDUCE, 1e9, Placed(8, 1), cluster, real)
    assert seconds == pytest.approx(2 * 7 / 8 / 240 + 28e-6 + 3e-5)


def test_an_all_to_all_sends_what_stays_inside_a_node_inside() -> None:
    cluster = network((8, 300e9, 0.0), (64, 25e9, 0.0))
    seconds = collective_seconds(Pattern.ALL_TO_ALL, 1e9, Placed(8, 1), cluster, IDEAL)
    assert seconds == pytest.approx(7 / 8 / 300)
    seconds = collective_seconds(Pattern.ALL_TO_ALL, 1e9, Placed(64, 1), cluster, IDEAL)
    assert seconds == pytest.approx(56 / 64 / 25)  # beside it, 7/64 inside the nodes


def test_a_ring_exchange_has_no_short_cut_between_nodes() -> None:
    cluster = network((8, 300e9, 0.0), (64, 25e9, 0.0))
    seconds = collective_seconds(Pattern.RING, 1e9, Placed(64, 1), cluster, IDEAL)
    assert seconds == pytest.approx(63 / 64 / 25)


@pytest.mark.parametrize("pattern", ALL)
def test_nothing_costs_nothing(pattern: Pattern) -> None:
    cluster = read_cluster("a100x64")
    efficiency = efficiency_of(cluster.chip)
    assert collective_seconds(pattern, 1e6, Placed(1, 1), cluster, efficiency) == 0
    assert collective_seconds(pattern, 0, Placed(8, 1), cluster, efficiency) == 0


@given(st.sampled_from([p for p in ALL if p is not Pattern.ALL_TO_ALL]), st.integers(1, 64), st.integers(1, 8))
def test_many_sizes_at_once_are_the_same(pattern: Pattern, ranks: int, stride: int) -> None:
    cluster, sizes = read_cluster("a100x512"), np.array([0.0, 1.0, 1e3, 1e6, 1e9])
    efficiency, group = efficiency_of(cluster.chip), Placed(ranks, stride)
    each = [collective_seconds(pattern, float(size), group, cluster, efficiency) for size in sizes]
    assert collectives_seconds(pattern, sizes, group, cluster, efficiency) == pytest.approx(each)


def slow_inside(group: Placed, devices: int) -> int:
    """The largest run of neighbours that no group of a long row of such groups has cut by a border between nodes."""
    best = 1
    for part in range(2, group.ranks + 1):
        if group.ranks % part:
            continue
        cut = False
        for number in range(devices):
            for offset in range(group.stride):
                first = number * group.ranks * group.stride + offset
                ranks = [first + at * group.stride for at in range(group.ranks)]
                for begin in range(0, group.ranks, part):
                    cut |= len({rank // devices for rank in ranks[begin : begin + part]}) > 1
        if not cut:
            best = part
    return best


@given(st.integers(1, 12), st.integers(1, 12), st.sampled_from([4, 6, 8]))
def test_groups_that_straddle_nodes_meet_where_all_of_them_can(ranks: int, stride: int, node: int) -> None:
    fast, slow = 1e12, 1e9
    cluster = network((node, fast, 0.0), (10**6, slow, 0.0))
    group = Placed(ranks, stride)
    inside = slow_inside(group, node)
    nodes = ranks // inside
    expected = (inside - 1) / inside / fast + (nodes - 1) / nodes / inside / slow
    seconds = collective_seconds(Pattern.ALL_GATHER, 1e6, group, cluster, IDEAL)
    assert seconds == pytest.approx(1e6 * expected, rel=1e-9)


def test_a_message_takes_the_level_that_it_crosses() -> None:
    cluster = read_cluster("a100x64")
    assert message_seconds(3e9, 1, cluster, IDEAL) == pytest.approx(0.01 + 2e-6)
    assert message_seconds(3e9, 8, cluster, IDEAL) == pytest.approx(0.12 + 5e-6)
    # of four stages of four chips, the second and the third are on different nodes
    assert message_seconds(3e9, 4, cluster, IDEAL, ranks=4) == pytest.approx(0.12 + 5e-6)


@given(st.sampled_from(ALL), st.floats(1, 1e9), st.integers(1, 6), st.integers(0, 6))
def test_faster_links_are_never_slower(pattern: Pattern, size: float, ranks: int, stride: int) -> None:
    slow = read_cluster("a100-opax4096")
    fast = replace(slow, levels=tuple(replace(level, bandwidth=2 * level.bandwidth) for level in slow.levels))
    group = Placed(2**ranks, 2**stride)
    efficiency = efficiency_of(slow.chip)
    slower, faster = (collective_seconds(pattern, size, group, on, efficiency) for on in (slow, fast))
    assert faster <= slower
    assert log2(group.ranks) == ranks
