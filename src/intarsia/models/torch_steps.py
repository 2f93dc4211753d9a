"""What an ATen operation does for one sample; one that is not here is priced as memory traffic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

from intarsia.graph import Convolution, Gather, Kind, Product, SelfAttention, Vector, View


@dataclass(frozen=True, slots=True)
class Call:
    """An operation of the exported graph.

    Attributes:
        operation: its name without namespace, such as ``conv2d``.
        arguments: every argument by its name, defaults filled in; tensors are nodes of the graph.
        constant: the names of tensor arguments that are weights, or made of weights only.
        shape: of the result.
    """

    operation: str
    arguments: dict[str, Any]
    constant: frozenset[str]
    shape: tuple[int, ...]

    def shape_of(self, argument: str) -> tuple[int, ...]:
        """The shape of a tensor argument."""
        return tuple(int(extent) for extent in self.arguments[argument].meta["val"].shape)


VIEWS = frozenset(
    (
        *("view", "reshape", "flatten", "unflatten", "transpose", "permute", "t", "unsqueeze", "squeeze", "expand"),
        *("expand_as", "view_as", "reshape_as", "slice", "select", "narrow", "split", "split_with_sizes", "chunk"),
        *("unbind", "getitem", "contiguous", "clone", "to", "_to_copy", "type_as", "detach", "alias", "movedim"),
        *("swapaxes", "numpy_T", "unfold", "pixel_shuffle", "lift_fresh_copy", "roll", "repeat"),
    )
)
RULES = {
    "add": "add", "sub": "subtract", "rsub": "subtract", "neg": "scale", "relu": "relu", "leaky_relu": "relu",
    "hardtanh": "clip", "relu6": "clip", "clamp": "clip", "clamp_min": "clip", "abs": "clip", "hardsigmoid": "clip",
    "elu": "exp", "softplus": "exp", "sigmoid": "sigmoid", "tanh": "tanh", "exp": "exp", "log": "log", "erf": "erf",
    "sin": "exp", "cos": "exp", "sqrt": "root", "rsqrt": "root", "pow": "power", "reciprocal": "divide", "silu": "silu",
    "mish": "silu", "hardswish": "hard-swish", "softmax": "softmax", "_softmax": "softmax", "log_softmax": "softmax",
    "batch_norm": "batch-norm", "layer_norm": "norm", "group_norm": "norm", "rms_norm": "norm", "instance_norm": "norm",
    "mean": "sum", "sum": "sum", "adaptive_avg_pool2d": "mean-pool", "adaptive_avg_pool1d": "mean-pool",
    "amax": "max-pool", "argmax": "compare", "cumsum": "sum", "cat": "copy", "stack": "copy", "pad": "copy",
    "constant_pad_nd": "copy", "where": "select", "masked_fill": "select", "maximum": "select", "minimum": "select",
    "eq": "compare", "ne": "compare", "lt": "compare", "le": "compare", "gt": "compare", "ge": "compare",
    "logical_not": "compare", "bitwise_not": "compare", "tril": "select", "triu": "select", "dropout": "dropout",
    "upsample_nearest2d": "resize", "upsample_bilinear2d": "resize", "cross_entropy_loss": "loss",
}  # fmt: skip
"""Vector work by the names of ``intarsia.graph.rules``."""


def kind_of(call: Call) -> Kind | None:
    """What an operation does, None if it is not known."""
    if call.operation in READERS:
        return READERS[call.operation](call)
    if call.operation in VIEWS or (call.operation == "dropout" and not call.arguments["train"]):
        return View()
    if call.operation in RULES:
        return Vector(RULES[call.operation], _largest(call))
    return None


def _largest(call: Call) -> int:
    """Elements of the larger of result and tensor arguments that are not weights."""
    named = [n for n, v in call.arguments.items() if hasattr(v, "meta") and n not in call.constant]
    return max([prod(call.shape), *(prod(call.shape_of(name)) for name in named)])


def _linear(call: Call) -> Kind:
    n, k = call.shape_of("weight")
    return Product(1, prod(call.shape) // n, n, k, weight="weight" in call.constant)


def _matmul(call: Call) -> Kind:
    left, right = ("self", "other") if "other" in call.arguments else ("self", "mat2")
    return _products(call, left, right)


def _addmm(call: Call) -> Kind:
    left, right = ("mat1", "mat2") if "mat1" in call.arguments else ("batch1", "batch2")
    return _products(call, left, right)


def _products(call: Call, left: str, right: str) -> Kind:
    a, b = call.shape_of(left), call.shape_of(right)
    k = a[-1]
    if right in call.constant and left not in call.constant:
        matrices = prod(b[:-2])
        return Product(matrices, prod(a) // k // matrices, b[-1] if len(b) > 1 else 1, k, weight=True)
    if left in call.constant and right not in call.constant:
        return Product(1, prod(b) // k, prod(a) // k, k, weight=True)
    if min(len(a), len(b)) < 2:
        return Product(1, prod(a) // k, prod(b) // k, k, weight=False)
    return Product(max(prod(a[:-2]), prod(b[:-2])), a[-2], b[-1], k, weight=False)


def _convolution(call: Call) -> Kind | None:
    image, weights = call.shape_of("input"), call.shape_of("weight")
    if "weight" not in call.constant or len(image) != len(weights):
        return None
    size, kernel = image[2:], weights[2:]
    rank = len(size)
    stride, dilation = _each(call.arguments["stride"], rank), _each(call.arguments["dilation"], rank)
    groups = call.arguments["groups"]
    given = call.arguments["padding"]
    if call.operation.startswith("conv_transpose"):
        before = _each(given, rank)
        reach = [(e - 1) * s + d * (f - 1) + 1 for e, s, f, d in zip(size, stride, kernel, dilation, strict=True)]
        after = tuple(max(0, r - o - p) for r, o, p in zip(reach, call.shape[2:], before, strict=True))
        pads, out, channels = (*before, *after), call.shape[2:], call.shape[1]
        return Convolution(out, kernel, channels, image[1], stride, pads, dilation, groups, image[0], transposed=True)
    if isinstance(given, str):
        totals = [d * (f - 1) if given == "same" else 0 for d, f in zip(dilation, kernel, strict=True)]
        pads = (*(t // 2 for t in totals), *(t - t // 2 for t in totals))
    else:
        pads = _each(given, rank) * 2
    return Convolution(size, kernel, image[1], weights[0], stride, pads, dilation, groups, image[0])


def _each(given: Any, rank: int) -> tuple[int, ...]:
    values = tuple(given) if isinstance(given, (list, tuple)) else (given,)
    return values * rank if len(values) == 1 else values


def _pool(call: Call) -> Kind:
    rule = "max-pool" if "max" in call.operation else "mean-pool"
    rank = int(call.operation.rstrip("d")[-1])
    return Vector(rule, prod(_each(call.arguments["kernel_size"], rank)) * prod(call.shape))


def _scaled(call: Call) -> Kind:
    """A product or quotient of tensors; by a number it is a scaling."""
    if not hasattr(call.arguments["other"], "meta"):
        return Vector("scale", prod(call.shape))
    return Vector("multiply" if call.operation == "mul" else "divide", prod(call.shape))


def _gelu(call: Call) -> Kind:
    return Vector("gelu-tanh" if call.arguments["approximate"] == "tanh" else "gelu", prod(call.shape))


def _embedding(call: Call) -> Kind:
    rows = prod(call.shape_of("indices"))
    return Gather(rows, prod(call.shape) // rows)


def _attention(call: Call) -> Kind:
    query, key, value = (call.shape_of(name) for name in ("query", "key", "value"))
    causal = bool(call.arguments["is_causal"])
    return SelfAttention(prod(query[:-2]), prod(key[:-2]), query[-2], key[-2], query[-1], value[-1], causal)


READERS: dict[str, Callable[[Call], Kind | None]] = {
    "linear": _linear,
    "matmul": _matmul,
    "mm": _matmul,
    "bmm": _matmul,
    "addmm": _addmm,
    "baddbmm": _addmm,
    "conv1d": _convolution,
    "conv2d": _convolution,
    "conv3d": _convolution,
    "conv_transpose1d": _convolution,
    "conv_transpose2d": _convolution,
    "max_pool1d": _pool,
    "max_pool2d": _pool,
    "max_pool3d": _pool,
    "avg_pool1d": _pool,
    "avg_pool2d": _pool,
    "mul": _scaled,
    "div": _scaled,
    "gelu": _gelu,
    "embedding": _embedding,
    "scaled_dot_product_attention": _attention,
}
