"""One way to cut a replica, with bounds on its tokens per second before sequences and prompts are chosen."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from math import inf

from intarsia.graph import Phase
from intarsia.place.serving.floor import MADE_FROM, Floor, StageFloor, floor_of
from intarsia.place.serving.memory import memory, most_sequences
from intarsia.place.serving.pace import between_tokens, pace, reading, throughput
from intarsia.place.serving.plan import Served
from intarsia.place.serving.prices import Prices
from intarsia.place.serving.stages import Stages, stages_of
from intarsia.place.serving.task import (
    MOST_SEQUENCES,
    Degrees,
    Deployment,
    ServingTask,
    all_degrees,
    prompts_of,
    replicas,
)

EQUAL = 1e-9
"""Relative difference below which two paces are equal, and a floor may be above what it bounds."""


GRID = tuple(sorted({round(2 ** (step / 4)) for step in range(4 * MOST_SEQUENCES.bit_length())}))
"""Numbers of sequences at which it is asked whether all that are more are too late; few, so that floors are shared."""


class Level(IntEnum):
    """What a bound counts: kernels by arithmetic; collectives as well; and the reading of prompts as it is priced."""

    KERNELS = 0
    MESSAGES = 1
    PRICED = 2


@dataclass(frozen=True, slots=True)
class Cut:
    """One way to cut a replica, with what its bounds are made of.

    Attributes:
        prices: of the question.
        degrees: the cut.
        stages: its layers.
        read, made: floors of both phases, of each different stage.
    """

    prices: Prices
    degrees: Degrees
    stages: Stages
    read: tuple[StageFloor, ...]
    made: tuple[StageFloor, ...]

    @property
    def task(self) -> ServingTask:
        """The question."""
        return self.prices.task

    def most(self, prompts: int) -> int:
        """Sequences of a group that fit and may be chosen; 0 for none."""
        if not self.task.choices.batch:
            return most_sequences(self.task, self.prices.chains, self.degrees, prompts)
        return max((size for size in self.chosen(prompts) if self._holds(size, prompts)), default=0)

    def chosen(self, prompts: int) -> list[int]:
        """Sequences of a group that make up a batch of the choices and have room for the prompts."""
        pipeline = self.degrees.pipeline
        sizes = (batch // pipeline for batch in self.task.choices.batch if not batch % pipeline)
        return [size for size in sizes if size >= prompts]

    def _holds(self, sequences: int, prompts: int) -> bool:
        stages = memory(self.task, self.prices.chains, self._deployment(sequences, prompts))
        return max(stage.total for stage in stages) <= self.task.cluster.chip.hbm_bytes

    @property
    def smallest(self) -> Deployment | None:
        """The deployment of the fewest sequences that may be chosen, whether it fits or not; None if none may be."""
        prompts = prompts_of(self.task)[0]
        sizes = self.chosen(prompts) if self.task.choices.batch else [prompts]
        return self._deployment(min(sizes), prompts) if sizes else None

    @property
    def fits(self) -> bool:
        """Whether some number of sequences and prompts fits and may be chosen."""
        return self.most(prompts_of(self.task)[0]) >= prompts_of(self.task)[0]

    def bound(self, level: Level) -> float:
        """Tokens per second that no number of sequences and prompts exceeds; 0 where nothing fits or meets the limits.

        Args:
            level: what is counted; more of it is a better bound that takes longer.
        """
        if level is Level.PRICED:
            return max((self.bound_of(prompts) for prompts in prompts_of(self.task)), default=0.0)
        messages = level is Level.MESSAGES
        listed = prompts_of(self.task)
        most = self.most(listed[0])
        if most < listed[0]:
            return 0.0
        prompts, prefill = min(max(listed), most), 0.0
        if self.task.reads:
            if self._chain(listed[0], messages=messages) > self.task.ttft * (1 + EQUAL):
                return 0.0
            prefill = slowest(self.read, prompts, messages=messages) / prompts
        most = self._within(most, listed[0], prompts, prefill, messages=messages)
        return self._tokens(most, prefill, messages=messages) if most else 0.0

    def bound_of(self, prompts: int) -> float:
        """The same with so many prompts at once, whose reading is priced."""
        most = self.most(prompts)
        if most < prompts:
            return 0.0
        ttft, prefill = reading(self.prices, self.degrees, prompts)
        if ttft > self.task.ttft:
            return 0.0
        most = self._within(most, prompts, prompts, prefill)
        return self._tokens(most, prefill) if most else 0.0

    def bound_before(self, prompts: int) -> float:
        """The same by arithmetic, collectives counted: nothing is priced."""
        most, prefill = self._most_within(prompts)
        return self._tokens(most, prefill) if most else 0.0

    def numbers_above(self, least: float, prompts: int) -> Sequence[int]:
        """Sequences of a group that may be chosen and of which arithmetic does not say that they make no more tokens.

        Args:
            least: tokens per second.
            prompts: read at once.
        """
        most, prefill = self._most_within(prompts)
        if not most or self._tokens(most, prefill) <= least:
            return ()
        if self.task.output == 1:  # how many there are makes no difference
            return (prompts,)
        fewest = prompts + bisect_left(range(prompts, most), True, key=lambda n: self._tokens(n, prefill) > least)
        if self.task.choices.batch:
            return [size for size in self.chosen(prompts) if fewest <= size <= most]
        return range(fewest, most + 1)

    def _most_within(self, prompts: int) -> tuple[int, float]:
        """Sequences that fit and may meet the limits, at most, 0 for none; and seconds of one prompt, at least."""
        most = self.most(prompts)
        if most < prompts:
            return 0, 0.0
        if not self.task.reads:
            return self._within(most, prompts, prompts, 0.0), 0.0
        if self._chain(prompts, messages=True) > self.task.ttft * (1 + EQUAL):
            return 0, 0.0
        prefill = slowest(self.read, prompts, messages=True) / prompts
        return self._within(most, prompts, prompts, prefill), prefill

    def exceeds(self, least: float, sequences: int, prefill: float) -> bool:
        """Whether up to so many sequences may make more tokens a second, if a prompt takes so long."""
        return self._tokens(sequences, prefill) > least

    def _tokens(self, sequences: int, prefill: float, *, messages: bool = True) -> float:
        """Tokens per second at most with up to so many sequences, if a prompt keeps a stage busy so long at least."""
        data, pipeline = replicas(self.task, self.degrees), self.degrees.pipeline
        step = 0.0 if self.task.output == 1 else pipeline * slowest(self.made, sequences, messages=messages)
        return throughput(self.task, data, pipeline * sequences, step, prefill) * (1 + EQUAL)

    def _chain(self, prompts: int, *, messages: bool) -> float:
        """All stages one after the other take no less for so many prompts."""
        pairs = zip(self.read, self.stages.repeat, strict=True)
        return sum(repeat * stage.seconds(prompts, messages=messages) for stage, repeat in pairs)

    def _within(self, most: int, least: int, prompts: int, prefill: float, *, messages: bool = True) -> int:
        """Sequences from ``least`` to ``most`` that may still meet the limit between tokens; 0 for none.

        What is between tokens at least never falls with the sequences, so that those beyond a first one of a grid that
        is late are late as well.

        Args:
            most: sequences of a group.
            least: the same.
            prompts: read at once, at most.
            prefill: seconds of one prompt, at least.
            messages: count collectives as well.
        """
        task, pipeline = self.task, self.degrees.pipeline
        if task.tpot == inf or task.output == 1:
            return most

        def late(sequences: int) -> bool:
            step = pipeline * slowest(self.made, sequences, messages=messages)
            waits = between_tokens(task, pipeline * sequences - min(prompts, sequences), step, prefill)
            return waits > task.tpot * (1 + EQUAL)

        if late(least):
            return 0
        first = bisect_left(GRID, True, lo=bisect_right(GRID, least), key=late)
        return min(most, GRID[first] - 1) if first < len(GRID) else most

    def served(self, sequences: int, prompts: int) -> Served:
        """The pace of a deployment."""
        deployment = self._deployment(sequences, prompts)
        return Served(deployment, pace(self.prices, deployment))

    def _deployment(self, sequences: int, prompts: int) -> Deployment:
        degrees, data = self.degrees, replicas(self.task, self.degrees)
        return Deployment(degrees.tensor, degrees.pipeline, degrees.expert, data, sequences, prompts)

    def meets(self, served: Served) -> bool:
        """Whether both limits are met."""
        return served.pace.ttft <= self.task.ttft and served.pace.tpot <= self.task.tpot


def slowest(stages: tuple[StageFloor, ...], sequences: int, *, messages: bool) -> float:
    """The slowest stage takes no less."""
    return max(stage.seconds(sequences, messages=messages) for stage in stages)


def all_cuts(prices: Prices) -> list[Cut]:
    """Every way to cut a replica that is allowed and possible; floors are shared where tensor and expert are equal."""
    task = prices.task
    if task.model.serving_refusal(task.serving(Phase.PREFILL, 1, 1, 1)):
        return []
    blocks = sum(layer.repeat for layer in prices.chains.of(task.serving(Phase.PREFILL, 1, 1, 1)) if layer.block)
    floors: dict[tuple[int, int], tuple[Floor, Floor]] = {}
    return [cut_of(prices, degrees, floors) for degrees in all_degrees(task, blocks)]


def cut_of(prices: Prices, degrees: Degrees, floors: dict[tuple[int, int], tuple[Floor, Floor]]) -> Cut:
    """A cut with its floors, which the degrees of equal tensor and expert parallelism share."""
    task, chains = prices.task, prices.chains
    key = degrees.tensor, degrees.expert
    if key not in floors:
        servings = [task.serving(phase, MADE_FROM[phase], *key) for phase in (Phase.PREFILL, Phase.DECODE)]
        read, made = (floor_of(task, serving, chains.of(serving)) for serving in servings)
        floors[key] = read, made
    layers = chains.of(task.serving(Phase.PREFILL, 1, *key))
    stages = stages_of(layers, degrees.pipeline)
    reads, makes = (tuple(floor.stage(counts) for counts in stages.counts) for floor in floors[key])
    return Cut(prices, degrees, stages, reads, makes)
