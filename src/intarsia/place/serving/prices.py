"""Seconds of a model's layers in a phase on one chip, each shape once; and the chains, which no chip changes."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import TypeVar, cast

from intarsia.cost import PassCost, Placed, message_seconds, pass_demand
from intarsia.cost.layer import Groups
from intarsia.graph import Group, Node, Servable, ServedLayer, Serving
from intarsia.machines.chips import Efficiency
from intarsia.machines.clusters import Cluster
from intarsia.place.profile import ScheduledPass
from intarsia.place.serving.task import ServingTask

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Chains:
    """The layers of a model at every shape that was asked for, and their bytes.

    They are the same for every chip, so that a search over chips hands them on.

    Attributes:
        model: what answers.
    """

    model: Servable
    _known: dict[Hashable, object] = field(default_factory=dict)

    def of(self, serving: Serving) -> tuple[ServedLayer, ...]:
        """The chain."""
        return self.once(serving, lambda: self.model.served(serving))

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What else depends on no chip, made where nobody asked for the key before."""
        if key not in self._known:
            self._known[key] = make()
        return cast("T", self._known[key])


@dataclass(frozen=True, slots=True)
class Prices:
    """Seconds on the task's chip.

    Attributes:
        task: the question.
        chains: of its model.
    """

    task: ServingTask
    chains: Chains
    _found: dict[Serving, tuple[float, ...]] = field(default_factory=dict)

    def seconds(self, serving: Serving) -> tuple[float, ...]:
        """Of one layer of each kind of the chain."""
        if serving not in self._found:
            self._found[serving] = tuple(cost.seconds for cost in self.costs(serving))
        return self._found[serving]

    def costs(self, serving: Serving) -> tuple[PassCost, ...]:
        """The same with its parts."""
        layers = self.chains.of(serving)
        efficiency = served_efficiency(self.task.efficiency)
        different = {id(layer.nodes): layer.nodes for layer in layers}
        priced = {key: _cost(nodes, self.task.cluster, serving, efficiency) for key, nodes in different.items()}
        return tuple(priced[id(layer.nodes)] for layer in layers)

    def sent(self, size: int, stride: int, stages: int) -> float:
        """Seconds in which one of so many stages sends a message of ``size`` bytes to the next, ``stride`` away."""
        return message_seconds(size, stride, self.task.cluster, self.task.efficiency, stages)


def served_efficiency(efficiency: Efficiency) -> Efficiency:
    """What both phases are priced with: serving engines record or compile their passes, so that no host issues kernels.

    What the host costs in training, and the waiting for the slowest one, falls away.
    """
    return replace(efficiency, host=0.0, straggle=0.0)


def groups_of(serving: Serving) -> Groups:
    """Where the ranks of a replica's collectives are."""
    return {Group.TENSOR: Placed(serving.tensor, 1), Group.EXPERT: Placed(serving.expert, serving.tensor)}


def _cost(nodes: tuple[Node, ...], cluster: Cluster, serving: Serving, efficiency: Efficiency) -> PassCost:
    groups = groups_of(serving)
    if cluster.chip.serial:
        return pass_demand(nodes, cluster, groups).cost(cluster, efficiency)
    return ScheduledPass((), nodes, groups).cost(cluster, efficiency)
