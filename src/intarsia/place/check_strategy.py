"""Whether a strategy with a split is one of what was asked: degrees, devices, and every layer in one stage."""

from __future__ import annotations

from dataclasses import dataclass, field

from intarsia.graph import Model, Variant
from intarsia.machines.chips.efficiency import Efficiency
from intarsia.machines.clusters import Cluster
from intarsia.place.profile import Profile, demands
from intarsia.place.strategy import Pipeline, Split, Strategy

TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Asked:
    """The question that a plan answers.

    Attributes:
        model: what is trained.
        cluster: where.
        efficiency: what seconds are priced with.
        global_batch: sequences of an iteration.
        sequence: tokens of a sequence.
        profiles: those that were worked out already.
    """

    model: Model
    cluster: Cluster
    efficiency: Efficiency
    global_batch: int
    sequence: int
    profiles: dict[Variant, Profile] = field(default_factory=dict)

    def profile(self, variant: Variant) -> Profile:
        """The layers at a legal variant."""
        if variant not in self.profiles:
            self.profiles[variant] = demands(self.model, variant, self.cluster).priced(self.efficiency)
        return self.profiles[variant]


def check_strategy(asked: Asked, strategy: Strategy, split: Split, idle: int) -> list[str]:
    """One text for each violation.

    Args:
        asked: the question.
        strategy: degrees and switches.
        split: layers of each stage.
        idle: devices that are said to be unused.
    """
    found = [*_asked(asked, strategy, idle), *_degrees(strategy)]
    refusal = asked.model.refusal(strategy.variant)
    if refusal:
        return [*found, f"the model cannot be cut so: {refusal}"]
    return [*found, *check_split(asked.profile(strategy.variant), strategy, split)]


def _asked(asked: Asked, strategy: Strategy, idle: int) -> list[str]:
    found = []
    if (strategy.global_batch, strategy.sequence) != (asked.global_batch, asked.sequence):
        found.append(
            f"the plan is for {strategy.global_batch} × {strategy.sequence} tokens,"
            f" not {asked.global_batch} × {asked.sequence}"
        )
    devices = asked.cluster.devices
    if not 0 < strategy.devices <= devices:
        found.append(f"the degrees need {strategy.devices} devices of {devices}")
    if idle != devices - strategy.devices:
        found.append(f"{idle} devices are said to be idle, {devices - strategy.devices} are")
    return found


def _degrees(strategy: Strategy) -> list[str]:
    found = []
    degrees = (strategy.tensor, strategy.pipeline, strategy.data, strategy.context, strategy.expert)
    if min(*degrees, strategy.microbatch, strategy.interleave) < 1:
        return ["a degree is not positive"]
    if strategy.data * strategy.context % strategy.expert:
        found.append(f"expert {strategy.expert} does not divide data × context")
    if strategy.data * strategy.microbatch > strategy.global_batch:
        found.append(f"{strategy.data} replicas × {strategy.microbatch} sequences are more than the global batch")
    if strategy.interleave > 1 and (strategy.pipeline == 1 or strategy.order is not Pipeline.ONE_F_ONE_B):
        found.append("chunks are interleaved where there is no 1F1B pipeline")
    elif strategy.interleave > 1 and strategy.microbatches % strategy.pipeline:
        found.append(f"{strategy.microbatches} interleaved microbatches are no multiple of {strategy.pipeline} stages")
    if strategy.zero not in range(4):
        found.append(f"ZeRO has no level {strategy.zero}")
    return found


def check_split(profile: Profile, strategy: Strategy, split: Split) -> list[str]:
    """Whether every layer is in one stage, in the order of the chain, and chunks are whole."""
    if not len(split.counts) == len(split.recompute) == strategy.pipeline:
        return [f"{len(split.counts)} stages in the split, {strategy.pipeline} in the strategy"]
    found = []
    for kind, item in enumerate(profile.layers):
        placed = sum(row[kind] for row in split.counts)
        if placed != item.layer.repeat:
            found.append(f"{placed} of {item.layer.repeat} layers {item.layer.name} are placed")
    reached = 0
    for stage, row in enumerate(split.counts):
        here = [kind for kind, count in enumerate(row) if count]
        if min(row) < 0 or not here:
            found.append(f"stage {stage} holds no layer, or less than none")
            continue
        if here[0] < reached:
            found.append(f"stage {stage} holds {profile.layers[here[0]].layer.name} after later layers")
        reached = here[-1]
    repeated = [kind for kind, item in enumerate(profile.layers) if item.layer.repeat > 1]
    if strategy.interleave > 1 and (
        len(repeated) != 1
        or any(row[repeated[0]] % strategy.interleave or not row[repeated[0]] for row in split.counts)
    ):
        found.append(f"stages do not divide into {strategy.interleave} equal chunks")
    return found
