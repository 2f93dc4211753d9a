"""What a search ends with: the best chip, and why no other is better."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from intarsia.machines.template import Point


@dataclass(frozen=True, slots=True)
class Certificate:
    """Why no chip is better.

    Chips count as one worker meets them, who takes them in the order of their bounds; several count the same.

    Attributes:
        points: chips of the space.
        bounded: removed by a bound on all plans of every variant.
        cut: looked at, and left when no plan could be as good, or when none fits.
        evaluated: with the best plan of every training known.
        bound: no chip of the space has a score below it, whatever the schedules of its layers.
    """

    points: int
    bounded: int
    cut: int
    evaluated: int
    bound: float


@dataclass(frozen=True, slots=True)
class Looked:
    """A chip that was looked at.

    Attributes:
        row, point: which.
        seconds: of each training's best plan; infinite where none fits or where it is beyond what was wanted.
        floors: of each training, seconds that no plan is below, whatever the schedules.
        score: of the objective; infinite unless all seconds are known.
        floor: no lower score is possible, whatever the schedules.
    """

    row: int
    point: Point
    seconds: tuple[float, ...]
    floors: tuple[float, ...]
    score: float
    floor: float

    @property
    def whole(self) -> bool:
        """Whether the best plan of every training is known."""
        return self.score < inf


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
    """The best chip.

    Attributes:
        row, point: which it is; nothing where no plan fits on any.
        seconds: of an iteration of each training under its best plan on it.
        score: of the objective.
        certificate: why no other is better.
        wall: seconds of the search.
        removed: rows of chips that bounds removed.
        looked: the others, in the order of their bounds.
        history: how the search went.
    """

    row: int
    point: Point | None
    seconds: tuple[float, ...]
    score: float
    certificate: Certificate
    wall: float
    removed: NDArray[np.int64]
    looked: tuple[Looked, ...]
    history: tuple[Moment, ...]

    @property
    def gap(self) -> float:
        """How far the bound is below the score, as a fraction of it."""
        return 1 - self.certificate.bound / self.score if self.score < inf else 0.0
