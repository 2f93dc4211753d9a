"""One iteration of a plan as a trace that Perfetto (ui.perfetto.dev) and Chrome open: a line for each stage, in µs."""

from __future__ import annotations

import json
from typing import Any

from intarsia.place.timeline import AFTER, Slice, Timeline, hidden_microbatches

MOST_SLICES = 20_000
"""Beyond this only the first and the last microbatches are shown."""
MICRO = 1e6


def trace_text(timeline: Timeline, *, name: str, predicted: float, most: int = MOST_SLICES) -> str:
    """The Chrome trace event format, version of objects with ``traceEvents``.

    Args:
        timeline: the iteration.
        name: of the trace.
        predicted: seconds of the iteration as predicted, to be told beside the timeline's.
        most: how many slices to show.
    """
    hidden = hidden_microbatches(timeline, most)
    shown = [one for one in timeline.slices if one.step.microbatch not in hidden]
    events = _lines(timeline.stages, name, hidden)
    events += [_event(one, timeline.chunks) for one in shown]
    events += _gaps(timeline, hidden)
    told: dict[str, Any] = {"predicted_s": predicted, "timeline_s": timeline.end, "microbatches": timeline.microbatches}
    if hidden:
        told["not shown"] = _hidden_text(hidden)
    lines = ",\n".join(json.dumps(event) for event in events)
    return f'{{"displayTimeUnit": "ms", "otherData": {json.dumps(told)}, "traceEvents": [\n{lines}\n]}}\n'


def _lines(stages: int, name: str, hidden: range) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = [{"ph": "M", "pid": 0, "name": "process_name", "args": {"name": name}}]
    titles = [f"stage {stage}" for stage in range(stages)]
    for number, title in enumerate(titles + (["not shown"] if hidden else [])):
        events.append({"ph": "M", "pid": 0, "tid": number, "name": "thread_name", "args": {"name": title}})
        events.append({"ph": "M", "pid": 0, "tid": number, "name": "thread_sort_index", "args": {"sort_index": number}})
    return events


def _event(one: Slice, chunks: int) -> dict[str, Any]:
    step = one.step
    where: dict[str, Any] = {"pid": 0, "tid": one.stage, **_when(one.start, one.finish)}
    if step.microbatch == AFTER:
        return {"ph": "X", "name": str(step.kind), "cat": str(step.kind), **where}
    args = {"microbatch": step.microbatch} | ({"chunk": step.chunk} if chunks > 1 else {})
    return {"ph": "X", "name": f"{step.kind} {step.microbatch}", "cat": str(step.kind), **where, "args": args}


def _when(start: float, finish: float) -> dict[str, float]:
    """Microseconds, to the picosecond."""
    return {"ts": round(start * MICRO, 6), "dur": round((finish - start) * MICRO, 6)}


def _gaps(timeline: Timeline, hidden: range) -> list[dict[str, Any]]:
    """One slice on a line of its own, as long as what is not shown."""
    if not hidden:
        return []
    left = [one for one in timeline.slices if one.step.microbatch in hidden]
    start, finish = min(one.start for one in left), max(one.finish for one in left)
    where: dict[str, Any] = {"pid": 0, "tid": timeline.stages, **_when(start, finish)}
    return [{"ph": "X", "name": _hidden_text(hidden), "cat": "not shown", **where}]


def _hidden_text(hidden: range) -> str:
    return f"microbatches {hidden[0]} to {hidden[-1]}"
