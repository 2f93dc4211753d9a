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

from intarsia.cost import message_seconds
from intarsia.graph import Phase
from intarsia.place.serving.prices import Prices
from intarsia.place.serving.stages import stages_of
from intarsia.place.serving.task import Degrees, Deployment


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


def loads(prices: Prices, degrees: Degrees, phase: Phase, sequences: int) -> tuple[tuple[float, int], ...]:
    """Seconds for so many sequences in each different stage, and how many stages are so.

    All stages but the first wait for a message.
    """
    serving = prices.task.serving(phase, sequences, degrees.tensor, degrees.expert)
    layers, seconds = prices.chains.of(serving), prices.seconds(serving)
    stages = stages_of(layers, degrees.pipeline)
    sent = 0.0
    if degrees.pipeline > 1:
        task = prices.task
        size, stride = layers[0].output_bytes, degrees.tensor * degrees.expert
        sent = message_seconds(size, stride, task.cluster, task.efficiency, degrees.pipeline)
    found = []
    for at, (counts, repeat) in enumerate(zip(stages.counts, stages.repeat, strict=True)):
        inside = sum(count * each for count, each in zip(counts, seconds, strict=True))
        found.append((inside + (sent if at else 0.0), repeat))
    return tuple(found)


def reading(prices: Prices, degrees: Degrees, prompts: int) -> tuple[float, float]:
    """Seconds in which so many prompts pass all stages, and those that one of them keeps the slowest stage busy.

    Nothing where they are read elsewhere.
    """
    if not prices.task.reads:
        return 0.0, 0.0
    found = loads(prices, degrees, Phase.PREFILL, prompts)
    return sum(load * repeat for load, repeat in found), max(load for load, _ in found) / prompts


def pace(prices: Prices, deployment: Deployment) -> Pace:
    """The pace of a deployment whose shapes are legal."""
    degrees, output, batch = deployment.degrees, prices.task.output, deployment.batch
    ttft, prefill = reading(prices, degrees, deployment.prompts)
    if output == 1:
        return Pace(ttft, 0.0, prefill, 0.0, deployment.data / prefill)
    made = loads(prices, degrees, Phase.DECODE, deployment.sequences)
    step = degrees.pipeline * max(load for load, _ in made)
    tokens = deployment.data * batch * prices.task.made / ((output - 1) * step + batch * prefill)
    tpot = step + (batch - deployment.prompts) * prefill / (output - 1)
    return Pace(ttft, step, prefill, tpot, tokens)
