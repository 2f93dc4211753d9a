"""The check sees every way in which a plan can be wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small_plans import EFFICIENCY, with_capacity

from intarsia.graph import Recompute
from intarsia.machines.clusters import read_cluster
from intarsia.models.transformer import from_sizes
from intarsia.place import Candidate, Choices, Pipeline, Plan, Price, Split, best_plan, check_plan
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


def test_microbatches_that_cannot_be_interleaved(plan: Plan) -> None:
    odd = replace(plan.strategy, interleave=2, order=Pipeline.ONE_F_ONE_B, data=1, microbatch=1, global_batch=31)
    assert "31 interleaved microbatches are no multiple of 2 stages" in checked(replace(plan, strategy=odd))


def test_a_prediction_that_is_not_the_plan_s(plan: Plan) -> None:
    said = plan.prediction
    time = replace(said.time, compute=said.time.compute + said.time.bubble, bubble=0.0)
    faults = {
        "the prediction's strategy is not the plan's": replace(said, strategy=replace(said.strategy, microbatch=3)),
        "the prediction's split is not the plan's": replace(said, split=Split(((1,), (1,)), ())),
        "the capacity is": replace(said, capacity=2 * said.capacity),
        "the efficiency is": replace(said, efficiency=replace(said.efficiency, matmul=0.1)),
        "the bubble is": replace(said, time=time),
        "the utilisation is": replace(said, mfu=0.99),
        "the interval's end is": replace(said, interval=(said.interval[0], 1.0)),
        "the stages take": replace(said, time=replace(said.time, stages=said.time.stages[:1])),
        "bytes are said of 1 stages, there are 2": replace(said, memory=said.memory[:1]),
    }
    for text, fault in faults.items():
        assert text in checked(replace(plan, prediction=fault))


def test_another_model_or_cluster(plan: Plan) -> None:
    assert f"the plan is for that on a100, not {MODEL.name} on a100" in checked(replace(plan, model="that"))
    assert "the plan is for 9 devices, not 8" in checked(replace(plan, devices=9))
    assert "ZeRO has no level 4" in checked(replace(plan, strategy=replace(plan.strategy, zero=4)))


def test_runners_up_that_are_wrong(plan: Plan) -> None:
    first, *rest = plan.runners_up
    assert rest

    def said(*runners: Candidate) -> str:
        return checked(replace(plan, runners_up=runners))

    assert f"runner-up 1: it takes {first.seconds} s, not {first.seconds * 2} s" in said(
        replace(first, seconds=first.seconds * 2)
    )
    assert "runner-up 1: the bound" in said(replace(first, bound=first.seconds * 2))
    assert "devices are said to be idle" in said(replace(first, idle=first.idle + 1))
    assert "runner-up 1: 1 of 6 layers block are placed" in said(
        replace(first, split=Split(((1, 0, 0, 0), (0, 1, 1, 1)), first.split.recompute))
    )
    assert "not in the order of their seconds" in said(rest[-1], first)
    assert "have the same degrees" in said(Candidate(plan.strategy, plan.split, plan.seconds, plan.bound, plan.idle))
    assert f"a plan of {first.seconds} s is no runner-up" in checked(
        replace(plan, runners_up=(rest[-1],), prices=(*plan.prices, Price("zero", "9", first, 0.0, 0.0)))
    )


def test_prices_that_are_wrong(plan: Plan) -> None:
    price = next(price for price in plan.prices if price.best and price.times > 1)
    free = next(price for price in plan.prices if price.best and price.times == 1)

    def said(changed: Price) -> str:
        return checked(replace(plan, prices=(changed,)))

    assert price.best
    assert "costs" in said(replace(price, times=1.0))
    assert f"less than its bound {2 * price.best.seconds} s" in said(replace(price, bound=2 * price.best.seconds))
    assert "less than its bound inf s" in said(replace(free, best=None, bound=float("inf"), times=float("inf")))
    assert f"has another {price.choice}" in said(replace(price, best=free.best, times=1.0))


def test_strategies_that_are_not_accounted_for(plan: Plan) -> None:
    assert "strategies are accounted for" in checked(
        replace(plan, removed=replace(plan.removed, solved=plan.removed.solved + 1))
    )
