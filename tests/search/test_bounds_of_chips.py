"""Are the bounds that all chips of a space get at once true bounds, at every step?"""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from questions import brute, drawn, fewer, small_question, training

from intarsia.place import Choices
from intarsia.place.space import variants
from intarsia.search import Question
from intarsia.search.bounding import steps
from intarsia.search.shares import Own, Shares, others

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
    every = [shares.climb(0, step, cutoffs) for step in steps(1)]
    unfilled = max(at for at, step in enumerate(steps(1)) if not step.filled)
    assert (every[-1] > every[unfilled] * 1.001).any()
    assert (every[-1] <= brute(question)[0] * (1 + CLOSE)).all()


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
