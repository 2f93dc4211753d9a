"""Simulated iterations: they pass their check, agree with the closed form, and keep what memory counts."""

from __future__ import annotations

import random

import pytest
from plans import pipeline_of, stage_of

from intarsia.ground import InputError
from intarsia.place import Pipeline, Split, StageTime, Strategy, step
from intarsia.place.check_timeline import check_timeline
from intarsia.place.memory import in_flight
from intarsia.place.simulate import pass_seconds, simulate
from intarsia.place.timeline import Pass

ONE, ZERO_BUBBLE = Pipeline.ONE_F_ONE_B, Pipeline.ZERO_BUBBLE
SHAPES = [(stages, count, chunks) for stages in (1, 2, 3, 5, 8) for count in (1, 2, 4) for chunks in (1, 2, 3)]


def closed_form(monkeypatch: pytest.MonkeyPatch, stages: tuple[StageTime, ...], strategy: Strategy) -> float:
    """Seconds as ``step_time`` has them for stages that are given."""
    monkeypatch.setattr(step, "stage_times", lambda *_: stages)
    monkeypatch.setattr(step, "tied", lambda *_: 0.0)
    return step.step_time(None, strategy, Split((), ())).seconds  # type: ignore[arg-type]  # replaced below


def random_stages(rng: random.Random, count: int, *, spread: float = 0.5) -> tuple[StageTime, ...]:
    stages = []
    for _ in range(count):
        forward = rng.uniform(1 - spread, 1 + spread)
        backward = forward * rng.uniform(1.5, 2.5)
        more = {"messages": rng.uniform(0, 0.2), "gather": rng.uniform(0, 0.2)}
        after = {"synchronise": rng.uniform(0, 3), "optimizer": rng.uniform(0, 1)}
        stages.append(stage_of(forward, backward, weights=0.45 * backward, **more, **after))
    return tuple(stages)


@pytest.mark.parametrize(("stages", "count", "chunks"), SHAPES)
def test_equal_stages_take_exactly_what_the_closed_form_says(
    monkeypatch: pytest.MonkeyPatch, stages: int, count: int, chunks: int
) -> None:
    if chunks > 1 and stages == 1:
        return
    strategy = pipeline_of(stages, stages * count, chunks=chunks)
    given = (stage_of(1.0, 2.3, weights=0.9, messages=0.1, gather=0.3),) * stages
    found = simulate(given, strategy)
    assert check_timeline(found, given, strategy) == ()
    assert found.end == pytest.approx(closed_form(monkeypatch, given, strategy), rel=1e-12)


@pytest.mark.parametrize(("stages", "count"), [(1, 3), (2, 2), (3, 9), (4, 16), (8, 32)])
def test_equal_zero_bubble_stages_too(monkeypatch: pytest.MonkeyPatch, stages: int, count: int) -> None:
    strategy = pipeline_of(stages, count, order=ZERO_BUBBLE)
    given = tuple(stage_of(1.0, 2.1, weights=1.0) for _ in range(stages))
    found = simulate(given, strategy)
    assert check_timeline(found, given, strategy) == ()
    assert found.end == pytest.approx(closed_form(monkeypatch, given, strategy), rel=1e-12)


def test_the_last_stage_alone_reduces_and_updates(monkeypatch: pytest.MonkeyPatch) -> None:
    strategy = pipeline_of(4, 8)
    given = (*(stage_of(1.0, 2.0) for _ in range(3)), stage_of(1.0, 2.0, synchronise=7.0, optimizer=1.0))
    found = simulate(given, strategy)
    assert found.end == pytest.approx(closed_form(monkeypatch, given, strategy), rel=1e-12)
    assert found.end == found.passes_end + 2.0


def test_for_unequal_stages_the_closed_form_is_a_bound_from_above(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(0)
    for _ in range(150):
        stages = rng.randint(2, 7)
        strategy = pipeline_of(stages, stages * rng.choice([1, 2, 4]))
        given = random_stages(rng, stages)
        assert simulate(given, strategy).end <= closed_form(monkeypatch, given, strategy) * (1 + 1e-9)


def test_unequal_stages_take_at_least_what_their_slowest_one_does() -> None:
    """A stage waits for its first microbatch and for the gradients behind it; its last gradients go on to the first."""
    rng = random.Random(1)
    for _ in range(150):
        stages = rng.randint(2, 7)
        count = stages * rng.choice([1, 2, 4])
        strategy = pipeline_of(stages, count)
        given = random_stages(rng, stages)
        found = simulate(given, strategy).passes_end
        for k, own in enumerate(given):
            before = sum(stage.load for stage in given[:k])
            behind, later = sum(stage.load for stage in given[k + 1 :]), stages - k - 1
            ahead = pass_seconds(own, strategy)[Pass.FORWARD]
            waits = max(0.0, behind - later * ahead) + max(0.0, behind - later * (own.load - ahead))
            assert before + count * own.load + waits <= found * (1 + 1e-9)


def test_random_timelines_pass_their_check() -> None:
    rng = random.Random(2)
    for _ in range(100):
        stages = rng.randint(1, 6)
        order = rng.choice([ONE, ZERO_BUBBLE])
        chunks = rng.choice([1, 2, 3]) if order is ONE and stages > 1 else 1
        count = stages * rng.randint(1, 4) if chunks > 1 else rng.randint(1, 20)
        strategy = pipeline_of(stages, count, chunks=chunks, order=order)
        given = random_stages(rng, stages)
        assert check_timeline(simulate(given, strategy), given, strategy) == ()


@pytest.mark.parametrize(("stages", "count", "chunks"), SHAPES)
def test_as_many_microbatches_are_in_flight_as_memory_counts(stages: int, count: int, chunks: int) -> None:
    if chunks > 1 and stages == 1:
        return
    strategy = pipeline_of(stages, stages * count, chunks=chunks)
    found = simulate((stage_of(1.0, 2.0),) * stages, strategy)
    assert [found.in_flight(stage) for stage in range(stages)] == [in_flight(strategy, s) for s in range(stages)]


def test_zero_bubble_stages_keep_what_the_first_one_does() -> None:
    strategy = pipeline_of(4, 16, order=ZERO_BUBBLE)
    found = simulate((stage_of(1.0, 2.0, weights=1.0),) * 4, strategy)
    assert [found.in_flight(stage) for stage in range(4)] == [4, 4, 4, 4]
    assert [in_flight(strategy, stage) for stage in range(4)] == [4, 4, 4, 4]


def test_interleaved_groups_that_are_not_full_may_stop() -> None:
    strategy = pipeline_of(4, 5, chunks=3)
    with pytest.raises(InputError) as raised:
        simulate((stage_of(1.0, 2.0),) * 4, strategy)
    assert str(raised.value) == (
        "the interleaved pipeline would stop: its microbatches are no multiple of its stages: 5 microbatches, 4 stages"
    )
