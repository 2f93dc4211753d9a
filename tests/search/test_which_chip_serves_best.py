"""Is the chip that serves best the best of all chips, and does its certificate say why?"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from serving_questions import FEW, QUESTIONS, asked, costs

from intarsia.flow.serving_question import ServingWanted
from intarsia.flow.serving_search import search_serving_chip
from intarsia.ground import InputError
from intarsia.place.serving import (
    Chains,
    best_serving,
    bound_tokens,
    bound_with_messages,
    most_tokens,
    rated_cuts,
)
from intarsia.search import audit_serving, search_serving
from intarsia.search.serving import rates_of
from intarsia.solvers import Found


@cache
def brute(name):
    """Tokens per second of every chip, from ``serve`` itself."""
    found, question = [], QUESTIONS[name]
    for point in question.space.points:
        outcome = best_serving(question.on(point), runners=0)
        found.append(outcome.value.pace.tokens_per_second if isinstance(outcome, Found) else 0.0)
    return np.array(found)


@pytest.mark.parametrize("name", [name for name in QUESTIONS if not name.startswith("no ")])
def test_no_chip_is_better_and_every_bound_holds(name):
    question = QUESTIONS[name]
    tokens, weights = brute(name), costs(question)
    scores = tokens / weights
    found = search_serving(question)
    proof = found.certificate
    assert found.score == pytest.approx(scores.max(), rel=1e-12)
    assert scores.max() > 0
    assert scores[found.row] == pytest.approx(found.score, rel=1e-12)
    assert found.point == question.space.points.point(found.row)
    assert found.served.pace.tokens_per_second == pytest.approx(tokens[found.row], rel=1e-12)
    assert proof.points == len(scores) == proof.bounded + proof.cut + proof.evaluated
    assert len(found.removed) == proof.bounded
    assert found.row not in found.removed
    assert found.score <= proof.bound
    assert 0 <= found.gap < 1
    assert audit_serving(question, found, 3).beaten == ()


def test_an_answer_is_always_the_same():
    first, again = (search_serving(QUESTIONS["plain"]) for _ in range(2))
    assert (first.row, first.score, first.certificate) == (again.row, again.score, again.certificate)


def test_most_chips_are_removed():
    proof = search_serving(QUESTIONS["plain"]).certificate
    assert proof.bounded > 0.5 * proof.points
    assert proof.evaluated >= 1


@pytest.mark.parametrize("name", ["plain", "links", "tpot", "dollar", "prefill"])
def test_rates_bound_every_chip_that_has_none_above_them(name):
    question = QUESTIONS[name]
    chains, points = Chains(question.task.model), question.space.points
    rates, tokens = rates_of(points), brute(name)
    whole = bound_with_messages(question.with_rates(rates.max(axis=0)), chains)
    assert tokens.max() <= whole
    for row in range(0, len(points), 3):
        own = bound_with_messages(question.with_rates(rates[row]), chains)
        assert tokens[row] <= own <= whole
        # Rates are all that a bound knows of a chip.
        on = question.on(points.point(row))
        assert own == pytest.approx(bound_with_messages(on, chains), rel=1e-6)
        assert own <= bound_tokens(on, chains) * (1 + 1e-9)


@pytest.mark.parametrize("name", ["plain", "tpot", "ttft", "experts"])
@pytest.mark.parametrize("share", [0.0, 0.9, 0.999])
def test_what_must_be_exceeded_changes_no_answer(name, share):
    question = QUESTIONS[name]
    chains = Chains(question.task.model)
    for row in range(0, len(question.space.points), 5):
        task = question.on(question.space.points.point(row))
        best, _ = most_tokens(task, chains)
        cuts = rated_cuts(task, chains, share * best)
        for tokens, served in (most_tokens(task, chains, share * best), cuts.most_tokens(task, chains, share * best)):
            assert tokens == best
            assert (served is None) == (best == 0)
        assert cuts.most_tokens(task, chains, best) == (best, None)


def test_an_audit_finds_a_wrong_answer():
    question = QUESTIONS["plain"]
    right = search_serving(question)
    tokens = brute("plain")
    poor = int(np.argmin(tokens))
    everything = np.delete(np.arange(len(tokens)), poor)
    wrong = replace(right, row=poor, point=question.space.points.point(poor), score=float(tokens[poor]),
                    removed=everything)  # fmt: skip
    found = audit_serving(question, wrong, len(tokens))
    assert found.checked == len(everything)
    assert len(found.beaten) == int((tokens > tokens[poor] * (1 + 1e-9)).sum())
    assert right.point in found.beaten
    assert audit_serving(question, wrong, 5, seed=3).checked == 5


@pytest.mark.parametrize(("name", "reason"), [("no memory", "weights"), ("no tpot", "tpot"), ("no ttft", "ttft")])
def test_where_no_chip_serves_the_certificate_says_so(name, reason):
    question = QUESTIONS[name]
    found = search_serving(question)
    assert (found.row, found.point, found.served, found.score, found.gap) == (-1, None, None, 0.0, 0.0)
    assert found.certificate.evaluated == 0
    tasks = [question.on(point) for point in question.space.points]
    assert all(most_tokens(task, Chains(task.model)) == (0.0, None) for task in tasks[::4])
    outcome = best_serving(question.on(found.nearest))
    assert reason in outcome.because[0]


FILE = """
name = "small"
[chips]
tensor_cores = [1, 16]
vector_cores = [1, 8]
width = [64]
depth = [32, 64]
buffer_mib = [2, 16]
hbm_gib = [16]
[budget]
area_mm2 = 120
"""


@pytest.fixture
def small(tmp_path):
    (tmp_path / "small.toml").write_text(FILE)
    return str(tmp_path / "small.toml")


def test_the_deployment_on_the_best_chip_is_the_one_of_serve(small):
    answer = search_serving_chip(
        "gpt2", "tpuv4x2", ServingWanted(64, 8), space=small, audited=4, objective="throughput-per-watt"
    )
    assert answer.plan.pace == answer.searched.served.pace
    watts = 2 * answer.searched.point.watts
    assert answer.searched.score == pytest.approx(answer.plan.pace.tokens_per_second / watts)
    assert (answer.audit.checked, answer.audit.beaten) == (4, ())


def test_limits_that_no_chip_meets_are_an_answer(small):
    answer = search_serving_chip("gpt2", "tpuv4x2", ServingWanted(64, 8, ttft=1e-6), space=small)
    assert answer.plan is None
    assert "ttft" in answer.outcome.because[0]
    assert "ttft" in answer.outcome.relaxation


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"objective": "speed"}, "unknown objective"),
        ({"audited": -1}, "audit is negative"),
        ({"hbm_gib": (0,)}, "a capacity is not positive"),
        ({"space": "wide", "hbm_gib": (32,)}, "HBM comes in stacks"),
        ({"space": "phase"}, "unknown space of chips"),
    ],
)
def test_what_is_wrong_is_refused(small, wrong, text):
    with pytest.raises(InputError, match=text):
        search_serving_chip("gpt2", "tpuv4x2", ServingWanted(64, 8), **{"space": small} | wrong)


def test_chips_with_a_second_kind_of_tensor_cores():
    question = asked(replace(FEW, more_cores=(0, 8), more_width=(0, 16), more_depth=(0, 32)))
    points = question.space.points
    assert 0 < (points.more_cores > 0).sum() < len(points)
    scores = []
    for point in points:
        outcome = best_serving(question.on(point), runners=0)
        scores.append(outcome.value.pace.tokens_per_second if isinstance(outcome, Found) else 0.0)
    found = search_serving(question)
    assert found.score == pytest.approx(max(scores), rel=1e-9)
    assert found.certificate.bound >= found.score
    assert audit_serving(question, found, 5).beaten == ()
    chains = Chains(question.task.model)
    for rates, score in zip(rates_of(points), scores, strict=True):
        assert bound_with_messages(question.with_rates(rates), chains) >= score * (1 - 1e-9)
