"""Chips with a second kind of tensor cores: does the search find the best one, and are its bounds true bounds?"""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import pytest
from questions import PLAIN, brute, score_of, small_question, training

from intarsia.machines.chips import Mapping
from intarsia.machines.template import Point, TemplateSpace, columns_of, single
from intarsia.models import read_model
from intarsia.place import Choices
from intarsia.place.profile import demands
from intarsia.place.space import variants
from intarsia.search import Objective, Per, Question, Training, audit, search
from intarsia.search.bounding import Share, steps
from intarsia.search.rough import Rough

CLOSE = 1e-9
ZERO_BUBBLE = replace(PLAIN, order=Choices().only({"order": ("zero-bubble",)}).order, pipeline=(2,))
TWO_KINDS = TemplateSpace(
    name="two kinds",
    tensor_cores=(1, 4),
    vector_cores=(8,),
    width=(64,),
    depth=(64,),
    buffer_mib=(16,),
    hbm_gib=(16,),
    budget=120.0,
    least=0.01,
    more_cores=(0, 2, 16),
    more_width=(0, 32),
    more_depth=(0, 16),
)


def on_two_kinds(*trainings: Training) -> Question:
    question = small_question(*trainings, devices=2)
    return replace(question, space=TWO_KINDS)


def images() -> Training:
    """A few depthwise and pointwise convolutions."""
    return Training(read_model("mobilenet-v2"), 8, 0, PLAIN)


QUESTIONS = {
    "a transformer": on_two_kinds(training(choices=PLAIN)),
    "zero bubble": on_two_kinds(training(layers=4, choices=ZERO_BUBBLE)),
    "images": on_two_kinds(images()),
    "both, for each mm2": replace(
        on_two_kinds(training(choices=PLAIN), images()), objective=Objective(Per.AREA, references=(0.01, 0.02))
    ),
}


def test_the_space_has_chips_of_both_sorts() -> None:
    more = TWO_KINDS.points.more_cores
    assert 0 < (more == 0).sum() < (more > 0).sum()


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_search_finds_what_evaluating_every_chip_finds(name: str) -> None:
    question = QUESTIONS[name]
    seconds = brute(question)
    scores = score_of(question, seconds)
    found = search(question)
    assert found.score == pytest.approx(min(scores), rel=CLOSE)
    assert scores[found.row] == pytest.approx(found.score, rel=CLOSE)
    assert found.certificate.bound <= found.score
    for one in found.looked:
        assert one.floor <= scores[one.row] * (1 + CLOSE)
        assert not one.whole or one.score == pytest.approx(scores[one.row], rel=CLOSE)
    checked = audit(question, found, 2)
    assert checked.beaten == ()
    assert checked.worst >= found.score * (1 - CLOSE)


@pytest.mark.parametrize("name", ["zero bubble", "images"])
def test_every_bound_is_below_the_best_plan(name: str) -> None:
    question = QUESTIONS[name]
    points = question.space.points
    share = Share(question)
    rows = np.arange(len(points))
    numbered = tuple(enumerate(variants(question.on(points.point(0)))))
    share.begin(points.point(0), [numbered])
    share.rows(rows, [inf])
    for step in steps(1):
        bounds = share.climb(0, step, np.full(len(rows), inf))
    for bound, seconds in zip(bounds, brute(question)[0], strict=True):
        assert bound <= seconds * (1 + CLOSE)
    assert max(bounds) > 1.05 * min(bounds), "bounds that do not tell chips apart prove nothing"


@pytest.mark.parametrize("mapping", list(Mapping))
@pytest.mark.parametrize("name", ["a transformer", "images"])
def test_no_layer_is_faster_than_its_rough_seconds(name: str, mapping: Mapping) -> None:
    """Nor are its weight gradients slower; on chips whose kinds differ in all ways, and on one with one kind."""
    question = replace(QUESTIONS[name], mapping=mapping)
    few = [
        Point(4, 8, 128, 128, 16, more_cores=64, more_width=32, more_depth=16),
        Point(64, 8, 16, 32, 16, more_cores=2, more_width=256, more_depth=128),
        Point(3, 8, 64, 64, 2, more_cores=3, more_width=64, more_depth=64),
        Point(8, 2, 128, 128, 16),
    ]
    rough = Rough(columns_of(few), question.cluster, question.efficiency, mapping)
    near = 0
    for variant in list(variants(question.on(few[0])))[::4]:
        groups = rough.groups_of(variant)
        for row, point in enumerate(few):
            task, one = question.on(point), np.array([row])
            alone = Rough(single(point), question.cluster, question.efficiency, mapping)
            for item in demands(task.model, variant, task.cluster).priced(question.efficiency).layers:
                made = next(iter(item.cost.values()))
                for nodes, cost in ((item.layer.forward, made.forward), (item.layer.backward, made.backward)):
                    low, deep = rough.coarse(nodes, groups, one)[0], rough.seconds(nodes, groups, one)[0]
                    assert rough.least(nodes, groups) <= low * (1 + CLOSE)
                    assert low <= deep * (1 + CLOSE)
                    assert deep == pytest.approx(alone.seconds(nodes, groups, np.zeros(1, dtype=int))[0], rel=CLOSE)
                    assert deep <= cost.seconds * (1 + CLOSE)
                    assert rough.weights(nodes, groups, one)[0] >= cost.weights * (1 - CLOSE)
                    near += deep > 0.7 * cost.seconds
    assert near > 20


def test_a_second_kind_makes_no_plan_slower() -> None:
    question = QUESTIONS["a transformer"]
    with_both = [Point(4, 8, 64, 64, 16, 16, more_cores=8, more_width=32, more_depth=32), Point(4, 8, 64, 64, 16, 16)]
    for variant in list(variants(question.on(with_both[0])))[::3]:
        seconds = []
        for point in with_both:
            task = question.on(point)
            layers = demands(task.model, variant, task.cluster).priced(question.efficiency).layers
            seconds.append([cost.seconds for item in layers for cost in item.cost.values()])
        assert all(two <= one * (1 + CLOSE) for two, one in zip(*seconds, strict=True))
        assert sum(seconds[0]) < sum(seconds[1])
