"""Bytes of one device, by kind: what users of mixed-precision Adam really need.

Sources: ZeRO's partition of states (Rajbhandari et al., SC 2020); activations in flight under 1F1B and interleaving
(Narayanan et al., SC 2021; Korthikanti et al., MLSys 2023).
"""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.graph import Recompute
from intarsia.place.profile import Chain, Profile
from intarsia.place.strategy import Pipeline, Split, Strategy

WEIGHT_BYTES = 2
STATE_BYTES = 12
"""Of a parameter: master weight and two moments in 4 bytes each."""
RUNTIME_BYTES = int(1.5 * 2**30)
"""Context, libraries and communication buffers of the runtime: one to two GiB on the GPUs that people measured."""
FRAGMENTATION = 0.04
"""Of the activations: what the allocator holds beyond what is live."""
BUCKET_BYTES = 2 * 40_000_000
"""Gradient buckets in flight where gradients are cut (ZeRO 2, 3), two of 40 MB each."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of one device of a stage.

    Attributes:
        weights: in 2 bytes.
        gradients: as they are accumulated.
        optimizer: master weights and moments.
        activations: kept for backward passes, all microbatches in flight.
        working: what one layer needs while it is computed again, and gathered weights.
        buffers: of communication.
        runtime: the runtime's own, and the allocator's loss.
    """

    weights: int
    gradients: int
    optimizer: int
    activations: int
    working: int
    buffers: int
    runtime: int

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.kinds().values())

    def kinds(self) -> dict[str, int]:
        """Bytes by name, in the order in which people read them."""
        return {
            "weights": self.weights,
            "gradients": self.gradients,
            "optimizer": self.optimizer,
            "activations": self.activations,
            "working": self.working,
            "buffers": self.buffers,
            "runtime": self.runtime,
        }


def stage_parameters(profile: Chain, split: Split, stage: int) -> tuple[int, int]:
    """Parameters of one device of a stage: those that all data ranks share, and those of its experts.

    A layer whose weights are tied to one in the same stage adds none.
    """
    here, layers = split.counts[stage], [item.layer for item in profile.layers]
    present = {layer.name for layer, count in zip(layers, here, strict=True) if count}
    shared = experts = 0
    for layer, count in zip(layers, here, strict=True):
        own = layer.parameters - (layer.tied_parameters if layer.tied in present else 0)
        shared += count * own
        experts += count * layer.expert_parameters
    return shared, experts


def crossing_bytes(profile: Chain, split: Split, stage: int) -> tuple[int, int]:
    """Bytes of one microbatch that enter a stage and that leave it; 0 at the ends of the chain."""
    last = [_last(split.counts[at]) for at in (stage - 1, stage) if at >= 0]
    sizes = [profile.layers[kind].layer.output_bytes for kind in last]
    before = sizes[0] if stage else 0
    return before, sizes[-1] if stage + 1 < len(split.counts) else 0


def _last(counts: tuple[int, ...]) -> int:
    return max(kind for kind, count in enumerate(counts) if count)


def in_flight(strategy: Strategy, stage: int) -> float:
    """Microbatches whose activations a stage keeps at its fullest, in units of the whole stage.

    Interleaved: the warm-up chunks of stage s of p with v chunks are 2(p − s − 1) + (v − 1)p + 1. Zero-bubble: later
    stages keep what their delayed weight gradients need, so that every stage keeps p microbatches.
    """
    if strategy.order is Pipeline.ZERO_BUBBLE:
        return min(strategy.microbatches, strategy.pipeline)
    if strategy.interleave == 1:
        return min(strategy.microbatches, strategy.pipeline - stage)
    chunks = 2 * (strategy.pipeline - stage - 1) + (strategy.interleave - 1) * strategy.pipeline + 1
    return min(strategy.microbatches * strategy.interleave, chunks) / strategy.interleave


def stage_memory(profile: Profile, strategy: Strategy, split: Split, stage: int) -> Memory:
    """The bytes of one device of a stage."""
    shared, experts = stage_parameters(profile, split, stage)
    ranks = strategy.data * strategy.context
    expert_ranks = max(ranks // strategy.expert, 1)
    parameters = shared + experts

    def cut(level: int) -> int:
        """Parameters that a device holds of something that is cut from a ZeRO level on."""
        return parameters if strategy.zero < level else -(-shared // ranks) + -(-experts // expert_ranks)

    recompute = split.recompute[stage]
    counts = split.counts[stage]
    kept = sum(count * item.kept[recompute] for item, count in zip(profile.layers, counts, strict=True))
    activations = int(kept * in_flight(strategy, stage))
    working = 0
    if recompute is not Recompute.NONE:
        working = max(
            item.kept[Recompute.NONE] - item.kept[recompute]
            for item, count in zip(profile.layers, counts, strict=True)
            if count
        )
    if strategy.zero == 3:
        largest = max(
            item.layer.parameters + item.layer.expert_parameters
            for item, count in zip(profile.layers, counts, strict=True)
            if count
        )
        working += 2 * WEIGHT_BYTES * largest
    message = 2 * max(crossing_bytes(profile, split, stage))
    return Memory(
        weights=WEIGHT_BYTES * cut(3),
        gradients=strategy.gradient_bytes * cut(2),
        optimizer=STATE_BYTES * cut(1),
        activations=activations,
        working=working,
        buffers=message + (BUCKET_BYTES if strategy.zero >= 2 else 0),
        runtime=RUNTIME_BYTES + int(FRAGMENTATION * activations),
    )
