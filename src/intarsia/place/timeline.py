"""One iteration of a pipeline, pass by pass: what ran on which stage from when to when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

AFTER = -1
"""The microbatch of what follows the last microbatch."""


class Pass(StrEnum):
    """What a stage does in a slice of time.

    ``backward`` makes weight gradients too, unless they are passes of their own (``weights``, zero-bubble).
    """

    FORWARD = "forward"
    BACKWARD = "backward"
    WEIGHTS = "weights"
    SYNCHRONISE = "synchronise"
    OPTIMIZER = "optimizer"


@dataclass(frozen=True, slots=True)
class Step:
    """One pass of one microbatch through one chunk of a stage's layers."""

    kind: Pass
    microbatch: int
    chunk: int = 0


@dataclass(frozen=True, slots=True)
class Slice:
    """A step of a stage in time, seconds from the start of the iteration."""

    stage: int
    step: Step
    start: float
    finish: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """An iteration.

    Attributes:
        stages: how many.
        chunks: of layers that each stage holds.
        microbatches: how many.
        slices: of all stages, each stage's in the order in which it runs them.
    """

    stages: int
    chunks: int
    microbatches: int
    slices: tuple[Slice, ...]

    @property
    def end(self) -> float:
        """Seconds until the last stage has updated its weights."""
        return max(one.finish for one in self.slices)

    @property
    def passes_end(self) -> float:
        """Seconds until the last pass of a microbatch is over."""
        return max(one.finish for one in self.slices if one.step.microbatch != AFTER)

    def of_stage(self, stage: int) -> tuple[Slice, ...]:
        """The slices of one stage."""
        return tuple(one for one in self.slices if one.stage == stage)

    def in_flight(self, stage: int) -> float:
        """Microbatches whose activations a stage keeps at its fullest, in units of all its layers.

        A chunk's activations are there from its forward pass until its last gradients are made.
        """
        passes = [one for one in self.of_stage(stage) if one.step.microbatch != AFTER]
        released = {(one.step.microbatch, one.step.chunk): one.finish for one in passes}
        changes = [(one.start, 1) for one in passes if one.step.kind is Pass.FORWARD]
        changes += [(finish, -1) for finish in released.values()]
        kept = most = 0
        for _, change in sorted(changes):
            kept += change
            most = max(most, kept)
        return most / self.chunks


def hidden_microbatches(timeline: Timeline, most: int) -> range:
    """The ones in the middle that are not shown, so that at most ``most`` slices are (but always one at each end)."""
    count = timeline.microbatches
    if len(timeline.slices) <= most:
        return range(0)
    each = (len(timeline.slices) - 2 * timeline.stages) // count
    side = max((most - 2 * timeline.stages) // (2 * each), 1)
    return range(side, max(count - side, side))
