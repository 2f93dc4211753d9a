"""Does a chip's ceiling hold for every deployment on it, whatever the schedules of its layers?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from serving_questions import FEW, QUESTIONS, STACKED, asked

from intarsia.graph import Phase
from intarsia.place.profile import PassCost, ScheduledPass
from intarsia.place.serving import Chains, most_tokens
from intarsia.place.serving.cut import all_cuts
from intarsia.place.serving.prices import Prices
from intarsia.place.serving.task import prompts_of
from intarsia.search import search_serving
from intarsia.search.serving.ceilings import ceilings
from intarsia.search.serving.columns import Columns
from intarsia.solvers import Limits

ASKED = {
    **{name: question for name, question in QUESTIONS.items() if not name.startswith("no ")},
    "two kinds": asked(replace(FEW, more_cores=(0, 8), more_width=(0, 16), more_depth=(0, 32)), tpot=9e-4),
    "wide vectors": asked(replace(STACKED, vector_width=(16, 256)), devices=3, ttft=4e-3),
}
FAST = Limits(seconds=1.0)


@pytest.fixture
def shortest(monkeypatch):
    """Layers take what no schedule is shorter than, by the search for the shortest one."""

    def cost(self, cluster, efficiency):
        return PassCost(self.least(cluster, efficiency, FAST), 0.0, 0.0, 0.0)

    monkeypatch.setattr(ScheduledPass, "cost", cost)


def every(task, numbers):
    """Tokens per second of all deployments that fit and meet the limits, with some numbers of sequences."""
    prices = Prices(task, Chains(task.model))
    for cut in all_cuts(prices):
        for prompts in prompts_of(task):
            most = cut.most(prompts)
            for sequences in sorted({prompts, most, *(n for n in numbers if prompts < n < most)}):
                if prompts <= most:
                    served = cut.served(sequences, prompts)
                    if cut.meets(served):
                        yield served.pace.tokens_per_second


@pytest.mark.parametrize("name", ["plain", "experts", "two kinds", "wide vectors"])
@pytest.mark.parametrize("phase", Phase)
def test_many_numbers_of_sequences_are_bounded_together(name, phase):
    question = ASKED[name]
    rows = np.arange(0, len(question.space.points), 3)
    columns, draw = Columns(question, Chains(question.task.model), rows), np.random.default_rng(1)
    for size in (2, 3, 7, 40):
        first = int(draw.integers(1, 300))
        every = [columns.seconds(question.task.serving(phase, n, 2, 1)) for n in range(first, first + size)]
        least = columns.seconds_to(question.task.serving(phase, first, 2, 1), first + size - 1)
        for kind, bound in enumerate(least):
            assert (bound <= np.min([layers[kind] for layers in every], axis=0) * (1 + 1e-12)).all()
            assert (bound >= 0.5 * every[0][kind]).all()


@pytest.mark.parametrize("name", ["plain", "experts", "two kinds", "wide vectors"])
def test_layers_take_no_longer_in_columns_than_on_each_chip(name):
    question = ASKED[name]
    rows = np.arange(0, len(question.space.points), 5)
    chains = Chains(question.task.model)
    columns = Columns(question, chains, rows)
    for serving in (question.task.serving(Phase.DECODE, 33, 2, 1), question.task.serving(Phase.PREFILL, 3, 1, 1)):
        least = np.array(columns.seconds(serving))
        tasks = [question.on(question.space.points.point(row)) for row in rows.tolist()]
        made = np.array([Prices(task, chains).seconds(serving) for task in tasks]).T
        assert (least <= made * (1 + 1e-9)).all()
        assert (least >= 0.5 * made).all()


def best_made(question, rows):
    """The best score of the deployments that ``serve`` tries, [rows]."""
    chains, points = Chains(question.task.model), question.space.points
    tokens = [most_tokens(question.on(points.point(row)), chains)[0] for row in rows.tolist()]
    return np.array(tokens) / question.costs[rows]


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.usefixtures("shortest")
def test_no_deployment_exceeds_it(name):
    question = ASKED[name]
    rows = np.arange(len(question.space.points))[:: max(len(question.space.points) // 3, 1)]
    known = 0.97 * best_made(question, rows).max()
    found = ceilings(question, Chains(question.task.model), rows, known)
    some = {1, 2, 5, 8, 31, 100, *np.random.default_rng(0).integers(1, 4096, 4).tolist()}
    best = np.zeros(len(rows))
    for at, row in enumerate(rows.tolist()):
        tokens = every(question.on(question.space.points.point(row)), some)
        best[at] = max(tokens, default=0.0) / question.costs[row]
    assert best.max() > 0
    assert (best <= found * (1 + 1e-9)).all()


@pytest.mark.parametrize("name", ["tpot", "ttft", "prefill", "two kinds"])
def test_it_is_near_the_best_deployment(name):
    question = ASKED[name]
    rows = np.arange(0, len(question.space.points), 7)
    made = best_made(question, rows)
    found = ceilings(question, Chains(question.task.model), rows, 0.98 * made.max())
    assert (found >= made * (1 - 1e-9)).all()
    assert found.max() <= made.max() * 1.02


def test_it_is_never_below_what_is_known():
    question = QUESTIONS["tpot"]
    rows, chains = np.arange(0, len(question.space.points), 7), Chains(question.task.model)
    made = best_made(question, rows).max()
    low, high = (ceilings(question, chains, rows, share * made) for share in (0.98, 0.99))
    assert low.min() == 0.98 * made
    assert high == pytest.approx(np.maximum(low, 0.99 * made), rel=1e-9)


@pytest.mark.parametrize("name", ["plain", "area", "tpot", "ttft", "dollar", "prefill"])
def test_the_bound_of_a_search_is_that_of_its_chips(name):
    question = QUESTIONS[name]
    found = search_serving(question)
    assert found.certificate.bound == max(one.bound for one in found.looked)
    assert all(one.score <= one.bound * (1 + 1e-9) for one in found.looked)
    rows = np.arange(len(question.space.points))
    everywhere = ceilings(question, Chains(question.task.model), rows, found.score)
    assert found.certificate.bound >= everywhere.max() * (1 - 1e-9)
    assert found.history[-1].bound == found.certificate.bound
