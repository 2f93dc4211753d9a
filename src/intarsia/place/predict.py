"""What a given strategy costs: seconds with their parts and interval, bytes with their kinds, and whether it fits."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

from intarsia.graph import Model, Recompute
from intarsia.machines.chips.efficiency import Efficiency
from intarsia.machines.clusters import Cluster
from intarsia.place.even import even_split
from intarsia.place.memory import Memory, stage_memory
from intarsia.place.profile import Profile, demands
from intarsia.place.step import StepTime, step_time
from intarsia.place.strategy import Split, Strategy

INTERVAL_DEVIATIONS = 1.645
"""Nine measurements in ten lie within, if their logarithms are normal."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """One iteration of a strategy.

    Attributes:
        strategy: what was asked.
        split: which layers each stage has.
        time: seconds by part and stage.
        interval: seconds between which nine measurements in ten are expected.
        memory: bytes of one device of each stage.
        capacity: bytes of a device.
        mfu: of the devices' peak, what the model itself needs (without recomputation).
        efficiency: what it was priced with.
    """

    strategy: Strategy
    split: Split
    time: StepTime
    interval: tuple[float, float]
    memory: tuple[Memory, ...]
    capacity: int
    mfu: float
    efficiency: Efficiency

    @property
    def seconds(self) -> float:
        """Of one iteration."""
        return self.time.seconds

    @property
    def fullest(self) -> int:
        """The stage whose devices hold the most."""
        return max(range(len(self.memory)), key=lambda stage: self.memory[stage].total)

    @property
    def fits(self) -> bool:
        """Whether every stage's bytes are within a device's."""
        return self.memory[self.fullest].total <= self.capacity


def predict(model: Model, strategy: Strategy, cluster: Cluster, efficiency: Efficiency) -> Prediction:
    """The prediction for layers that are dealt out evenly; a legal strategy is expected (see ``refuse``)."""
    modes = {Recompute.NONE, strategy.recompute}
    profile = demands(model, strategy.variant, cluster, modes).priced(efficiency)
    return predict_split(model, profile, strategy, even_split(profile, strategy))


def predict_split(model: Model, profile: Profile, strategy: Strategy, split: Split) -> Prediction:
    """The prediction for a split."""
    time = step_time(profile, strategy, split)
    spread = exp(INTERVAL_DEVIATIONS * profile.efficiency.error)
    needed = model.flops(strategy.sequence) * strategy.global_batch
    chip = profile.cluster.chip
    return Prediction(
        strategy=strategy,
        split=split,
        time=time,
        interval=(time.seconds / spread, time.seconds * spread),
        memory=tuple(stage_memory(profile, strategy, split, stage) for stage in range(strategy.pipeline)),
        capacity=chip.hbm_bytes,
        mfu=needed / (time.seconds * strategy.devices * chip.peak_flops),
        efficiency=profile.efficiency,
    )
