"""What a search ends with: the best chip, or the front, and why no other is better."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from intarsia.machines.template import Point


@dataclass(frozen=True, slots=True)
class Certificate:
    """Why no chip is better.

    A chip counts once for each number of devices that may be chosen. Chips count as one worker meets them, who takes
    them in the order of their bounds; several count the same.

    Attributes:
        points: chips of the space, in each cluster within the total.
        bounded: removed by a bound on all plans of every variant.
        cut: looked at, and left when no plan could be as good, or when none fits.
        evaluated: with the best plan of every training known.
        bound: no chip of the space has a score below it, whatever the schedules of its layers.
        sizes: of each number of devices, how many of the points.
    """

    points: int
    bounded: int
    cut: int
    evaluated: int
    bound: float
    sizes: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Looked:
    """A chip that was looked at.

    Attributes:
        row, point, devices: which, and how many of it.
        seconds: of each training's best plan; infinite where none fits or where it is beyond what was wanted.
        floors: of each training, seconds that no plan is below, whatever the schedules.
        score: of the objective; infinite unless all seconds are known.
        floor: no lower score is possible, whatever the schedules.
    """

    row: int
    point: Point
    devices: int
    seconds: tuple[float, ...]
    floors: tuple[float, ...]
    score: float
    floor: float

    @property
    def whole(self) -> bool:
        """Whether the best plan of every training is known."""
        return self.score < inf


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the front, or the only one, which is the best chip.

    Attributes:
        looked: a chip that no other one beats whose cluster costs as little.
        cost: of its cluster, in the unit of the front.
        bound: no chip whose cluster costs less than the next step's has a score below it, whatever the schedules.
    """

    looked: Looked
    cost: float
    bound: float

    @property
    def gap(self) -> float:
        """How far the bound is below the score, as a fraction of it."""
        return 1 - self.bound / self.looked.score


@dataclass(frozen=True, slots=True)
class Moment:
    """How far a search was.

    Attributes:
        wall: seconds since it began.
        best: score so far; infinite before the first.
        bound: that no score can be below.
        looked: chips looked at.
        left: chips whose bound is not above the best.
    """

    wall: float
    best: float
    bound: float
    looked: int
    left: int


@dataclass(frozen=True)
class Searched:
    """The best chip, and the front.

    Attributes:
        row, point, devices: which it is, and how many of it; nothing where no plan fits on any.
        seconds: of an iteration of each training under its best plan on it.
        score: of the objective.
        certificate: why no other is better.
        wall: seconds of the search.
        removed: rows of chips that bounds removed.
        looked: the others, in the order of their bounds.
        history: how the search went.
        front: by rising cost and falling score; the best chip alone where cost does not count.
    """

    row: int
    point: Point | None
    devices: int
    seconds: tuple[float, ...]
    score: float
    certificate: Certificate
    wall: float
    removed: NDArray[np.int64]
    looked: tuple[Looked, ...]
    history: tuple[Moment, ...]
    front: tuple[Step, ...]

    @property
    def gap(self) -> float:
        """How far the bound is below the score of the best chip, as a fraction of it."""
        return self.front[-1].gap if self.front else 0.0

    @property
    def widest(self) -> float:
        """The same of the step of the front where it is the farthest."""
        return max((step.gap for step in self.front), default=0.0)
