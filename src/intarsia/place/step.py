"""Seconds of one iteration of a strategy on a split: stages, pipeline, synchronisation, optimizer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from intarsia.place.exchange import Floats, gather, message, optimizer, synchronise, tied
from intarsia.place.memory import crossing_bytes, stage_parameters
from intarsia.place.profile import Chain, Profile
from intarsia.place.strategy import Pipeline, Split, Strategy


@dataclass(frozen=True, slots=True)
class StageTime:
    """Seconds of one microbatch in one stage, and of what follows the last one.

    Attributes:
        forward: of all its layers.
        backward: with what is computed again.
        weights: the part of backward that makes weight gradients.
        exposed: the part of both that is communication within layers.
        messages: from and to its neighbours.
        gather: weights gathered (ZeRO 3) and gradients scattered (ZeRO 2, 3) for one microbatch beyond what computing
            hides.
        synchronise: gradients (and weights) over the data ranks, once.
        optimizer: the update, once.
    """

    forward: float
    backward: float
    weights: float
    exposed: float
    messages: float
    gather: float
    synchronise: float
    optimizer: float

    @property
    def load(self) -> float:
        """Seconds that one microbatch keeps the stage busy."""
        return self.forward + self.backward + self.messages + self.gather


@dataclass(frozen=True, slots=True)
class StepTime:
    """Seconds of an iteration.

    Attributes:
        compute: kernels of all microbatches in the slowest stage.
        communication: exposed: within layers, between stages, and of gradients.
        bubble: the slowest stage waits for the others.
        optimizer: the update.
        stages: of each stage.
    """

    compute: float
    communication: float
    bubble: float
    optimizer: float
    stages: tuple[StageTime, ...]

    @property
    def seconds(self) -> float:
        """Of one iteration."""
        return self.compute + self.communication + self.bubble + self.optimizer


def step_time(profile: Profile, strategy: Strategy, split: Split) -> StepTime:
    """The iteration: M microbatches at the pace of the slowest stage, then what the others add, then the update.

    1F1B with v chunks a stage: M·max + (sum − max)/v over the stages' loads (Narayanan et al., SC 2021, section 2.2,
    for unequal stages). Zero-bubble (ZB-H1): the others add their loads less weight gradients (``fills``); the slowest
    stage is the one with which that takes the longest. Gradients of a stage are reduced while earlier stages still run
    backward (``drain``); what is longer than that is exposed.

    No iteration is shorter where a pass takes longer, or where fewer of its seconds make weight gradients: bounds of
    searches rest on that.
    """
    stages = stage_times(profile, strategy, split)
    count, chunks = strategy.microbatches, strategy.interleave
    load, weights, backward, gathers = np.array([(s.load, s.weights, s.backward, s.gather) for s in stages]).T
    gaps, drains = fills(strategy, weights, load), drain(strategy, backward, gathers).tolist()
    at = int(((count - 1 / chunks) * load + gaps).argmax())
    slowest, others = stages[at], np.delete(load - gaps, at)
    bubble = float(others.sum()) / chunks
    drained = 0.0
    tail = update = 0.0
    for stage, drained_here in zip(stages, drains, strict=True):
        after = stage.synchronise + stage.optimizer - drained
        if after > tail + update:
            tail, update = max(after - stage.optimizer, 0.0), min(stage.optimizer, after)
        drained += drained_here
    inside = slowest.exposed + slowest.messages + slowest.gather
    return StepTime(
        compute=count * (slowest.load - inside),
        communication=count * inside + tail + tied(profile, strategy),
        bubble=bubble,
        optimizer=update,
        stages=stages,
    )


def filled(stages: int, microbatches: int) -> float:
    """Zero-bubble: how many weight gradients of each stage but the slowest fill gaps: two, with microbatches enough.

    One at the end, where nobody waits for it; and before, as many more as there are microbatches to fill gaps with.
    """
    return 1 + (min(microbatches, stages) - 1) / (stages - 1) if stages > 1 else 0.0


def fills(strategy: Strategy, weights: Floats, load: Floats) -> Floats:
    """Seconds of weight gradients of stages that fill gaps, where a stage is not the slowest; 0 under 1F1B.

    Args:
        strategy: its order, stages and microbatches.
        weights: seconds of weight gradients of one microbatch; of no stage more than a third of its load counts.
        load: seconds that one microbatch keeps a stage busy.
    """
    if strategy.order is not Pipeline.ZERO_BUBBLE:
        return np.zeros(load.shape)
    return np.asarray(filled(strategy.pipeline, strategy.microbatches) * np.minimum(weights, load / 3))


def drain(strategy: Strategy, backward: Floats, gathers: Floats) -> Floats:
    """Seconds that stages still run backward after all later ones, in which these reduce their gradients.

    Under zero-bubble a part of it does not count: as much of these seconds as may fill gaps of a load (``fills``).

    Args:
        strategy: its order, chunks, stages and microbatches.
        backward: of one microbatch.
        gathers: what ZeRO 2 and 3 exchange beside it that shows.
    """
    share = filled(strategy.pipeline, strategy.microbatches) / 3 if strategy.order is Pipeline.ZERO_BUBBLE else 0.0
    return (backward + gathers) * (1 - share) / strategy.interleave


def stage_times(profile: Profile, strategy: Strategy, split: Split) -> tuple[StageTime, ...]:
    """The seconds of every stage."""
    stages = range(strategy.pipeline)
    passes = np.array([_passes(profile, split, stage) for stage in stages])
    forward, backward, weights, exposed = passes.T
    shared, experts = np.array([stage_parameters(profile, split, stage) for stage in stages], dtype=np.float64).T
    layers = np.array([sum(split.counts[stage]) for stage in stages], dtype=np.float64)
    columns: tuple[Floats, ...] = (
        forward,
        backward,
        weights,
        exposed,
        np.array([_messages(profile, strategy, split, stage) for stage in stages]),
        gather(profile, strategy, shared, experts, forward, backward, layers),
        synchronise(profile, strategy, shared, experts),
        optimizer(profile, strategy, shared, experts),
    )
    return tuple(StageTime(*row) for row in np.stack(columns, axis=1).tolist())


def _passes(profile: Profile, split: Split, stage: int) -> tuple[float, float, float, float]:
    """Forward, backward, weight gradients and exposed communication of one microbatch."""
    recompute = split.recompute[stage]
    forward = backward = weights = exposed = 0.0
    for item, count in zip(profile.layers, split.counts[stage], strict=True):
        if not count:
            continue
        cost = item.cost[recompute]
        forward += count * cost.forward.seconds
        backward += count * cost.backward.seconds
        weights += count * cost.backward.weights
        exposed += count * (cost.forward.shown + cost.backward.shown)
    return forward, backward, weights, exposed


def _messages(profile: Profile, strategy: Strategy, split: Split, stage: int) -> float:
    """A microbatch waits for its input and for its output's gradient, once a chunk."""
    return sum(times * message(profile, strategy, size) for times, size in crossings(profile, strategy, split, stage))


def crossings(profile: Chain, strategy: Strategy, split: Split, stage: int) -> tuple[tuple[int, int], ...]:
    """Messages of one microbatch that a stage waits for, and as many and as large that it sends: how many, and bytes.

    The first chunk of the first stage has no input to wait for, the last one of the last stage no gradient.
    """
    before, after = crossing_bytes(profile, split, stage)
    return (2 * (strategy.interleave - 1), max(before, after)), (1, before), (1, after)
