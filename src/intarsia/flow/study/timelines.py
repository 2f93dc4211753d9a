"""The two timelines of a result: a layer on the cores of a chip, and an iteration on the stages of the pipeline."""

from __future__ import annotations

from intarsia.flow.study.layers import Running
from intarsia.flow.study.model_records import Bar, Gantt
from intarsia.ground.units import count_text, percent_text, seconds_text
from intarsia.place.plan import Plan
from intarsia.place.simulate import simulate
from intarsia.place.timeline import AFTER, Slice, Timeline, hidden_microbatches
from intarsia.schedule import Kind, Schedule, ScheduleProblem, check, solve
from intarsia.solvers import Infeasible, Limits

LIMIT = 10.0
"""Seconds of search for a layer's schedule."""
MOST_BARS = 3000
"""Of a pipeline; beyond, microbatches in the middle are one bar."""


def schedule_gantt(run: Running) -> Gantt:
    """The shortest schedule of the most repeated layer, forward and backward."""
    layer = run.main
    tasks = run.tasks(layer)
    outcome = solve(tasks.problem, Limits(seconds=LIMIT))
    assert not isinstance(outcome, Infeasible)
    found = getattr(outcome, "value", None) or getattr(outcome, "best", None)
    assert isinstance(found, Schedule)
    wrong = check(tasks.problem, found)
    assert not wrong, f"the schedule fails its check: {wrong}"
    proof = "no schedule is shorter" if found.optimal else f"at most {percent_text(found.gap, 1)} too long"
    lines, bars = _cores(tasks.problem, found)
    facts = {
        "layer": f"{layer.name}, {layer.repeat} times",
        "makespan": f"{seconds_text(found.makespan)}: {proof}",
        "HBM alone": seconds_text(tasks.hbm),
        "recomputed": str(run.recompute),
    }
    return Gantt("a layer on the cores", lines, bars, found.makespan, facts)


def _cores(problem: ScheduleProblem, schedule: Schedule) -> tuple[tuple[str, ...], tuple[Bar, ...]]:
    """A line for all cores of a kind at once, and one for each core that works alone."""
    keys: dict[tuple[Kind, int], str] = {}
    pairs = tuple(zip(problem.tasks, schedule.slots, strict=True))
    for kind in (Kind.TENSOR, Kind.SECOND, Kind.VECTOR, Kind.NETWORK):
        count = problem.cores(kind)
        used = [slot for task, slot in pairs if task.kind_on(second=slot.second) is kind]
        if kind is Kind.NETWORK:
            keys |= {(kind, 0): "network"} if used else {}
            continue
        if any(len(slot.cores) > 1 for slot in used):
            keys[kind, -1] = f"all {count_text(count)} {kind} cores"
        alone = sorted({slot.cores[0] for slot in used if len(slot.cores) == 1})
        keys |= {(kind, core): f"{kind} core {core}" for core in alone}
    line = {key: number for number, key in enumerate(keys)}
    bars = [
        Bar(
            line[task.kind_on(second=slot.second), -1 if len(slot.cores) > 1 else slot.cores[0]],
            task.name,
            kind_of(task.name),
            slot.start,
            slot.finish,
        )
        for task, slot in pairs
        if slot.cores and slot.finish > slot.start
    ]
    return tuple(keys.values()), tuple(bars)


def kind_of(task: str) -> str:
    """The pass of a task, by which bars are coloured."""
    return task.partition("/")[0]


def pipeline_gantt(plan: Plan) -> Gantt:
    """One iteration of one replica, pass by pass.

    Raises:
        InputError: interleaved stages would wait for each other for ever.
    """
    timeline = simulate(plan.prediction.time.stages, plan.strategy)
    hidden = hidden_microbatches(timeline, MOST_BARS)
    shown = [one for one in timeline.slices if one.step.microbatch not in hidden]
    bars = [Bar(one.stage, _name(one, timeline), str(one.step.kind), one.start, one.finish) for one in shown]
    if hidden:
        bars += [_between(timeline, stage, hidden) for stage in range(timeline.stages)]
    facts = {
        "microbatches": count_text(timeline.microbatches),
        "predicted": seconds_text(plan.seconds),
        "simulated": seconds_text(timeline.end),
    }
    lines = tuple(f"stage {stage}" for stage in range(timeline.stages))
    lasting = (bar for bar in bars if bar.finish > bar.start)
    ordered = sorted(lasting, key=lambda bar: (bar.kind != "hidden", bar.line, bar.start))  # behind all others
    return Gantt("an iteration on the stages", lines, tuple(ordered), timeline.end, facts)


def _name(one: Slice, timeline: Timeline) -> str:
    if one.step.microbatch == AFTER:
        return str(one.step.kind)
    chunk = f", chunk {one.step.chunk}" if timeline.chunks > 1 else ""
    return f"{one.step.kind}, microbatch {one.step.microbatch}{chunk}"


def _between(timeline: Timeline, stage: int, hidden: range) -> Bar:
    """What is not shown of a stage, as one bar."""
    inside = [one for one in timeline.slices if one.stage == stage and one.step.microbatch in hidden]
    start, finish = min(one.start for one in inside), max(one.finish for one in inside)
    return Bar(stage, f"microbatches {hidden[0]} to {hidden[-1]}, not shown one by one", "hidden", start, finish)
