"""A model's layers as the devices of a plan run them: tasks with their seconds, which several sections are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from intarsia.cost import Placed
from intarsia.cost.layer import Groups
from intarsia.graph import Group, Layer, Model, Node, Recompute
from intarsia.machines.chips import Efficiency
from intarsia.machines.clusters import Cluster
from intarsia.place.plan import Plan
from intarsia.place.tasks import LayerTasks, layer_tasks
from intarsia.schedule import Task


@dataclass(frozen=True, slots=True)
class Running:
    """What a device runs of a model.

    Attributes:
        layers: the chain, equal neighbours once.
        recompute: what most stages compute again.
        cluster: chips and network.
        efficiency: of the chips.
        groups: where the ranks of collectives are.
    """

    layers: tuple[Layer, ...]
    recompute: Recompute
    cluster: Cluster
    efficiency: Efficiency
    groups: Groups

    @property
    def main(self) -> Layer:
        """The most repeated layer."""
        return max(self.layers, key=lambda layer: layer.repeat)

    def passes(self, layer: Layer) -> tuple[tuple[str, tuple[Node, ...]], ...]:
        """Forward, what is computed again, backward."""
        again = layer.recomputed(self.recompute)
        return (("forward", layer.forward), ("again", again), ("backward", layer.backward))

    def tasks(self, layer: Layer) -> LayerTasks:
        """The passes of a layer as one schedule's problem."""
        return layer_tasks(self.passes(layer), self.cluster, self.groups, self.efficiency)

    def each(self) -> Iterator[tuple[Layer, str, Node, Task]]:
        """Every node of every layer with its pass and its task."""
        for layer in self.layers:
            by_name = {task.name: task for task in self.tasks(layer).problem.tasks}
            for prefix, nodes in self.passes(layer):
                for node in nodes:
                    yield layer, prefix, node, by_name[f"{prefix}/{node.name}"]


def running(model: Model, plan: Plan, cluster: Cluster) -> Running:
    """The layers of a plan."""
    variant = plan.strategy.variant
    groups = {
        Group.TENSOR: Placed(variant.tensor, 1),
        Group.CONTEXT: Placed(variant.context, variant.tensor),
        Group.EXPERT: Placed(variant.expert, variant.tensor),
    }
    usual = Counter(plan.split.recompute).most_common(1)[0][0]
    return Running(model.layers(variant), usual, cluster, plan.prediction.efficiency, groups)
