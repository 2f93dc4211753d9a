"""What the check of a timeline finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from plans import pipeline_of, stage_of

from intarsia.place import Pipeline
from intarsia.place.check_timeline import check_timeline
from intarsia.place.simulate import simulate
from intarsia.place.timeline import AFTER, Pass, Slice, Step, Timeline

STAGES = tuple(stage_of(1.0, 2.0, weights=1.0, synchronise=0.5, optimizer=0.25) for _ in range(3))
STRATEGY = pipeline_of(3, 6)


def changed(timeline: Timeline, stage: int, step: Step, change: Callable[[Slice], Slice | None]) -> Timeline:
    slices = []
    for one in timeline.slices:
        other = change(one) if (one.stage, one.step) == (stage, step) else one
        slices += [other] if other else []
    return replace(timeline, slices=tuple(slices))


def moved(seconds: float) -> Callable[[Slice], Slice]:
    return lambda one: replace(one, start=one.start + seconds, finish=one.finish + seconds)


def longer(seconds: float) -> Callable[[Slice], Slice]:
    return lambda one: replace(one, finish=one.finish + seconds)


@pytest.mark.parametrize(
    ("stage", "step", "change", "words"),
    [
        (1, Step(Pass.FORWARD, 0), moved(-0.5), "forward of microbatch 0, chunk 0 begins before forward"),
        (1, Step(Pass.BACKWARD, 0), moved(-0.5), "backward of microbatch 0, chunk 0 begins before backward"),
        (2, Step(Pass.BACKWARD, 5), lambda _: None, "stage 2: lacks backward of microbatch 5, chunk 0"),
        (0, Step(Pass.BACKWARD, 1), longer(-1.0), "takes only 1.0 s"),
        (1, Step(Pass.FORWARD, 1), moved(-0.5), "stage 1: begins forward of microbatch 1, chunk 0 at 1.5 s"),
        (0, Step(Pass.FORWARD, 5), longer(0.25), "others 1.0 s"),
        (2, Step(Pass.SYNCHRONISE, AFTER), moved(-1.0), "reduces gradients before they are there"),
        (2, Step(Pass.OPTIMIZER, AFTER), moved(-0.125), "updates before gradients are reduced"),
        (2, Step(Pass.OPTIMIZER, AFTER), longer(1.0), "optimizer takes 1.25 s instead of 0.25 s"),
        (0, Step(Pass.FORWARD, 2), lambda one: replace(one, step=Step(Pass.WEIGHTS, 2)), "that nobody asked for"),
    ],
)
def test_one_fault(stage: int, step: Step, change: Callable[[Slice], Slice | None], words: str) -> None:
    good = simulate(STAGES, STRATEGY)
    assert check_timeline(good, STAGES, STRATEGY) == ()
    assert words in "\n".join(check_timeline(changed(good, stage, step, change), STAGES, STRATEGY))


def test_twice() -> None:
    good = simulate(STAGES, STRATEGY)
    assert "twice" in "\n".join(check_timeline(replace(good, slices=good.slices * 2), STAGES, STRATEGY))


def test_weight_gradients_follow_their_own() -> None:
    strategy = pipeline_of(3, 6, order=Pipeline.ZERO_BUBBLE)
    good = simulate(STAGES, strategy)
    assert check_timeline(good, STAGES, strategy) == ()
    first, other = Step(Pass.WEIGHTS, 0), Step(Pass.WEIGHTS, 5)
    swapped = changed(changed(good, 2, first, lambda one: replace(one, step=other)), 2, other, lambda one: one)
    assert "twice" in "\n".join(check_timeline(swapped, STAGES, strategy))
    slices = [replace(one, step={first: other, other: first}.get(one.step, one.step)) for one in good.slices]
    texts = check_timeline(replace(good, slices=tuple(slices)), STAGES, strategy)
    assert any("weights of microbatch 5, chunk 0 begins before backward of microbatch 5" in text for text in texts)


def test_another_question() -> None:
    good = simulate(STAGES, STRATEGY)
    assert check_timeline(good, STAGES, pipeline_of(3, 7)) == (
        "stages, chunks, microbatches are (3, 1, 6), asked were (3, 1, 7)",
    )
