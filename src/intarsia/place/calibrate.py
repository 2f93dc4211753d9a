"""Efficiencies of a chip from measured iterations: what kernels, hosts and links add to the operators."""

from __future__ import annotations

import math
import random
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from intarsia.cost import LayerCost
from intarsia.graph import Model, Recompute
from intarsia.machines.chips.efficiency import Efficiency
from intarsia.machines.clusters import Cluster
from intarsia.place.even import even_split
from intarsia.place.profile import Demands, LayerProfile, Passes, Profile, demands
from intarsia.place.step import step_time
from intarsia.place.strategy import Split, Strategy
from intarsia.solvers.least_squares import fit

BOUNDS = {
    "matmul": (0.3, 1.0),
    "memory": (0.3, 1.0),
    "misaligned": (0.1, 1.0),
    "kernel": (1e-6, 6e-6),
    "host": (2e-6, 1.5e-4),
    "link": (0.5, 0.9),
    "collective": (1e-5, 5e-5),
    "straggle": (1e-6, 1e-3),
}
"""What a fit may find for each of an efficiency's numbers: what people measure on single kernels and messages. Chosen
with published tables of larger runs in view (``docs/decisions/0008``). ``flash`` is not in the runs that calibrate."""
TRUSTED = {"matmul": 0.1, "memory": 0.05}
"""Standard deviation of the logarithm with which the operators' fractions are believed."""
BELIEF = 0.03
"""Weight of the operators' word: as much as a typical error of all runs together; chosen as ``BOUNDS`` were."""
SAMPLE = 160
"""Runs of a fit; more change the fourth digit."""


@dataclass(frozen=True, slots=True)
class Run:
    """One measured iteration."""

    model: Model
    strategy: Strategy
    cluster: Cluster
    seconds: float


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """How well runs are predicted that a fit has not seen.

    Attributes:
        name: how the runs were divided.
        folds: into how many.
        mape: mean of |predicted ÷ measured − 1|.
        median: its median.
        worst: its largest.
    """

    name: str
    folds: int
    mape: float
    median: float
    worst: float


