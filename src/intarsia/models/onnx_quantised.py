"""The int8 nodes of an ONNX file as quantised operators with their constants: what a target compiles and runs.

A node's zero points, scales and bias become parameters that broadcast; the scales of both factors and of the result
become one, ``(x_scale * w_scale) / y_scale`` in float32, in this order. A zero point that is constant and zero is left
out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from intarsia.ground.errors import InputError
from intarsia.models.onnx_file import Other, load, with_shapes
from intarsia.models.onnx_node import Node, Value, nodes_of
from intarsia.models.onnx_operators import convolution, product
from intarsia.operators import Operator, Quantised, quantised
from intarsia.operators.inputs import Array

Shape = tuple[int, ...]
Spread = tuple[Shape, int]
"""The widest shape of a parameter, and the dimension along which a vector of values lies."""


@dataclass(frozen=True, slots=True, eq=False)
class QuantisedNode:
    """A node as a quantised operator.

    Attributes:
        name: the node's.
        kind: its type, such as ``QLinearConv``.
        quantised: what it computes.
        constants: input of the operator to its array, for those that are known.
        feeds: the other inputs, each with the value of the graph that it is.
        output: the value of the graph that the result is.
    """

    name: str
    kind: str
    quantised: Quantised
    constants: Mapping[str, Array]
    feeds: tuple[tuple[str, str], ...]
    output: str

    def inputs(self, values: Mapping[str, Array]) -> dict[str, Array]:
        """All inputs of the operator, from the graph's values by name."""
        shapes = {t.name: t.shape for t in self.quantised.inputs}
        return dict(self.constants) | {name: values[value].reshape(shapes[name]) for name, value in self.feeds}


@dataclass(frozen=True, slots=True, eq=False)
class QuantisedFile:
    """The nodes of a file, in its order: those that are quantised operators, and the others with the reason."""

    path: str
    nodes: tuple[QuantisedNode, ...]
    others: tuple[Other, ...]


def read_quantised(path: str) -> QuantisedFile:
    """The int8 nodes of an ONNX file, with weights.

    Raises:
        InputError: if the file cannot be read, is no ONNX model, is cut off, or if its external weights are missing.
    """
    nodes: list[QuantisedNode] = []
    others: list[Other] = []
    for node in nodes_of(load_whole(path)):
        try:
            nodes.append(quantised_node(node))
        except InputError as error:
            others.append(Other(node.name, node.kind, str(error).partition("\n")[0]))
    return QuantisedFile(path, tuple(nodes), tuple(others))


def load_whole(path: str) -> Any:
    """A file's model with weights and shapes.

    Raises:
        InputError: if the file cannot be read, is no ONNX model, is cut off, or if its external weights are missing.
    """
    return _with_weights(with_shapes(load(path)), path)


def quantised_node(node: Node) -> QuantisedNode:
    """A node of one of the four int8 types as a quantised operator.

    Raises:
        InputError: if it is of another type, or if something that must be known is not; the text is the reason.
    """
    if node.kind not in READERS:
        raise InputError("this type of node is no quantised operator", allowed=", ".join(READERS))
    least, read = READERS[node.kind]
    if len(node.inputs) < least or not all(v.name for v in node.inputs[:least]):
        raise InputError(f"{len(node.inputs)} inputs")
    return read(node)


def _qlinear_conv(node: Node) -> QuantisedNode:
    core = convolution(node, 0, 3, out="int32", pad_value=_pad(node, 2))
    along, one = _channels(node.inputs[3], 1), _one(core)
    made = _Parts(node, core, (0, 3))
    made.parameter("left_zero", 2, one)
    made.parameter("right_zero", 5, _channels(node.inputs[3], 0))
    made.parameter("bias", 8, along)
    made.parameter("zero", 7, one)
    made.scale(_scale(node, 1, one), _scale(node, 4, along), _scale(node, 6, one))
    return made.node(node.inputs[7].dtype)


def _conv_integer(node: Node) -> QuantisedNode:
    core = convolution(node, 0, 1, out="int32", pad_value=_pad(node, 2))
    made = _Parts(node, core, (0, 1))
    made.parameter("left_zero", 2, _one(core))
    made.parameter("right_zero", 3, _channels(node.inputs[1], 0))
    return made.node("int32")


def _qlinear_matmul(node: Node) -> QuantisedNode:
    core = product(node, 0, 3, out="int32")
    a, b = node.inputs[0], node.inputs[3]
    made = _Parts(node, core, (0, 3))
    made.parameter("left_zero", 2, _rows(a))
    made.parameter("right_zero", 5, _columns(b))
    made.parameter("zero", 7, _one(core))
    rows, columns = _scale(node, 1, _rows(a)), _scale(node, 4, _columns(b))
    rank = len(core.outputs[0].shape)
    rows = _padded(rows[..., 0] if len(b.shape) == 1 else rows, rank)
    columns = _padded(columns[..., 0, :] if len(a.shape) == 1 and columns.ndim > 1 else columns, rank)
    made.scale(rows, columns, _scale(node, 6, _one(core)))
    return made.node(node.inputs[7].dtype)


def _matmul_integer(node: Node) -> QuantisedNode:
    made = _Parts(node, product(node, 0, 1, out="int32"), (0, 1))
    made.parameter("left_zero", 2, _rows(node.inputs[0]))
    made.parameter("right_zero", 3, _columns(node.inputs[1]))
    return made.node("int32")


