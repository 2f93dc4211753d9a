"""Are bounds on chips true bounds, and does the search find what evaluating every chip finds?"""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import pytest
from questions import points_of, small_question

from intarsia.cost.systolic import systolic_seconds
from intarsia.graph import Contraction
from intarsia.machines.template import PHAZE, Point, chip_of, single
from intarsia.place import Choices, best_plan
from intarsia.place.branches import Brancher
from intarsia.place.profile import demands
from intarsia.place.space import variants
from intarsia.search import Evaluated, Question, audit, search
from intarsia.search.evaluate import evaluate
from intarsia.search.ladder import ladders
from intarsia.search.rough import Rough, systolic_column
from intarsia.search.workers import Job
from intarsia.solvers import Found

CLOSE = 1e-9


def brute(question: Question) -> list[float]:
    """The seconds of every chip's best plan, from ``plan`` itself."""
    found = []
    for point in points_of(question):
        task = question.on(point)
        outcome = best_plan(
            task.model, task.cluster, question.efficiency, task.global_batch, task.sequence, task.choices, compare=False
        )
        found.append(outcome.value.seconds if isinstance(outcome, Found) else inf)
    return found


@pytest.mark.parametrize(
    "question",
    [
        small_question(),
        small_question(hidden=1024, devices=3, batch=7),
        small_question(hidden=2048, devices=4, gib=2, batch=8),
    ],
)
def test_the_search_finds_what_evaluating_every_chip_finds(question: Question) -> None:
    seconds = brute(question)
    for workers in (1, 2):
        found = search(question, workers=workers)
        assert found.seconds == pytest.approx(min(seconds), rel=CLOSE)
        assert seconds[found.row] == pytest.approx(found.seconds, rel=CLOSE)
        assert found.certificate.bound <= found.seconds
        counts = found.certificate
        assert counts.bounded + counts.cut + counts.evaluated == counts.points == len(seconds)
    assert search(question).row == search(question, workers=2).row


def test_every_bound_is_below_the_best_plan() -> None:
    question = small_question()
    points = question.space.points
    rough = Rough(points, question.cluster, question.efficiency)
    rows = np.arange(len(points))
    every = ladders(question, rough, points.point(0))
    bounds = np.min([ladder.bounds(rows, inf) for ladder in every], axis=0)
    least = min(ladder.least for ladder in every)
    for bound, seconds in zip(bounds, brute(question), strict=True):
        assert least * (1 - CLOSE) <= bound <= seconds * (1 + CLOSE)
    assert max(bounds) > 2 * min(bounds), "bounds that do not tell chips apart prove nothing"


def test_no_layer_is_faster_than_its_rough_seconds() -> None:
    """The schedules that plans are made with, on chips of the published space drawn at random."""
    question = small_question(hidden=1024)
    points = PHAZE.points
    rough = Rough(points, question.cluster, question.efficiency)
    rows = np.random.default_rng(0).permutation(len(points))[:6]
    for variant in list(variants(question.on(points.point(0))))[::5]:
        groups = rough.groups(variant)
        for row in rows.tolist():
            point = points.point(row)
            task = question.on(point)
            alone = Rough(single(point), task.cluster, question.efficiency)
            for item in demands(task.model, variant, task.cluster).priced(question.efficiency).layers:
                forward, backward = item.layer.forward, item.layer.backward
                cheap = rough.seconds(forward, groups)[row], rough.seconds(backward, groups)[row]
                deep = tuple(rough.seconds(nodes, groups, rows[rows == row])[0] for nodes in (forward, backward))
                own = tuple(alone.seconds(nodes, groups, np.zeros(1, dtype=int))[0] for nodes in (forward, backward))
                made = next(iter(item.cost.values()))
                for low, better, same, list_ in zip(
                    cheap, deep, own, (made.forward.seconds, made.backward.seconds), strict=True
                ):
                    assert low <= better * (1 + CLOSE)
                    assert better == pytest.approx(same, rel=CLOSE)
                    assert better <= list_ * (1 + CLOSE)


@pytest.mark.parametrize("work", [(64, 100, 300), (1, 4096, 128), (2048, 12288, 3072), (7, 5, 3)])
def test_cycles_of_a_product_are_those_of_the_cost_model(work: tuple[int, int, int]) -> None:
    product = Contraction(3, *work)
    points = [Point(cores, 1, width, depth, 2) for cores in (1, 8, 512) for width, depth in ((2, 256), (128, 16))]
    arrays = np.array([[p.tensor_cores, p.width, p.depth] for p in points])
    for spread in (False, True):
        cycles = systolic_column(arrays, product, spread=spread)
        for point, found in zip(points, cycles, strict=True):
            chip = chip_of(point)
            cores = point.tensor_cores if spread else 1
            assert found / chip.clock == pytest.approx(systolic_seconds(chip, product, cores), rel=CLOSE)


def test_where_nothing_fits_there_is_no_chip() -> None:
    question = small_question(hidden=8192, layers=64, devices=2, gib=1)
    found = search(question)
    assert found.point is None
    assert found.seconds == found.certificate.bound == inf


def test_a_cutoff_only_cuts() -> None:
    question = small_question()
    point = points_of(question)[3]
    brancher = Brancher(question.on(point))
    listed = [(variant, 0.0) for variant in variants(question.on(point))]
    whole = evaluate(question, brancher, point, listed)
    assert evaluate(question, brancher, point, listed, whole.seconds) == whole
    cut = evaluate(question, brancher, point, listed, whole.seconds * 0.9)
    assert not cut.whole
    assert whole.seconds * 0.9 < cut.bound <= whole.seconds
    assert cut.floor <= cut.bound


def test_an_audit_of_removed_chips_finds_nothing_better() -> None:
    question = small_question()
    found = search(question)
    checked = audit(question, found, 5)
    assert (checked.checked, checked.beaten) == (5, ())
    assert checked.worst >= found.seconds


def test_an_audit_sees_a_wrong_answer() -> None:
    question = small_question()
    found = search(question)
    rows = np.delete(np.arange(found.certificate.points), found.row)
    wrong = replace(found, seconds=2 * found.seconds, removed=np.array([found.row, *rows[:2]]))
    assert found.point in audit(question, wrong, 3).beaten


def test_a_search_that_is_killed_ends_with_the_same_answer() -> None:
    """Ten kills, each after a few more evaluations; what was kept is not asked again."""
    question = small_question()
    whole = search(question)
    kept: dict[Job, Evaluated] = {}

    class KilledError(Exception):
        pass

    for kill in range(10):
        budget = 1 + kill % 3

        def keep(job: Job, found: Evaluated) -> None:
            nonlocal budget
            kept[job] = found
            budget -= 1
            if budget < 0:
                raise KilledError

        try:
            again = search(question, known=kept.get, keep=keep)
        except KilledError:
            continue
        assert (again.row, again.seconds) == (whole.row, whole.seconds)
    asked = len(kept)
    again = search(question, known=kept.get, keep=kept.__setitem__)
    assert (again.row, again.seconds, again.certificate.bound) == (whole.row, whole.seconds, whole.certificate.bound)
    assert len(kept) >= asked


def test_choices_restrict_the_plans() -> None:
    question = replace(small_question(), choices=Choices().only({"tensor": ("1",), "pipeline": ("2",)}))
    found = search(question)
    assert found.seconds >= search(small_question()).seconds
