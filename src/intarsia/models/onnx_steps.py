"""What an ONNX node does for one sample, as steps; a type of node that is not here is priced as memory traffic."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from intarsia.graph import Convolution, Gather, Kind, Product, Step, Vector, View
from intarsia.ground.errors import InputError
from intarsia.models.onnx_node import Node
from intarsia.models.onnx_values import Values, Weights, elements
from intarsia.models.onnx_window import padding, spatial, steps

Read = tuple[Kind, Weights]
"""What a node does, and the weights that it reads."""

VIEWS = frozenset(
    (
        *("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Identity", "Slice", "Split", "Expand", "Tile"),
        *("DepthToSpace", "SpaceToDepth", "DequantizeLinear", "QuantizeLinear"),
    )
)
RULES = {
    "Add": "add", "Sum": "add", "Sub": "subtract", "Neg": "scale", "Abs": "clip", "Relu": "relu", "LeakyRelu": "relu",
    "PRelu": "clip", "Elu": "exp", "Selu": "exp", "Celu": "exp", "Softplus": "exp", "Clip": "clip",
    "Sigmoid": "sigmoid",
    "HardSigmoid": "clip", "HardSwish": "hard-swish", "Tanh": "tanh", "Exp": "exp", "Log": "log", "Erf": "erf",
    "Sqrt": "root", "Pow": "power", "Reciprocal": "divide", "Gelu": "gelu", "Swish": "silu", "Mish": "silu",
    "Softmax": "softmax", "LogSoftmax": "softmax", "Dropout": "dropout", "Cast": "cast", "Where": "select",
    "Min": "select", "Max": "select", "BatchNormalization": "batch-norm", "LayerNormalization": "norm",
    "GroupNormalization": "norm", "InstanceNormalization": "norm", "RMSNormalization": "norm",
    "SimplifiedLayerNormalization": "norm", "LpNormalization": "norm", "LRN": "norm", "GlobalAveragePool": "mean-pool",
    "GlobalMaxPool": "max-pool", "ReduceMean": "sum", "ReduceSum": "sum", "ReduceL2": "sum", "ReduceMax": "max-pool",
    "ReduceMin": "max-pool", "CumSum": "sum", "Resize": "resize", "Upsample": "resize", "Concat": "copy", "Pad": "copy",
    "Equal": "compare", "Less": "compare", "Greater": "compare", "LessOrEqual": "compare", "GreaterOrEqual": "compare",
    "And": "compare", "Or": "compare", "Not": "compare", "IsNaN": "compare", "Sin": "exp", "Cos": "exp",
    "Range": "compare", "Trilu": "compare", "Round": "cast", "Floor": "cast", "ArgMax": "compare",
    "ConstantOfShape": "copy",
}  # fmt: skip
"""Vector work by the names of ``intarsia.graph.rules``."""


def steps_of(node: Node, values: Values) -> tuple[Step, ...]:
    """The steps of a node, one for each output that is read; the first has the node's name.

    Raises:
        InputError: if a shape is unknown.
    """
    outputs = [value for value in node.outputs if value.name][: None if node.kind in VIEWS else 1]
    kind, weights, note = _read(node, values)
    inputs = values.inputs_of(node)
    made = []
    for i, output in enumerate(outputs):
        name = node.name if i == 0 else f"{node.name}:{i}"
        made.append(Step(name, kind, inputs, elements(output, node), weights, note))
        values.steps[output.name] = name
    for output in node.outputs[len(outputs) :]:
        values.steps[output.name] = node.name
    return tuple(made)


def _read(node: Node, values: Values) -> tuple[Kind, Weights, str]:
    reader = READERS.get(node.kind) or (_vector if node.kind in RULES else _view if node.kind in VIEWS else None)
    if reader is None:
        return *_unknown(node, values), f"{node.kind} is not known: priced as memory traffic only"
    try:
        return *reader(node, values), ""
    except InputError as error:
        if error.what.startswith("the shape of"):
            raise
        reason = str(error).partition("\n")[0]
        return *_unknown(node, values), f"{node.kind} is not understood ({reason}): priced as memory traffic only"


def _unknown(node: Node, values: Values) -> Read:
    return Vector("unknown", 0), values.weights_of(node, *range(len(node.inputs)))


def _view(node: Node, values: Values) -> Read:
    return View(), values.weights_of(node, 0)


def _vector(node: Node, values: Values) -> Read:
    """Each element of the larger of result and inputs is met once."""
    sizes = [elements(v, node) for v in node.inputs if v.name and not values.is_constant(v)]
    last = 3 if node.kind == "BatchNormalization" else len(node.inputs)  # its running statistics are not trained
    count = max([*sizes, elements(node.outputs[0], node)])
    return Vector(RULES[node.kind], count), values.weights_of(node, *range(last))


def _scaled(node: Node, values: Values) -> Read:
    """A product or a quotient of each element; by a number it is a scaling."""
    weights = values.weights_of(node, 0, 1)
    rule = "multiply" if node.kind == "Mul" else "divide"
    if not weights and any(map(values.is_constant, node.inputs)):
        rule = "scale"
    return Vector(rule, elements(node.outputs[0], node)), weights


def _pooled(node: Node, _: Values) -> Read:
    window = prod(int(v) for v in node.attributes["kernel_shape"])
    rule = "max-pool" if node.kind == "MaxPool" else "mean-pool"
    return Vector(rule, window * elements(node.outputs[0], node)), ()


def _gathered(node: Node, values: Values) -> Read:
    """Rows of a table of weights; of anything else a part."""
    weights = values.weights_of(node, 0)
    if not weights:
        return View(), ()
    rows = elements(node.inputs[1], node)
    return Gather(rows, max(1, elements(node.outputs[0], node) // rows)), weights


def _convolved(node: Node, values: Values) -> Read:
    image, kernel_value = node.inputs[0], node.inputs[1]
    size, kernel = spatial(image.shape, kernel_value.shape)
    if not values.is_constant(kernel_value):
        raise InputError("its kernel is not constant")
    stride, dilation = steps(node, "strides", size), steps(node, "dilations", size)
    groups = int(node.attributes.get("group", 1))
    weights = values.weights_of(node, 1, 2)
    if node.kind == "ConvTranspose":
        out = node.outputs[0].shape[2:]
        before = tuple(int(v) for v in node.attributes.get("pads", (0,) * 2 * len(size)))[: len(size)]
        reach = [(e - 1) * s + d * (f - 1) + 1 for e, s, f, d in zip(size, stride, kernel, dilation, strict=True)]
        after = tuple(max(0, r - o - p) for r, o, p in zip(reach, out, before, strict=True))
        channels = kernel_value.shape[1] * groups
        pads = (*before, *after)
        sizes = (out, kernel, channels, image.shape[1], stride, pads, dilation, groups, image.shape[0])
        return Convolution(*sizes, transposed=True), weights
    pads = padding(node, size, kernel, stride, dilation)
    images, channels = image.shape[:2]
    return Convolution(size, kernel, channels, kernel_value.shape[0], stride, pads, dilation, groups, images), weights


def _product(node: Node, values: Values) -> Read:
    """A matrix of weights meets rows of the other operand; without weights there are as many products as matrices."""
    a, b = node.inputs[:2]
    left, right = a.shape, b.shape
    if values.is_constant(a) and not values.is_constant(b):
        k = left[-1]
        return Product(1, max(1, prod(right) // k), prod(left) // k, k, weight=True), values.weights_of(node, 0)
    k = left[-1]
    if values.is_constant(b):
        matrices = prod(right[:-2])
        n = right[-1] if len(right) > 1 else 1
        return Product(matrices, prod(left) // k // matrices, n, k, weight=True), values.weights_of(node, 1)
    if min(len(left), len(right)) < 2:
        return Product(1, prod(left) // k, prod(right) // k, k, weight=False), ()
    batch = max(prod(left[:-2]), prod(right[:-2]))
    return Product(batch, left[-2], right[-1], k, weight=False), ()


def _gemm(node: Node, values: Values) -> Read:
    a, b = node.inputs[:2]
    k, m = a.shape if node.attributes.get("transA", 0) else a.shape[::-1]
    n = prod(b.shape) // k
    constant = values.is_constant(b)
    return Product(1, m, n, k, weight=constant), values.weights_of(node, *((1, 2) if constant else (2,)))


READERS: dict[str, Callable[[Node, Values], Read]] = {
    "Conv": _convolved,
    "ConvTranspose": _convolved,
    "MatMul": _product,
    "Gemm": _gemm,
    "Mul": _scaled,
    "Div": _scaled,
    "MaxPool": _pooled,
    "AveragePool": _pooled,
    "Gather": _gathered,
}


def is_known(kind: str) -> bool:
    """Whether a type of node has a meaning here."""
    return kind in READERS or kind in RULES or kind in VIEWS or kind in {"Constant", "Shape", "Size"}
