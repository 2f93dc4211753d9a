"""A timeline of a result as a trace that Perfetto (ui.perfetto.dev) and Chrome open, times in µs."""

from __future__ import annotations

import json
from typing import Any

from intarsia.flow.study.model_records import Gantt

MICRO = 1e6


def gantt_trace(gantt: Gantt, *, name: str) -> str:
    """The Chrome trace event format, version of objects with ``traceEvents``; a line for each of the timeline's."""
    events: list[dict[str, Any]] = [{"ph": "M", "pid": 0, "name": "process_name", "args": {"name": name}}]
    for number, title in enumerate(gantt.lines):
        for event, args in (("thread_name", {"name": title}), ("thread_sort_index", {"sort_index": number})):
            events.append({"ph": "M", "pid": 0, "tid": number, "name": event, "args": args})
    for bar in gantt.bars:
        when = {"ts": round(bar.start * MICRO, 6), "dur": round((bar.finish - bar.start) * MICRO, 6)}
        events.append({"ph": "X", "pid": 0, "tid": bar.line, "name": bar.name, "cat": bar.kind, **when})
    return json.dumps({"displayTimeUnit": "ns", "otherData": gantt.facts, "traceEvents": events}, indent=1) + "\n"
