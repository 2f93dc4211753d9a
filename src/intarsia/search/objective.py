"""What is best: seconds of iterations, of one model or of several, for each mm², watt or dollar of the chip."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from intarsia.machines.template import Points

Floats = NDArray[np.float64]


class Per(StrEnum):
    """What throughput is counted for each of."""

    CHIP = "chip"
    AREA = "area"
    WATT = "watt"
    DOLLAR = "dollar"


class Several(StrEnum):
    """How several models count together: by the geometric mean of their seconds, or by the worst of them."""

    GEOMEAN = "geomean"
    WORST = "worst"


def costs_of(points: Points, per: Per) -> Floats:
    """What chips cost, [points]; all 1 where only the chip itself counts."""
    match per:
        case Per.CHIP:
            return np.ones(len(points))
        case Per.AREA:
            return points.area
        case Per.WATT:
            return points.watts
        case Per.DOLLAR:
            return points.dollars


@dataclass(frozen=True, slots=True)
class Objective:
    """A chip's *score*, the less the better: what a cluster of it costs times its seconds, as multiples of references.

    Attributes:
        per: what the cluster costs: nothing else (throughput), mm², watts (throughput per watt) or dollars.
        several: how several models count together.
        references: seconds of each training that count as one; all 1 s where there are none.
        front: what else counts: every score is looked for that no chip has whose cluster costs as little; the best
            score alone where nothing else does.
        tolerance: of the front: a chip may be left out if one that costs no more has a score that is at most so much
            higher, as a fraction; 0 for the whole front.
    """

    per: Per = Per.CHIP
    several: Several = Several.GEOMEAN
    references: tuple[float, ...] = ()
    front: Per = Per.CHIP
    tolerance: float = 0.0

    def together(self, seconds: Floats) -> Floats:
        """Seconds of every training as one number, as multiples of the references; [trainings, …] to […]."""
        ratios = seconds / np.reshape(self._references(len(seconds)), (-1, *[1] * (seconds.ndim - 1)))
        if self.several is Several.WORST or len(seconds) == 1:
            return np.asarray(ratios.max(axis=0))
        return np.asarray(np.exp(np.log(ratios).mean(axis=0)))

    def cutoff(self, limit: Floats, seconds: Floats, at: int) -> Floats:
        """Seconds of one training beyond which all together are beyond the limit.

        Args:
            limit: of ``together``, […].
            seconds: of each training, or lower bounds on them, [trainings, …]; its own are not looked at.
            at: which training.

        Returns:
            seconds, […]; 0 where the others are beyond the limit already.
        """
        references = np.array(self._references(len(seconds)))
        if len(seconds) == 1:
            return np.asarray(references[at] * limit)
        others = np.delete(seconds, at, axis=0) / np.delete(references, at).reshape(-1, *[1] * (seconds.ndim - 1))
        if self.several is Several.WORST:
            return np.asarray(np.where(others.max(axis=0) <= limit, references[at] * limit, 0.0))
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            found = references[at] * np.exp(len(seconds) * np.log(limit) - np.log(others).sum(axis=0))
        return np.asarray(np.where(np.isinf(others).any(axis=0), 0.0, np.where(np.isinf(limit), np.inf, found)))

    def _references(self, count: int) -> tuple[float, ...]:
        return self.references or (1.0,) * count
