"""A proof that a timeline is an iteration of a pipeline, whoever made it; an empty answer is a good one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import isclose

from intarsia.place.step import StageTime
from intarsia.place.strategy import Pipeline, Strategy
from intarsia.place.timeline import AFTER, Pass, Slice, Step, Timeline

ROUNDING = 1e-9
"""Of the iteration: what sums of seconds may be off."""


def check_timeline(timeline: Timeline, stages: tuple[StageTime, ...], strategy: Strategy) -> tuple[str, ...]:
    """What is wrong with a timeline.

    Args:
        timeline: the iteration.
        stages: seconds of each stage.
        strategy: its order, chunks and microbatches.
    """
    shape = (timeline.stages, timeline.chunks, timeline.microbatches)
    asked = (len(stages), strategy.interleave, strategy.microbatches)
    if shape != asked:
        return (f"stages, chunks, microbatches are {shape}, asked were {asked}",)
    slack = ROUNDING * timeline.end
    wrong: list[str] = []
    for stage, given in enumerate(stages):
        ran = timeline.of_stage(stage)
        texts = (*_complete(ran, strategy), *_in_turn(ran, slack), *_lengths(ran, given, strategy, slack))
        wrong += [f"stage {stage}: {text}" for text in texts]
    if not wrong:
        wrong += _needs(timeline, slack)
    return tuple(wrong)


def _complete(ran: tuple[Slice, ...], strategy: Strategy) -> Iterator[str]:
    kinds = [Pass.FORWARD, Pass.BACKWARD]
    kinds += [Pass.WEIGHTS] if strategy.order is Pipeline.ZERO_BUBBLE else []
    expected = {
        Step(kind, microbatch, chunk)
        for kind in kinds
        for microbatch in range(strategy.microbatches)
        for chunk in range(strategy.interleave)
    }
    expected |= {Step(Pass.SYNCHRONISE, AFTER), Step(Pass.OPTIMIZER, AFTER)}
    steps = Counter(one.step for one in ran)
    yield from (f"lacks {_text(step)}" for step in sorted(expected - steps.keys(), key=_text))
    yield from (f"has {_text(step)} that nobody asked for" for step in sorted(steps.keys() - expected, key=_text))
    yield from (f"has {_text(step)} twice" for step in sorted((step for step, n in steps.items() if n > 1), key=_text))


def _in_turn(ran: tuple[Slice, ...], slack: float) -> Iterator[str]:
    clock = 0.0
    for one in sorted(ran, key=lambda one: (one.start, one.finish)):
        if one.start < clock - slack:
            yield f"begins {_text(one.step)} at {one.start} s, before {clock} s, when it is free"
        clock = max(clock, one.finish)
    passes = [one.finish for one in ran if one.step.microbatch != AFTER]
    after = {one.step.kind: one for one in ran if one.step.microbatch == AFTER}
    reduced = after.get(Pass.SYNCHRONISE)
    if reduced and passes and reduced.start < max(passes) - slack:
        yield "reduces gradients before they are there"
    if reduced and Pass.OPTIMIZER in after and after[Pass.OPTIMIZER].start < reduced.finish - slack:
        yield "updates before gradients are reduced"


def _lengths(ran: tuple[Slice, ...], given: StageTime, strategy: Strategy, slack: float) -> Iterator[str]:
    """The passes of a stage take in all what its microbatches take, equal ones equally long, none too short."""
    least = {
        Pass.FORWARD: given.forward,
        Pass.BACKWARD: given.backward - (given.weights if strategy.order is Pipeline.ZERO_BUBBLE else 0.0),
        Pass.WEIGHTS: given.weights,
    }
    seen: dict[Pass, float] = {}
    for one in ran:
        kind, length = one.step.kind, one.finish - one.start
        if kind in least and length < least[kind] / strategy.interleave - slack:
            yield f"{_text(one.step)} takes only {length} s"
        if not isclose(seen.setdefault(kind, length), length, abs_tol=slack):
            yield f"{_text(one.step)} takes {length} s, others {seen[kind]} s"
    busy = sum(one.finish - one.start for one in ran if one.step.microbatch != AFTER)
    if not isclose(busy, strategy.microbatches * given.load, rel_tol=ROUNDING * len(ran), abs_tol=slack):
        yield f"is busy for {busy} s, {strategy.microbatches} microbatches take {strategy.microbatches * given.load} s"
    for kind, seconds in ((Pass.SYNCHRONISE, given.synchronise), (Pass.OPTIMIZER, given.optimizer)):
        if kind in seen and not isclose(seen[kind], seconds, abs_tol=slack):
            yield f"{kind} takes {seen[kind]} s instead of {seconds} s"


def _needs(timeline: Timeline, slack: float) -> Iterator[str]:
    """Forward passes go down the chain of all chunks, backward passes up, weight gradients follow their own."""
    at = {(one.stage, one.step): one for one in timeline.slices}
    ends = timeline.stages * timeline.chunks - 1
    for (stage, step), one in at.items():
        place = step.chunk * timeline.stages + stage
        for kind, where in _asked(step.kind, place, ends):
            chunk, other = divmod(where, timeline.stages)
            need = at[other, Step(kind, step.microbatch, chunk)]
            if one.start < need.finish - slack:
                yield f"stage {stage}: {_text(step)} begins before {_text(need.step)} of stage {other} is over"


def _asked(kind: Pass, place: int, ends: int) -> Iterator[tuple[Pass, int]]:
    match kind:
        case Pass.FORWARD if place > 0:
            yield Pass.FORWARD, place - 1
        case Pass.BACKWARD:
            yield Pass.FORWARD, place
            if place < ends:
                yield Pass.BACKWARD, place + 1
        case Pass.WEIGHTS:
            yield Pass.BACKWARD, place
        case _:
            return


def _text(step: Step) -> str:
    where = "" if step.microbatch == AFTER else f" of microbatch {step.microbatch}, chunk {step.chunk}"
    return f"{step.kind}{where}"
