"""Everything about a model's layers at one variant that stages are made of: seconds, bytes, parameters."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from intarsia.cost import LayerCost, PassDemand, Placed, pass_demand
from intarsia.graph import Group, Layer, Model, Recompute, Variant
from intarsia.machines.chips.efficiency import Efficiency
from intarsia.machines.clusters import Cluster


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
class Demands:
    """The same before any efficiency, so that a calibration prices it many times.

    Attributes:
        variant: the shapes.
        layers: each kind, its forward pass, and its backward pass by what is recomputed.
        cluster: where it runs.
    """

    variant: Variant
    layers: tuple[tuple[Layer, PassDemand, dict[Recompute, PassDemand]], ...]
    cluster: Cluster

    def priced(self, efficiency: Efficiency) -> Profile:
        """The profile under an efficiency."""
        profiles = []
        for layer, forward, backward in self.layers:
            ahead = forward.cost(self.cluster, efficiency)
            costs = {id(back): back.cost(self.cluster, efficiency) for back in backward.values()}
            cost = {mode: LayerCost(ahead, costs[id(back)]) for mode, back in backward.items()}
            kept = {mode: layer.kept_bytes(mode) for mode in backward}
            profiles.append(LayerProfile(layer, cost, kept))
        return Profile(self.variant, tuple(profiles), self.cluster, efficiency)


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
        forward = pass_demand(layer.forward, cluster, groups)
        backward = {mode: pass_demand(layer.backward + layer.recomputed(mode), cluster, groups) for mode in modes}
        layers.append((layer, forward, backward))
    return Demands(variant, tuple(layers), cluster)
