"""How fast a deployment answers in steady state: time to the first token, time between tokens, tokens per second.

A replica of p stages keeps p groups of b sequences in flight, one in each stage, and never has a free place: who ends
is replaced by who waits. A *step* gives each of its B = p·b sequences a token and takes p times what the slowest stage
takes for a group. Prompts are read by the same devices, k at once, in between: the slowest stage is busy for π(k)
seconds with them. So B answers of T tokens take

    round = (T − 1)·step + (B/k)·π(k),        tokens per second of a replica = B·T / round.

Between two tokens of a sequence there is a step and its share of the prompts of the others:

    tpot = step + (B − k)/k·π(k) / (T − 1),

which is what clients measure (last token less first, over T − 1); a little less where prompts come so often that
several times k are read between two steps. The first token comes after the prompt has passed all stages; that it waits
for a place is not counted, nor that stages wait for each other where prompts and steps of unequal length meet.

Where prompts are read elsewhere (decode on devices of its own), π is 0, and T − 1 tokens of each answer are made here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from intarsia.graph import Phase, Serving
from intarsia.place.serving.prices import Chains, Prices
from intarsia.place.serving.stages import stages_of
from intarsia.place.serving.task import Degrees, Deployment, ServingTask

T = TypeVar("T", float, NDArray[np.float64])
"""Seconds on one chip, or on many."""
T_co = TypeVar("T_co", float, NDArray[np.float64], covariant=True)
"""The same, where they are only given."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What a deployment reaches.

    Attributes:
        ttft: seconds to the first token; 0 where prompts are read elsewhere.
        step: seconds of one step of decode; 0 where answers have one token.
        prefill: seconds that the slowest stage is busy with one prompt.
        tpot: seconds between tokens; 0 where answers have one token.
        tokens_per_second: of all replicas, tokens of answers.
    """

    ttft: float
    step: float
    prefill: float
    tpot: float
    tokens_per_second: float


class Priced(Protocol[T_co]):
    """Layers with their seconds, on one chip, or on many as columns."""

    @property
    def task(self) -> ServingTask:
        """The question."""

    @property
    def chains(self) -> Chains:
        """Of its model."""

    def seconds(self, serving: Serving) -> tuple[T_co, ...]:
        """Of one layer of each kind of the chain."""

    def sent(self, size: int, stride: int, stages: int) -> T_co:
        """Seconds in which one of so many stages sends a message of ``size`` bytes to the next, ``stride`` away."""


def loads(priced: Priced[T], degrees: Degrees, phase: Phase, sequences: int) -> tuple[tuple[T, int], ...]:
    """Seconds for so many sequences in each different stage, and how many stages are so.

    All stages but the first wait for a message.
    """
    serving = priced.task.serving(phase, sequences, degrees.tensor, degrees.expert)
    layers, seconds = priced.chains.of(serving), priced.seconds(serving)
    stages = stages_of(layers, degrees.pipeline)
    found = []
    for at, (counts, repeat) in enumerate(zip(stages.counts, stages.repeat, strict=True)):
        load = sum((count * each for count, each in zip(counts, seconds, strict=True)), 0 * seconds[0])
        if at:
            load += priced.sent(layers[0].output_bytes, degrees.tensor * degrees.expert, degrees.pipeline)
        found.append((load, repeat))
    return tuple(found)


def reading(prices: Prices, degrees: Degrees, prompts: int) -> tuple[float, float]:
    """Seconds in which so many prompts pass all stages, and those that one of them keeps the slowest stage busy.

    Nothing where they are read elsewhere.
    """
    if not prices.task.reads:
        return 0.0, 0.0
    found = loads(prices, degrees, Phase.PREFILL, prompts)
    return sum(load * repeat for load, repeat in found), max(load for load, _ in found) / prompts


def throughput(task: ServingTask, data: int, batch: T, step: T, prefill: T) -> T:
    """Tokens per second of all replicas.

    Args:
        task: the question.
        data: replicas.
        batch: sequences of one.
        step: seconds of one step of decode; of no account where answers have one token.
        prefill: seconds that the slowest stage is busy with one prompt.
    """
    if task.output == 1:
        return data / prefill
    return data * batch * task.made / ((task.output - 1) * step + batch * prefill)


def between_tokens(task: ServingTask, others: int, step: T, prefill: T) -> T:
    """Seconds between tokens, where the prompts of so many others are read in the course of an answer."""
    return step + others * prefill / (task.output - 1)


def pace(prices: Prices, deployment: Deployment) -> Pace:
    """The pace of a deployment whose shapes are legal."""
    task, degrees, data, batch = prices.task, deployment.degrees, deployment.data, deployment.batch
    ttft, prefill = reading(prices, degrees, deployment.prompts)
    if task.output == 1:
        return Pace(ttft, 0.0, prefill, 0.0, throughput(task, data, batch, 0.0, prefill))
    made = loads(prices, degrees, Phase.DECODE, deployment.sequences)
    step = degrees.pipeline * max(load for load, _ in made)
    tpot = between_tokens(task, batch - deployment.prompts, step, prefill)
    return Pace(ttft, step, prefill, tpot, throughput(task, data, batch, step, prefill))
