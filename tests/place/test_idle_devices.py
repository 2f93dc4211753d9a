"""Devices that a plan leaves idle cost nothing: more of them make no plan slower, and do not change its seconds."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from small_plans import EFFICIENCY

from intarsia.machines.clusters import Cluster, Level, read_cluster
from intarsia.models.transformer import from_sizes
from intarsia.place import Choices, Plan, best_plan, demands, predict_split
from intarsia.solvers import Found

MODEL = from_sizes(hidden=1024, heads=8, layers=6, sequence=512, vocab=1000)


def nodes_of(size: int, devices: int, *, between: float) -> Cluster:
    """Nodes with quick links inside and a network between them, bytes per second."""
    levels = (Level("node", size, 3e11, 1e-6), Level("cluster", 64, between, 1e-5))
    return replace(read_cluster("a100x8"), devices=devices, levels=levels)


def planned(cluster: Cluster, choices: Choices) -> Plan:
    outcome = best_plan(MODEL, cluster, EFFICIENCY, 24, 512, choices, compare=False)
    assert isinstance(outcome, Found)
    return outcome.value


@pytest.mark.parametrize("between", [1e8, 1e9, 1e11])
@pytest.mark.parametrize("size", [1, 3, 4, 8])
def test_more_devices_make_no_plan_slower(size: int, between: float) -> None:
    choices = Choices(microbatch=(1, 2), context=(1,))
    seconds = [planned(nodes_of(size, n * size, between=between), choices).seconds for n in (1, 2, 3, 5)]
    assert all(after <= before * (1 + 1e-9) for before, after in pairwise(seconds))


def test_a_slow_network_leaves_all_nodes_but_one_idle() -> None:
    plan = planned(nodes_of(4, 12, between=1e6), Choices(microbatch=(1, 2)))
    assert plan.strategy.devices == 4


@pytest.mark.parametrize("data", [3, 5, 6, 7])
def test_replicas_in_one_node_do_not_use_the_network_between_nodes(data: int) -> None:
    """Numbers that do not divide a node, of which a larger cluster would have some groups over two nodes."""
    whole = nodes_of(8, 64, between=1e9)
    plan = planned(whole, Choices(data=(data,), pipeline=(1,), tensor=(1,)))
    part = whole.first(data)
    alone = predict_split(
        MODEL, demands(MODEL, plan.strategy.variant, part).priced(EFFICIENCY), plan.strategy, plan.split
    )
    assert plan.seconds == pytest.approx(alone.seconds, rel=1e-12)
    assert plan.seconds == pytest.approx(
        planned(part, Choices(data=(data,), pipeline=(1,), tensor=(1,))).seconds, rel=1e-12
    )
