"""What is known of an ONNX graph's tensors while it is read: which are constant, which weights they are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

from intarsia.ground.errors import InputError
from intarsia.models.onnx_node import Node, Value

TRAINED = {"FLOAT", "FLOAT16", "BFLOAT16", "DOUBLE", "INT8", ""}
"""Element types of weights; other constants are shapes, indices and masks."""

Weights = tuple[tuple[str, int], ...]


@dataclass(slots=True)
class Values:
    """Tensors by name.

    Attributes:
        weights: every constant tensor to the weights that it is made of.
        steps: every other tensor to the step, or input of the graph, that makes it.
    """

    weights: dict[str, Weights] = field(default_factory=dict)
    steps: dict[str, str] = field(default_factory=dict)

    def is_constant(self, value: Value) -> bool:
        """Whether it is known before the run."""
        return value.name in self.weights or value.constant

    def weights_of(self, node: Node, *indices: int) -> Weights:
        """Weights behind some of a node's inputs, without those of a single element."""
        found: dict[str, int] = {}
        for index in indices:
            if node.has(index):
                found |= dict(self._weights(node.inputs[index]))
        return tuple(found.items())

    def inputs_of(self, node: Node) -> tuple[str, ...]:
        """Steps and graph inputs that a node reads."""
        return tuple(self.steps[v.name] for v in node.inputs if v.name in self.steps)

    def keep_constant(self, node: Node) -> None:
        """All outputs are constants made of what the inputs are made of; shapes and literals are made of nothing."""
        made = () if node.kind in {"Shape", "Size", "Constant"} else self.weights_of(node, *range(len(node.inputs)))
        self.weights |= dict.fromkeys((output.name for output in node.outputs), made)

    def _weights(self, value: Value) -> Weights:
        if value.name in self.weights:
            return self.weights[value.name]
        known = value.dims is not None and all(isinstance(d, int) for d in value.dims)
        size = prod(value.shape) if known else 0
        return ((value.name, size),) if value.constant and size > 1 and value.element in TRAINED else ()


def elements(value: Value, node: Node) -> int:
    """Elements of a tensor.

    Raises:
        InputError: if its shape is unknown, naming the node.
    """
    try:
        return prod(value.shape)
    except InputError as error:
        shown = "" if value.dims is None else f"[{', '.join(map(str, value.dims))}]"
        raise InputError(
            f"the shape of {value.name!r} is not known",
            where=f"node {node.name} ({node.kind})",
            value=shown,
            hint="export with fixed extents (the first one may be free: it is the batch)",
        ) from error
