"""A schedule as a trace that Perfetto (ui.perfetto.dev) and Chrome open: one line for each core, times in µs."""

from __future__ import annotations

import json

from intarsia.schedule.problem import Kind, ScheduleProblem
from intarsia.schedule.schedule import Schedule

MICRO = 1e6


def lanes(problem: ScheduleProblem) -> tuple[tuple[Kind, int, str], ...]:
    """Kind, core and name of each line of a timeline, from the top; kinds without tasks have none."""
    used = {task.kind for task in problem.tasks} | ({Kind.SECOND} if problem.mixed else set())
    return tuple(
        (kind, core, str(kind) if kind is Kind.NETWORK else f"{kind} {core}")
        for kind in (Kind.TENSOR, Kind.SECOND, Kind.VECTOR, Kind.NETWORK)
        for core in (range(problem.cores(kind)) if kind in used else ())
    )


def trace_json(problem: ScheduleProblem, schedule: Schedule, *, name: str = "schedule") -> str:
    """The Chrome trace event format, version of objects with ``traceEvents``; free tasks are left out."""
    line = {(kind, core): number for number, (kind, core, _) in enumerate(lanes(problem))}
    events: list[dict[str, object]] = [{"ph": "M", "pid": 0, "name": "process_name", "args": {"name": name}}]
    for number, (_, _, title) in enumerate(lanes(problem)):
        for event, args in (("thread_name", {"name": title}), ("thread_sort_index", {"sort_index": number})):
            events.append({"ph": "M", "pid": 0, "tid": number, "name": event, "args": args})
    for task, slot in zip(problem.tasks, schedule.slots, strict=True):
        kind = task.kind_on(second=slot.second)
        for core in slot.cores:
            facts: dict[str, object] = {"spread": slot.spread, "needs": list(task.needs)}
            begin, length = slot.start * MICRO, (slot.finish - slot.start) * MICRO
            where: dict[str, object] = {"pid": 0, "tid": line[kind, core], "ts": begin, "dur": length}
            events.append({"ph": "X", "name": task.name, "cat": str(kind), **where, "args": facts})
    told = {"makespan_s": schedule.makespan, "bound_s": schedule.bound, "optimal": schedule.optimal}
    return json.dumps({"displayTimeUnit": "ns", "otherData": told, "traceEvents": events}, indent=1) + "\n"
