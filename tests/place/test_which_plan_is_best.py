"""The search finds what trying everything finds, and its bounds lie below."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import twin
from small_plans import EFFICIENCY, Case, small_case, small_cluster, small_efficiency, small_model, with_capacity

from intarsia.machines.chips.efficiency import Efficiency
from intarsia.machines.clusters import read_cluster
from intarsia.models import read_model
from intarsia.models.transformer import find_model, from_sizes
from intarsia.place import Choices, Plan, best_plan, check_plan, enumerate_strategies, step_time
from intarsia.place.contents import contents
from intarsia.place.grain import whole_layers
from intarsia.place.lower import grid, lower
from intarsia.place.room import dominant, roomy_seconds
from intarsia.place.solve import solve
from intarsia.place.space import Degrees, Task
from intarsia.place.sums import Network, work_of
from intarsia.solvers import Found, Infeasible, Limits, OutOfTime

CLOSE = 1e-9


def bounds(case: Case) -> list[float]:
    strategy, profile, modes = case.strategy, case.profile, case.task.choices.recompute
    own = Degrees(strategy.pipeline, strategy.data, strategy.interleave, strategy.order, strategy.zero)
    entries, main = grid(iter([own])), dominant(profile, modes)
    first = lower(
        profile,
        case.task,
        entries,
        work_of(profile, case.task),
        Network(profile),
        whole_layers(main, entries.pipeline, entries.chunks),
    )
    slope, rest, least = float(first.slope[0]), float(first.rest[0]), float(first.least[0])
    found = [float(first.seconds()[0])]
    return [*found, roomy_seconds(profile, strategy, main, slope, rest, least)] if found[0] < float("inf") else found


@pytest.mark.parametrize("block", range(8))
def test_one_strategy_has_the_split_of_exhaustive_search(block: int) -> None:
    for seed in range(block * 25, block * 25 + 25):
        case = small_case(seed)
        modes, capacity = case.task.choices.recompute, case.task.cluster.chip.hbm_bytes
        tried = twin.best_split(case.profile, case.strategy, modes, capacity)
        found = solve(case.profile, contents(case.profile), case.strategy, modes)
        if tried is None:
            assert found is None, seed
            continue
        assert found is not None, seed
        assert found.seconds == pytest.approx(tried[0], rel=CLOSE), seed
        assert found.bound == pytest.approx(tried[0], rel=CLOSE), seed
        assert step_time(case.profile, case.strategy, found.split).seconds == found.seconds
        assert all(bound <= tried[0] * (1 + CLOSE) for bound in bounds(case)), seed


@pytest.mark.parametrize("seed", range(10))
def test_the_best_of_all_strategies(seed: int) -> None:
    draw = random.Random(seed)
    model, efficiency = small_model(draw, (2,)), small_efficiency(draw)
    capacity = draw.choice((10**12, 1_700_000_000, 1_640_000_000))
    cluster = with_capacity(small_cluster(draw, (4, 6)), capacity)
    choices = Choices(tensor=(1, 2), pipeline=(1, 2, 3), microbatch=(1, 2), context=(1,), sequence_parallel=(False,))
    task = Task(model, cluster, draw.choice((4, 6)), model.sequence, choices)
    tried = twin.best(task, efficiency)
    outcome = best_plan(model, cluster, efficiency, task.global_batch, model.sequence, choices)
    if tried is None:
        assert isinstance(outcome, Infeasible)
        return
    assert isinstance(outcome, Found)
    plan = outcome.value
    assert plan.seconds == pytest.approx(tried[0], rel=CLOSE)
    assert plan.optimal
    assert check_plan(model, cluster, efficiency, task.global_batch, model.sequence, plan) == ()
    assert plan.removed.strategies == sum(1 for _ in twin.strategies(task, efficiency))
    prices_are_right(plan, task, efficiency, seed)


@pytest.mark.parametrize("name", ["resnet-18", "deepseek-v2-lite"])
def test_models_with_several_kinds_of_layers(name: str) -> None:
    model, cluster = read_model(name), read_cluster("a100x16")
    choices = Choices(microbatch=(1, 8), zero=(1,), pipeline=(1, 2, 3, 4, 8), context=(1,), expert=(1, 8))
    outcome = best_plan(model, cluster, EFFICIENCY, 64, model.sequence, choices, compare=False)
    assert isinstance(outcome, Found)
    assert check_plan(model, cluster, EFFICIENCY, 64, model.sequence, outcome.value) == ()
    assert outcome.value.strategy.interleave == 1


def prices_are_right(plan: Plan, task: Task, efficiency: Efficiency, seed: int) -> None:
    prices = [price for price in plan.prices if price.choice in {"zero", "tensor", "order", "recompute"}]
    price = prices[seed % len(prices)]
    alone = twin.best(replace(task, choices=task.choices.only({price.choice: [price.value]})), efficiency)
    seconds = alone[0] if alone else float("inf")
    assert price.bound <= seconds * (1 + CLOSE)
    if price.proved:
        assert (price.best.seconds if price.best else float("inf")) == pytest.approx(seconds, rel=CLOSE)


def plan_of(**restricted: tuple[int, ...]) -> Plan:
    model = from_sizes(hidden=512, heads=8, layers=6, sequence=512, vocab=1000)
    outcome = best_plan(
        model,
        read_cluster("a100x8"),
        EFFICIENCY,
        32,
        512,
        Choices(**restricted),
        compare=False,  # type: ignore[arg-type]  # no prices asked
    )
    assert isinstance(outcome, Found)
    return outcome.value


def test_restrictions_hold() -> None:
    plan = plan_of(pipeline=(3,), tensor=(2,), zero=(1,))
    assert (plan.strategy.pipeline, plan.strategy.tensor) == (3, 2)
    assert plan.strategy.devices + plan.idle == 8


def test_devices_may_stay_idle_and_are_counted() -> None:
    model = find_model("opt-350m")
    plans = list(
        enumerate_strategies(model, read_cluster("a100x1024"), 4096, 2048, Choices(tensor=(1,), pipeline=(12,)))
    )
    assert {plan.data for plan in plans if plan.microbatch == 1} >= {85}
    assert all(plan.devices <= 1024 for plan in plans)
    one = next(plan for plan in plans if plan.data == 85 and plan.microbatch == 1)
    assert one.devices == 1020
    assert one.microbatches == 49


def test_time_that_is_over_gives_a_bound() -> None:
    model, cluster, choices = find_model("gpt2-xl"), read_cluster("a100x16"), Choices(microbatch=(1, 2), context=(1,))
    outcome = best_plan(model, cluster, EFFICIENCY, 64, 1024, choices, Limits(seconds=0.0))
    assert isinstance(outcome, OutOfTime)
    whole = best_plan(model, cluster, EFFICIENCY, 64, 1024, choices, compare=False)
    assert isinstance(whole, Found)
    assert outcome.bound[0] <= whole.value.seconds * 1e12


def test_runners_up_differ_in_degrees() -> None:
    model, cluster = find_model("gpt2-xl"), read_cluster("a100x16")
    outcome = best_plan(model, cluster, EFFICIENCY, 64, 1024, Choices(microbatch=(1, 2), context=(1,)))
    assert isinstance(outcome, Found)
    plan = outcome.value
    every = [plan.strategy, *(other.strategy for other in plan.runners_up)]
    assert len({(s.tensor, s.pipeline, s.data, s.context, s.expert) for s in every}) == len(every) > 1
    assert check_plan(model, cluster, EFFICIENCY, 64, 1024, plan) == ()
