"""Is the number of chips chosen with the chip, by one search with one certificate?"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from math import inf

import numpy as np
import pytest
from questions import PLAIN, brute_pairs, pairs_of, small_question, training

from intarsia.machines.clusters import read_cluster
from intarsia.search import Candidates, Objective, Per, Question, Searched, Several, Total, audit, crew, search

CLOSE = 1e-9
SIZES = tuple(read_cluster(f"tpuv4-likex{devices}") for devices in (8, 4, 2))


def sized(*trainings: object, objective: Objective | None = None, total: Total | None = None) -> Question:
    """A question with three clusters."""
    question = small_question(*(trainings or (training(layers=2, choices=PLAIN),)), devices=8)  # type: ignore[arg-type]
    return replace(question, sizes=SIZES, objective=objective or Objective(), total=total or Total())


TWO = (training(layers=2, choices=PLAIN), training(hidden=1024, layers=1, batch=8, choices=PLAIN))
QUESTIONS = {
    "throughput": sized(),
    "for each mm2": sized(objective=Objective(Per.AREA)),
    "for each watt": sized(objective=Objective(Per.WATT)),
    "within dollars": sized(total=Total(dollars=1400.0)),
    "for each dollar within watts and mm2": sized(objective=Objective(Per.DOLLAR), total=Total(300.0, 400.0)),
    "the worst of two": sized(
        *TWO, objective=Objective(Per.CHIP, Several.WORST, (0.01, 0.03)), total=Total(area=250.0)
    ),
}


@cache
def searched(name: str) -> Searched:
    return search(QUESTIONS[name])


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_search_finds_what_evaluating_every_pair_finds(name: str) -> None:
    question = QUESTIONS[name]
    scores, _ = brute_pairs(question)
    found = searched(name)
    assert found.score == pytest.approx(scores.min(), rel=CLOSE)
    assert scores[found.row] == pytest.approx(found.score, rel=CLOSE)
    assert (found.point, found.devices) == pairs_of(question)[found.row]
    counts = found.certificate
    assert counts.bounded + counts.cut + counts.evaluated == counts.points == len(scores)
    assert sum(count for _, count in counts.sizes) == counts.points
    assert counts.bound <= found.score
    for one in found.looked:
        assert one.floor <= scores[one.row] * (1 + CLOSE)
        assert not one.whole or one.score == pytest.approx(scores[one.row], rel=CLOSE)


def test_what_is_best_is_not_always_the_largest_cluster() -> None:
    """Else nothing here would tell one search from that of the largest cluster alone."""
    assert {searched(name).devices for name in QUESTIONS} >= {8, 2}
    assert searched("within dollars").devices < 8


def test_the_total_leaves_out_pairs_and_nothing_else() -> None:
    question = sized(total=Total(area=150.0, dollars=3000.0))
    candidates = Candidates(question)
    rows = [candidates.at(row) for row in range(len(candidates))]
    assert [(one.point, one.devices) for one in rows] == pairs_of(question)
    assert 0 < len(rows) < 3 * len(question.space.points)
    assert candidates.costs(Per.AREA) == pytest.approx([one.devices * one.point.area for one in rows])
    assert candidates.costs(Per.AREA).max() <= 150.0


def test_one_size_is_the_same_as_none_named() -> None:
    alone = small_question(training(layers=2, choices=PLAIN))
    one, other = search(alone), search(replace(alone, sizes=(alone.cluster,)))
    assert (one.row, one.score, one.certificate, one.looked) == (
        other.row,
        other.score,
        other.certificate,
        other.looked,
    )


def test_several_memories_and_sizes_are_one_search() -> None:
    question = sized(training(hidden=2048, layers=2, batch=8, choices=PLAIN), total=Total(watts=500.0))
    space = replace(question.space, tensor_cores=(16,), vector_cores=(8,), buffer_mib=(2, 16), hbm_gib=(1, 4, 16))
    question = replace(question, space=space)
    scores, _ = brute_pairs(question)
    found = search(question)
    assert np.isfinite(scores).any()
    assert np.isinf(scores).any()
    assert found.score == pytest.approx(scores.min(), rel=CLOSE)


def test_the_answer_does_not_depend_on_the_number_of_workers() -> None:
    told = set()
    for workers in (1, 2):
        with crew(QUESTIONS["for each watt"], workers) as hands:
            one = search(QUESTIONS["for each watt"], crew=hands)
        told.add((one.row, one.devices, one.score, one.certificate, one.looked, one.front))
    assert len(told) == 1


def test_an_audit_draws_from_every_size() -> None:
    question, found = QUESTIONS["for each mm2"], searched("for each mm2")
    checked = audit(question, found, 12)
    assert (checked.checked, checked.beaten) == (12, ())
    wrong = replace(found, front=(replace(found.front[0], looked=replace(found.front[0].looked, score=inf)),))
    assert audit(question, wrong, 12).beaten


def test_where_the_total_allows_none_there_is_no_chip() -> None:
    found = search(sized(total=Total(dollars=1.0)))
    assert found.point is None
    assert found.certificate.points == 0
