"""What data-parallel devices exchange for their weights, and the update: seconds for any number of stages at once.

Sources: ZeRO's collectives (Rajbhandari et al., SC 2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intarsia.cost import Placed, collective_seconds, collectives_seconds, message_seconds
from intarsia.graph import Pattern
from intarsia.machines.clusters import Cluster
from intarsia.place.memory import WEIGHT_BYTES
from intarsia.place.profile import Chain, Profile
from intarsia.place.strategy import Strategy

Floats = NDArray[np.float64]


SHOWN = 0.5
"""Of what ZeRO exchanges beside computing, the part that lengthens it all the same: collectives take cores and
bandwidth from the kernels beside them. Judged from llm-foundry's published FSDP runs, 0.1 to 70 billion parameters."""


def data_group(strategy: Strategy) -> Placed:
    """The ranks that share a stage's weights."""
    return Placed(strategy.data * strategy.context, strategy.tensor)


def expert_group(strategy: Strategy) -> Placed:
    """The ranks that share the weights of a stage's experts."""
    ranks = max(strategy.data * strategy.context // strategy.expert, 1)
    return Placed(ranks, strategy.tensor * strategy.expert)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A collective over all weights of a stage.

    Attributes:
        pattern: which.
        element: bytes of a parameter.
        times: how often.
    """

    pattern: Pattern
    element: int
    times: int = 1


def once(strategy: Strategy) -> tuple[Exchange, ...]:
    """What the ranks that share weights exchange in an iteration, after the last microbatch (nothing under ZeRO 3)."""
    if strategy.zero == 3:
        return ()
    if strategy.zero == 0:
        return (Exchange(Pattern.ALL_REDUCE, strategy.gradient_bytes),)
    return (Exchange(Pattern.REDUCE_SCATTER, strategy.gradient_bytes), Exchange(Pattern.ALL_GATHER, WEIGHT_BYTES))


def for_each_microbatch(strategy: Strategy) -> tuple[Exchange, ...]:
    """What they exchange for every microbatch; under ZeRO 2 for every one but the last, whose scatter is in ``once``.

    ZeRO 3 gathers weights for each pass and scatters gradients. ZeRO 2 keeps no whole gradients between microbatches.
    """
    scatter = Exchange(Pattern.REDUCE_SCATTER, strategy.gradient_bytes)
    if strategy.zero == 3:
        return (Exchange(Pattern.ALL_GATHER, WEIGHT_BYTES, times=2), scatter)
    return (scatter,) if strategy.zero == 2 else ()


def message_bytes(strategy: Strategy, size: int) -> float:
    """Bytes that one device sends of ``size`` that cross to the neighbouring stage."""
    if strategy.pipeline == 1:
        return 0.0
    return size / (1 if strategy.variant.sequence_parallel else strategy.tensor)


def message(profile: Profile, strategy: Strategy, size: int) -> float:
    """Seconds of one message of ``size`` bytes to the neighbouring stage, 0 for none."""
    sent = message_bytes(strategy, size)
    if not sent:
        return 0.0
    stride = strategy.devices // strategy.pipeline
    return message_seconds(sent, stride, _network(profile, strategy), profile.efficiency)


def synchronise(profile: Profile, strategy: Strategy, shared: Floats, experts: Floats) -> Floats:
    """Gradients of stages over the ranks that share their weights, once an iteration (not under ZeRO 3).

    Args:
        profile: the network and its efficiency.
        strategy: its groups.
        shared: parameters of one device of each stage that all data ranks share.
        experts: parameters of its experts.
    """
    return _exchanged(profile, strategy, once(strategy), shared, experts)


def gather(
    profile: Profile,
    strategy: Strategy,
    shared: Floats,
    experts: Floats,
    forward: Floats,
    backward: Floats,
    layers: Floats,
) -> Floats:
    """What ZeRO 2 and 3 exchange for every microbatch, beyond what computing hides: all but ``SHOWN`` at most."""
    if strategy.zero < 2:
        return np.zeros(shared.shape)
    whole = _exchanged(profile, strategy, for_each_microbatch(strategy), shared, experts)
    if strategy.zero == 2:
        share = (strategy.microbatches - 1) / strategy.microbatches
        return share * np.maximum(whole - backward, whole * np.maximum(SHOWN, 1 / layers))
    return np.maximum(whole - (forward + backward), whole * np.maximum(SHOWN, 1 / layers))


def optimizer(profile: Profile, strategy: Strategy, shared: Floats, experts: Floats) -> Floats:
    """Adam is bound by memory."""
    moved = optimizer_bytes(strategy, shared, experts)
    return moved / (profile.cluster.chip.hbm_bandwidth * profile.efficiency.memory)


def optimizer_bytes(strategy: Strategy, shared: Floats, experts: Floats) -> Floats:
    """Bytes of the HBM for the update: gradients read for their norm, read again and cleared, states read, written."""
    ranks = data_group(strategy).ranks if strategy.zero else 1
    expert_ranks = expert_group(strategy).ranks if strategy.zero else 1
    moved = 3 * strategy.gradient_bytes + 24 + WEIGHT_BYTES
    parameters = shared / ranks + experts / expert_ranks
    return parameters * moved


def tied(profile: Profile, strategy: Strategy) -> float:
    """Weights that two stages share are summed between them."""
    size = tied_bytes(profile, strategy)
    if not size:
        return 0.0
    group = Placed(2, strategy.devices // strategy.pipeline * (strategy.pipeline - 1))
    return collective_seconds(Pattern.ALL_REDUCE, size, group, _network(profile, strategy), profile.efficiency)


def tied_bytes(profile: Chain, strategy: Strategy) -> int:
    """Bytes of the gradients of these weights, on one device; 0 where one stage has all."""
    if strategy.pipeline == 1:
        return 0
    return sum(item.layer.tied_parameters for item in profile.layers) * strategy.gradient_bytes


def _network(profile: Profile, strategy: Strategy) -> Cluster:
    """The devices that a strategy uses: the first ones, so that one in a node has nothing to do with other nodes."""
    return profile.cluster.first(strategy.devices)


def _exchanged(
    profile: Profile, strategy: Strategy, exchanges: Sequence[Exchange], shared: Floats, experts: Floats
) -> Floats:
    """Seconds of collectives over all weights of a stage, one after the other."""
    cluster, efficiency = _network(profile, strategy), profile.efficiency
    whole = np.zeros(shared.shape)
    for one in exchanges:
        seconds = collectives_seconds(one.pattern, one.element * shared, data_group(strategy), cluster, efficiency)
        if experts.any():
            own = expert_group(strategy)
            seconds = seconds + collectives_seconds(one.pattern, one.element * experts, own, cluster, efficiency)
        whole = whole + one.times * seconds
    return whole
