"""The check sees every way in which a plan can be wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small_plans import EFFICIENCY, with_capacity

from intarsia.graph import Recompute
from intarsia.machines.clusters import read_cluster
from intarsia.models.transformer import from_sizes
from intarsia.place import Choices, Pipeline, Plan, Split, best_plan, check_plan
from intarsia.solvers import Found

MODEL = from_sizes(hidden=512, heads=8, layers=6, sequence=512, vocab=1000)
CLUSTER = read_cluster("a100x8")


@pytest.fixture(scope="module")
def plan() -> Plan:
    outcome = best_plan(MODEL, CLUSTER, EFFICIENCY, 32, 512, Choices(pipeline=(2,)))
    assert isinstance(outcome, Found)
    return outcome.value


def checked(plan: Plan, **other: int) -> str:
    batch, sequence = other.get("batch", 32), other.get("sequence", 512)
    return "; ".join(check_plan(MODEL, CLUSTER, EFFICIENCY, batch, sequence, plan))


def moved(plan: Plan, *rows: tuple[int, ...]) -> Plan:
    return replace(plan, split=Split(rows, plan.split.recompute))


def test_a_plan_is_right(plan: Plan) -> None:
    assert checked(plan) == ""


def test_layers_that_are_missing_or_twice(plan: Plan) -> None:
    first, second = plan.split.counts
    more = (first[0], first[1] + 1, *first[2:])
    assert "7 of 6 layers block are placed" in checked(moved(plan, more, second))
    assert "holds no layer" in checked(moved(plan, tuple(a + b for a, b in zip(first, second, strict=True)), (0,) * 4))


def test_layers_out_of_order(plan: Plan) -> None:
    first, second = plan.split.counts
    assert "after later layers" in checked(moved(plan, second, first))


def test_stages_that_are_missing(plan: Plan) -> None:
    assert "1 stages in the split, 2 in the strategy" in checked(
        replace(plan, split=Split(((1, 6, 1, 1),), (Recompute.NONE,)))
    )


def test_too_many_devices(plan: Plan) -> None:
    wide = replace(plan, strategy=replace(plan.strategy, data=16))
    assert "devices of 8" in checked(wide)


def test_another_batch(plan: Plan) -> None:
    assert "is for 32 × 512 tokens, not 64 × 512" in checked(plan, batch=64)


def test_what_does_not_fit(plan: Plan) -> None:
    small = with_capacity(CLUSTER, 1_650_000_000)
    found = check_plan(MODEL, small, EFFICIENCY, 32, 512, plan)
    assert any("bytes of 1650000000" in text for text in found)


def test_seconds_that_are_not_the_plan_s(plan: Plan) -> None:
    faster = replace(plan.prediction, time=replace(plan.prediction.time, compute=plan.prediction.time.compute / 2))
    assert "s, not" in checked(replace(plan, prediction=faster))


def test_a_bound_above_the_seconds(plan: Plan) -> None:
    assert "the bound" in checked(replace(plan, bound=plan.seconds * 1.01))


def test_chunks_that_are_not_equal(plan: Plan) -> None:
    odd = replace(plan, strategy=replace(plan.strategy, interleave=2, order=Pipeline.ONE_F_ONE_B))
    rows = ((1, 3, 0, 0), (0, 3, 1, 1))
    assert "2 equal chunks" in checked(moved(odd, *rows))