class Priced:
    """Runs whose kernels and splits are worked out once, to be priced under many efficiencies."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs = tuple(runs)
        numbers: dict[Hashable, int] = {}
        passes: dict[Hashable, Passes] = {}
        self._demands: list[Demands] = []
        self._number: list[int] = []
        self._splits: dict[int, Split] = {}
        for run in self.runs:
            mode = run.strategy.recompute
            number = numbers.setdefault((run.model, run.strategy.variant, run.cluster, mode), len(numbers))
            if number == len(self._demands):
                asked = demands(run.model, run.strategy.variant, run.cluster, (mode,))
                self._demands.append(_shared(asked, mode, passes))
            self._number.append(number)

    def seconds(self, efficiency: Efficiency, which: Sequence[int]) -> NDArray[np.float64]:
        """Predicted seconds of some of the runs."""
        profiles: dict[int, Profile] = {}
        costs: dict[int, dict[Recompute, LayerCost]] = {}
        predicted = []
        for index in which:
            number = self._number[index]
            if number not in profiles:
                profiles[number] = _priced(self._demands[number], efficiency, costs)
            strategy = self.runs[index].strategy
            if index not in self._splits:
                self._splits[index] = even_split(profiles[number], strategy)
            predicted.append(step_time(profiles[number], strategy, self._splits[index]).seconds)
        return np.array(predicted)


def _shared(asked: Demands, mode: Recompute, passes: dict[Hashable, Passes]) -> Demands:
    """The same demands; layers that ask for the same, of whatever model, share one object."""
    groups = (asked.variant.tensor, asked.variant.context, asked.variant.expert)
    layers = []
    for item in asked.layers:
        same = (replace(item.layer, repeat=1), groups, asked.cluster, mode)
        layers.append(replace(item, passes=passes.setdefault(same, item.passes)))
    return replace(asked, layers=tuple(layers))


def _priced(asked: Demands, efficiency: Efficiency, costs: dict[int, dict[Recompute, LayerCost]]) -> Profile:
    """``Demands.priced``, where each object is priced once."""
    layers = []
    for item in asked.layers:
        if id(item.passes) not in costs:
            costs[id(item.passes)] = item.passes.cost(asked.cluster, efficiency)
        layers.append(LayerProfile(item.layer, costs[id(item.passes)], item.kept))
    return Profile(asked.variant, tuple(layers), asked.cluster, efficiency)


def fit_iterations(
    priced: Priced, start: Efficiency, which: Sequence[int], *, first: Efficiency | None = None, seed: int = 0
) -> Efficiency:
    """The efficiency that predicts some of the runs best, near what the operators said.

    Args:
        priced: the runs.
        start: first values; its ``matmul`` and ``memory`` are what the operators said; its ``flash`` stays.
        which: the runs to fit on, of which at most ``SAMPLE`` are drawn.
        first: where the search begins, if not at ``start``; what it ends at does not depend on it.
        seed: of the draw.
    """
    drawn = sorted(random.Random(seed).sample(list(which), min(SAMPLE, len(which))))  # noqa: S311 (no secret)
    times = np.array([priced.runs[index].seconds for index in drawn])
    names = list(BOUNDS)
    prior = np.log([getattr(start, name) for name in TRUSTED])
    weight = BELIEF * math.sqrt(len(drawn))

    def residuals(values: NDArray[np.float64]) -> NDArray[np.float64]:
        named = _with(start, names, values)
        off = np.log(priced.seconds(named, drawn) / times)
        beliefs = (np.log([getattr(named, name) for name in TRUSTED]) - prior) / np.array(list(TRUSTED.values()))
        return np.concatenate([off, weight * beliefs])

    lower, upper = ([math.log(BOUNDS[name][side]) for name in names] for side in (0, 1))
    begin = [math.log(getattr(first or start, name)) for name in names]
    found = _with(start, names, fit(residuals, begin, lower, upper))
    off = np.log(priced.seconds(found, drawn) / times)
    return replace(found, error=float(np.sqrt(np.mean(off**2))))


def cross_validate(
    priced: Priced,
    start: Efficiency,
    name: str,
    labels: Sequence[Hashable],
    *,
    folds: int = 0,
    first: Efficiency | None = None,
    seed: int = 0,
) -> CrossValidation:
    """Leaves out each fold in turn.

    Args:
        priced: the runs.
        start: what the operators said; every fold trusts it.
        name: of the division.
        labels: of each run, two different ones at least; runs with the same one are left out together.
        folds: join the labels into at most so many folds; 0 for one to each label.
        first: where each fold's search begins, if not at ``start``.
        seed: of joining and drawing.
    """
    values = sorted(set(labels), key=repr)
    random.Random(seed).shuffle(values)  # noqa: S311 (no secret)
    folds = min(folds or len(values), len(values))
    number = {value: index % folds for index, value in enumerate(values)}
    errors = np.zeros(len(priced.runs))
    for fold in range(folds):
        kept = [index for index, label in enumerate(labels) if number[label] != fold]
        left = [index for index, label in enumerate(labels) if number[label] == fold]
        found = fit_iterations(priced, start, kept, first=first, seed=seed)
        times = np.array([priced.runs[index].seconds for index in left])
        errors[left] = np.abs(priced.seconds(found, left) / times - 1)
    return CrossValidation(name, folds, float(errors.mean()), float(np.median(errors)), float(errors.max()))


def _with(efficiency: Efficiency, names: Sequence[str], values: NDArray[np.float64]) -> Efficiency:
    found = dict(zip(names, (float(value) for value in np.exp(values)), strict=True))
    return replace(
        efficiency,
        matmul=found["matmul"],
        memory=found["memory"],
        misaligned=found["misaligned"],
        kernel=found["kernel"],
        host=found["host"],
        link=found["link"],
        collective=found["collective"],
        straggle=found["straggle"],
    )
