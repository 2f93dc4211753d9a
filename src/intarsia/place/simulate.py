"""Simulates one iteration of a pipeline: each stage runs its passes in its order, each once what it needs is there.

Seconds of the stages come in, a timeline goes out. A pass of a chunk takes its share of the stage's seconds; half of
what a stage waits for messages is its forward pass's. Of what is gathered and scattered for a microbatch a third is the
forward pass's with ZeRO 3, and nothing with ZeRO 2, which gathers no weights.
"""

from __future__ import annotations

from intarsia.ground import InputError
from intarsia.place.pipeline_order import stage_order
from intarsia.place.step import StageTime
from intarsia.place.strategy import Pipeline, Strategy
from intarsia.place.timeline import AFTER, Pass, Slice, Step, Timeline


def simulate(stages: tuple[StageTime, ...], strategy: Strategy) -> Timeline:
    """The timeline of one replica.

    Args:
        stages: seconds of each stage.
        strategy: its order, its chunks and how many microbatches it has count here.

    Raises:
        InputError: stages would wait for each other for ever, as they may where interleaved groups are not full.
    """
    run = _Run(stages, strategy)
    waiting = list(range(len(stages)))
    while waiting:
        moved = [run.advance(stage) for stage in waiting]
        if not any(moved):
            raise InputError(
                "the interleaved pipeline would stop: its microbatches are no multiple of its stages",
                value=f"{strategy.microbatches} microbatches, {len(stages)} stages",
            )
        waiting = [stage for stage in waiting if not run.done(stage)]
    slices = [one for ran, stage in zip(run.ran, stages, strict=True) for one in (*ran, *_after(ran[-1], stage))]
    return Timeline(len(stages), strategy.interleave, strategy.microbatches, tuple(slices))


def pass_seconds(stage: StageTime, strategy: Strategy) -> dict[Pass, float]:
    """Seconds of one chunk's pass of each kind."""
    chunks = strategy.interleave
    apart = stage.weights if strategy.order is Pipeline.ZERO_BUBBLE else 0.0
    ahead = stage.forward + stage.messages / 2 + (stage.gather / 3 if strategy.zero == 3 else 0.0)
    return {
        Pass.FORWARD: ahead / chunks,
        Pass.BACKWARD: (stage.load - ahead - apart) / chunks,
        Pass.WEIGHTS: apart / chunks,
    }


class _Run:
    """How far the stages are. ``ready[kind][position]``: when a pass ended, of chunk after chunk through the stages."""

    def __init__(self, stages: tuple[StageTime, ...], strategy: Strategy) -> None:
        self.stages, self.chunks = len(stages), strategy.interleave
        shape = (strategy.order, self.stages, self.chunks, strategy.microbatches)
        self.order = [stage_order(*shape, stage) for stage in range(self.stages)]
        self.seconds = [pass_seconds(stage, strategy) for stage in stages]
        self.ran: list[list[Slice]] = [[] for _ in stages]
        depth = range(self.stages * self.chunks)
        self.ready: dict[Pass, list[dict[int, float]]] = {kind: [{} for _ in depth] for kind in self.seconds[0]}

    def done(self, stage: int) -> bool:
        return len(self.ran[stage]) == len(self.order[stage])

    def advance(self, stage: int) -> bool:
        """Runs a stage until it waits for another one; whether it ran anything."""
        order, ran, seconds = self.order[stage], self.ran[stage], self.seconds[stage]
        first = len(ran)
        clock = ran[-1].finish if ran else 0.0
        for number in range(first, len(order)):
            step = order[number]
            position = step.chunk * self.stages + stage
            before = self._before(step, position)
            if before is not None:
                given = before.get(step.microbatch)
                if given is None:
                    break
                clock = max(clock, given)
            ran.append(Slice(stage, step, clock, clock + seconds[step.kind]))
            clock = ran[-1].finish
            self.ready[step.kind][position][step.microbatch] = clock
        return len(ran) > first

    def _before(self, step: Step, position: int) -> dict[int, float] | None:
        """When the neighbour had what a pass needs; what its own stage does first is known by the order."""
        if step.kind is Pass.FORWARD and position > 0:
            return self.ready[Pass.FORWARD][position - 1]
        if step.kind is Pass.BACKWARD and position < self.stages * self.chunks - 1:
            return self.ready[Pass.BACKWARD][position + 1]
        return None


def _after(last: Slice, stage: StageTime) -> tuple[Slice, Slice]:
    """Gradients over the data ranks and the update, once a stage has run its last pass."""
    reduced = last.finish + stage.synchronise
    return (
        Slice(last.stage, Step(Pass.SYNCHRONISE, AFTER), last.finish, reduced),
        Slice(last.stage, Step(Pass.OPTIMIZER, AFTER), reduced, reduced + stage.optimizer),
    )
