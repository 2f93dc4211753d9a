"""Are bounds on chips true bounds, and does the search find what evaluating every chip finds?"""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import pytest
from questions import brute, fewer, points_of, score_of, small_question, training

from intarsia.cost.systolic import systolic_cycles, systolic_seconds
from intarsia.graph import Contraction, Variant
from intarsia.machines.chips import Mapping
from intarsia.machines.template import PHAZE, Point, chip_of, single
from intarsia.place import Choices
from intarsia.place.branches import Brancher, Space
from intarsia.place.nodes import least_seconds
from intarsia.place.profile import demands
from intarsia.place.space import variants
from intarsia.search import Known, Objective, Per, Several, audit, crew, ladder, search
from intarsia.search.evaluate import evaluate
from intarsia.search.rough import Rough
from intarsia.search.shares import Shares, others

CLOSE = 1e-9
ONE = Choices().only({"zero": ("1",), "context": ("1",), "microbatch": ("1", "2"), "order": ("1f1b",)})
SPEC = "conv2d:n=4,c=32,h=28,w=28,k=32,r=3,s=3,pad=1,groups=32"


TWO = (training(layers=2, choices=ONE), training(hidden=1024, layers=2, batch=8, choices=ONE))
QUESTIONS = {
    "one": small_question(),
    "three devices": small_question(training(hidden=1024, batch=7), devices=3),
    "little memory": fewer(small_question(training(hidden=2048, batch=8, choices=ONE), gib=4)),
    "padded": replace(small_question(training(heads=16)), mapping=Mapping.PADDED),
    "for each mm2": replace(small_question(), objective=Objective(Per.AREA)),
    "for each watt": replace(small_question(), objective=Objective(Per.WATT)),
    "two": replace(small_question(*TWO), objective=Objective(references=(0.01, 0.02))),
    "the worst of two": replace(small_question(*TWO), objective=Objective(Per.CHIP, Several.WORST, (0.01, 0.03))),
    "two for each dollar": replace(small_question(*TWO), objective=Objective(Per.DOLLAR, references=(0.01, 0.02))),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_search_finds_what_evaluating_every_chip_finds(name: str) -> None:
    question = QUESTIONS[name]
    seconds = brute(question)
    scores = score_of(question, seconds)
    found = search(question)
    assert found.score == pytest.approx(min(scores), rel=CLOSE)
    assert scores[found.row] == pytest.approx(found.score, rel=CLOSE)
    assert list(found.seconds) == pytest.approx(list(seconds[:, found.row]), rel=CLOSE)
    assert found.certificate.bound <= found.score
    counts = found.certificate
    assert counts.bounded + counts.cut + counts.evaluated == counts.points == len(scores)
    assert len(found.looked) == counts.cut + counts.evaluated
    for one in found.looked:
        assert one.floor <= scores[one.row] * (1 + CLOSE)
        assert not one.whole or one.score == pytest.approx(scores[one.row], rel=CLOSE)


@pytest.mark.parametrize("name", ["one", "two for each dollar"])
def test_the_answer_does_not_depend_on_the_number_of_workers(name: str) -> None:
    told = set()
    for workers in (1, 2, 4):
        with crew(QUESTIONS[name], workers) as hands, others(QUESTIONS[name], workers) as handles:
            one = search(QUESTIONS[name], crew=hands, shares=Shares(handles))
        told.add((one.row, one.score, one.seconds, one.point, one.certificate, one.looked))
    assert len(told) == 1


def test_several_spaces_of_memory_are_one_search() -> None:
    question = small_question(training(hidden=2048, batch=8, choices=ONE))
    question = fewer(replace(question, space=replace(question.space, hbm_gib=(1, 4, 16))))
    found = search(question)
    assert found.score == pytest.approx(score_of(question, brute(question)).min(), rel=CLOSE)
    assert found.point is not None
    assert found.point.hbm_gib > 1


@pytest.mark.parametrize("mapping", list(Mapping))
def test_no_layer_is_faster_than_its_rough_seconds(mapping: Mapping) -> None:
    """The schedules that plans are made with, on chips of the published space drawn at random."""
    question = replace(small_question(training(hidden=1024, heads=16)), mapping=mapping)
    points = PHAZE.points
    rough = Rough(points, question.cluster, question.efficiency, mapping)
    rows = np.random.default_rng(0).permutation(len(points))[:6]
    for variant in list(variants(question.on(points.point(0))))[::5]:
        groups = rough.groups_of(variant)
        for row in rows.tolist():
            point = points.point(row)
            task = question.on(point)
            alone = Rough(single(point), question.cluster, question.efficiency, mapping)
            for item in demands(task.model, variant, task.cluster).priced(question.efficiency).layers:
                forward, backward = item.layer.forward, item.layer.backward
                one = rows[rows == row]
                cheap = tuple(rough.coarse(nodes, groups, one)[0] for nodes in (forward, backward))
                least = tuple(rough.least(nodes, groups) for nodes in (forward, backward))
                deep = tuple(rough.seconds(nodes, groups, one)[0] for nodes in (forward, backward))
                own = tuple(alone.seconds(nodes, groups, np.zeros(1, dtype=int))[0] for nodes in (forward, backward))
                made = next(iter(item.cost.values()))
                weights = rough.weights(backward, groups, one)[0]
                assert weights == pytest.approx(made.backward.weights, rel=CLOSE)
                made_of = (made.forward.seconds, made.backward.seconds)
                for lowest, low, better, same, list_ in zip(least, cheap, deep, own, made_of, strict=True):
                    assert lowest <= low * (1 + CLOSE)
                    assert low <= better * (1 + CLOSE)
                    assert better == pytest.approx(same, rel=CLOSE)
                    assert better <= list_ * (1 + CLOSE)


@pytest.mark.parametrize("mapping", list(Mapping))
@pytest.mark.parametrize(
    "product",
    [
        Contraction(3, 64, 100, 300), Contraction(3, 1, 4096, 128), Contraction(3, 2048, 12288, 3072),
        Contraction(3, 7, 5, 3), Contraction(32, 4 * 28 * 28, 1, 9, spec=SPEC, unique_bytes=1),
    ],
)  # fmt: skip
def test_cycles_of_a_product_on_many_chips_are_those_on_each(product: Contraction, mapping: Mapping) -> None:
    points = [Point(cores, 1, width, depth, 2) for cores in (1, 8, 512) for width, depth in ((2, 256), (128, 16))]
    count, width, depth = np.array([[p.tensor_cores, p.width, p.depth] for p in points]).T
    for cores in (count, np.ones_like(count)):
        cycles = systolic_cycles(product, mapping, cores, width, depth)
        for point, own, found in zip(points, cores.tolist(), cycles.tolist(), strict=True):
            chip = replace(chip_of(point), mapping=mapping)
            assert found / chip.clock == pytest.approx(systolic_seconds(chip, product, own), rel=CLOSE)


def test_where_nothing_fits_there_is_no_chip() -> None:
    question = small_question(training(hidden=8192, layers=64), devices=2, gib=1)
    found = search(question)
    assert found.point is None
    assert found.score == found.certificate.bound == inf


@pytest.mark.parametrize("front", [Per.CHIP, Per.AREA])
def test_a_variant_that_fits_nowhere_is_searched_for_once(front: Per, monkeypatch: pytest.MonkeyPatch) -> None:
    """States fit, activations do not: the bounds are finite, and only a search for plans says that there are none."""
    question = small_question(replace(training(), sequence=1 << 15), gib=2)
    question = replace(question, objective=Objective(front=front))
    searched: list[Variant] = []

    def counted(space: Space, cutoff: float) -> float:
        searched.extend(branch.variant for branch in space.branches)
        return least_seconds(space, cutoff)

    monkeypatch.setattr(ladder, "least_seconds", counted)
    found = search(question)
    assert found.point is None
    assert (found.certificate.bounded, len(found.looked)) == (found.certificate.points, 0)
    assert searched
    assert len(set(searched)) == len(searched)
    assert (brute(fewer(question)) == inf).all()


def test_of_chips_that_are_equally_fast_the_smallest_is_taken() -> None:
    """A larger buffer than anything needs; chips with it are as fast, and of these the first is no small one."""
    question = small_question()
    question = replace(question, space=replace(question.space, buffer_mib=(16, 2, 64), hbm_gib=(16,)))
    found = search(question)
    assert found.point is not None
    seconds, area = brute(question)[0], question.space.points.area
    equal = np.flatnonzero(seconds <= seconds.min() * (1 + CLOSE))
    assert len(equal) > 1
    assert found.row == equal[np.argmin(area[equal])]


def test_a_cutoff_only_cuts() -> None:
    question = small_question()
    point = points_of(question)[3]
    brancher = Brancher(question.on(point))
    listed = tuple((variant, 0.0) for variant in variants(question.on(point)))
    whole = evaluate(question, 0, brancher, point, listed, inf)
    assert evaluate(question, 0, brancher, point, listed, whole.seconds) == replace(whole, cutoff=whole.seconds)
    cut = evaluate(question, 0, brancher, point, listed, whole.seconds * 0.9)
    assert cut.seconds == cut.bound == inf
    quick = [[(one.variant, min(one.quick, cut.cutoff)) for one in known.variants] for known in (cut, whole)]
    assert quick[0] == quick[1]
    assert cut.floor(whole.seconds * 0.9, listed, inf) <= whole.floor(inf, listed, inf) <= whole.seconds
    assert whole.seconds * 0.5 < cut.floor(whole.seconds * 0.9, listed, inf)
    assert cut.says(whole.seconds * 0.9, listed)
    assert not cut.says(whole.seconds, listed)


def test_an_audit_of_removed_chips_finds_nothing_better() -> None:
    question = QUESTIONS["two"]
    found = search(question)
    checked = audit(question, found, 5)
    assert (checked.checked, checked.beaten) == (5, ())
    assert checked.worst >= found.score


def test_an_audit_sees_a_wrong_answer() -> None:
    question = small_question()
    found = search(question)
    rows = np.delete(np.arange(found.certificate.points), found.row)
    (step,) = found.front
    dearer = replace(step, looked=replace(step.looked, score=2 * found.score))
    wrong = replace(found, score=2 * found.score, front=(dearer,), removed=np.array([found.row, *rows[:2]]))
    assert found.point in [one.point for one in audit(question, wrong, 3).beaten]


def test_a_search_that_is_interrupted_ends_with_the_same_answer() -> None:
    """Ten times, each after a few more evaluations; what was kept is not asked again."""
    question = QUESTIONS["two"]
    whole = search(question)
    kept: dict[Point, tuple[Known, ...]] = {}
    none = (None,) * len(question.trainings)

    class StoppedError(Exception):
        pass

    for turn in range(10):
        budget = 1 + turn % 3

        def keep(point: Point, found: tuple[Known, ...]) -> None:
            nonlocal budget
            kept[point] = found
            budget -= 1
            if budget < 0:
                raise StoppedError

        try:
            again = search(question, remember=lambda point: kept.get(point, none), keep=keep)
        except StoppedError:
            continue
        assert (again.row, again.score) == (whole.row, whole.score)
    again = search(question, remember=lambda point: kept.get(point, none))
    assert (again.row, again.score, again.certificate.bound) == (whole.row, whole.score, whole.certificate.bound)


def test_choices_restrict_the_plans() -> None:
    few = training(choices=Choices().only({"tensor": ("1",), "pipeline": ("2",)}))
    assert search(small_question(few)).score >= search(small_question()).score


def test_the_history_closes_in() -> None:
    found = search(small_question())
    best = [moment.best for moment in found.history]
    bounds = [moment.bound for moment in found.history]
    assert best == sorted(best, reverse=True)
    assert bounds == sorted(bounds)
    assert found.history[-1].best == found.score
    assert found.history[-1].left == 0
