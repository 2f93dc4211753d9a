"""Is the front every chip that no other one beats which costs as little, and are its bounds true?"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from questions import FEW, PLAIN, brute, brute_pairs, drawn, small_question, training

from intarsia.machines.clusters import read_cluster
from intarsia.place.space import variants
from intarsia.search import Known, Objective, Per, Question, Searched, Several, audit, crew, first, search
from intarsia.search.bounding import FRONT, Share
from intarsia.search.candidates import Candidate
from intarsia.search.ladder import ALL, STEP
from intarsia.search.rounds import layers
from intarsia.search.shares import Own, Shares, others
from intarsia.search.staircase import Staircase

CLOSE = 1e-9
TWO = (training(layers=2, choices=PLAIN), training(hidden=1024, layers=1, batch=8, choices=PLAIN))


def asked(front: Per, *, tolerance: float = 0.0, question: Question | None = None) -> Question:
    """A question whose front is searched for."""
    question = question or small_question(training(layers=2, choices=PLAIN))
    return replace(question, objective=replace(question.objective, front=front, tolerance=tolerance))


def enumerated(scores: np.ndarray, costs: np.ndarray) -> list[tuple[float, float]]:
    """Pairs of cost and score of which no other chip has both as low; equal ones once."""
    listed = sorted(zip(costs.tolist(), scores.tolist(), strict=True))
    kept: list[tuple[float, float]] = []
    for cost, score in listed:
        if score < inf and all(score < other * (1 - CLOSE) for _, other in kept):
            kept.append((cost, score))
    return kept


def steps_of(found: Searched) -> list[tuple[float, float]]:
    return [(step.cost, step.looked.score) for step in found.front]


SIZED = replace(
    small_question(training(layers=2, choices=PLAIN)),
    sizes=tuple(read_cluster(f"tpuv4-likex{devices}") for devices in (4, 2, 1)),
)
QUESTIONS = {
    "area": asked(Per.AREA),
    "watts": asked(Per.WATT),
    "dollars": asked(Per.DOLLAR),
    "area, for each watt": asked(Per.AREA, question=replace(SIZED, sizes=(), objective=Objective(Per.WATT))),
    "area of several sizes": asked(Per.AREA, question=SIZED),
    "two, the worst": asked(
        Per.AREA,
        question=replace(small_question(*TWO), objective=Objective(Per.CHIP, Several.WORST, (0.01, 0.03))),
    ),
    "little memory": asked(
        Per.AREA,
        question=replace(
            small_question(training(hidden=2048, layers=2, batch=8, choices=PLAIN)),
            space=replace(FEW, hbm_gib=(1, 4, 16), vector_cores=(8,), buffer_mib=(16,)),
        ),
    ),
    "drawn": asked(Per.WATT, question=drawn(11)),
}


@cache
def every(name: str) -> tuple[np.ndarray, np.ndarray]:
    """The scores of all pairs of a question, and what they cost."""
    return brute_pairs(QUESTIONS[name])


@cache
def searched(name: str, tolerance: float = 0.0) -> Searched:
    its = QUESTIONS[name]
    return search(replace(its, objective=replace(its.objective, tolerance=tolerance)))


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_front_is_what_enumeration_finds(name: str) -> None:
    scores, costs = every(name)
    found, front = searched(name), enumerated(scores, costs)
    assert np.array(steps_of(found)) == pytest.approx(np.array(front), rel=CLOSE)
    assert found.score == front[-1][1] == pytest.approx(scores.min(), rel=CLOSE)
    counts = found.certificate
    assert counts.bounded + counts.cut + counts.evaluated == counts.points == len(scores)
    for one in found.looked:
        assert one.floor <= scores[one.row] * (1 + CLOSE)
        assert not one.whole or one.score == pytest.approx(scores[one.row], rel=CLOSE)


def test_fronts_of_these_questions_are_fronts() -> None:
    """Chips are removed, and of those that are looked at not all are on the front: else nothing was proved."""
    found = {name: searched(name) for name in QUESTIONS}
    assert sum(one.certificate.bounded for one in found.values()) > len(found)
    assert sum(len(one.looked) > len(one.front) > 1 for one in found.values()) > len(found) // 2


@pytest.mark.parametrize("name", ["area", "area of several sizes", "little memory"])
def test_no_chip_beats_the_bound_of_a_step(name: str) -> None:
    (scores, costs), front = every(name), searched(name).front
    for step, below in zip(front, [*(one.cost for one in front[1:]), inf], strict=True):
        assert step.bound <= scores[costs < below].min() * (1 + CLOSE)
        assert 0 <= step.gap < 0.5


@pytest.mark.parametrize("tolerance", [0.05])
@pytest.mark.parametrize("name", QUESTIONS)
def test_with_a_tolerance_every_chip_is_nearly_dominated(name: str, tolerance: float) -> None:
    (scores, costs), found = every(name), searched(name, tolerance)
    for score, cost in zip(scores, costs, strict=True):
        best = min((step.looked.score for step in found.front if step.cost <= cost), default=inf)
        assert score == inf or best <= score * (1 + tolerance) * (1 + CLOSE)
    assert len(found.looked) <= len(searched(name).looked) + 12, "a tolerance costs work"
    for step, below in zip(found.front, [*(one.cost for one in found.front[1:]), inf], strict=True):
        assert step.bound <= scores[costs < below].min() * (1 + CLOSE)


@pytest.mark.parametrize("tolerance", [0.0, 0.02])
@pytest.mark.parametrize("seed", range(6))
def test_fronts_of_questions_drawn_at_random(seed: int, tolerance: float) -> None:
    """Any objective, one training or two, one memory or two, and a front by area, watts or dollars."""
    front = (Per.AREA, Per.WATT, Per.DOLLAR)[seed % 3]
    question = asked(front, question=drawn(20 + seed))
    scores, costs = enumerated_of(20 + seed, front)
    found = search(replace(question, objective=replace(question.objective, tolerance=tolerance)))
    if not tolerance:
        assert np.array(steps_of(found)) == pytest.approx(np.array(enumerated(scores, costs)), rel=CLOSE)
    for score, cost in zip(scores, costs, strict=True):
        best = min((step.looked.score for step in found.front if step.cost <= cost), default=inf)
        assert score == inf or best <= score * (1 + tolerance) * (1 + CLOSE)
    for step, below in zip(found.front, [*(one.cost for one in found.front[1:]), inf], strict=True):
        assert step.bound <= scores[costs < below].min() * (1 + CLOSE)
    assert audit(question, found, 4).beaten == () or tolerance


@cache
def enumerated_of(seed: int, front: Per) -> tuple[np.ndarray, np.ndarray]:
    """The scores of all chips of a drawn question, and what they cost."""
    return brute_pairs(asked(front, question=drawn(seed)))


@pytest.mark.parametrize("tolerance", [0.0, 0.05])
def test_the_front_does_not_depend_on_the_number_of_workers(tolerance: float) -> None:
    question = asked(Per.AREA, tolerance=tolerance, question=SIZED)
    alone = search(question)
    told = {(alone.row, alone.score, alone.certificate, alone.looked, alone.front)}
    for evaluating, bounding in ((2, 2), (4, 1)):
        with crew(question, evaluating) as hands, others(question, bounding) as handles:
            one = search(question, crew=hands, shares=Shares(handles))
        told.add((one.row, one.score, one.certificate, one.looked, one.front))
    assert len(told) == 1


@pytest.mark.parametrize("tolerance", [0.0, 0.05])
def test_a_front_that_is_interrupted_goes_on_where_it_was(tolerance: float) -> None:
    question = asked(Per.AREA, tolerance=tolerance)
    whole = search(question)
    kept: dict[Candidate, tuple[Known, ...]] = {}

    class StoppedError(Exception):
        pass

    def keep(its: Candidate, found: tuple[Known, ...]) -> None:
        again.append(kept.get(its) == found)
        kept[its] = found
        if len(again) > 2 + sum(again):
            raise StoppedError

    stopped = 0
    for _ in range(len(whole.looked)):
        again: list[bool] = []
        try:
            found = search(question, remember=lambda its: kept.get(its, (None,)), keep=keep)
        except StoppedError:
            stopped += 1
            continue
        assert (found.certificate, found.looked, found.front) == (whole.certificate, whole.looked, whole.front)
        break
    assert stopped > 1
    assert len(kept) == len(whole.looked), "a chip was looked at that an undisturbed search does not look at"


@pytest.mark.parametrize("name", ["area", "area of several sizes"])
def test_without_chips_to_begin_with_the_front_is_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = searched(name)
    monkeypatch.setattr(first, "SPREAD", 1)
    assert steps_of(search(QUESTIONS[name])) == steps_of(whole)


@pytest.mark.parametrize("tolerance", [0.0, 0.05])
def test_where_nothing_fits_the_search_for_a_front_ends(tolerance: float) -> None:
    """States fit, activations do not: no bound says so at once, and no limit removes a chip."""
    question = small_question(replace(training(choices=PLAIN), sequence=1 << 15), gib=2)
    found = search(asked(Per.AREA, tolerance=tolerance, question=question))
    assert (found.front, found.score) == ((), inf)
    assert found.certificate.evaluated == 0


def test_an_audit_of_removed_chips_finds_none_beyond_the_front() -> None:
    question, found = QUESTIONS["area of several sizes"], searched("area of several sizes")
    assert audit(question, found, 6).beaten == ()
    # A front without its cheaper steps says that nothing cheaper is good, which chips on these steps belie.
    wrong = replace(found, front=found.front[-1:], removed=np.array([step.looked.row for step in found.front[:-1]]))
    assert len(audit(question, wrong, 99).beaten) == len(found.front) - 1


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), max_size=12), st.floats(0, 0.5))
def test_a_staircase_says_the_lowest_score_that_costs_no_more(pairs: list[tuple[int, int]], tolerance: float) -> None:
    stairs, strict = (Staircase(tolerance, ties=ties) for ties in (True, False))
    for cost, score in pairs:
        stairs.add(float(cost), float(score))
        strict.add(float(cost), float(score))
    asked_at = np.arange(0.5, 10)
    told = stairs.limits(asked_at)
    for cost, limit in zip(asked_at.tolist(), told.tolist(), strict=True):
        least = min((score for own, score in pairs if own <= cost), default=inf)
        assert limit == stairs.limit(cost) == pytest.approx(least / (1 + tolerance), rel=1e-8)
        assert least == inf or strict.limit(cost) * (1 + tolerance) < least < limit * (1 + tolerance)
    assert stairs.least == min((score for _, score in pairs), default=inf)


@pytest.mark.parametrize("exact", [False, True])
def test_a_rung_bounds_those_below_it(exact: bool) -> None:  # noqa: FBT001 (a parameter of a test)
    """With all but the main layer as it was, plans take less than in proportion: never below what ``between`` says."""
    question = small_question(training(layers=6, batch=12))
    share, point = Share(question), question.space.points.point(0)
    share.begin(point, [tuple(enumerate(variants(question.on(point))))])
    for _, ladder in share._ladders[0]:
        at = ladder.best if exact else lambda rung, filling, _, ladder=ladder: ladder.bound(rung, filling)
        for rung, over in ((0, 16), (48, 64), (100, 356)):
            low, high = (at(one, ALL, inf) for one in (rung, over))
            assert high * STEP ** (rung - over) <= low * (1 + CLOSE)


@pytest.mark.parametrize("name", ["area", "drawn"])
def test_every_step_of_a_front_bounds_the_best_plans(name: str) -> None:
    question = QUESTIONS[name]
    groups = {(p.hbm_gib, p.link_bandwidth) for p in question.space.points}
    shares, scores = Shares([Own(question)]), brute(question)
    for gib, _ in groups:
        rows = np.flatnonzero(question.space.points.hbm_gib == gib)
        point = question.space.points.point(int(rows[0]))
        shares.begin(point, [tuple(variants(question.on(point, at))) for at in range(len(question.trainings))])
        shares.rows(rows, [inf] * len(question.trainings))
        for at in range(len(question.trainings)):
            for step in FRONT:
                low = shares.climb(at, step, np.full(len(rows), inf))
                assert (low <= scores[at, rows] * (1 + CLOSE)).all()
            places, far = np.arange(len(rows)), np.full(len(rows), inf)
            quick = shares.own(at, places, far)
            own = shares.plans(at, places, far, far)
            assert (low <= quick).all()
            assert (quick <= own).all()
            assert (own <= scores[at, rows] * (1 + CLOSE)).all()
            assert (own >= scores[at, rows] * 0.8).all(), "no chip's own bound is far from its best plan"
            assert (own > low * (1 + CLOSE)).any()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), max_size=14))
def test_a_chip_is_as_deep_as_the_longest_chain_that_leads_to_it(pairs: list[tuple[int, int]]) -> None:
    listed = sorted(pairs)
    depths: list[int] = []
    for at, (_, bound) in enumerate(listed):
        before = [depth for depth, (_, own) in zip(depths, listed[:at], strict=True) if own <= bound]
        depths.append(max(before, default=-1) + 1)
    assert layers(np.array([float(bound) for _, bound in listed])).tolist() == depths
