"""Models of one int8 node: drawn at random over everything that the four types may have."""

from dataclasses import dataclass
from random import Random

import numpy as np
from onnx import TensorProto, helper, numpy_helper

STORED = (np.uint8, np.int8)
ORDER = {
    "QLinearConv": ("x", "x_scale", "x_zero_point", "w", "w_scale", "w_zero_point", "y_scale", "y_zero_point", "B"),
    "ConvInteger": ("x", "w", "x_zero_point", "w_zero_point"),
    "QLinearMatMul": ("a", "a_scale", "a_zero_point", "b", "b_scale", "b_zero_point", "y_scale", "y_zero_point"),
    "MatMulInteger": ("A", "B", "a_zero_point", "b_zero_point"),
}
"""The inputs of each type, as ONNX's schema names them."""
KINDS = tuple(ORDER)
ELEMENTS = {np.uint8: TensorProto.UINT8, np.int8: TensorProto.INT8, np.int32: TensorProto.INT32}


@dataclass
class Case:
    """A model, the arrays of its inputs, and what was drawn."""

    model: object
    inputs: dict
    kind: str
    attributes: dict
    arrays: dict
    """Every tensor of the node by its name, those of ONNX's schema."""


class Drawing:
    """Draws a case; all of it follows from the random numbers."""

    def __init__(self, random: Random):
        self.random = random
        self.numbers = np.random.default_rng(random.getrandbits(64))
        self.arrays = {}
        self.fed = set()
        self.dyadic = random.randrange(100) < 40

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def stored(self, name, shape, dtype=None):
        """Stored integers over the whole range of their type, or only its ends, where sums are largest."""
        dtype = dtype or self.random.choice(STORED)
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        values = self.numbers.integers(low, high, shape, endpoint=True)
        if self.chance(15):
            values = np.where(values > (low + high) // 2, high, low)
        self.arrays[name] = values.astype(dtype)
        return dtype

    def zero(self, name, dtype, shape=()):
        self.stored(name, shape, dtype)
        if self.chance(20):
            self.arrays[name] = np.zeros(shape, dtype)

    def scale(self, name, shape=()):
        """Some scale; in some cases all are powers of two, which makes ties frequent."""
        exponent = self.numbers.uniform(-3, 2, shape)
        values = 2.0 ** np.rint(exponent) if self.dyadic else 2.0**exponent
        self.arrays[name] = np.asarray(values, np.float32)


def random_case(random: Random, kind=None) -> Case:
    """A case of one of the four types."""
    kind = kind or random.choice(KINDS)
    drawing = Drawing(random)
    attributes = (_conv if "Conv" in kind else _matmul)(drawing, kind)
    return case(kind, drawing.arrays, attributes, drawing.fed)


def case(kind, arrays, attributes, fed=()) -> Case:
    """The case of given arrays by name, in the order of the schema; names in ``fed`` are inputs beside the factors."""
    given = {name for name in arrays if name in {"x", "a", "A"}} | set(fed)
    result = arrays["y_zero_point"].dtype.type if "y_zero_point" in arrays else np.int32
    names = [name if name in arrays else "" for name in ORDER[kind]]
    while names[-1] == "":
        names.pop()
    node = helper.make_node(kind, names, ["y"], name="it", **attributes)
    graph = helper.make_graph(
        [node],
        "g",
        [
            helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(arrays[n].dtype), arrays[n].shape)
            for n in names
            if n in given
        ],
        [helper.make_tensor_value_info("y", ELEMENTS[result], None)],
        [numpy_helper.from_array(arrays[n], n) for n in names if n and n not in given],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    return Case(model, {n: arrays[n] for n in given}, kind, attributes, arrays)


def _conv(d: Drawing, kind):
    r = d.random
    rank = r.choice((1, 2, 2, 2, 3))
    groups = r.choice((1, 1, 1, 2, 3, 4))
    inner, outer = r.randint(1, 5), r.randint(1, 5)
    if d.chance(15):
        groups, inner, outer = r.randint(1, 8), 1, r.randint(1, 2)
    kernel = tuple(r.randint(1, 4 if rank < 3 else 3) for _ in range(rank))
    strides = tuple(r.randint(1, 3) for _ in range(rank))
    dilations = tuple(r.choice((1, 1, 1, 2, 3)) for _ in range(rank))
    windows = [dl * (f - 1) + 1 for dl, f in zip(dilations, kernel, strict=True)]
    size = tuple(w + r.randint(0, 7 if rank < 3 else 3) for w in windows)
    attributes = {"group": groups, "strides": strides, "dilations": dilations}
    if d.chance(50):
        attributes["kernel_shape"] = kernel
    if d.chance(25):
        attributes["auto_pad"] = r.choice(("SAME_UPPER", "SAME_LOWER", "VALID"))
    elif d.chance(70):
        attributes["pads"] = tuple(r.randint(0, w) for w in (*windows, *windows))
    channels = groups * outer
    x = d.stored("x", (r.randint(1, 3), groups * inner, *size))
    w = d.stored("w", (channels, inner, *kernel), np.int8 if d.chance(60) else None)
    along = (channels,) if d.chance(50) else ()
    if kind == "ConvInteger":
        if d.chance(80):
            d.zero("x_zero_point", x)
            d.fed |= {"x_zero_point"} if d.chance(25) else set()
            if d.chance(60):
                d.zero("w_zero_point", w, along)
        return attributes
    d.zero("x_zero_point", x)
    d.zero("w_zero_point", w, along)
    d.stored("y_zero_point", (), x if d.chance(80) else None)
    d.scale("x_scale")
    d.scale("w_scale", along)
    spread = 128 * 74 * np.sqrt(inner * np.prod(kernel))
    d.scale("y_scale")
    d.arrays["y_scale"] *= np.float32(2 ** np.rint(np.log2(spread / 100)))
    if d.chance(50):
        d.arrays["B"] = d.numbers.integers(-spread, spread, (channels,)).astype(np.int32)
    return attributes


def _matmul(d: Drawing, kind):
    r = d.random
    m, n, k = r.randint(1, 9), r.randint(1, 9), r.randint(1, 70)
    batch = tuple(r.randint(1, 3) for _ in range(r.choice((0, 0, 1, 2))))
    batch_b = tuple(e if d.chance(80) else 1 for e in batch)[r.randint(0, len(batch)) :]
    vector_a, vector_b = (d.chance(7) for _ in range(2))
    shape_a = (k,) if vector_a else (*batch, m, k)
    shape_b = (k,) if vector_b and not vector_a else (*batch_b, k, n)
    left, right = ("A", "B") if kind == "MatMulInteger" else ("a", "b")
    a, b = d.stored(left, shape_a), d.stored(right, shape_b, np.int8 if d.chance(60) else None)
    if d.chance(20):
        d.fed.add(right)
    along = _columns_of(d, shape_b)
    if kind == "MatMulInteger":
        if d.chance(80):
            d.zero("a_zero_point", a)
            d.fed |= {"a_zero_point"} if d.chance(25) else set()
            if d.chance(60):
                d.zero("b_zero_point", b, along)
        return {}
    d.zero("a_zero_point", a)
    d.zero("b_zero_point", b, along)
    d.stored("y_zero_point", (), a if d.chance(80) else None)
    d.scale("a_scale")
    d.scale("b_scale", along)
    d.scale("y_scale")
    d.arrays["y_scale"] *= np.float32(2 ** np.rint(np.log2(128 * 74 * np.sqrt(k) / 100)))
    return {}


def _columns_of(d: Drawing, shape):
    """The shape of a parameter of the right operand: one value, or one for each column."""
    if len(shape) == 1 or d.chance(50):
        return ()
    return (shape[-1],) if len(shape) == 2 else (*shape[:-2], 1, shape[-1])
