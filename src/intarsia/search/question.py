"""What a search is asked: which chips, for which trainings, on which network, and what is best."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf

from intarsia.graph import Model
from intarsia.machines.chips import Mapping
from intarsia.machines.chips.efficiency import Efficiency
from intarsia.machines.clusters import Cluster
from intarsia.machines.template import LINK_BANDWIDTH, Point, TemplateSpace, chip_of
from intarsia.place.choices import Choices
from intarsia.place.space import Task
from intarsia.search.objective import Objective


@dataclass(frozen=True)
class Training:
    """One model that the chip trains.

    Attributes:
        model: what is trained.
        global_batch: sequences of an iteration.
        sequence: tokens of a sequence.
        choices: what a plan may choose.
    """

    model: Model
    global_batch: int
    sequence: int
    choices: Choices


@dataclass(frozen=True, slots=True)
class Total:
    """The most that all chips of a cluster may have together.

    Attributes:
        area: of the dies, mm².
        watts: peak power.
        dollars: to make them.
    """

    area: float = inf
    watts: float = inf
    dollars: float = inf


@dataclass(frozen=True)
class Question:
    """The chip of a space, how many of it, and the plans on them, that are best.

    Attributes:
        trainings: what it is for, one or several.
        space: the chips.
        cluster: devices and network, the largest where there are several; its chip stands for any of the space.
        efficiency: of every chip of the space.
        objective: what is best.
        mapping: how products are laid on tensor cores.
        sizes: clusters of different numbers of devices, one of which is chosen; ``cluster`` alone for none.
        total: budgets of the whole cluster.
    """

    trainings: tuple[Training, ...]
    space: TemplateSpace
    cluster: Cluster
    efficiency: Efficiency
    objective: Objective = field(default_factory=Objective)
    mapping: Mapping = Mapping.EMBEDDED
    sizes: tuple[Cluster, ...] = ()
    total: Total = field(default_factory=Total)

    @property
    def clusters(self) -> tuple[Cluster, ...]:
        """Those of which one is chosen."""
        return self.sizes or (self.cluster,)

    def of(self, devices: int) -> Question:
        """The same on so many devices alone."""
        cluster = next(one for one in self.clusters if one.devices == devices)
        return replace(self, cluster=cluster, sizes=())

    def on(self, point: Point, at: int = 0) -> Task:
        """One of the trainings on a cluster of one chip."""
        chip = replace(chip_of(point), mapping=self.mapping)
        its = self.trainings[at]
        cluster = linked(replace(self.cluster, chip=chip), point.link_bandwidth)
        return Task(its.model, cluster, its.global_batch, its.sequence, its.choices)


def linked(cluster: Cluster, link_bandwidth: float) -> Cluster:
    """The cluster with chips of other links: the innermost level is as much faster as they are than the template's."""
    if link_bandwidth == LINK_BANDWIDTH:
        return cluster
    inner = cluster.levels[0]
    faster = replace(inner, bandwidth=inner.bandwidth * link_bandwidth / LINK_BANDWIDTH)
    return replace(cluster, levels=(faster, *cluster.levels[1:]))
