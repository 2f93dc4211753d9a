"""Is a floor below what plans take when schedules get shorter, and all else stays as it is?"""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from questions import small_question, training

from intarsia.cost import LayerCost, PassCost
from intarsia.place import Choices
from intarsia.place.branches import Brancher, space_with
from intarsia.place.nodes import best_first
from intarsia.place.profile import Profile, demands
from intarsia.place.solve import Solved
from intarsia.place.space import Task, variants
from intarsia.search.evaluate import evaluate

CLOSE = 1e-9
PIPELINES = Choices().only({"zero": ("1",), "context": ("1",), "pipeline": ("2", "3"), "microbatch": ("1",)})


def shorter(profile: Profile, times: float) -> Profile:
    """Every pass so many times shorter; the weight gradients in them take what they take."""

    def of(cost: PassCost) -> PassCost:
        return replace(cost, device=cost.device / times)

    layers = tuple(
        replace(item, cost={mode: LayerCost(of(cost.forward), of(cost.backward)) for mode, cost in item.cost.items()})
        for item in profile.layers
    )
    return replace(profile, layers=layers)


def best(task: Task, brancher: Brancher, profile: Profile) -> float:
    branch = brancher.branch(profile, task)
    steps = best_first(space_with(task, [branch])) if branch else iter(())
    return next((step.seconds for step in steps if isinstance(step, Solved)), inf)


@pytest.mark.parametrize("order", [("1f1b",), ("zero-bubble",), ("1f1b", "zero-bubble")])
@pytest.mark.parametrize("times", [1.05, 1.5])
def test_no_plan_with_shorter_schedules_is_below_a_floor(order: tuple[str, ...], times: float) -> None:
    question = small_question(training(layers=6, batch=3, choices=PIPELINES.only({"order": order})), devices=3)
    for point in list(question.space.points)[::3]:
        task = question.on(point)
        brancher = Brancher(task)
        for variant in variants(task):
            known = evaluate(question, 0, brancher, point, ((variant, 0.0),), inf)
            (its,) = known.variants
            if known.seconds == inf:
                continue
            profile = demands(task.model, variant, task.cluster).priced(question.efficiency)
            least = best(task, brancher, shorter(profile, times))
            for given in (replace(its, longer=times, proved=0.0), replace(its, longer=inf, proved=times)):
                floor = given.floor(0.0, known.bound)
                assert floor <= least * (1 + CLOSE)
                assert floor > 0.7 * least, "a floor that says little proves little"