READERS: dict[str, tuple[int, Callable[[Node], QuantisedNode]]] = {
    "QLinearConv": (8, _qlinear_conv),
    "ConvInteger": (2, _conv_integer),
    "QLinearMatMul": (8, _qlinear_matmul),
    "MatMulInteger": (2, _matmul_integer),
}
"""How a type of node is read, and the inputs that it must have."""


SCALES = ("FLOAT", "FLOAT16", "BFLOAT16")
"""Element types of scales; float32 holds all of them."""


class _Parts:
    """What a node is made of, while it is read."""

    def __init__(self, node: Node, core: Operator, factors: tuple[int, int]) -> None:
        self._node = node
        self._core = core
        self._shapes: dict[str, Any] = {}
        self._values: dict[str, Array] = {}
        self._fed: dict[str, str] = {}
        left, right = core.statements[0].reads
        self._names = {"left_zero": f"{left.tensor}_zero", "right_zero": f"{right.tensor}_zero"}
        for read, index in zip((left, right), factors, strict=True):
            self._take(read.tensor, node.inputs[index], node.inputs[index].shape)

    def parameter(self, role: str, index: int, widest: Spread) -> None:
        """Take an input, if it is given, as a parameter of at most this shape."""
        if not self._node.has(index):
            return
        value = self._node.inputs[index]
        shape = _spread(value, value.shape, widest)
        if role.endswith("zero") and value.constant and not value.array().any():
            return
        self._shapes[role] = shape
        self._take(self._names.get(role, role), value, shape)

    def scale(self, left: Array, right: Array, result: Array) -> None:
        """Take the scales of both factors and of the result as one.

        Raises:
            InputError: if it is not finite.
        """
        import numpy as np

        with np.errstate(all="ignore"):
            scale = (left * right) / result
        if not np.isfinite(scale).all():
            raise InputError("the scale of the factors over that of the result is not finite")
        self._values["scale"] = scale
        self._shapes["scale"] = scale.shape

    def node(self, dtype: str) -> QuantisedNode:
        """The node with a result of some dtype."""
        made = quantised(self._core, dtype, **self._shapes, varying=self._fed)
        node = self._node
        return QuantisedNode(node.name, node.kind, made, self._values, tuple(self._fed.items()), node.outputs[0].name)

    def _take(self, name: str, value: Value, shape: Shape) -> None:
        if value.constant:
            self._values[name] = value.array().reshape(shape)
        else:
            self._fed[name] = value.name


def _spread(value: Value, given: Shape, widest: Spread) -> Shape:
    """The shape in which values broadcast: all ones for a single one, a vector along its dimension, else as given.

    Raises:
        InputError: if they do not fit.
    """
    shape, along = widest
    if prod(given) == 1:
        return (1,) * len(shape)
    if given == (shape[along],):
        return tuple(extent if i == along else 1 for i, extent in enumerate(shape))
    if len(given) == len(shape) and all(n in {1, extent} for n, extent in zip(given, shape, strict=True)):
        return given
    allowed = "one value" + (f", {shape[along]}, or what broadcasts to {list(shape)}" if prod(shape) > 1 else "")
    raise InputError(f"the shape of {value.name!r}", value=str(list(given)), allowed=allowed)


def _scale(node: Node, index: int, widest: Spread) -> Array:
    """The values of a scale that must be known, in the shape in which they broadcast."""
    import numpy as np

    value = node.inputs[index]
    if value.element not in SCALES:
        what = f"the element type of {value.name!r}"
        raise InputError(what, value=value.element or "unknown", allowed=", ".join(SCALES))
    array = np.asarray(value.array(), np.float32)
    return array.reshape(_spread(value, array.shape, widest))


def _one(core: Operator) -> Spread:
    """One value for all of the result; images have as many dimensions."""
    return (1,) * len(core.outputs[0].shape), 0


def _channels(weights: Value, dimension: int) -> Spread:
    """One value for each output channel, which lie along some dimension."""
    return tuple(weights.shape[0] if i == dimension else 1 for i in range(len(weights.shape))), dimension


def _rows(a: Value) -> Spread:
    """One value for each row of the left operand of a product; a vector is one row."""
    return (*a.shape[:-1], 1), max(0, len(a.shape) - 2)


def _columns(b: Value) -> Spread:
    """One value for each column of the right operand; a vector is one column."""
    shape = (1,) if len(b.shape) == 1 else (*b.shape[:-2], 1, b.shape[-1])
    return shape, len(shape) - 1


def _padded(scale: Array, rank: int) -> Array:
    """The same values with leading dimensions of 1."""
    return scale.reshape((1,) * (rank - scale.ndim) + scale.shape)


def _pad(node: Node, index: int) -> int:
    """The image's zero point, with which it is padded; 0 where it is not known: padding counts nothing anyhow."""
    known = node.has(index) and node.inputs[index].constant
    return node.inputs[index].numbers()[0] if known else 0


def _with_weights(model: Any, path: str) -> Any:
    import onnx

    try:
        onnx.load_external_data_for_model(model, str(Path(path).parent))
    except (OSError, ValueError, onnx.checker.ValidationError) as error:
        raise InputError("its external weights cannot be read", where=path, value=str(error)) from error
    return model
