"""What no deployment on a chip exceeds, whatever the schedules of its layers: of many chips, as columns.

Rates say nothing of how products lie on cores. Here every task takes what it takes on the chip's cores, and no schedule
of a layer is shorter than ``rough`` says. Which numbers of sequences may make more tokens than are known arithmetic
says; they are bounded together, and in halves where that leaves too much open, until one is left, which is priced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from intarsia.graph import Phase
from intarsia.place.serving import Chains, Degrees, rated_cuts
from intarsia.place.serving.cut import EQUAL
from intarsia.place.serving.pace import between_tokens, loads, throughput
from intarsia.place.serving.task import prompts_of, replicas
from intarsia.search.serving.columns import Columns
from intarsia.search.serving.question import ServingQuestion, rates_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SLACK = 0.002
"""Relative; numbers of sequences that make no more than so much above what is known are not looked at one by one."""


def ceilings(question: ServingQuestion, chains: Chains, rows: Ints, score: float) -> Floats:
    """Scores that no deployment on some chips exceeds, whatever the schedules of its layers, with any sequences.

    Args:
        question: what is asked.
        chains: of its model.
        rows: the chips.
        score: what is known to be possible on one of them; ceilings below it are not asked for.

    Returns:
        ``score`` or more, [rows].
    """
    columns, weights = Columns(question, chains, rows), question.costs[rows]
    known, found = np.full(len(rows), score), np.full(len(rows), score)
    for (degrees, prompts), numbers in _open(question, chains, rows, score).items():
        _Ways(columns, degrees, prompts, weights, known, found).look(numbers)
    return found


def _open(
    question: ServingQuestion, chains: Chains, rows: Ints, score: float
) -> dict[tuple[Degrees, int], dict[int, Sequence[int]]]:
    """What arithmetic leaves open: for a way to cut and prompts at once, the numbers of sequences on each chip."""
    rates, which = np.unique(rates_of(question.space.points.rows(rows)), axis=0, return_inverse=True)
    weights = question.costs[rows]
    found: dict[tuple[Degrees, int], dict[int, Sequence[int]]] = {}
    for at, own in enumerate(rates):
        places = np.flatnonzero(which.ravel() == at)
        task = question.with_rates(own)
        for _, cut in rated_cuts(task, chains, score * float(weights[places].min())).cuts:
            for prompts in prompts_of(task):
                for place in places.tolist():
                    numbers = cut.numbers_above(score * float(weights[place]), prompts)
                    if numbers:
                        found.setdefault((cut.degrees, prompts), {})[place] = numbers
    return found


@dataclass
class _Ways:
    """The deployments of one way to cut a replica with so many prompts at once; columns are [chips].

    Attributes:
        columns: seconds of layers.
        degrees: the cut.
        prompts: read at once.
        weights: what scores are counted for.
        known: scores that some number of sequences may reach; raised here.
        found: scores that none exceeds; raised here.
    """

    columns: Columns
    degrees: Degrees
    prompts: int
    weights: Floats
    known: Floats
    found: Floats

    def look(self, numbers: dict[int, Sequence[int]]) -> None:
        """At the numbers of sequences that are open on some chips, the most first."""
        task, places = self.columns.task, np.array(list(numbers))
        self.ttft, self.prefill = self._reading()
        last = np.zeros(len(self.known), dtype=np.int64)
        last[places] = [own[-1] for own in numbers.values()]
        if task.choices.batch:
            every = sorted({number for own in numbers.values() for number in own})
            blocks = [(n, n, np.array([place for place in places if n in numbers[place]])) for n in every]
        else:
            blocks = [(min(own[0] for own in numbers.values()), int(last.max()), places)]
        while blocks:
            low, high, places = blocks.pop()
            places = places[last[places] >= low]
            scores = self._scores(low, np.minimum(high, last))[places] if len(places) else np.zeros(0)
            if low == high:
                self.known[places] = np.maximum(self.known[places], scores)
                self.found[places] = np.maximum(self.found[places], scores)
                continue
            left = scores > self.known[places] * (1 + SLACK)
            settled = places[~left]
            self.found[settled] = np.maximum(self.found[settled], scores[~left])
            if left.any():
                middle = (low + high) // 2
                blocks += [(low, middle, places[left]), (middle + 1, high, places[left])]

    def _scores(self, low: int, high: Ints) -> Floats:
        """At most, of ``low`` to ``high`` sequences; 0 where a limit is not met."""
        task, degrees, pipeline = self.columns.task, self.degrees, self.degrees.pipeline
        meets, step = self.ttft <= task.ttft * (1 + EQUAL), self.prefill
        if task.output > 1:
            made = loads(self.columns.to(int(high.max())), degrees, Phase.DECODE, low)
            step = reduce(np.maximum, [pipeline * load for load, _ in made])
            waits = between_tokens(task, pipeline * low - self.prompts, step, self.prefill)
            meets &= waits <= task.tpot * (1 + EQUAL)
        batch: Floats = np.asarray(pipeline * high, dtype=np.float64)
        most = throughput(task, replicas(task, degrees), batch, step, self.prefill)
        return np.where(meets, most, 0.0) * (1 + EQUAL) / self.weights

    def _reading(self) -> tuple[Floats, Floats]:
        """Seconds to the first token, and those of one prompt on the slowest stage."""
        nothing = np.zeros(len(self.known))
        if not self.columns.task.reads:
            return nothing, nothing
        read = loads(self.columns, self.degrees, Phase.PREFILL, self.prompts)
        whole = sum((load * repeat for load, repeat in read), nothing)
        return whole, reduce(np.maximum, [load / self.prompts for load, _ in read])
