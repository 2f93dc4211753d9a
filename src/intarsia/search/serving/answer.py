"""The answer of a search for the chip that serves best, its certificate, and how the search went."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intarsia.machines.template import Point
from intarsia.place.serving import Served

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ServingCertificate:
    """Why no chip serves better.

    Attributes:
        points: chips of the space.
        bounded: removed by a bound from their rates.
        cut: looked at, and left when no deployment could be better, or when none fits or meets the limits.
        evaluated: with their best deployment known.
        bound: no chip of the space has a score above it, whatever the schedules of its layers, with any number of
            sequences.
    """

    points: int
    bounded: int
    cut: int
    evaluated: int
    bound: float


@dataclass(frozen=True, slots=True)
class ServingLooked:
    """A chip that was looked at.

    Attributes:
        row, point: which it is.
        tokens: per second of its best deployment; 0 where it was left before that was known, or nothing fits.
        score: the same for each mm², watt or dollar of all chips, if so asked.
        bound: that no deployment on it has a score above.
    """

    row: int
    point: Point
    tokens: float
    score: float
    bound: float


@dataclass(frozen=True, slots=True)
class ServingMoment:
    """How far a search was.

    Attributes:
        wall: seconds since it began.
        best: score so far; 0 before the first.
        bound: that no score can be above.
        looked: chips looked at.
        left: chips whose bound is above the best.
    """

    wall: float
    best: float
    bound: float
    looked: int
    left: int


@dataclass(frozen=True)
class SearchedServing:
    """The chip that serves best.

    Attributes:
        row, point: which it is; -1 and nothing where none serves.
        served: its best deployment.
        score: tokens per second, for each mm², watt or dollar of all chips if so asked.
        certificate: why no other is better.
        removed: rows of chips that bounds removed.
        looked: the others, in the order of their bounds.
        history: how the search went.
        bounds: different rates or sets of them that were bounded.
        wall: seconds of the search.
        nearest: the chip with the highest bound, or, where no bound is above 0, one of those with the most memory.
    """

    row: int
    point: Point | None
    served: Served | None
    score: float
    certificate: ServingCertificate
    removed: Ints
    looked: tuple[ServingLooked, ...]
    history: tuple[ServingMoment, ...]
    bounds: int
    wall: float
    nearest: Point

    @property
    def gap(self) -> float:
        """How far the score is below the bound, as a fraction of the bound."""
        return 1 - self.score / self.certificate.bound if self.score else 0.0
