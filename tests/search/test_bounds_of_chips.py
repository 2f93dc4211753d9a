"""Are the bounds that all chips of a space get at once true bounds, at every step?"""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from questions import brute, drawn, fewer, small_question, training

from intarsia.place import Choices
from intarsia.place.space import variants
from intarsia.search import Question
from intarsia.search.bounding import NEARLY_ALL, Rungs, steps
from intarsia.search.ladder import Ladder
from intarsia.search.shares import Own, Shares, others
from intarsia.search.windows import raise_to_windows

CLOSE = 1e-9
BUBBLES = Choices().only({"zero": ("1",), "context": ("1",), "pipeline": ("2", "3"), "microbatch": ("1", "2")})
QUESTIONS = {
    "small": fewer(small_question()),
    "pipelines": fewer(small_question(training(layers=6, batch=12, choices=BUBBLES), devices=6)),
    "drawn": drawn(6),
}


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("trainings", [1, 2])
def test_every_step_bounds_the_best_plans(name: str, trainings: int) -> None:
    """With no cutoff, so that no bound may stop early; the steps of one training and those of several."""
    question = QUESTIONS[name]
    seconds = brute(question)[0]
    shares = begun(question)
    before = np.zeros(len(seconds))
    for step in steps(trainings):
        bounds = shares.climb(0, step, np.full(len(seconds), inf))
        assert (bounds <= seconds * (1 + CLOSE)).all(), step
        assert (bounds >= before).all(), step
        before = bounds
    assert before.max() > 1.1 * before.min(), "bounds that do not tell chips apart prove nothing"


def test_weight_gradients_sharpen_bounds_of_zero_bubble_pipelines() -> None:
    choices = BUBBLES.only({"order": ("zero-bubble",)})
    question = fewer(small_question(training(layers=6, batch=12, choices=choices), devices=6))
    shares, cutoffs = begun(question), np.full(len(question.space.points), inf)
    rungs = [step for step in steps(1) if isinstance(step, Rungs)]
    every = [shares.climb(0, step, cutoffs) for step in rungs]
    unfilled = max(at for at, step in enumerate(rungs) if not step.filled)
    assert (every[-1] > every[unfilled] * 1.001).any()
    assert (every[-1] <= brute(question)[0] * (1 + CLOSE)).all()


def test_where_no_layer_is_most_of_the_work_chips_are_told_apart_by_all_their_layers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Few steps from one rung to the next, so that what is left is what the main layer does not say."""
    question, weights = small_question(), []
    made = Ladder.__init__

    def noted(self: Ladder, *given: object) -> None:
        made(self, *given)  # type: ignore[arg-type]
        weights.append(self.weight)

    monkeypatch.setattr(Ladder, "__init__", noted)
    cutoffs = np.full(len(question.space.points), inf)
    found = {}
    for kind in (Rungs, object):
        shares = begun(question)
        for step in steps(1):
            if isinstance(step, kind):
                found[kind] = shares.climb(0, step, cutoffs)
    assert 0.3 < max(weights) < NEARLY_ALL
    assert (found[object] > found[Rungs] * 1.05).any()
    assert (found[object] <= brute(question)[0] * (1 + CLOSE)).all()


def test_windows_are_those_of_all_heads_and_tails() -> None:
    """Against the definition: of every pair, the work of the tasks that start no earlier and end no later."""
    random = np.random.default_rng(0)
    for tasks in (1, 2, 3, 7, 20):
        heads, tails, work = (random.integers(0, 9, (30, tasks)).astype(np.float64) for _ in range(3))
        known = random.integers(0, 40, 30).astype(np.float64)
        expected = known.copy()
        for chip in range(30):
            for head in heads[chip]:
                for tail in tails[chip]:
                    inside = (heads[chip] >= head) & (tails[chip] >= tail)
                    if inside.any():
                        expected[chip] = max(expected[chip], head + work[chip][inside].sum() + tail)
        raise_to_windows(known, heads, tails, work)
        assert (known == expected).all()


def test_who_has_which_variant_does_not_matter() -> None:
    question = QUESTIONS["small"]
    cutoffs = brute(question)[0] * 1.1
    places = np.arange(len(cutoffs))
    alone = begun(question)
    with others(question, 3) as handles:
        apart = begun(question, Shares(handles))
        for step in steps(2):
            assert (alone.climb(0, step, cutoffs) == apart.climb(0, step, cutoffs)).all()
        for (n, own), (m, other) in zip(alone.tables(places)[0], apart.tables(places)[0], strict=True):
            assert n == m
            assert (own == other).all() or (own <= cutoffs).sum() == (other <= cutoffs).sum()
        assert [n for n, _ in alone.guess(0, places, inf)] == [n for n, _ in apart.guess(0, places, inf)]


def begun(question: Question, shares: Shares | None = None) -> Shares:
    """All chips of a space, with every variant of its training."""
    shares = shares or Shares([Own(question)])
    point = question.space.points.point(0)
    shares.begin(point, [tuple(variants(question.on(point)))])
    shares.rows(np.arange(len(question.space.points)), [inf])
    return shares
