"""Is a floor below what plans take when schedules get shorter, and near it?"""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import pytest
from questions import small_question, training

from intarsia.cost import LayerCost, PassCost
from intarsia.place import Choices
from intarsia.place.branches import Brancher, space_with
from intarsia.place.nodes import best_first
from intarsia.place.profile import Demands, Profile, demands
from intarsia.place.solve import Solved
from intarsia.place.space import Task, variants
from intarsia.search.evaluate import evaluate
from intarsia.search.known import ENOUGH, Known, OfVariant
from intarsia.search.shortest import Shortest
from intarsia.solvers import Limits

CLOSE = 1e-9
PIPELINES = Choices().only({"zero": ("1",), "context": ("1",), "pipeline": ("2", "3"), "microbatch": ("1",)})
ORDERS = [("1f1b",), ("zero-bubble",), ("1f1b", "zero-bubble")]
LIMITS = Limits(seconds=5.0)


def rescheduled(asked: Demands, made: Profile, share: float) -> Profile:
    """Passes between the shortest schedules, 0, and those that were made, 1; weight gradients take what they take."""
    layers = []
    for its, item in zip(asked.layers, made.layers, strict=True):

        def of(cost: PassCost, passes) -> PassCost:
            least = passes.least(asked.cluster, made.efficiency, LIMITS) if passes.nodes or passes.again else 0.0
            return replace(cost, device=least + share * max(cost.device - least, 0.0))

        cost = {
            mode: LayerCost(of(own.forward, its.passes.forward), of(own.backward, its.passes.backward[mode]))
            for mode, own in item.cost.items()
        }
        layers.append(replace(item, cost=cost))
    return replace(made, layers=tuple(layers))


def best(task: Task, brancher: Brancher, profile: Profile) -> float:
    branch = brancher.branch(profile, task)
    steps = best_first(space_with(task, [branch])) if branch else iter(())
    return next((step.seconds for step in steps if isinstance(step, Solved)), inf)


@pytest.mark.parametrize("order", ORDERS)
def test_no_plan_with_shorter_schedules_is_below_a_floor(order: tuple[str, ...]) -> None:
    question = small_question(training(layers=6, batch=3, choices=PIPELINES.only({"order": order})), devices=3)
    tried = 0
    for point in list(question.space.points)[::3]:
        task = question.on(point)
        brancher = Brancher(task)
        for variant in variants(task):
            known = evaluate(question, 0, brancher, point, ((variant, 0.0),), inf)
            (its,) = known.variants
            if known.seconds == inf:
                assert its.quick == inf
                continue
            asked = demands(task.model, variant, task.cluster)
            made = asked.priced(question.efficiency)
            shortest, between = (best(task, brancher, rescheduled(asked, made, share)) for share in (0.0, 0.5))
            quick = Shortest(question, task, brancher, point, asked, made).quick(known.bound, inf)
            assert quick <= shortest * (1 + CLOSE)
            assert quick > 0.8 * shortest, "a floor that says little proves little"
            assert its.proved == pytest.approx(shortest, rel=1 - ENOUGH)
            assert its.floor(0.0, known.bound) <= shortest * (1 + CLOSE)
            assert shortest <= between * (1 + CLOSE) <= known.seconds * (1 + 2 * CLOSE)
            tried += 1
    assert tried >= 6


def test_a_floor_is_at_most_what_is_possible_and_at_least_what_was_known() -> None:
    variant = next(
        iter(variants(small_question(training(), devices=1).on(small_question(training()).space.points.point(0))))
    )
    facts = OfVariant(variant, quick=3.0, proved=4.0)
    assert facts.floor(least=1.0, made=9.0) == 4.0
    assert facts.floor(least=1.0, made=3.5) == 3.5 * ENOUGH
    assert facts.floor(least=5.0, made=9.0) == 5.0


def test_what_was_found_answers_what_asks_no_more() -> None:
    question = small_question(training(), devices=1)
    variant = next(iter(variants(question.on(question.space.points.point(0)))))
    listed = ((variant, 1.0),)
    proved = Known(10.0, 6.0, 6.0, (OfVariant(variant, 5.0, 5.5),))
    assert proved.says(8.0, listed)
    assert proved.says(inf, listed), "nobody can ask for more than the best"
    quick = Known(10.0, 6.0, 6.0, (OfVariant(variant, 5.0),))
    assert not quick.says(8.0, listed)
    assert quick.says(8.0, listed, prove=False)
    assert quick.says(4.0, listed), "plans below 4 are excluded by quick bounds"
    assert not Known(7.0, inf, inf, (OfVariant(variant, 9.0),)).says(8.0, listed)
    floors = [proved.floor(*asked) for asked in ((8.0, listed, inf), (5.2, listed, inf), (8.0, listed, 2.0))]
    assert floors == [5.5, 5.2 * ENOUGH, 2.0]


@pytest.mark.parametrize("order", ORDERS)
def test_floors_do_not_depend_on_how_far_others_looked(order: tuple[str, ...]) -> None:
    question = small_question(training(layers=6, batch=3, choices=PIPELINES.only({"order": order})), devices=3)
    point = question.space.points.point(0)
    brancher = Brancher(question.on(point))
    listed = tuple((variant, 0.0) for variant in variants(question.on(point)))
    far = evaluate(question, 0, brancher, point, listed, inf)
    assert far.seconds < inf
    for cutoff in (0.5 * far.seconds, 0.97 * far.seconds, far.seconds, 2 * far.seconds):
        near = evaluate(question, 0, brancher, point, listed, cutoff)
        assert near.floor(cutoff, listed, inf) == pytest.approx(far.floor(cutoff, listed, inf), rel=CLOSE)
        assert near.seconds == (far.seconds if cutoff >= far.seconds else inf)
    assert np.isfinite(far.floor(inf, listed, inf))
