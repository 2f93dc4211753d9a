"""Everything about a model's layers at one variant that stages are made of: seconds, bytes, parameters."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Protocol

from intarsia.cost import LayerCost, PassCost, Placed, amounts, pass_demand, sent_bytes
from intarsia.cost.layer import Groups
from intarsia.graph import Collective, Contraction, Group, Layer, Model, Node, Recompute, Variant
from intarsia.machines.chips.efficiency import Efficiency
from intarsia.machines.clusters import Cluster
from intarsia.machines.template import Amounts
from intarsia.place.tasks import LayerTasks, layer_tasks
from intarsia.schedule import bound, list_makespan, list_schedule, solve
from intarsia.solvers import Found, Infeasible, Limits


class Priceable(Protocol):
    """A pass that can be priced."""

    def cost(self, cluster: Cluster, efficiency: Efficiency) -> PassCost:
        """Seconds of one microbatch."""


@dataclass(frozen=True, slots=True)
class ScheduledPass:
    """A pass on a chip whose cores are scheduled: the list schedule, collectives beside kernels.

    Attributes:
        again: what is computed again first.
        nodes: what runs.
        groups: where the ranks of collectives are.
    """

    again: tuple[Node, ...]
    nodes: tuple[Node, ...]
    groups: Groups

    def cost(self, cluster: Cluster, efficiency: Efficiency) -> PassCost:
        """The makespan, but no less than the HBM needs; collectives that show are part of it."""
        tasks = self._tasks(cluster, efficiency)
        spread = {task.name: task.quickest for task in tasks.problem.tasks}
        weights = sum(
            spread[f"pass/{node.name}"]
            for node in self.nodes
            if isinstance(node.work, Contraction) and node.work.accumulates
        )
        return PassCost(max(list_makespan(tasks.problem), tasks.hbm), 0.0, 0.0, weights)

    def least(self, cluster: Cluster, efficiency: Efficiency, limits: Limits) -> float:
        """Seconds that no schedule of the pass is shorter than, by the search for the shortest one."""
        tasks = self._tasks(cluster, efficiency)
        outcome = solve(tasks.problem, limits)
        assert not isinstance(outcome, Infeasible), "cores run whatever is given to them"
        best = outcome.value if isinstance(outcome, Found) else outcome.best
        return max(tasks.hbm, best.bound if best else bound(tasks.problem))

    def amounts(self, cluster: Cluster, efficiency: Efficiency) -> Amounts:
        """What a device does in one microbatch, by the schedule whose seconds ``cost`` has."""
        chip = cluster.chip
        slots = {slot.task: slot for slot in list_schedule(self._tasks(cluster, efficiency).problem).slots}
        done = Amounts()
        for prefix, nodes in self._named():
            for node in nodes:
                slot = slots[f"{prefix}/{node.name}"]
                if isinstance(node.work, Collective):
                    ranks = self.groups[node.work.group].ranks
                    done += Amounts(link_bytes=sent_bytes(node.work.pattern, node.work.bytes_whole, ranks))
                elif slot.second:
                    own = amounts(chip.kinds[1], node.work, len(slot.cores))
                    done += replace(own, products=0.0, lanes=0.0, more_products=own.products, more_lanes=own.lanes)
                else:
                    done += amounts(chip.kinds[0], node.work, len(slot.cores))
        return done

    def _named(self) -> tuple[tuple[str, tuple[Node, ...]], ...]:
        return ("again", self.again), ("pass", self.nodes)

    def _tasks(self, cluster: Cluster, efficiency: Efficiency) -> LayerTasks:
        return layer_tasks(self._named(), cluster, self.groups, efficiency)


@dataclass(frozen=True, slots=True)
class LayerProfile:
    """One kind of layer.

    Attributes:
        layer: the layer.
        cost: seconds by what is recomputed.
        kept: bytes that one microbatch leaves for the backward pass, by what is recomputed.
    """

    layer: Layer
    cost: dict[Recompute, LayerCost]
    kept: dict[Recompute, int]


@dataclass(frozen=True, slots=True)
class Profile:
    """A model at a variant on a cluster.

    Attributes:
        variant: the shapes.
        layers: the chain, equal neighbours once.
        cluster: where it runs.
        efficiency: of the chip.
    """

    variant: Variant
    layers: tuple[LayerProfile, ...]
    cluster: Cluster
    efficiency: Efficiency


@dataclass(frozen=True, slots=True)
class Passes:
    """The passes of one kind of layer: forward, and backward by what is recomputed."""

    forward: Priceable
    backward: dict[Recompute, Priceable]

    def cost(self, cluster: Cluster, efficiency: Efficiency) -> dict[Recompute, LayerCost]:
        """Seconds by what is recomputed."""
        forward = self.forward.cost(cluster, efficiency)
        # Modes that compute the same again share a pass.
        different = {id(own): own for own in self.backward.values()}
        back = {key: own.cost(cluster, efficiency) for key, own in different.items()}
        return {mode: LayerCost(forward, back[id(own)]) for mode, own in self.backward.items()}


@dataclass(frozen=True, slots=True)
class LayerDemand:
    """One kind of layer before any efficiency: its passes, and the bytes that one microbatch leaves."""

    layer: Layer
    passes: Passes
    kept: dict[Recompute, int]


@dataclass(frozen=True, slots=True)
class Demands:
    """The same before any efficiency, so that a calibration prices it many times.

    Attributes:
        variant: the shapes.
        layers: each kind.
        cluster: where it runs.
    """

    variant: Variant
    layers: tuple[LayerDemand, ...]
    cluster: Cluster

    def priced(self, efficiency: Efficiency) -> Profile:
        """The profile under an efficiency."""
        layers = tuple(
            LayerProfile(item.layer, item.passes.cost(self.cluster, efficiency), item.kept) for item in self.layers
        )
        return Profile(self.variant, layers, self.cluster, efficiency)


Chain = Profile | Demands
"""Layers whose sizes are known, priced or not."""


def demands(
    model: Model, variant: Variant, cluster: Cluster, modes: Collection[Recompute] = tuple(Recompute)
) -> Demands:
    """The model's layers with what their kernels ask for; a legal variant is expected, and some modes to recompute."""
    groups = {
        Group.TENSOR: Placed(variant.tensor, 1),
        Group.CONTEXT: Placed(variant.context, variant.tensor),
        Group.EXPERT: Placed(variant.expert, variant.tensor),
    }
    layers = []
    for layer in model.layers(variant):
        forward = _pass((), layer.forward, cluster, groups)
        again = {mode: layer.recomputed(mode) for mode in modes}
        passes = {nodes: _pass(nodes, layer.backward, cluster, groups) for nodes in dict.fromkeys(again.values())}
        backward = {mode: passes[nodes] for mode, nodes in again.items()}
        kept = {mode: layer.kept_bytes(mode) for mode in modes}
        layers.append(LayerDemand(layer, Passes(forward, backward), kept))
    return Demands(variant, tuple(layers), cluster)


def _pass(again: tuple[Node, ...], nodes: tuple[Node, ...], cluster: Cluster, groups: Groups) -> Priceable:
    if cluster.chip.serial:
        return pass_demand(again + nodes, cluster, groups)
    return ScheduledPass(again, nodes, groups)
