"""What the sequences of a phase take at least on a device, by arithmetic alone: most degrees are never priced.

A kernel takes at least its operations at the fraction of the peak that is reached, its functions on the vector cores,
and the bytes of its weights, of the cache and of its activations. On a chip that runs one after the other they add up
with the collectives; where cores are scheduled they add up along a path, and no kind of core is shorter than its work.

For n sequences each of these is a constant, a line, or concave in n and not negative at 0 (experts that are met,
collectives), so that floor(n) ÷ n never rises with n, and floor(n) never falls: at the most sequences that fit it
bounds the tokens per second of every smaller number. What is rounded up when experts are met is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from intarsia.cost import collective_seconds
from intarsia.cost.layer import Groups
from intarsia.cost.vector import vector_seconds
from intarsia.graph import (
    Collective,
    Contraction,
    Elementwise,
    FusedAttention,
    Group,
    Lookup,
    Node,
    Pattern,
    Phase,
    ServedLayer,
    Serving,
)
from intarsia.machines.chips import Chip, Efficiency
from intarsia.place.serving.prices import groups_of, served_efficiency
from intarsia.place.serving.task import ServingTask

MADE_FROM = {Phase.PREFILL: 1, Phase.DECODE: 64}
"""Sequences of the chain that a floor is made from."""
TENSOR, VECTOR, NETWORK = range(3)
ROUTED = "experts-"
"""Names of kernels begin so that work on tokens of one expert each, which get fewer when one more expert is met."""


@dataclass(frozen=True, slots=True)
class KernelFloor:
    """What one node asks for at least.

    Attributes:
        kind: of the cores that it keeps busy.
        work: seconds of all of them for one sequence.
        weights: bytes that every pass reads.
        experts: bytes of the weights of all experts, of which those are read that are met.
        moved: bytes for one sequence.
        message: pattern, group, and bytes for one sequence of a collective.
        needs: places of the nodes before it.
    """

    kind: int
    work: float
    weights: int
    experts: int
    moved: float
    message: tuple[Pattern, Group, float] | None
    needs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LayerFloor:
    """What one layer takes at least.

    Attributes:
        kernels: of its nodes, in their order.
        missed: the chance that an expert is met by none of one sequence's tokens, of all replicas that share it.
        known: seconds that were asked for already, by sequences and whether collectives count.
    """

    kernels: tuple[KernelFloor, ...]
    missed: float
    known: dict[tuple[int, bool], float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Floor:
    """The floors of a chain at one tensor and expert degree.

    Attributes:
        task: the question.
        groups: where the ranks of collectives are.
        layers: of each kind.
    """

    task: ServingTask
    groups: Groups
    layers: tuple[LayerFloor, ...]

    def stage(self, counts: Sequence[int]) -> StageFloor:
        """Of a stage with so many layers of each kind."""
        pairs = zip(self.layers, counts, strict=True)
        return StageFloor(self, tuple((layer, count) for layer, count in pairs if count))

    def seconds(self, layer: LayerFloor, sequences: int, *, messages: bool) -> float:
        """One layer takes no less for so many sequences."""
        key = sequences, messages
        if key not in layer.known:
            layer.known[key] = self._seconds(layer, sequences, messages=messages)
        return layer.known[key]

    def _seconds(self, layer: LayerFloor, sequences: int, *, messages: bool) -> float:
        chip, efficiency = self.task.cluster.chip, self.task.efficiency
        flow = chip.hbm_bandwidth * efficiency.memory
        met = 1 - float(layer.missed**sequences)
        work = [0.0, 0.0, 0.0]
        moved = whole = 0.0
        ends: list[float] = []
        for kernel in layer.kernels:
            size = kernel.weights + kernel.experts * met + kernel.moved * sequences
            busy = kernel.work * sequences
            if kernel.message is None:
                lasts = efficiency.kernel + max(busy, size / flow)
            else:
                lasts = busy = self._sent(kernel.message, sequences) if messages else 0.0
            work[kernel.kind] += busy
            moved += size
            whole += lasts
            ends.append(max((ends[need] for need in kernel.needs), default=0.0) + lasts)
        return whole if chip.serial else max(*work, *ends, moved / flow)

    def _sent(self, message: tuple[Pattern, Group, float], sequences: int) -> float:
        pattern, group, size = message
        placed = self.groups[group]
        return collective_seconds(pattern, size * sequences, placed, self.task.cluster, self.task.efficiency)


@dataclass(frozen=True, slots=True)
class StageFloor:
    """What a stage takes at least: its layers, and how many there are of each."""

    floor: Floor
    layers: tuple[tuple[LayerFloor, int], ...]

    def seconds(self, sequences: int, *, messages: bool) -> float:
        """For so many sequences.

        Args:
            sequences: how many.
            messages: count collectives as well, which takes longer.
        """
        pairs = self.layers
        return sum(count * self.floor.seconds(layer, sequences, messages=messages) for layer, count in pairs)


def floor_of(task: ServingTask, serving: Serving, layers: Sequence[ServedLayer]) -> Floor:
    """The floor of a chain that was made for ``MADE_FROM`` sequences."""
    made: dict[int, LayerFloor] = {}
    for layer in layers:
        if id(layer.nodes) not in made:
            made[id(layer.nodes)] = _layer(task, serving, layer)
    return Floor(task, groups_of(serving), tuple(made[id(layer.nodes)] for layer in layers))


def _layer(task: ServingTask, serving: Serving, layer: ServedLayer) -> LayerFloor:
    chip, efficiency = task.cluster.chip, served_efficiency(task.efficiency)
    at = {node.name: place for place, node in enumerate(layer.nodes)}
    kernels = []
    for node in layer.nodes:
        needs = tuple(at[need] for need in node.needs)
        kernels.append(_kernel(chip, efficiency, node, needs, serving.sequences, layer))
    return LayerFloor(tuple(kernels), layer.missed ** (1 / serving.sequences))


def _kernel(
    chip: Chip, efficiency: Efficiency, node: Node, needs: tuple[int, ...], sequences: int, layer: ServedLayer
) -> KernelFloor:
    work = node.work
    routed = layer.experts > 0 and node.name.startswith(ROUTED)
    match work:
        case Collective(pattern, group, size):
            return KernelFloor(NETWORK, 0.0, 0, 0, 0.0, (pattern, group, size / sequences), needs)
        case Contraction():
            faster = chip.fp8_factor if work.element_bytes == 1 else 1.0
            rows = work.m - 1 if routed else work.m  # an expert's tokens are rounded up
            flops = 2 * work.batch * rows * work.n * work.k
            seconds = flops / (chip.peak_flops * faster * efficiency.matmul) / sequences
            weights = work.element_bytes * work.batch * work.n * work.k
            if routed:
                return KernelFloor(TENSOR, seconds, 0, weights // work.batch * layer.experts, 0.0, None, needs)
            return KernelFloor(TENSOR, seconds, weights, 0, (work.bytes_moved - weights) / sequences, None, needs)
        case FusedAttention():
            faster = chip.fp8_factor if work.element_bytes == 1 else 1.0
            seconds = work.flops / (chip.peak_flops * faster * efficiency.flash) / sequences
            return KernelFloor(TENSOR, seconds, 0, 0, work.bytes_moved / sequences, None, needs)
        case Elementwise() if not routed:
            seconds = vector_seconds(chip, work, chip.vector.count) / sequences
            return KernelFloor(VECTOR, seconds, 0, 0, work.bytes_moved / sequences, None, needs)
        case Lookup():
            return KernelFloor(VECTOR, 0.0, 0, 0, work.bytes_moved / sequences, None, needs)
        case _:
            return KernelFloor(VECTOR, 0.0, 0, 0, 0.0, None, needs)
