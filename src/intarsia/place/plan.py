"""A plan: how a model is trained on a cluster, what that costs, and why nothing costs less."""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.place.predict import Prediction
from intarsia.place.strategy import Split, Strategy

EQUAL = 1e-9
"""Relative difference below which a value has reached its bound."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A strategy with its best split.

    Attributes:
        strategy: degrees and switches.
        split: layers and recomputation of each stage.
        seconds: of an iteration.
        bound: no split of the strategy takes less.
        idle: devices of the cluster that it leaves unused.
    """

    strategy: Strategy
    split: Split
    seconds: float
    bound: float
    idle: int


@dataclass(frozen=True, slots=True)
class Price:
    """What one choice costs: the best plan with it.

    Attributes:
        choice: a field of ``Choices``.
        value: what it is forced to, as text.
        best: the best plan with it that is known; None if none is known, or none fits.
        bound: no plan with it takes less; infinite if none fits.
        times: how much longer than the best plan: best (or bound, where no plan is known) ÷ best of all.
    """

    choice: str
    value: str
    best: Candidate | None
    bound: float
    times: float

    @property
    def proved(self) -> bool:
        """Whether nothing with it is faster than ``best``, or nothing with it fits."""
        seconds = self.best.seconds if self.best else float("inf")
        return self.bound >= seconds * (1 - EQUAL)


@dataclass(frozen=True, slots=True)
class Removed:
    """How many strategies there were, and what removed them from the search.

    Attributes:
        strategies: all, over every variant.
        variants: different shares of a layer.
        states: devices together too small for the states.
        room: no division of layers fits (second bound).
        unsplit: no split fits (dynamic program).
        slower: their bound is no better than the plan.
        solved: best split known.
    """

    strategies: int
    variants: int
    states: int
    room: int
    unsplit: int
    slower: int
    solved: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The best plan that was found.

    Attributes:
        model, cluster: names.
        devices: of the cluster.
        strategy: degrees and switches.
        split: layers and recomputation of each stage.
        prediction: seconds, bytes, interval.
        bound: no plan of the space takes less, seconds.
        removed: what the search did.
        runners_up: the best plans with other degrees, each proved the next best if ``runners_proved``.
        runners_proved: the runners-up are the next best.
        prices: what each choice costs.
    """

    model: str
    cluster: str
    devices: int
    strategy: Strategy
    split: Split
    prediction: Prediction
    bound: float
    removed: Removed
    runners_up: tuple[Candidate, ...] = ()
    runners_proved: bool = False
    prices: tuple[Price, ...] = ()

    @property
    def seconds(self) -> float:
        """Of one iteration."""
        return self.prediction.seconds

    @property
    def gap(self) -> float:
        """How much better a plan might be at most, as a part of the plan's seconds."""
        return max(1 - self.bound / self.seconds, 0.0)

    @property
    def optimal(self) -> bool:
        """The seconds equal the bound."""
        return self.gap <= EQUAL

    @property
    def idle(self) -> int:
        """Devices of the cluster that the plan leaves unused."""
        return self.devices - self.strategy.devices

    @property
    def tie(self) -> bool:
        """Whether the best runner-up lies within the prediction's interval."""
        return bool(self.runners_up) and self.runners_up[0].seconds <= self.prediction.interval[1]
