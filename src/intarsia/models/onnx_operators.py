"""What an ONNX node computes, as an operator: one function for each type of node.

An operator holds the sums, maxima and minima of a node. What stands apart (a bias, a scale, a zero point, a division)
is said in a note.
"""

from __future__ import annotations

from collections.abc import Callable

from intarsia.ground.errors import InputError
from intarsia.models.onnx_node import Node, Value
from intarsia.models.onnx_window import auto_pad, padding, spatial, steps
from intarsia.operators import Combine, Operator, library

Converted = tuple[Operator, str]
"""An operator, and what it leaves apart (empty if nothing)."""


def convert(node: Node) -> Converted:
    """The operator of a node.

    Raises:
        InputError: if it has none; the text is the reason.
    """
    if node.kind not in CONVERTERS:
        raise InputError("this type of node has no operator", allowed=", ".join(CONVERTERS))
    if len(node.inputs) < LEAST_INPUTS.get(node.kind, 1) or not all(v.name for v in node.inputs[:1]):
        raise InputError(f"{len(node.inputs)} inputs")
    return CONVERTERS[node.kind](node)


def _conv(node: Node) -> Converted:
    return convolution(node, 0, 1, out=node.outputs[0].dtype), "bias apart" if node.has(2) else ""


def _conv_integer(node: Node) -> Converted:
    pad = _zero_point(node, 2)
    note = "zero points apart" if node.has(2) or node.has(3) else ""
    return convolution(node, 0, 1, out="int32", pad_value=pad), note


def _qlinear_conv(node: Node) -> Converted:
    pad = _zero_point(node, 2)
    return convolution(node, 0, 3, out="int32", pad_value=pad), "integer core: zero points, bias, requantisation apart"


def _zero_point(node: Node, index: int) -> int:
    """The input's zero point, with which a quantised convolution pads."""
    values = node.inputs[index].numbers() if node.has(index) else (0,)
    if len(values) != 1:
        raise InputError("several zero points of the input", value=str(len(values)), allowed="1")
    return values[0]


def convolution(node: Node, x: int, w: int, *, out: str, pad_value: int = 0) -> Operator:
    """The convolution of a node's inputs ``x`` (image) and ``w`` (weights), in ONNX's layouts.

    Raises:
        InputError: if a shape or dtype is unknown, or does not fit.
    """
    image, weights = node.inputs[x], node.inputs[w]
    size, kernel = spatial(image.shape, weights.shape)
    stride, dilation = steps(node, "strides", size), steps(node, "dilations", size)
    groups = int(node.attributes.get("group", 1))
    if weights.shape[1] * groups != image.shape[1]:
        raise InputError("weights do not fit the channels", value=f"{weights.shape}, {groups} groups, {image.shape}")
    return library.conv(
        f"conv{len(size)}d",
        size,
        kernel,
        n=image.shape[0],
        c=image.shape[1],
        k=weights.shape[0],
        stride=stride,
        dilation=dilation,
        pad=padding(node, size, kernel, stride, dilation),
        groups=groups,
        pad_value=pad_value,
        dtypes=(image.dtype, weights.dtype, out),
    )


