"""The slow, obvious twin of a plan's energy: every device, microbatch, layer, kernel and hop of a message, one by one.

It shares with the closed form what a kernel asks of a chip (its demand, its best embedding, its schedule); what that
costs and how often it happens is written down again here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from intarsia.cost import Placed, demand
from intarsia.cost.systolic import products_of, roles, seen
from intarsia.embed.stationary import best_fit
from intarsia.graph import Collective, Contraction, Elementwise, FusedAttention, Group, Layer, Model, Node, Pattern
from intarsia.machines.chips import Chip, Mapping
from intarsia.machines.clusters import Cluster
from intarsia.machines.template import Point, Technology
from intarsia.place import Prediction, Strategy
from intarsia.place.tasks import layer_tasks
from intarsia.schedule import Slot, list_schedule

KINDS = ("products", "padding", "vector", "buffer", "HBM", "links", "rest")


@dataclass(frozen=True)
class Prices:
    """Joules of one thing each, on a chip; of both kinds of arrays their width, depth, and a row that enters one.

    All lanes of an array multiply for a row, and 2 width + depth elements of the core's own memory move.
    """

    arrays: tuple[tuple[int, int, float], ...]
    lane: float
    buffer: float
    rest: float


def prices_of(point: Point) -> Prices:
    technology = Technology()
    supply = float(technology.voltage(np.array([point.clock]))[0])

    def sram(kib: float) -> float:
        return float(technology.sram(np.array([kib]))[0])

    sides = [(point.width, point.depth)] + [(point.more_width, point.more_depth)] * (point.more_cores > 0)
    rows = [w * d * technology.multiply + 2 * (2 * w + d) * sram(16 * w * d / 1024) for w, d in sides]
    return Prices(
        arrays=tuple((w, d, supply**2 * row) for (w, d), row in zip(sides, rows, strict=True)),
        lane=supply**2 * (technology.lane + 3 * 2 * sram(16 * point.vector_width / 1024)),
        buffer=supply**2 * sram(point.buffer_mib * 1024.0),
        rest=supply * point.area * 90 / 600,
    )


def walked(model: Model, cluster: Cluster, prediction: Prediction, point: Point) -> dict[str, float]:
    """Joules by part, added up device by device."""
    spent = dict.fromkeys(KINDS, 0.0)
    strategy, prices = prediction.strategy, prices_of(point)
    layers = model.layers(strategy.variant)
    schedules = {
        (kind, mode): _schedule(layer, mode, cluster, prediction)
        for kind, layer in enumerate(layers)
        for mode in set(prediction.split.recompute)
    }
    for rank in range(strategy.devices):
        stage = rank // (strategy.tensor * strategy.context * strategy.data)
        own = [kind for kind, count in enumerate(prediction.split.counts[stage]) for _ in range(count)]
        mode = prediction.split.recompute[stage]
        for microbatch in range(strategy.microbatches):
            for kind in own:
                for node, slot in schedules[kind, mode]:
                    _kernel(spent, cluster.chip, node, slot, strategy, prices)
            _replicas(spent, layers, own, strategy, microbatch)
            _hand_on(spent, layers, prediction, stage)
        _update(spent, layers, own, strategy)
        spent["rest"] += prices.rest * prediction.seconds
        if strategy.pipeline > 1 and stage in {0, strategy.pipeline - 1}:
            # both ends hold the tied weights: each sends the other its gradients
            spent["links"] += LINK * strategy.gradient_bytes * sum(layer.tied_parameters for layer in layers)
    return spent


LINK, HBM = 44e-12, 31.76e-12


def _schedule(layer: Layer, mode: object, cluster: Cluster, prediction: Prediction) -> list[tuple[Node, Slot]]:
    """What one device runs of a layer for a microbatch, and on which cores."""
    variant = prediction.strategy.variant
    groups = {
        Group.TENSOR: Placed(variant.tensor, 1),
        Group.CONTEXT: Placed(variant.context, variant.tensor),
        Group.EXPERT: Placed(variant.expert, variant.tensor),
    }
    found = []
    again = layer.recomputed(mode)
    for passes in ((("again", ()), ("pass", layer.forward)), (("again", again), ("pass", layer.backward))):
        problem = layer_tasks(passes, cluster, groups, prediction.efficiency).problem
        slots = {slot.task: slot for slot in list_schedule(problem).slots}
        found += [(node, slots[f"{prefix}/{node.name}"]) for prefix, nodes in passes for node in nodes]
    return found


def _kernel(spent: dict[str, float], chip: Chip, node: Node, slot: Slot, strategy: Strategy, prices: Prices) -> None:
    work = node.work
    if isinstance(work, Collective):
        ranks = {Group.TENSOR: strategy.tensor, Group.CONTEXT: strategy.context, Group.EXPERT: strategy.expert}
        spent["links"] += LINK * sum(hops(work.pattern, work.bytes_whole, ranks[work.group]))
        return
    chip, cores = chip.kinds[slot.second], len(slot.cores)
    asked = demand(chip, work, cores=cores)
    spent["HBM"] += HBM * asked.hbm_bytes
    if isinstance(work, Elementwise):
        busy = round(asked.vector * cores * chip.vector.width * chip.clock)
        spent["vector"] += busy * prices.lane
        spent["buffer"] += min(work.read_bytes + work.written_bytes, 6 * busy) * prices.buffer
    if isinstance(work, Contraction | FusedAttention):
        width, depth, row = prices.arrays[slot.second]
        if isinstance(work, Contraction):
            rows = float(rows_of(chip, work, cores))
        else:
            rows = seen(work) * sum(rows_of(chip, product, cores) for product in products_of(work))
        full = work.flops / 2 / (width * depth)
        spent["products"] += full * row
        spent["padding"] += (rows - full) * row
        spent["buffer"] += rows * 2 * (width + depth) * prices.buffer


def rows_of(chip: Chip, work: Contraction, cores: int) -> int:
    """Rows that enter arrays, of the embedding of fewest cycles or of the padded product."""
    width, depth = chip.tensor.width, chip.tensor.depth
    if chip.mapping is Mapping.EMBEDDED:
        return sum(best_fit(own, cores, width, depth).calls for own in roles(work))
    tried = []
    for streamed, kept in ((work.m, work.n), (work.n, work.m)):
        blocks = work.batch * -(-kept // width) * -(-work.k // depth)
        for cut in (1 << at for at in range(cores.bit_length())):
            cycles = -(-blocks * cut // cores) * max(-(-streamed // cut), depth)
            tried.append((cycles, blocks * streamed))
    return min(tried)[1]


def hops(pattern: Pattern, size: float, ranks: int) -> Iterator[float]:
    """Bytes of each message that one rank of a ring sends."""
    for _ in range(ranks - 1):
        yield size / ranks  # to the neighbour, or of an all-to-all to another rank
    if pattern is Pattern.ALL_REDUCE:
        for _ in range(ranks - 1):
            yield size / ranks  # the reduced parts, gathered


def _parameters(layers: tuple[Layer, ...], own: list[int]) -> tuple[int, int]:
    here = {layers[kind].name for kind in own}
    shared = sum(
        layers[kind].parameters - (layers[kind].tied_parameters if layers[kind].tied in here else 0) for kind in own
    )
    return shared, sum(layers[kind].expert_parameters for kind in own)


def _replicas(
    spent: dict[str, float], layers: tuple[Layer, ...], own: list[int], strategy: Strategy, microbatch: int
) -> None:
    """What a device sends to those that share its weights, of one microbatch."""
    last = microbatch == strategy.microbatches - 1
    replicas = strategy.data * strategy.context
    for size, ranks in zip(_parameters(layers, own), (replicas, replicas // strategy.expert), strict=True):
        sent: list[float] = []
        gradients, weights = strategy.gradient_bytes * size, 2 * size
        if strategy.zero == 0 and last:
            sent += hops(Pattern.ALL_REDUCE, gradients, ranks)
        if strategy.zero in {2, 3} or (strategy.zero == 1 and last):
            sent += hops(Pattern.REDUCE_SCATTER, gradients, ranks)
        if strategy.zero in {1, 2} and last:
            sent += hops(Pattern.ALL_GATHER, weights, ranks)
        if strategy.zero == 3:  # for the forward and for the backward pass
            sent += [*hops(Pattern.ALL_GATHER, weights, ranks), *hops(Pattern.ALL_GATHER, weights, ranks)]
        spent["links"] += LINK * sum(sent)


def _hand_on(spent: dict[str, float], layers: tuple[Layer, ...], prediction: Prediction, stage: int) -> None:
    """Activations to the next stage, gradients to the one before, for each chunk of a microbatch."""
    strategy, counts = prediction.strategy, prediction.split.counts
    last = [max(kind for kind, count in enumerate(row) if count) for row in counts]
    share = 1 if strategy.sequence_parallel and strategy.tensor > 1 else strategy.tensor
    sizes = [layers[last[stage]].output_bytes] if stage + 1 < strategy.pipeline else []
    sizes += [layers[last[stage - 1]].output_bytes] if stage else []
    for _ in range(strategy.interleave - 1):
        sizes += [max(sizes)] * 2 if strategy.pipeline > 1 else []
    spent["links"] += LINK * sum(sizes[:2]) / share + LINK * sum(sizes[2:]) / share


def _update(spent: dict[str, float], layers: tuple[Layer, ...], own: list[int], strategy: Strategy) -> None:
    """Gradients three times, master weights and two moments in and out, weights out."""
    replicas = strategy.data * strategy.context
    for size, ranks in zip(_parameters(layers, own), (replicas, replicas // strategy.expert), strict=True):
        mine = size / (ranks if strategy.zero else 1)
        spent["HBM"] += HBM * mine * (3 * strategy.gradient_bytes + 2 * 3 * 4 + 2)
