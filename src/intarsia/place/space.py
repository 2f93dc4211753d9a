"""Every strategy that choices allow on a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import gcd

from intarsia.graph import Layer, Model, Variant
from intarsia.machines.clusters import Cluster
from intarsia.place.choices import Choices
from intarsia.place.strategy import Pipeline, Strategy

WIDEST = 64
"""Of tensor parallelism, where nothing else is said."""
LEAST_TOKENS = 1024
"""Of a device's part of a sequence under context parallelism, where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be trained, where, and from what may be chosen.

    Attributes:
        model: the model.
        cluster: its devices.
        global_batch: sequences of an iteration.
        sequence: tokens of a sequence.
        choices: the space.
    """

    model: Model
    cluster: Cluster
    global_batch: int
    sequence: int
    choices: Choices


@dataclass(frozen=True, slots=True)
class Degrees:
    """A strategy without its variant."""

    pipeline: int
    data: int
    interleave: int
    order: Pipeline
    zero: int


def variants(task: Task) -> Iterator[Variant]:
    """Every share of a layer that the model can be cut into, narrow tensor parallelism first."""
    choices = task.choices
    for tensor in choices.tensor or _tensors(task.cluster):
        for context in choices.context or _contexts(task.sequence):
            for expert in choices.expert or _powers(task.cluster.devices):
                for microbatch in choices.microbatch or _powers(task.global_batch):
                    for parallel in choices.sequence_parallel:
                        variant = Variant(
                            microbatch, task.sequence, tensor, parallel and tensor > 1, context, expert,
                            choices.attention, choices.dtype,
                        )  # fmt: skip
                        if not (_spare(task, variant, parallel=parallel) or task.model.refusal(variant)):
                            yield variant


def _spare(task: Task, variant: Variant, *, parallel: bool) -> bool:
    """Too large for the cluster or the batch, or sequence parallelism of one device, which is none."""
    large = variant.tensor * variant.context > task.cluster.devices or variant.microbatch > task.global_batch
    return large or (parallel and variant.tensor == 1)


def _tensors(cluster: Cluster) -> list[int]:
    node = cluster.levels[0].devices
    inside = [n for n in range(1, node + 1) if node % n == 0]
    outside = [node * n for n in _powers(max(WIDEST // node, 1))[1:]]
    return [n for n in inside + outside if n <= WIDEST]


def _contexts(sequence: int) -> list[int]:
    return [n for n in _powers(max(sequence // LEAST_TOKENS, 1)) if n == 1 or sequence % n == 0]


def _powers(limit: int) -> list[int]:
    return [1 << n for n in range(limit.bit_length()) if 1 << n <= limit]


def degrees(task: Task, variant: Variant, layers: Sequence[Layer]) -> Iterator[Degrees]:
    """Everything else that a strategy with this variant may have.

    Args:
        task: the question.
        variant: its tensor, context and expert parallelism and its microbatch.
        layers: of the model, at this variant.
    """
    choices, room = task.choices, task.cluster.devices // (variant.tensor * variant.context)
    block, units = block_of(layers), len(units_of(layers))
    blocks = layers[block].repeat if block >= 0 else 0
    for pipeline in choices.pipeline or range(1, units + 1):
        if pipeline > min(units, room):
            continue
        for data in _replicas(task, variant, pipeline):
            possible = choices.interleave or range(1, max(blocks, 1) + 1)
            chunks = [n for n in possible if n == 1 or (blocks and not blocks % (pipeline * n))]
            microbatches = -(-task.global_batch // (data * variant.microbatch))
            for interleave in chunks:
                # interleaved schedules need groups of as many microbatches as there are stages
                if interleave > 1 and (pipeline == 1 or microbatches % pipeline):
                    continue
                for order in choices.order:
                    # one stage has no bubble to fill, and filling it between chunks is not modelled
                    if order is Pipeline.ZERO_BUBBLE and (pipeline == 1 or interleave > 1):
                        continue
                    for zero in choices.zero:
                        yield Degrees(pipeline, data, interleave, order, zero)


def _replicas(task: Task, variant: Variant, pipeline: int) -> list[int]:
    """Numbers of replicas; the expert ranks must divide data × context."""
    group = variant.tensor * variant.context
    most = min(task.cluster.devices // group // pipeline, task.global_batch // variant.microbatch)
    found = set(task.choices.data) or _usual_replicas(task, variant, pipeline, most)
    legal = [n for n in found if 0 < n <= most and n * variant.context % variant.expert == 0]
    return sorted(legal, reverse=True)


def _usual_replicas(task: Task, variant: Variant, pipeline: int, most: int) -> set[int]:
    """As many as there is room for in the cluster and in each smaller unit, and a few that fewer devices suffice for.

    The fewest that need no more microbatches, the most that divide the batch; those whose gradients stay in a unit,
    and a single one: where the network between units is slow, the others may be better idle.
    """
    group = variant.tensor * variant.context
    parts = -(-task.global_batch // variant.microbatch)
    step = variant.expert // gcd(variant.expert, variant.context)
    units = [level.devices // group for level in task.cluster.levels[:-1] if level.devices % group == 0]
    found = {step}
    for room in (most, *(min(unit // pipeline, most) for unit in units)):
        if room:
            fewest = -(-parts // -(-parts // room))
            exact = next(n for n in range(room, 0, -1) if parts % n == 0)
            found |= {room // step * step, exact // step * step, -(-fewest // step) * step}
    for unit in units:
        found.add(next((n for n in range(min(unit, most), 0, -1) if unit % n == 0 and n % step == 0), 0))
    return found


def strategy_of(task: Task, variant: Variant, own: Degrees) -> Strategy:
    """The strategy of a variant and the rest; its ``recompute`` is that of stages that say nothing else."""
    return Strategy(
        tensor=variant.tensor,
        pipeline=own.pipeline,
        data=own.data,
        context=variant.context,
        expert=variant.expert,
        microbatch=variant.microbatch,
        global_batch=task.global_batch,
        sequence=task.sequence,
        recompute=task.choices.recompute[0],
        sequence_parallel=variant.sequence_parallel,
        interleave=own.interleave,
        order=own.order,
        zero=own.zero,
        attention=variant.attention,
        dtype=variant.dtype,
        gradient_bytes=task.choices.gradient_bytes,
    )


def enumerate_strategies(
    model: Model, cluster: Cluster, global_batch: int, sequence: int, choices: Choices | None = None
) -> Iterator[Strategy]:
    """Every strategy that a search looks at.

    Degrees need not multiply to the number of devices: what ``Strategy.devices`` leaves of the cluster is idle. Where
    the batch is no multiple of replicas × microbatch, the last microbatch counts as whole (``Strategy.microbatches``).
    """
    task = Task(model, cluster, global_batch, sequence, choices or Choices())
    for variant in variants(task):
        for own in degrees(task, variant, model.layers(variant)):
            yield strategy_of(task, variant, own)


def units_of(layers: Sequence[Layer]) -> tuple[tuple[int, ...], ...]:
    """The chain in pieces between which a pipeline may be cut, each as the kinds of its layers.

    Single layers, but a last one without weights (the loss) stays with the one before, as in every framework.
    """
    chain = [kind for kind, layer in enumerate(layers) for _ in range(layer.repeat)]
    last = layers[-1]
    glued = len(chain) > 1 and last.repeat == 1 and last.parameters + last.expert_parameters == 0
    single = [(kind,) for kind in chain]
    return (*single[:-2], (chain[-2], chain[-1])) if glued else tuple(single)


def block_of(layers: Sequence[Layer]) -> int:
    """The only kind of layer that repeats, which interleaved stages hold equal chunks of; -1 where there is none."""
    repeated = [kind for kind, layer in enumerate(layers) if layer.repeat > 1]
    return repeated[0] if len(repeated) == 1 else -1
