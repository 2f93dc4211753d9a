"""What a search chooses from: a chip of the space, and how many of it; one row for each pair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intarsia.machines.template import Point
from intarsia.search.objective import Per, costs_of
from intarsia.search.question import Question

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
EXACT = 1e-12
"""Relative; a total is kept by what is above it by so much."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chip, and how many of it."""

    point: Point
    devices: int


class Candidates:
    """Every chip of a space in every cluster, within the budgets of the whole cluster.

    Attributes:
        points: the chips of the space.
        devices: of each cluster, in their order.
        chip: of each row, its place among the points, [rows].
        size: of each row, its place among the clusters, [rows].
    """

    def __init__(self, question: Question) -> None:
        self.points = question.space.points
        self.devices = tuple(cluster.devices for cluster in question.clusters)
        most = {Per.AREA: question.total.area, Per.WATT: question.total.watts, Per.DOLLAR: question.total.dollars}
        within = [
            np.all(
                [
                    np.full(len(self.points), True),
                    *(
                        devices * costs_of(self.points, per) <= value * (1 + EXACT)
                        for per, value in most.items()
                        if value < np.inf
                    ),
                ],
                axis=0,
            )
            for devices in self.devices
        ]
        self.size, self.chip = (column.astype(np.int64) for column in np.nonzero(np.array(within)))

    def __len__(self) -> int:
        return len(self.chip)

    def at(self, row: int) -> Candidate:
        """One of them."""
        return Candidate(self.points.point(int(self.chip[row])), self.devices[int(self.size[row])])

    def costs(self, per: Per) -> Floats:
        """What the whole clusters cost, [rows]; all 1 where only the chip itself counts."""
        if per is Per.CHIP:
            return np.ones(len(self))
        return np.asarray(costs_of(self.points, per)[self.chip] * np.array(self.devices)[self.size], dtype=np.float64)
