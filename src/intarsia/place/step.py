"""Seconds of one iteration of a strategy on a split: stages, pipeline, synchronisation, optimizer."""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.cost import Placed, collective_seconds, message_seconds
from intarsia.graph import Pattern
from intarsia.place.memory import WEIGHT_BYTES, stage_parameters
from intarsia.place.profile import Profile
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
        gather: weights gathered and gradients scattered for one microbatch beyond what computing hides (ZeRO 3).
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
    for unequal stages). Zero-bubble (ZB-H1): the others add their loads less twice their weight gradients.
    Gradients of a stage are reduced while earlier stages still run backward; what is longer than that is exposed.
    """
    stages = tuple(stage_time(profile, strategy, split, stage) for stage in range(strategy.pipeline))
    slowest = max(stages, key=lambda stage: stage.load)
    others = sum(stage.load for stage in stages) - slowest.load
    if strategy.order is Pipeline.ZERO_BUBBLE:
        others -= 2 * sum(min(stage.weights, stage.load / 3) for stage in stages if stage is not slowest)
    bubble = max(others, 0.0) / strategy.interleave
    drained = 0.0
    tail = update = 0.0
    for stage in stages:
        after = stage.synchronise + stage.optimizer - drained
        if after > tail + update:
            tail, update = max(after - stage.optimizer, 0.0), min(stage.optimizer, after)
        drained += stage.backward / strategy.interleave
    count = strategy.microbatches
    inside = slowest.exposed + slowest.messages + slowest.gather
    return StepTime(
        compute=count * (slowest.load - inside),
        communication=count * inside + tail + _tied(profile, strategy),
        bubble=bubble,
        optimizer=update,
        stages=stages,
    )


def stage_time(profile: Profile, strategy: Strategy, split: Split, stage: int) -> StageTime:
    """The seconds of one stage."""
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
    shared, experts = stage_parameters(profile, split, stage)
    return StageTime(
        forward=forward,
        backward=backward,
        weights=weights,
        exposed=exposed,
        messages=_messages(profile, strategy),
        gather=_gather(profile, strategy, shared, forward + backward, sum(split.counts[stage])),
        synchronise=_synchronise(profile, strategy, shared, experts),
        optimizer=_optimizer(profile, strategy, shared, experts),
    )


def _messages(profile: Profile, strategy: Strategy) -> float:
    """A microbatch waits for its input and for its output's gradient, once a chunk."""
    if strategy.pipeline == 1:
        return 0.0
    stride = strategy.devices // strategy.pipeline
    size = float(max(item.layer.output_bytes for item in profile.layers[:-1]))
    if not strategy.variant.sequence_parallel:
        size /= strategy.tensor
    one = message_seconds(size, stride, profile.cluster, profile.efficiency)
    return 2 * strategy.interleave * one


def _data_group(strategy: Strategy) -> Placed:
    return Placed(strategy.data * strategy.context, strategy.tensor)


def _expert_group(strategy: Strategy) -> Placed:
    ranks = max(strategy.data * strategy.context // strategy.expert, 1)
    return Placed(ranks, strategy.tensor * strategy.expert)


def _synchronise(profile: Profile, strategy: Strategy, shared: int, experts: int) -> float:
    """Gradients of a stage over the ranks that share its weights, once an iteration (not under ZeRO 3)."""
    if strategy.zero == 3:
        return 0.0
    seconds = 0.0
    for parameters, group in ((shared, _data_group(strategy)), (experts, _expert_group(strategy))):
        gradients = parameters * strategy.gradient_bytes
        if strategy.zero == 0:
            seconds += _collective(profile, Pattern.ALL_REDUCE, gradients, group)
        else:
            seconds += _collective(profile, Pattern.REDUCE_SCATTER, gradients, group)
            seconds += _collective(profile, Pattern.ALL_GATHER, parameters * WEIGHT_BYTES, group)
    return seconds


def _gather(profile: Profile, strategy: Strategy, shared: int, computing: float, layers: int) -> float:
    """ZeRO 3, for one microbatch: weights gathered for each pass and gradients scattered, while the chip computes.

    What is longer than the computing shows, and one layer's share always does.
    """
    if strategy.zero < 3:
        return 0.0
    group = _data_group(strategy)
    weights = _collective(profile, Pattern.ALL_GATHER, shared * WEIGHT_BYTES, group)
    gradients = _collective(profile, Pattern.REDUCE_SCATTER, shared * strategy.gradient_bytes, group)
    whole = 2 * weights + gradients
    return max(whole - computing, whole / max(layers, 1))


def _optimizer(profile: Profile, strategy: Strategy, shared: int, experts: int) -> float:
    """Adam is bound by memory: gradients read for their norm, read again and cleared, states read and written."""
    ranks = _data_group(strategy).ranks if strategy.zero else 1
    expert_ranks = _expert_group(strategy).ranks if strategy.zero else 1
    moved = 3 * strategy.gradient_bytes + 24 + WEIGHT_BYTES
    parameters = shared / ranks + experts / expert_ranks
    return parameters * moved / (profile.cluster.chip.hbm_bandwidth * profile.efficiency.memory)


def _tied(profile: Profile, strategy: Strategy) -> float:
    """Weights that two stages share are summed between them."""
    if strategy.pipeline == 1:
        return 0.0
    tied = sum(item.layer.tied_parameters for item in profile.layers)
    group = Placed(2, strategy.devices // strategy.pipeline * (strategy.pipeline - 1))
    return _collective(profile, Pattern.ALL_REDUCE, tied * strategy.gradient_bytes, group)


def _collective(profile: Profile, pattern: Pattern, size: float, group: Placed) -> float:
    return collective_seconds(pattern, size, group, profile.cluster, profile.efficiency)
