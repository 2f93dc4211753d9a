"""In which order a stage of a pipeline runs its passes: 1F1B, interleaved 1F1B, zero-bubble.

Sources: 1F1B and its interleaved form with warm-up counts as Megatron-LM's schedules have them (Narayanan et al.,
SC 2021, section 2.2); ZB-H1 (Qi et al., ICLR 2024, section 2.1), in which stage s runs its weight gradients s
microbatches late, so that no stage keeps more than the first one does.
"""

from __future__ import annotations

from collections.abc import Iterator

from intarsia.place.strategy import Pipeline
from intarsia.place.timeline import Pass, Step


def stage_order(order: Pipeline, stages: int, chunks: int, microbatches: int, stage: int) -> tuple[Step, ...]:
    """The passes of one stage, first to last.

    Args:
        order: of the pipeline; zero-bubble has one chunk.
        stages: of the pipeline.
        chunks: of layers that each stage holds.
        microbatches: of one iteration.
        stage: which one, from 0.
    """
    if order is Pipeline.ZERO_BUBBLE:
        return tuple(_zero_bubble(stages, microbatches, stage))
    ahead = warm_up(stages, chunks, microbatches, stage)
    forward = list(_dealt(stages, chunks, microbatches, Pass.FORWARD))
    backward = list(_dealt(stages, chunks, microbatches, Pass.BACKWARD))
    return tuple(_one_by_one(forward, backward, ahead))


def warm_up(stages: int, chunks: int, microbatches: int, stage: int) -> int:
    """Forward passes of a stage before it begins to alternate."""
    later = stages - stage - 1
    ahead = later if chunks == 1 else 2 * later + (chunks - 1) * stages
    return min(ahead, microbatches * chunks)


def _one_by_one(forward: list[Step], backward: list[Step], ahead: int) -> Iterator[Step]:
    yield from forward[:ahead]
    for step, back in zip(forward[ahead:], backward, strict=False):
        yield step
        yield back
    yield from backward[len(forward) - ahead :]


def _dealt(stages: int, chunks: int, microbatches: int, kind: Pass) -> Iterator[Step]:
    """Groups of as many microbatches as there are stages pass chunk after chunk; backward, the last chunk first."""
    for first in range(0, microbatches, stages):
        group = range(first, min(first + stages, microbatches))
        for turn in range(chunks):
            chunk = turn if kind is Pass.FORWARD else chunks - 1 - turn
            for microbatch in group:
                yield Step(kind, microbatch, chunk)


def _zero_bubble(stages: int, microbatches: int, stage: int) -> Iterator[Step]:
    ahead = warm_up(stages, 1, microbatches, stage)
    for microbatch in range(ahead):
        yield Step(Pass.FORWARD, microbatch)
    weighed = 0
    for microbatch in range(microbatches):
        if microbatch + ahead < microbatches:
            yield Step(Pass.FORWARD, microbatch + ahead)
        yield Step(Pass.BACKWARD, microbatch)
        if microbatch >= stage:
            yield Step(Pass.WEIGHTS, weighed)
            weighed += 1
    for microbatch in range(weighed, microbatches):
        yield Step(Pass.WEIGHTS, microbatch)
