"""Which chip of a space serves best, and the rates of chips, which are all that bounds know of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from intarsia.machines.chips import TensorCores, VectorCores
from intarsia.machines.template import Point, Points, TemplateSpace, chip_of
from intarsia.place.serving import ServingTask
from intarsia.search.objective import Per, costs_of
from intarsia.search.question import linked

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ServingQuestion:
    """The chip of a space that serves best.

    Attributes:
        space: the chips.
        task: what is served; the chip of its cluster stands for any of the space.
        per: what tokens per second are counted for each of, of all chips of the cluster.
    """

    space: TemplateSpace
    task: ServingTask
    per: Per = Per.CHIP

    @property
    def costs(self) -> Floats:
        """What all chips of the cluster cost together, [points]; 1 where only throughput counts."""
        many = 1 if self.per is Per.CHIP else self.task.cluster.devices
        return many * costs_of(self.space.points, self.per)

    def on(self, point: Point) -> ServingTask:
        """The question on one chip."""
        cluster = replace(self.task.cluster, chip=chip_of(point))
        return replace(self.task, cluster=linked(cluster, point.link_bandwidth))

    def with_rates(self, rates: Floats) -> ServingTask:
        """The question on a chip of these rates, whose cores lose nothing: cores of one multiplier at one hertz."""
        multiplies, lanes, gib, bandwidth, links = rates.tolist()
        chip = self.task.cluster.chip
        dream = replace(
            chip,
            clock=1.0,
            tensor=TensorCores(ceil(multiplies), 1, 1, chip.tensor.dataflow),
            second=None,
            vector=VectorCores(ceil(lanes), 1),
            hbm_bytes=int(gib) << 30,
            hbm_bandwidth=bandwidth,
            link_bandwidth=links,
        )
        return replace(self.task, cluster=linked(replace(self.task.cluster, chip=dream), links))


def rates_of(points: Points) -> Floats:
    """Multiplications and lanes per second, GiB and bytes per second of HBM, bytes per second of links, [points, 5]."""
    more = points.more_cores * points.more_width * points.more_depth
    multiplies = (points.tensor_cores * points.width * points.depth + more) * points.clock
    lanes = points.vector_cores * points.vector_width * points.clock
    return np.stack((multiplies, lanes, points.hbm_gib, points.hbm_bandwidth, points.link_bandwidth), axis=1).astype(
        np.float64
    )
