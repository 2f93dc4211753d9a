"""Bytes of one device of each stage while it serves, by kind; all are straight lines in the number of sequences."""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.graph import Phase, ServedLayer
from intarsia.place.memory import FRAGMENTATION, RUNTIME_BYTES
from intarsia.place.serving.prices import Chains
from intarsia.place.serving.stages import Counts, split, stages_of
from intarsia.place.serving.task import MOST_SEQUENCES, Degrees, Deployment, ServingTask


@dataclass(frozen=True, slots=True)
class ServingMemory:
    """Bytes of one device of a stage.

    Attributes:
        weights: in the type that they are kept in.
        cache: keys and values of all sequences of the replica, at their full length.
        activations: of prompts that are read, or of a group's step, whichever are more.
        buffers: of messages between stages.
        runtime: the runtime's own, and the allocator's loss.
    """

    weights: int
    cache: int
    activations: int
    buffers: int
    runtime: int

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.kinds().values())

    def kinds(self) -> dict[str, int]:
        """Bytes by name, in the order in which people read them."""
        names = ("weights", "cache", "activations", "buffers", "runtime")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class StageBytes:
    """What the bytes of a stage's device grow with.

    Attributes:
        weights: as they are.
        cache: for each sequence of the replica.
        reading, making: activations for each prompt that is read, and for each sequence of a group's step.
        read, made: of a message, the same; 0 without one.
    """

    weights: int
    cache: int
    reading: int
    making: int
    read: int
    made: int

    def memory(self, pipeline: int, sequences: int, prompts: int) -> ServingMemory:
        """The bytes of so many stages, sequences of a group, and prompts at once."""
        working = max(prompts * self.reading, sequences * self.making)
        return ServingMemory(
            weights=self.weights,
            cache=self.cache * pipeline * sequences,
            activations=working,
            buffers=2 * max(prompts * self.read, sequences * self.made),
            runtime=RUNTIME_BYTES + int(FRAGMENTATION * working),
        )

    def most_sequences(self, capacity: int, pipeline: int, prompts: int) -> int:
        """The most sequences of a group that fit, from 0 to what engines keep; bytes never fall with their number."""

        def fits(sequences: int) -> bool:
            return self.memory(pipeline, sequences, prompts).total <= capacity

        most = MOST_SEQUENCES
        left = capacity - self.weights - RUNTIME_BYTES
        for reading, making in ((self.reading, 0), (0, self.making)):
            for read, made in ((self.read, 0), (0, self.made)):
                each = pipeline * self.cache + (1 + FRAGMENTATION) * making + 2 * made
                room = left - prompts * ((1 + FRAGMENTATION) * reading + 2 * read)
                most = min(most, int(room // each) if each else most)
        most = max(most, 0)
        while most and not fits(most):
            most -= 1
        while most < MOST_SEQUENCES and fits(most + 1):
            most += 1
        return most


def memory(task: ServingTask, chains: Chains, deployment: Deployment) -> tuple[ServingMemory, ...]:
    """Bytes of a device of every stage, the first first."""
    layers = chains.of(task.serving(Phase.PREFILL, 1, deployment.tensor, deployment.expert))
    rows = stages_of(layers, deployment.pipeline).counts
    grows = dict(zip(rows, stage_bytes(task, chains, deployment.degrees), strict=True))
    return tuple(
        grows[counts].memory(deployment.pipeline, deployment.sequences, deployment.prompts)
        for counts in split(layers, deployment.pipeline)
    )


def most_sequences(task: ServingTask, chains: Chains, degrees: Degrees, prompts: int) -> int:
    """The most sequences of a group with which every stage fits."""
    capacity, pipeline = task.cluster.chip.hbm_bytes, degrees.pipeline
    stages = stage_bytes(task, chains, degrees)
    return chains.once(
        ("most", task.shape, degrees, prompts, capacity),
        lambda: min(stage.most_sequences(capacity, pipeline, prompts) for stage in stages),
    )


def stage_bytes(task: ServingTask, chains: Chains, degrees: Degrees) -> tuple[StageBytes, ...]:
    """Of each different stage."""
    return chains.once(("bytes", task.shape, degrees), lambda: _stage_bytes(task, chains, degrees))


def _stage_bytes(task: ServingTask, chains: Chains, degrees: Degrees) -> tuple[StageBytes, ...]:
    read = chains.of(task.serving(Phase.PREFILL, 1, degrees.tensor, degrees.expert))
    made = chains.of(task.serving(Phase.DECODE, 1, degrees.tensor, degrees.expert))
    rows = stages_of(read, degrees.pipeline).counts
    return tuple(_stage(task, read, made, counts, alone=degrees.pipeline == 1) for counts in rows)


def _stage(
    task: ServingTask, read: tuple[ServedLayer, ...], made: tuple[ServedLayer, ...], counts: Counts, *, alone: bool
) -> StageBytes:
    here = [(prompt, token, count) for prompt, token, count in zip(read, made, counts, strict=True) if count]
    names = {prompt.name for prompt, _, _ in here}
    weights = cache = 0
    for prompt, _, count in here:
        tied = prompt.tied_bytes if prompt.tied in names else 0
        weights += count * (prompt.weight_bytes - tied + prompt.experts * prompt.expert_bytes)
        cache += count * prompt.cache_bytes * prompt.kept_tokens(task.length)
    return StageBytes(
        weights=weights,
        cache=cache,
        reading=max(prompt.working_bytes for prompt, _, _ in here) if task.reads else 0,
        making=max(token.working_bytes for _, token, _ in here),
        read=0 if alone or not task.reads else max(prompt.output_bytes for prompt, _, _ in here),
        made=0 if alone else max(token.output_bytes for _, token, _ in here),
    )
