"""What data-parallel devices exchange for their weights, and the update: seconds for any number of stages at once.

Sources: ZeRO's collectives (Rajbhandari et al., SC 2020).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intarsia.cost import Placed, collective_seconds, collectives_seconds, message_seconds
from intarsia.graph import Pattern
from intarsia.machines.clusters import Cluster
from intarsia.place.memory import WEIGHT_BYTES
from intarsia.place.profile import Profile
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


def message(profile: Profile, strategy: Strategy, size: int) -> float:
    """Seconds of one message of ``size`` bytes to the neighbouring stage, 0 for none."""
    if strategy.pipeline == 1 or size == 0:
        return 0.0
    stride = strategy.devices // strategy.pipeline
    part = 1 if strategy.variant.sequence_parallel else strategy.tensor
    return message_seconds(size / part, stride, _network(profile, strategy), profile.efficiency)


def synchronise(profile: Profile, strategy: Strategy, shared: Floats, experts: Floats) -> Floats:
    """Gradients of stages over the ranks that share their weights, once an iteration (not under ZeRO 3).

    Args:
        profile: the network and its efficiency.
        strategy: its groups.
        shared: parameters of one device of each stage that all data ranks share.
        experts: parameters of its experts.
    """
    if strategy.zero == 3:
        return np.zeros(shared.shape)
    if strategy.zero == 0:
        return _both(profile, strategy, Pattern.ALL_REDUCE, strategy.gradient_bytes, shared, experts)
    gradients = _both(profile, strategy, Pattern.REDUCE_SCATTER, strategy.gradient_bytes, shared, experts)
    return gradients + _both(profile, strategy, Pattern.ALL_GATHER, WEIGHT_BYTES, shared, experts)


def gather(
    profile: Profile,
    strategy: Strategy,
    shared: Floats,
    experts: Floats,
    forward: Floats,
    backward: Floats,
    layers: Floats,
) -> Floats:
    """What ZeRO 2 and 3 exchange for every microbatch, beyond what computing hides: all but ``SHOWN`` at most.

    ZeRO 3 gathers weights for each pass and scatters gradients. ZeRO 2 keeps no whole gradients between microbatches,
    so it scatters them after each one but the last, whose scatter ``synchronise`` counts.
    """
    if strategy.zero < 2:
        return np.zeros(shared.shape)
    gradients = _both(profile, strategy, Pattern.REDUCE_SCATTER, strategy.gradient_bytes, shared, experts)
    if strategy.zero == 2:
        share = (strategy.microbatches - 1) / strategy.microbatches
        return share * np.maximum(gradients - backward, gradients * np.maximum(SHOWN, 1 / layers))
    weights = _both(profile, strategy, Pattern.ALL_GATHER, WEIGHT_BYTES, shared, experts)
    whole = 2 * weights + gradients
    return np.maximum(whole - (forward + backward), whole * np.maximum(SHOWN, 1 / layers))


def optimizer(profile: Profile, strategy: Strategy, shared: Floats, experts: Floats) -> Floats:
    """Adam is bound by memory: gradients read for their norm, read again and cleared, states read and written."""
    ranks = data_group(strategy).ranks if strategy.zero else 1
    expert_ranks = expert_group(strategy).ranks if strategy.zero else 1
    moved = 3 * strategy.gradient_bytes + 24 + WEIGHT_BYTES
    parameters = shared / ranks + experts / expert_ranks
    return parameters * moved / (profile.cluster.chip.hbm_bandwidth * profile.efficiency.memory)


def tied(profile: Profile, strategy: Strategy) -> float:
    """Weights that two stages share are summed between them."""
    if strategy.pipeline == 1:
        return 0.0
    size = sum(item.layer.tied_parameters for item in profile.layers) * strategy.gradient_bytes
    group = Placed(2, strategy.devices // strategy.pipeline * (strategy.pipeline - 1))
    return collective_seconds(Pattern.ALL_REDUCE, size, group, _network(profile, strategy), profile.efficiency)


def _network(profile: Profile, strategy: Strategy) -> Cluster:
    """The devices that a strategy uses: the first ones, so that one in a node has nothing to do with other nodes."""
    return profile.cluster.first(strategy.devices)


def _both(
    profile: Profile, strategy: Strategy, pattern: Pattern, element: int, shared: Floats, experts: Floats
) -> Floats:
    cluster, efficiency = _network(profile, strategy), profile.efficiency
    seconds = collectives_seconds(pattern, element * shared, data_group(strategy), cluster, efficiency)
    if experts.any():
        seconds = seconds + collectives_seconds(pattern, element * experts, expert_group(strategy), cluster, efficiency)
    return seconds
