"""Suites of shapes: those where libraries are strong and weak, with what each group must show; DeepBench's layers."""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.flow.native.answers import Goal
from intarsia.flow.native.shapes import Convolution, Product, Shape
from intarsia.operators import Operator
from intarsia.operators.deepbench import Row


@dataclass(frozen=True, slots=True)
class Named:
    """A shape with its name, the group that it belongs to, and how often the suite has it."""

    name: str
    group: str
    shape: Shape
    count: int = 1


GOALS = {
    "products": Goal(0.98, 0.98),
    "dense": Goal(0.98, 0.98),
    "pointwise": Goal(1.1, 1.1),
    "few channels": Goal(1.2, 1.0),
    "depthwise, grouped": Goal(2.5, 1.0),
    "odd": Goal(1.3, 1.0),
    "deepbench conv": Goal(1.1, 0.0),
    "deepbench gemm": Goal(1.1, 0.0),
}
"""Group to the least geometric mean, and the least single ratio, of the best library's time over ours, on one core."""


def _square(c: int, k: int, size: int, kernel: int, stride: int = 1, pad: int = 0, groups: int = 1) -> Convolution:
    return Convolution(c, k, (size, size), (kernel, kernel), (stride, stride), (pad, pad), groups)


def _line(c: int, k: int, size: int, kernel: int, stride: int) -> Convolution:
    return Convolution(c, k, (size,), (kernel,), (stride,), (0,))


X86: tuple[Named, ...] = (
    Named("gemm 1024x1024x1024", "products", Product(1024, 1024, 1024)),
    Named("gemm 128x768x768", "products", Product(128, 768, 768)),
    Named("gemm 128x768x3072", "products", Product(128, 3072, 768)),
    Named("3x3 64-64 @56", "dense", _square(64, 64, 56, 3, 1, 1)),
    Named("3x3 256-256 @14", "dense", _square(256, 256, 14, 3, 1, 1)),
    Named("1x1 64-64 @56", "pointwise", _square(64, 64, 56, 1)),
    Named("7x7 3-64 @224 /2", "few channels", _square(3, 64, 224, 7, 2, 3)),
    Named("3x3 3-64 @224", "few channels", _square(3, 64, 224, 3, 1, 1)),
    Named("16x16 3-768 @224 /16", "few channels", _square(3, 768, 224, 16, 16)),
    Named("1d 80 1-32 @16000 /4", "few channels", _line(1, 32, 16000, 80, 4)),
    Named("5x5 1-32 @28", "few channels", _square(1, 32, 28, 5, 1, 2)),
    Named("3x3 64-3 @224", "few channels", _square(64, 3, 224, 3, 1, 1)),
    Named("depthwise 3x3 32 @112", "depthwise, grouped", _square(32, 32, 112, 3, 1, 1, 32)),
    Named("depthwise 3x3 96 @112 /2", "depthwise, grouped", _square(96, 96, 112, 3, 2, 1, 96)),
    Named("depthwise 3x3 96 @56", "depthwise, grouped", _square(96, 96, 56, 3, 1, 1, 96)),
    Named("depthwise 3x3 256 @28", "depthwise, grouped", _square(256, 256, 28, 3, 1, 1, 256)),
    Named("depthwise 3x3 512 @14", "depthwise, grouped", _square(512, 512, 14, 3, 1, 1, 512)),
    Named("depthwise 3x3 512 @28 /2", "depthwise, grouped", _square(512, 512, 28, 3, 2, 1, 512)),
    Named("grouped 3x3 32x4 @56", "depthwise, grouped", _square(128, 128, 56, 3, 1, 1, 32)),
    Named("grouped 3x3 32x8 @28", "depthwise, grouped", _square(256, 256, 28, 3, 1, 1, 32)),
    Named("grouped 3x3 8x16 @28", "depthwise, grouped", _square(128, 128, 28, 3, 1, 1, 8)),
    Named("3x3 30-50 @28", "odd", _square(30, 50, 28, 3, 1, 1)),
    Named("3x3 17-17 @56", "odd", _square(17, 17, 56, 3, 1, 1)),
    Named("gemv 1024", "odd", Product(1, 1024, 1024)),
)
"""Shapes of networks of images, speech and text, and odd ones."""


def deepbench(layers: tuple[tuple[Row, int], ...]) -> tuple[Named, ...]:
    """Layers of DeepBench with bytes and the channels last; the matrix that it calls A holds the weights."""
    return tuple(
        Named(row.name, f"deepbench {row.name.partition('/')[0]}", shape_of(row.operator), count)
        for row, count in layers
    )


def shape_of(operator: Operator) -> Shape:
    """The shape of a product or a dense convolution of the library, whatever its layout."""
    extent = {axis.name: axis.extent for axis in operator.axes}
    if operator.name == "gemm":
        return Product(extent["n"], extent["m"], extent["k"])
    image = operator.tensor("I").shape
    subscripts = operator.statements[0].reads[0].subscripts[2:]
    stride = tuple(s.coefficient(f"o{x}") for s, x in zip(subscripts, "hw", strict=True))
    pad = tuple(-s.constant for s in subscripts)
    kernel = (extent["kh"], extent["kw"])
    return Convolution(extent["c"], extent["oc"], image[2:], kernel, stride, pad, n=image[0])
