"""The check of a plan: what was asked and a plan come in, what is wrong goes out; nothing is taken from the search.

Seconds and bytes are worked out again from the model; the bound is checked for what can be seen without a proof.
"""

from __future__ import annotations

from intarsia.graph import Model
from intarsia.machines.chips.efficiency import Efficiency
from intarsia.machines.clusters import Cluster
from intarsia.place.memory import stage_memory
from intarsia.place.plan import Plan
from intarsia.place.profile import Profile, demands
from intarsia.place.step import step_time
from intarsia.place.strategy import Split, Strategy

TOLERANCE = 1e-9


def check_plan(
    model: Model, cluster: Cluster, efficiency: Efficiency, global_batch: int, sequence: int, plan: Plan
) -> tuple[str, ...]:
    """One text for each violation, none if the plan is right.

    Args:
        model: what is trained.
        cluster: where.
        efficiency: what seconds are priced with.
        global_batch: sequences of an iteration.
        sequence: tokens of a sequence.
        plan: the answer.
    """
    strategy = plan.strategy
    found = [*_asked(cluster, global_batch, sequence, plan), *_degrees(strategy)]
    refusal = model.refusal(strategy.variant)
    if refusal:
        return (*found, f"the model cannot be cut so: {refusal}")
    profile = demands(model, strategy.variant, cluster).priced(efficiency)
    found += check_split(profile, strategy, plan.split)
    if found:
        return tuple(found)
    return (*_memory(profile, plan), *_seconds(profile, plan))


def _asked(cluster: Cluster, global_batch: int, sequence: int, plan: Plan) -> list[str]:
    found = []
    strategy = plan.strategy
    if (strategy.global_batch, strategy.sequence) != (global_batch, sequence):
        found.append(
            f"the plan is for {strategy.global_batch} × {strategy.sequence} tokens, not {global_batch} × {sequence}"
        )
    if not 0 < strategy.devices <= cluster.devices:
        found.append(f"the degrees need {strategy.devices} devices of {cluster.devices}")
    if plan.idle != cluster.devices - strategy.devices:
        found.append(f"{plan.idle} devices are said to be idle, {cluster.devices - strategy.devices} are")
    return found


def _degrees(strategy: Strategy) -> list[str]:
    found = []
    degrees = (strategy.tensor, strategy.pipeline, strategy.data, strategy.context, strategy.expert)
    if min(*degrees, strategy.microbatch, strategy.interleave) < 1:
        found.append("a degree is not positive")
    elif strategy.data * strategy.context % strategy.expert:
        found.append(f"expert {strategy.expert} does not divide data × context")
    if strategy.data * strategy.microbatch > strategy.global_batch:
        found.append(f"{strategy.data} replicas × {strategy.microbatch} sequences are more than the global batch")
    if strategy.interleave > 1 and (strategy.pipeline == 1 or strategy.order != "1f1b"):
        found.append("chunks are interleaved where there is no 1F1B pipeline")
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


def _memory(profile: Profile, plan: Plan) -> list[str]:
    found = []
    capacity = profile.cluster.chip.hbm_bytes
    for stage in range(plan.strategy.pipeline):
        memory = stage_memory(profile, plan.strategy, plan.split, stage)
        if memory.total > capacity:
            found.append(f"stage {stage} needs {memory.total} bytes of {capacity}")
        if memory != plan.prediction.memory[stage]:
            found.append(f"stage {stage} needs {memory}, not {plan.prediction.memory[stage]}")
    return found


def _seconds(profile: Profile, plan: Plan) -> list[str]:
    found = []
    seconds = step_time(profile, plan.strategy, plan.split).seconds
    if not abs(seconds - plan.seconds) <= TOLERANCE * seconds:
        found.append(f"the plan takes {seconds} s, not {plan.seconds} s")
    if not 0 < plan.bound <= seconds * (1 + TOLERANCE):
        found.append(f"the bound {plan.bound} s is not between 0 and the plan's {seconds} s")
    return [*found, *_others(plan, seconds)]


def _others(plan: Plan, seconds: float) -> list[str]:
    least = seconds * (1 - TOLERANCE)
    runners = [other.seconds for other in plan.runners_up if other.seconds < least]
    prices = [(price.choice, price.value) for price in plan.prices if price.best and price.best.seconds < least]
    return [
        *(f"a runner-up takes {other} s, less than the plan" for other in runners),
        *(f"the best plan with {choice} {value} takes less than the plan" for choice, value in prices),
    ]
