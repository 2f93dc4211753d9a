"""The energy of an iteration: what every device of a plan does, and what that takes on a chip of the template.

What is done is what the seconds are made of: kernels and collectives of each pass as its schedule runs them, messages
between stages, what replicas exchange, and the update. All devices of a stage do the same, once for each microbatch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from intarsia.cost import sent_bytes
from intarsia.graph import Model, Pattern, Recompute
from intarsia.machines.chips.efficiency import Efficiency
from intarsia.machines.clusters import Cluster
from intarsia.machines.template import Amounts, Point, joules, peak_amounts, point_of
from intarsia.place.exchange import (
    data_group,
    expert_group,
    for_each_microbatch,
    message_bytes,
    once,
    optimizer_bytes,
    tied_bytes,
)
from intarsia.place.memory import stage_parameters
from intarsia.place.predict import Prediction
from intarsia.place.profile import Demands, Passes, Priceable, ScheduledPass, demands
from intarsia.place.step import crossings
from intarsia.place.strategy import Split, Strategy


@dataclass(frozen=True, slots=True)
class Energy:
    """What an iteration takes.

    Attributes:
        amounts: what all devices do.
        parts: joules of all devices, by part (``template.joules``).
        peaks: watts of one device that is busy all over, by part.
        devices: that the plan uses; others are not counted.
        seconds: of the iteration.
        samples: of it.
        tokens: of it; 0 for images.
    """

    amounts: Amounts
    parts: Mapping[str, float]
    peaks: Mapping[str, float]
    devices: int
    seconds: float
    samples: int
    tokens: int

    @property
    def joules(self) -> float:
        """Of all devices."""
        return sum(self.parts.values())

    @property
    def joules_per_sample(self) -> float:
        """Of all devices, for a sequence or an image."""
        return self.joules / self.samples

    @property
    def joules_per_token(self) -> float | None:
        """The same for a token; None for images."""
        return self.joules / self.tokens if self.tokens else None

    @property
    def watts(self) -> Mapping[str, float]:
        """Mean of a device, by part."""
        return {name: of / (self.seconds * self.devices) for name, of in self.parts.items()}

    @property
    def mean_watts(self) -> float:
        """Of a device."""
        return sum(self.watts.values())

    @property
    def peak_watts(self) -> float:
        """Of a device."""
        return sum(self.peaks.values())


def energy_of(model: Model, cluster: Cluster, prediction: Prediction) -> Energy | None:
    """The energy of a predicted iteration; None where nobody knows what the chip's work takes.

    Args:
        model: what is trained.
        cluster: chips and network, for which the prediction was made.
        prediction: strategy, split, seconds.
    """
    point = point_of(cluster.chip)
    if point is None:
        return None
    return energy_on(point, model, cluster, prediction)


def energy_on(point: Point, model: Model, cluster: Cluster, prediction: Prediction) -> Energy:
    """The same on the chip of a point."""
    strategy, seconds = prediction.strategy, prediction.seconds
    its = demands(model, strategy.variant, cluster, set(prediction.split.recompute))
    done = done_by(its, prediction) + Amounts(seconds=seconds * strategy.devices)
    return Energy(
        amounts=done,
        parts=joules(point, done),
        peaks=joules(point, peak_amounts(point)),
        devices=strategy.devices,
        seconds=seconds,
        samples=strategy.global_batch,
        tokens=strategy.global_batch * strategy.sequence,
    )


def done_by(its: Demands, prediction: Prediction) -> Amounts:
    """What all devices do in an iteration, without being at rest.

    Args:
        its: the model's layers on a cluster whose chips are scheduled core by core.
        prediction: strategy, split, and the efficiency that its schedules have.
    """
    strategy, split = prediction.strategy, prediction.split
    layers = [_passes(its, item.passes, prediction.efficiency) for item in its.layers]
    each = Amounts(link_bytes=2 * sent_bytes(Pattern.ALL_REDUCE, tied_bytes(its, strategy), 2))
    for stage, (counts, mode) in enumerate(zip(split.counts, split.recompute, strict=True)):
        for layer, count in zip(layers, counts, strict=True):
            each += layer[mode].times(count * strategy.microbatches)
        each += _exchanged(its, strategy, split, stage)
    return each.times(strategy.devices // strategy.pipeline)


def _passes(its: Demands, passes: Passes, efficiency: Efficiency) -> dict[Recompute, Amounts]:
    """Both passes of a layer over one microbatch on one device, by what is computed again."""
    forward = _scheduled(passes.forward).amounts(its.cluster, efficiency)
    back = {mode: _scheduled(one).amounts(its.cluster, efficiency) for mode, one in passes.backward.items()}
    return {mode: forward + one for mode, one in back.items()}


def _scheduled(one: Priceable) -> ScheduledPass:
    assert isinstance(one, ScheduledPass), "a chip of the template has cores that are scheduled"
    return one


def _exchanged(its: Demands, strategy: Strategy, split: Split, stage: int) -> Amounts:
    """What one device of a stage does beside its passes: messages, exchange among replicas, update."""
    count = strategy.microbatches
    sent = sum(count * times * message_bytes(strategy, size) for times, size in crossings(its, strategy, split, stage))
    shared, experts = stage_parameters(its, split, stage)
    ranks, expert_ranks = data_group(strategy).ranks, expert_group(strategy).ranks
    repeated = count - 1 if strategy.zero == 2 else count
    for exchanges, often in ((once(strategy), 1), (for_each_microbatch(strategy), repeated)):
        for one in exchanges:
            own = sent_bytes(one.pattern, one.element * shared, ranks)
            own += sent_bytes(one.pattern, one.element * experts, expert_ranks)
            sent += often * one.times * own
    update = optimizer_bytes(strategy, np.array([float(shared)]), np.array([float(experts)]))
    return Amounts(hbm_bytes=float(update[0]), link_bytes=sent)