def _conv_transpose(node: Node) -> Converted:
    image, weights = node.inputs[:2]
    size, kernel = spatial(image.shape, weights.shape)
    stride, groups = steps(node, "strides", size), int(node.attributes.get("group", 1))
    extra = tuple(int(v) for v in node.attributes.get("output_padding", (0,) * len(size)))
    pads = tuple(int(v) for v in node.attributes.get("pads", (0,) * (2 * len(size))))
    wanted = _wanted_output(node, size, stride)
    if wanted:
        columns = zip(size, kernel, stride, extra, wanted, strict=True)
        totals = [s * (e - 1) + o + f - w for e, f, s, o, w in columns]
        extra = tuple(o + max(0, -t) for o, t in zip(extra, totals, strict=True))
        less = tuple(max(0, t) // 2 for t in totals)
        more = tuple(max(0, t) - max(0, t) // 2 for t in totals)
        pads = (*less, *more) if auto_pad(node) == "SAME_UPPER" else (*more, *less)
    operator = library.deconv(
        f"deconv{len(size)}d",
        size,
        kernel,
        n=image.shape[0],
        c=image.shape[1],
        k=weights.shape[1] * groups,
        stride=stride,
        dilation=steps(node, "dilations", size),
        pad=pads,
        output_padding=extra,
        groups=groups,
        dtypes=(image.dtype, weights.dtype, node.outputs[0].dtype),
    )
    return operator, "bias apart" if node.has(2) else ""


def _wanted_output(node: Node, size: tuple[int, ...], stride: tuple[int, ...]) -> tuple[int, ...]:
    """The spatial extents that the padding follows from; empty if the padding is given."""
    if "output_shape" in node.attributes:
        return tuple(int(v) for v in node.attributes["output_shape"])[-len(size) :]
    if auto_pad(node) in {"SAME_UPPER", "SAME_LOWER"}:
        return tuple(e * s for e, s in zip(size, stride, strict=True))
    return ()


def _max_pool(node: Node) -> Converted:
    if len([v for v in node.outputs if v.name]) > 1:
        raise InputError("the indices of the maxima are used")
    return _pooling(node, "max="), ""


def _average_pool(node: Node) -> Converted:
    return _pooling(node, "+="), "the sum of a window; the division apart"


def _pooling(node: Node, combine: Combine) -> Operator:
    image, result = node.inputs[0], node.outputs[0]
    size, kernel = spatial(image.shape, (1, 1, *(int(v) for v in node.attributes["kernel_shape"])))
    stride, dilation = steps(node, "strides", size), steps(node, "dilations", size)
    pads = padding(node, size, kernel, stride, dilation)
    before, after = pads[: len(size)], list(pads[len(size) :])
    if node.attributes.get("ceil_mode", 0) and auto_pad(node) == "NOTSET":
        for i, (s, f, d) in enumerate(zip(stride, kernel, dilation, strict=True)):
            after[i] = _rounded_up(size[i] + before[i], after[i], s, d * (f - 1) + 1)
    return library.pool(
        f"{'max' if combine == 'max=' else 'avg'}pool{len(size)}d",
        combine,
        size,
        kernel,
        n=image.shape[0],
        c=image.shape[1],
        stride=stride,
        dilation=dilation,
        pad=(*before, *after),
        dtypes=(image.dtype, image.dtype, result.dtype),
    )


def _rounded_up(inner: int, after: int, stride: int, window: int) -> int:
    """The padding after a dimension under ceil_mode: the last window may leave it, but not begin in it.

    Args:
        inner: the extent with the padding before it.
        after: the padding after it, as given.
        stride: from window to window.
        window: extent of a window.
    """
    windows = -(-(inner + after - window) // stride) + 1
    windows -= (windows - 1) * stride >= inner
    return max(0, (windows - 1) * stride + window - inner)


def _matmul(node: Node) -> Converted:
    return product(node, 0, 1, out=node.outputs[0].dtype), ""


def _matmul_integer(node: Node) -> Converted:
    return product(node, 0, 1, out="int32"), "zero points apart" if node.has(2) or node.has(3) else ""


def _qlinear_matmul(node: Node) -> Converted:
    return product(node, 0, 3, out="int32"), "integer core: zero points, requantisation apart"


def product(node: Node, left: int, right: int, *, out: str) -> Operator:
    """The matrix product of two of a node's inputs, as NumPy's ``matmul`` has it.

    Raises:
        InputError: if a shape or dtype is unknown, or does not fit.
    """
    a, b = node.inputs[left], node.inputs[right]
    dtypes = (a.dtype, b.dtype, out)
    if min(len(a.shape), len(b.shape)) == 1:
        return _vector_product(a, b, out)
    if a.shape[-1] != b.shape[-2]:
        raise InputError("the operands do not fit", value=f"{a.shape} and {b.shape}")
    m, k, n = a.shape[-2], a.shape[-1], b.shape[-1]
    batch, batch_b = a.shape[:-2], b.shape[:-2]
    return library.matmul(m=m, n=n, k=k, batch=batch, batch_b=batch_b, constant=_constant(a, b), dtypes=dtypes)


def _vector_product(a: Value, b: Value, out: str) -> Operator:
    """A product with a vector has no axis for the vector's missing dimension."""
    batch = "abcdefgh"[: max(len(a.shape), len(b.shape), 2) - 2]
    left = "k" if len(a.shape) == 1 else f"{batch[len(batch) - len(a.shape) + 2 :]}mk"
    right = "k" if len(b.shape) == 1 else f"{batch[len(batch) - len(b.shape) + 2 :]}kn"
    result = batch + ("m" if "m" in left else "") + ("n" if "n" in right else "")
    constant = [name for name, value in (("A", a), ("B", b)) if value.constant]
    return library.einsum(f"{left},{right}->{result}", [a.shape, b.shape], [a.dtype, b.dtype], out, constant)


def _constant(a: Value, b: Value) -> str:
    return "b" if b.constant else "a" if a.constant else "none"


def _gemm(node: Node) -> Converted:
    a, b = node.inputs[:2]
    ta, tb = (bool(node.attributes.get(name, 0)) for name in ("transA", "transB"))
    if (len(a.shape), len(b.shape)) != (2, 2):
        raise InputError("the operands are no matrices", value=f"{a.shape} and {b.shape}")
    m, k = a.shape[::-1] if ta else a.shape
    depth, n = b.shape[::-1] if tb else b.shape
    if k != depth:
        raise InputError("the operands do not fit", value=f"{a.shape} and {b.shape}")
    dtypes = (a.dtype, b.dtype, node.outputs[0].dtype)
    operator = library.matmul(m=m, n=n, k=k, ta=ta, tb=tb, constant=_constant(a, b), name="gemm", dtypes=dtypes)
    scaled = node.attributes.get("alpha", 1.0) != 1.0
    apart = [name for name, is_apart in (("alpha", scaled), ("C", node.has(2))) if is_apart]
    return operator, f"{' and '.join(apart)} apart" if apart else ""


def _einsum(node: Node) -> Converted:
    equation = node.attributes["equation"].decode()
    shapes, dtypes = [v.shape for v in node.inputs], [v.dtype for v in node.inputs]
    constant = [name for name, value in zip(library.OPERANDS, node.inputs, strict=False) if value.constant]
    return library.einsum(equation, shapes, dtypes, node.outputs[0].dtype, constant), ""


def _elementwise(node: Node) -> Converted:
    if len(node.inputs) != 2:
        raise InputError("operands of an elementwise operator", value=str(len(node.inputs)), allowed="2")
    a, b = node.inputs
    kinds: dict[str, library.ElementwiseKind] = {"Add": "add", "Mul": "mul", "Max": "max", "Min": "min"}
    dtypes = (a.dtype, b.dtype, node.outputs[0].dtype)
    return library.elementwise(kinds[node.kind], shape=a.shape, shape_b=b.shape, dtypes=dtypes), ""


def _reduce(node: Node) -> Converted:
    image = node.inputs[0]
    axes = tuple(int(v) for v in node.attributes.get("axes", ()))
    axes = node.inputs[1].numbers() if node.has(1) else axes
    if not axes and node.attributes.get("noop_with_empty_axes", 0):
        raise InputError("nothing is reduced")
    kinds: dict[str, library.ReduceKind] = {"ReduceSum": "sum", "ReduceMax": "max", "ReduceMin": "min"}
    operator = library.reduce(
        kinds[node.kind],
        shape=image.shape,
        axes=axes or tuple(range(len(image.shape))),
        keep=bool(node.attributes.get("keepdims", 1)),
        dtypes=(image.dtype, image.dtype, node.outputs[0].dtype),
    )
    return operator, ""


CONVERTERS: dict[str, Callable[[Node], Converted]] = {
    "Conv": _conv,
    "ConvInteger": _conv_integer,
    "QLinearConv": _qlinear_conv,
    "ConvTranspose": _conv_transpose,
    "MatMul": _matmul,
    "MatMulInteger": _matmul_integer,
    "QLinearMatMul": _qlinear_matmul,
    "Gemm": _gemm,
    "MaxPool": _max_pool,
    "AveragePool": _average_pool,
    "Einsum": _einsum,
    "Add": _elementwise,
    "Mul": _elementwise,
    "Max": _elementwise,
    "Min": _elementwise,
    "ReduceSum": _reduce,
    "ReduceMax": _reduce,
    "ReduceMin": _reduce,
}
LEAST_INPUTS = {
    "Conv": 2,
    "ConvInteger": 2,
    "QLinearConv": 8,
    "ConvTranspose": 2,
    "MatMul": 2,
    "MatMulInteger": 2,
    "QLinearMatMul": 8,
    "Gemm": 2,
}
