"""Which strategies are tried: the values of every degree and switch, and how they combine on a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from math import gcd
from typing import Any

from intarsia.graph import Attention, Dtype, Model, Recompute, Variant
from intarsia.ground import InputError
from intarsia.machines.clusters import Cluster
from intarsia.place.strategy import Pipeline, Strategy

WIDEST = 64
"""Of tensor parallelism, where nothing else is said."""
LEAST_TOKENS = 1024
"""Of a device's part of a sequence under context parallelism, where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Values that a search may choose from; empty for every one that makes sense.

    Attributes:
        tensor: by default degrees that fill nodes: divisors of a node, and powers of two nodes up to 64 devices.
        pipeline: by default any number of stages up to the number of layers.
        data: by default three numbers of replicas for the other degrees: as many as there is room for; the fewest that
            need no more microbatches; the most that divide the batch. Devices may stay idle.
        context: by default powers of two that leave 1024 tokens or more.
        expert: by default powers of two.
        microbatch: by default powers of two.
        interleave: by default any that cuts the layers into equal chunks.
        order: of the pipeline.
        zero: levels.
        sequence_parallel: only with tensor parallelism.
        recompute: what each stage may choose from.
        attention, dtype, gradient_bytes: as the run has them; not chosen.
    """

    tensor: tuple[int, ...] = ()
    pipeline: tuple[int, ...] = ()
    data: tuple[int, ...] = ()
    context: tuple[int, ...] = ()
    expert: tuple[int, ...] = ()
    microbatch: tuple[int, ...] = ()
    interleave: tuple[int, ...] = ()
    order: tuple[Pipeline, ...] = tuple(Pipeline)
    zero: tuple[int, ...] = (0, 1, 2, 3)
    sequence_parallel: tuple[bool, ...] = (False, True)
    recompute: tuple[Recompute, ...] = tuple(Recompute)
    attention: Attention = Attention.FLASH
    dtype: Dtype = Dtype.BF16
    gradient_bytes: int = 4

    def only(self, restricted: Mapping[str, Sequence[Any]]) -> Choices:
        """The same with some choices restricted to values.

        Args:
            restricted: field to values; words may be texts, switches 0 and 1.

        Raises:
            InputError: for an unknown choice or a value that it cannot have.
        """
        return replace(self, **{name: _read(name, values) for name, values in restricted.items()})


def _read(name: str, values: Sequence[Any]) -> Any:
    names = [field.name for field in fields(Choices)]
    if name not in names:
        raise InputError("unknown choice", value=name, allowed=", ".join(names))
    kinds: dict[str, Any] = {"order": Pipeline, "recompute": Recompute, "attention": Attention, "dtype": Dtype}
    switches = {"on": True, "off": False, "1": True, "0": False, "true": True, "false": False}
    read = []
    for value in values:
        try:
            one = switches[str(value).lower()] if name == "sequence_parallel" else kinds.get(name, int)(value)
        except (ValueError, KeyError):
            allowed = {"sequence_parallel": "0, 1"}.get(name) or ", ".join(kinds.get(name, ())) or "whole numbers"
            raise InputError(f"{name} cannot be so", value=str(value), allowed=allowed) from None
        if name == "zero" and one not in range(4):
            raise InputError("unknown ZeRO level", value=str(one), allowed="0, 1, 2, 3")
        if kinds.get(name, int) is int and name not in {"zero", "sequence_parallel"} and one < 1:
            raise InputError(f"{name} is not positive", value=str(one), allowed="1 or more")
        read.append(one)
    if not read:
        raise InputError(f"{name} has no value to choose from", allowed="one or more")
    if name in {"attention", "dtype", "gradient_bytes"}:
        if len(read) > 1:
            raise InputError(f"{name} is not chosen", value=", ".join(map(str, read)), allowed="one value")
        return read[0]
    return tuple(dict.fromkeys(read))


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
    """Too large for the cluster or the batch, or the same as another: sequence parallelism of one device."""
    large = variant.tensor * variant.context > task.cluster.devices or variant.microbatch > task.global_batch
    same = parallel and variant.tensor == 1 and False in task.choices.sequence_parallel
    return large or same


def _tensors(cluster: Cluster) -> list[int]:
    node = cluster.levels[0].devices
    inside = [n for n in range(1, node + 1) if node % n == 0]
    outside = [node * n for n in _powers(max(WIDEST // node, 1))[1:]]
    return [n for n in inside + outside if n <= WIDEST]


def _contexts(sequence: int) -> list[int]:
    return [n for n in _powers(max(sequence // LEAST_TOKENS, 1)) if n == 1 or sequence % n == 0]


def _powers(limit: int) -> list[int]:
    return [1 << n for n in range(limit.bit_length()) if 1 << n <= limit]


def degrees(task: Task, variant: Variant, blocks: int, units: int) -> Iterator[Degrees]:
    """Everything else that a strategy with this variant may have.

    Args:
        task: the question.
        variant: its tensor, context and expert parallelism and its microbatch.
        blocks: layers of the only repeated kind, 0 if there are several.
        units: in how many pieces the chain can be cut.
    """
    choices, room = task.choices, task.cluster.devices // (variant.tensor * variant.context)
    for pipeline in choices.pipeline or range(1, units + 1):
        if pipeline > min(units, room):
            continue
        for data in _replicas(task, variant, room // pipeline):
            chunks = [n for n in choices.interleave or range(1, blocks + 1) if n == 1 or not blocks % (pipeline * n)]
            microbatches = -(-task.global_batch // (data * variant.microbatch))
            for interleave in chunks if blocks or 1 in chunks else ():
                # interleaved schedules need groups of as many microbatches as there are stages
                if interleave > 1 and (pipeline == 1 or not blocks or microbatches % pipeline):
                    continue
                for order in choices.order:
                    # one stage has no bubble to fill, and filling it between chunks is not modelled
                    if order is Pipeline.ZERO_BUBBLE and (pipeline == 1 or interleave > 1):
                        continue
                    for zero in choices.zero:
                        # one rank has nobody to cut its states with: all levels are level 0, or more buffers
                        if zero and data * variant.context == 1 and 0 in choices.zero:
                            continue
                        yield Degrees(pipeline, data, interleave, order, zero)


def _replicas(task: Task, variant: Variant, room: int) -> list[int]:
    """Numbers of replicas; the expert ranks must divide data × context."""
    parts = -(-task.global_batch // variant.microbatch)
    most = min(room, task.global_batch // variant.microbatch)
    if task.choices.data:
        found = [n for n in task.choices.data if n <= most]
    else:
        fewest = -(-parts // -(-parts // most)) if most else 0
        exact = next((n for n in range(most, 0, -1) if parts % n == 0), 0)
        step = variant.expert // gcd(variant.expert, variant.context)
        found = [n // step * step for n in (most, exact)] + [-(-fewest // step) * step]
    legal = [n for n in found if 0 < n <= most and n * variant.context % variant.expert == 0]
    return sorted(dict.fromkeys(legal), reverse=True)


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
