"""What is told of the best deployment beside its pace: bytes, parts, how far the HBM is from its bandwidth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import hypot

import numpy as np

from intarsia.cost import PassCost, pass_demand
from intarsia.graph import FusedAttention, Phase, ServedLayer, Serving
from intarsia.place.serving.memory import memory
from intarsia.place.serving.pace import loads
from intarsia.place.serving.plan import SERVING_ERROR, Considered, Parts, Served, ServingPlan
from intarsia.place.serving.prices import Prices, groups_of, served_efficiency
from intarsia.place.serving.stages import stages_of

NOTHING = Parts(0.0, 0.0, 0.0, 0.0)


def finish(prices: Prices, best: Served, runners: tuple[Served, ...], considered: Considered) -> ServingPlan:
    """The plan of a deployment."""
    task, deployment = prices.task, best.deployment
    decode, prefill, hbm = NOTHING, NOTHING, 0.0
    if task.reads:
        prefill = _parts(prices, best, Phase.PREFILL, deployment.prompts) * (1 / deployment.prompts)
    if task.output > 1:
        decode = _parts(prices, best, Phase.DECODE, deployment.sequences) * deployment.pipeline
        hbm = deployment.pipeline * hbm_seconds(prices, best)
    return ServingPlan(
        model=task.model.name,
        cluster=task.cluster.name,
        devices=task.cluster.devices,
        best=best,
        memory=memory(task, prices.chains, deployment),
        capacity=task.cluster.chip.hbm_bytes,
        decode=decode,
        prefill=prefill,
        hbm_step=hbm,
        error=hypot(task.efficiency.error, SERVING_ERROR),
        considered=considered,
        runners_up=runners,
    )


def hbm_seconds(prices: Prices, served: Served) -> float:
    """Of a group's step in the stage that moves the most: weights that are read and the cache, at full bandwidth."""
    deployment = served.deployment
    serving = prices.task.serving(Phase.DECODE, deployment.sequences, deployment.tensor, deployment.expert)
    layers = prices.chains.of(serving)
    each = [layer.read_bytes + _cached(layer) for layer in layers]
    rows = stages_of(layers, deployment.pipeline).counts
    moved = max(sum(count * size for count, size in zip(counts, each, strict=True)) for counts in rows)
    return moved / prices.task.cluster.chip.hbm_bandwidth


def _cached(layer: ServedLayer) -> int:
    return sum(node.work.bytes_moved for node in layer.nodes if isinstance(node.work, FusedAttention))


def _parts(prices: Prices, served: Served, phase: Phase, sequences: int) -> Parts:
    """Of the slowest stage for so many sequences."""
    deployment = served.deployment
    serving = prices.task.serving(phase, sequences, deployment.tensor, deployment.expert)
    layers, costs = prices.chains.of(serving), prices.costs(serving)
    rows = stages_of(layers, deployment.pipeline).counts
    taken = [load for load, _ in loads(prices, deployment.degrees, phase, sequences)]
    slowest = max(range(len(rows)), key=taken.__getitem__)
    different: dict[int, Parts] = {}
    total = NOTHING
    for layer, cost, count in zip(layers, costs, rows[slowest], strict=True):
        if count:
            key = id(layer.nodes)
            if key not in different:
                different[key] = _layer_parts(prices, serving, layer, cost)
            total += different[key] * count
    message = taken[slowest] - sum(total.kinds().values())
    return total + Parts(0.0, 0.0, 0.0, max(message, 0.0))


def _layer_parts(prices: Prices, serving: Serving, layer: ServedLayer, cost: PassCost) -> Parts:
    """Each kernel's seconds go to its highest roof; where cores are scheduled, the makespan in the same proportions.

    Of two kinds of tensor cores, a kernel counts on the one where it is fastest.
    """
    task = prices.task
    efficiency = served_efficiency(task.efficiency)
    asked = pass_demand(layer.nodes, task.cluster, groups_of(serving))
    alone = asked.cost(task.cluster, efficiency)
    reached = _reached(efficiency.matmul, efficiency.misaligned, efficiency.flash, _flow(prices))
    roofs = asked.roofs / reached
    for chip in task.cluster.chip.kinds[1:]:
        other = pass_demand(layer.nodes, replace(task.cluster, chip=chip), groups_of(serving)).roofs / reached
        roofs = np.where(other.max(axis=0) < roofs.max(axis=0), other, roofs)
    highest, bound = roofs.max(axis=0), roofs.argmax(axis=0) == len(roofs) - 1
    memory, compute = float(highest[bound].sum()), float(highest[~bound].sum())
    kernels = efficiency.kernel * len(highest)
    if task.cluster.chip.serial:
        return Parts(memory, compute, kernels, max(cost.seconds - memory - compute - kernels, 0.0))
    whole = memory + compute + kernels + alone.exposed
    return Parts(memory, compute, kernels, alone.exposed) * (cost.seconds / whole)


def _flow(prices: Prices) -> float:
    return prices.task.cluster.chip.hbm_bandwidth * prices.task.efficiency.memory


def _reached(
    matmul: float, misaligned: float, flash: float, flow: float
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    rates: Sequence[float] = (matmul, matmul * misaligned, flash, 1.0, flow)
    return np.array(rates)[:, None]
