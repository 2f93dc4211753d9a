"""A model that was read as a graph of steps for one sample: an ONNX file, a PyTorch module, a built-in family.

It is cut into a chain of layers by its own structure, scaled by the microbatch, and given its backward pass by rule.
Its layers cannot be shared among devices, since a graph does not say which of its axes are heads or experts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from intarsia.graph import Attention, Layer, NamedPart, Step, Steps, Variant, layers_of, parts_of
from intarsia.ground import InputError


@dataclass(frozen=True, slots=True, eq=False)
class Traced:
    """A graph as a model.

    Attributes:
        name: as the user named it.
        graph: the steps for one sample.
        sequence: tokens that the graph was traced with; 0 for models without sequences.
        notes: how the pricing departs from what the graph does.
        source: where the graph is from.
    """

    name: str
    graph: Steps
    sequence: int = 0
    notes: tuple[str, ...] = ()
    source: str = ""

    @property
    def parameters(self) -> int:
        """All weights, those that several steps read once, elements."""
        return sum({name: size for step in self.graph.steps for name, size in step.weights}.values())

    @property
    def active_parameters(self) -> int:
        """All weights: a graph does not say which of them a router leaves out."""
        return self.parameters

    def refusal(self, variant: Variant) -> str:
        """Why the model cannot be cut so, or empty."""
        if variant.microbatch < 1:
            return f"microbatch {variant.microbatch} is not positive"
        for name in ("tensor", "context", "expert"):
            if getattr(variant, name) != 1:
                return (
                    f"{name} {getattr(variant, name)}: a traced graph does not say how its layers may be shared among "
                    f"devices; only {name} 1 is possible"
                )
        if self.sequence and variant.sequence not in {0, self.sequence}:
            return f"sequence {variant.sequence}: the graph was traced with {self.sequence} tokens"
        return ""

    def layers(self, variant: Variant) -> tuple[Layer, ...]:
        """The chain of layers.

        Raises:
            InputError: for a variant that ``refusal`` refuses.
        """
        reason = self.refusal(variant)
        if reason:
            raise InputError(reason, where=self.name)
        return _layers(self, Variant(variant.microbatch, 0, attention=variant.attention, dtype=variant.dtype))

    def flops(self, sequence: int) -> int:
        """Operations of one sample's forward and backward pass without recomputation."""
        layers = self.layers(Variant(1, sequence, attention=Attention.EAGER))  # flash computes scores again
        return sum(layer.repeat * (layer.forward_flops + layer.backward_flops) for layer in layers)


@lru_cache(maxsize=64)
def _parts(model: Traced) -> tuple[NamedPart, ...]:
    return parts_of(model.graph)


@lru_cache(maxsize=256)
def _layers(model: Traced, variant: Variant) -> tuple[Layer, ...]:
    return layers_of(_parts(model), variant)


def notes_of(steps: tuple[Step, ...]) -> tuple[str, ...]:
    """What the steps say of their own pricing, equal notes once with how many steps say so."""
    counts: dict[str, int] = {}
    for step in steps:
        if step.note:
            counts[step.note] = counts.get(step.note, 0) + 1
    return tuple(f"{note} ({count} {'nodes' if count > 1 else 'node'})" for note, count in counts.items())
