"""What is to be served, where, and from what may be chosen; and the answer's first half: a deployment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from math import inf

from intarsia.graph import Dtype, Phase, Servable, Serving
from intarsia.ground import InputError
from intarsia.ground.records import refuse_unknown
from intarsia.machines.chips import Efficiency
from intarsia.machines.clusters import Cluster

WIDEST = 64
"""Of tensor parallelism, where nothing else is said."""
MOST_SEQUENCES = 4096
"""Of a group: serving engines keep a few thousand at most."""
MOST_TOKENS = 16_384
"""Of prompts that are read at once, where one prompt alone has not more and nothing else is said."""


@dataclass(frozen=True, slots=True)
class ServingChoices:
    """Values that a search may choose from; empty for every one that makes sense.

    Attributes:
        tensor: by default divisors of a node, and powers of two nodes up to 64 devices.
        pipeline: by default any number of stages up to the number of blocks.
        expert: by default powers of two.
        data: replicas; by default as many as there is room for.
        prompts: read at once; by default powers of two up to 16,384 tokens.
        batch: sequences of one replica; by default powers of two for each stage, the most that fit, and the most that
            meet the limit on a token's time.
    """

    tensor: tuple[int, ...] = ()
    pipeline: tuple[int, ...] = ()
    expert: tuple[int, ...] = ()
    data: tuple[int, ...] = ()
    prompts: tuple[int, ...] = ()
    batch: tuple[int, ...] = ()

    def only(self, restricted: Mapping[str, Sequence[str]]) -> ServingChoices:
        """The same with some choices restricted to values.

        Raises:
            InputError: for an unknown choice or a value that it cannot have.
        """
        names = tuple(field.name for field in fields(self))
        for name, values in restricted.items():
            if name not in names:
                raise refuse_unknown(name, names, what="choice", where="--only")
            wrong = [value for value in values if not (value.isascii() and value.isdigit() and int(value) > 0)]
            if wrong or not values:
                raise InputError(
                    f"{name} cannot be so", where="--only", value=wrong[0] if wrong else "nothing", allowed="1 or more"
                )
        return replace(self, **{name: tuple(sorted({int(v) for v in values})) for name, values in restricted.items()})


@dataclass(frozen=True, slots=True)
class ServingTask:
    """The question.

    Attributes:
        model: what answers.
        cluster: its devices.
        efficiency: of their chip.
        prompt: tokens of a prompt.
        output: tokens of an answer.
        ttft: seconds to the first token at most.
        tpot: seconds between tokens at most.
        dtype: of weights and products of the blocks.
        cache: of keys and values in the cache.
        choices: the space.
        reads: prompts are read on the same devices; otherwise on others, and their keys and values arrive.
    """

    model: Servable
    cluster: Cluster
    efficiency: Efficiency
    prompt: int
    output: int
    ttft: float = inf
    tpot: float = inf
    dtype: Dtype = Dtype.BF16
    cache: Dtype = Dtype.BF16
    choices: ServingChoices = ServingChoices()
    reads: bool = True

    @property
    def shape(self) -> tuple[int, int, Dtype, Dtype, bool]:
        """All that bytes depend on beside the model, the degrees and the batch."""
        return self.prompt, self.output, self.dtype, self.cache, self.reads

    @property
    def made(self) -> int:
        """Tokens of an answer that are made here: the first one comes with the prompt."""
        return self.output if self.reads else self.output - 1

    @property
    def length(self) -> int:
        """Tokens of a sequence at its end."""
        return self.prompt + self.output

    @property
    def mean_context(self) -> int:
        """Tokens that a new one sees, the mean over those behind the first, rounded up."""
        return self.prompt + (self.output + 1) // 2

    def serving(self, phase: Phase, sequences: int, tensor: int, expert: int) -> Serving:
        """The shapes of a phase."""
        context = self.prompt if phase is Phase.PREFILL else self.mean_context
        return Serving(phase, sequences, context, tensor, expert, self.dtype, self.cache)


@dataclass(frozen=True, slots=True, order=True)
class Degrees:
    """How a replica is cut: tensor ranks, stages, and how many replicas share the experts."""

    tensor: int
    pipeline: int
    expert: int


@dataclass(frozen=True, slots=True, order=True)
class Deployment:
    """How a model is served. Ranks are numbered tensor, expert, pipeline, then other replicas, the first fastest.

    Attributes:
        tensor: devices that share each weight matrix.
        pipeline: stages.
        expert: replicas that share the experts.
        data: replicas, a multiple of ``expert``.
        sequences: of a group; each replica has as many groups in flight as it has stages.
        prompts: read at once.
    """

    tensor: int
    pipeline: int
    expert: int
    data: int
    sequences: int
    prompts: int

    @property
    def degrees(self) -> Degrees:
        """How a replica is cut."""
        return Degrees(self.tensor, self.pipeline, self.expert)

    @property
    def devices(self) -> int:
        """All ranks."""
        return self.tensor * self.pipeline * self.data

    @property
    def batch(self) -> int:
        """Sequences of one replica."""
        return self.pipeline * self.sequences


def all_degrees(task: ServingTask, blocks: int) -> Iterator[Degrees]:
    """Every way to cut a model of so many blocks that is allowed and possible, narrow ones first."""
    choices, devices = task.choices, task.cluster.devices
    for tensor in choices.tensor or tensors(task.cluster):
        for expert in choices.expert or powers(devices // tensor):
            refused = task.model.serving_refusal(task.serving(Phase.PREFILL, 1, tensor, expert))
            if tensor * expert > devices or refused:
                continue
            for pipeline in choices.pipeline or range(1, blocks + 1):
                degrees = Degrees(tensor, pipeline, expert)
                if pipeline <= blocks and replicas(task, degrees):
                    yield degrees


def replicas(task: ServingTask, degrees: Degrees) -> int:
    """As many as there is room for, or the most that may be chosen; 0 if none can be."""
    room = task.cluster.devices // (degrees.tensor * degrees.pipeline)
    if task.choices.data:
        return max((n for n in task.choices.data if n <= room and n % degrees.expert == 0), default=0)
    return room // degrees.expert * degrees.expert


def prompts_of(task: ServingTask) -> tuple[int, ...]:
    """How many prompts may be read at once, the fewest first."""
    if not task.reads:
        return (1,)
    return task.choices.prompts or tuple(powers(max(min(MOST_TOKENS // task.prompt, MOST_SEQUENCES), 1)))


def tensors(cluster: Cluster) -> list[int]:
    """Tensor degrees that fill nodes."""
    node = cluster.levels[0].devices
    inside = [n for n in range(1, node + 1) if node % n == 0]
    outside = [node * n for n in powers(max(WIDEST // node, 1))[1:]]
    return [n for n in inside + outside if n <= min(WIDEST, cluster.devices)]


def powers(limit: int) -> list[int]:
    """Powers of two up to a limit."""
    return [1 << n for n in range(limit.bit_length()) if 1 << n <= limit]
