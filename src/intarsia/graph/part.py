"""A part of a graph that one layer is made of: steps between two places where a single tensor crosses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from intarsia.graph.convolution import Convolution
from intarsia.graph.rules import RULES
from intarsia.graph.step import Gather, Product, SelfAttention, Step, Vector, View

ACTIVATION_BYTES = 2


@dataclass(frozen=True, slots=True)
class Part:
    """Steps that become one layer.

    Attributes:
        steps: in order.
        inputs: name and elements of one sample of each tensor that comes from outside.
        boundary: the input that the part before hands over and wants a gradient for; empty in the first part.
        output: the tensor that it hands on.
        trained: steps and inputs that a gradient flows through.
        kept_inputs: inputs that the backward pass of this part, or of the one before, needs.
        last: nothing comes after it, so that it keeps its own output.
    """

    steps: tuple[Step, ...]
    inputs: tuple[tuple[str, int], ...]
    boundary: str
    output: str
    trained: frozenset[str]
    kept_inputs: frozenset[str]
    last: bool

    @property
    def sizes(self) -> dict[str, int]:
        """Elements of one sample of every tensor in sight."""
        return {**dict(self.inputs), **{step.name: step.elements for step in self.steps}}

    @property
    def roots(self) -> dict[str, str]:
        """Every tensor in sight to the one that holds its elements, which is another one for views."""
        return roots_of(self.steps, {name for name, _ in self.inputs})

    @property
    def weights(self) -> dict[str, int]:
        """Name and elements of each weight, once."""
        return {name: size for step in self.steps for name, size in step.weights}


def roots_of(steps: tuple[Step, ...], inputs: set[str]) -> dict[str, str]:
    """Every tensor to the one that holds its elements."""
    roots = {name: name for name in inputs}
    for step in steps:
        viewed = isinstance(step.kind, View) and step.inputs
        roots[step.name] = roots[step.inputs[0]] if viewed else step.name
    return roots


def is_heavy(step: Step) -> bool:
    """Whether a step is more than vector work."""
    return isinstance(step.kind, Product | Convolution | Gather | SelfAttention)


def trained_of(steps: tuple[Step, ...], given: frozenset[str] = frozenset()) -> frozenset[str]:
    """The tensors that a gradient flows through: those made of weights, or of such tensors."""
    trained = set(given)
    for step in steps:
        if step.weights or trained.intersection(step.inputs):
            trained.add(step.name)
    return frozenset(trained)


def kept_of(step: Step, roots: Mapping[str, str], trained: frozenset[str]) -> frozenset[str]:
    """The tensors, without masks, that the derivative of a step needs."""
    inputs = frozenset(roots[name] for name in step.inputs)
    if step.name not in trained:
        return frozenset()
    match step.kind:
        case Product() | Convolution():
            return inputs
        case SelfAttention():
            return inputs | {step.name}
        case Vector(rule):
            kept = inputs if RULES[rule].keeps_inputs else frozenset()
            return kept | {step.name} if RULES[rule].keeps_result else kept
        case Gather() | View():
            return frozenset()
