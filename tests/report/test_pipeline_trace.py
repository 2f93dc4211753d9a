"""Traces of iterations: every slice where it belongs, long ones cut in the middle and saying so."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from plans import pipeline_of, stage_of

from intarsia.place import Pipeline
from intarsia.place.simulate import simulate
from intarsia.report import trace_text
from intarsia.report.pipeline_trace import hidden_microbatches

STAGES = tuple(stage_of(1e-3, 2e-3, weights=1e-3, synchronise=5e-4, optimizer=2.5e-4) for _ in range(2))


def test_text(golden: Callable[[str, str], None]) -> None:
    timeline = simulate(STAGES, pipeline_of(2, 2, chunks=2))
    golden("trace", trace_text(timeline, name="small", predicted=0.5))


@pytest.mark.parametrize("order", Pipeline)
def test_all_slices(order: Pipeline) -> None:
    timeline = simulate(STAGES, pipeline_of(2, 6, order=order))
    trace = json.loads(trace_text(timeline, name="small", predicted=0.5))
    slices = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    assert len(slices) == len(timeline.slices) == 2 * (6 * (3 if order is Pipeline.ZERO_BUBBLE else 2) + 2)
    assert max(event["ts"] + event["dur"] for event in slices) == pytest.approx(timeline.end * 1e6)
    assert trace["otherData"] == {"predicted_s": 0.5, "timeline_s": timeline.end, "microbatches": 6}


def test_long_ones_show_their_ends() -> None:
    timeline = simulate(STAGES, pipeline_of(2, 100))
    trace = json.loads(trace_text(timeline, name="small", predicted=0.5, most=90))
    shown = {event["args"]["microbatch"] for event in trace["traceEvents"] if "microbatch" in event.get("args", {})}
    assert sorted(shown) == [*range(10), *range(90, 100)]
    assert trace["otherData"]["not shown"] == "microbatches 10 to 89"
    assert "microbatches 10 to 89" in [event["name"] for event in trace["traceEvents"]]


@pytest.mark.parametrize(("microbatches", "most"), [(1, 1), (2, 1), (3, 1), (100, 404), (100, 403), (7, 20)])
def test_which_are_hidden(microbatches: int, most: int) -> None:
    timeline = simulate(STAGES, pipeline_of(2, microbatches))
    hidden = hidden_microbatches(timeline, most)
    shown = [one for one in timeline.slices if one.step.microbatch not in hidden]
    assert len(shown) <= max(most, 12)
    assert bool(hidden) == (len(timeline.slices) > most and microbatches > 2)
