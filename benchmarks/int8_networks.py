"""ResNet-50 and MobileNetV2 as int8 ONNX files: their published layers, random weights, scales that use the range.

Shapes: He et al., CVPR 2016, table 1 (stride in the 3×3); Sandler et al., CVPR 2018, table 2. Batch normalisation is
folded away; activations are uint8 with one scale, weights int8 with one for each channel, as ONNX Runtime quantises.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

SCALE, ZERO = np.float32(0.05), 100
"""Of all activations: a zero point away from the ends, as ReLU6 and residual sums leave it."""
SPREAD = 40.0
"""Standard deviation of a layer's results, in steps of the scale."""
RMS = 74.0 * 74.0
"""Of random int8 weights times that of activations around their zero point."""


class Network:
    """Nodes and arrays of a graph while it is written down; names count up."""

    def __init__(self, size: int) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.arrays: dict[str, NDArray[np.generic]] = {"s": np.array(SCALE), "z": np.array(ZERO, np.uint8)}
        self.random = np.random.default_rng(0)
        self.size = size

    def add(self, kind: str, inputs: list[str], **attributes: object) -> str:
        """A node; its name and its output's."""
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def constant(self, array: NDArray[np.generic]) -> str:
        """An initializer."""
        name = f"w{len(self.arrays)}"
        self.arrays[name] = array
        return name

    def convolution(self, x: str, c: int, k: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> str:
        """A QLinearConv that keeps the size, or halves it."""
        terms = c // groups * kernel * kernel
        scale = SPREAD / (RMS * terms**0.5) * self.random.uniform(0.7, 1.4, k)
        weights = self.constant(self.random.integers(-128, 128, (k, c // groups, kernel, kernel), np.int8))
        bias = self.constant(self.random.integers(-3000, 3000, k, np.int32))
        scales, zeroes = self.constant(scale.astype(np.float32)), self.constant(np.zeros(k, np.int8))
        return self.add(
            "QLinearConv", [x, "s", "z", weights, scales, zeroes, "s", "z", bias],
            kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[kernel // 2] * 4, group=groups,
        )  # fmt: skip

    def sum(self, a: str, b: str) -> str:
        """A residual sum: both go through floats, as where no quantised sum is at hand."""
        both = [self.add("DequantizeLinear", [name, "s", "z"]) for name in (a, b)]
        return self.add("QuantizeLinear", [self.add("Add", both), "s", "z"])

    def head(self, x: str, c: int, classes: int = 1000) -> str:
        """The mean over positions, and a product."""
        mean = self.add("GlobalAveragePool", [self.add("DequantizeLinear", [x, "s", "z"])])
        flat = self.add("Flatten", [mean])
        rows = self.add("QuantizeLinear", [flat, "s", "z"])
        weights = self.constant(self.random.integers(-128, 128, (c, classes), np.int8))
        scale = self.constant(np.array(SPREAD / (RMS * c**0.5), np.float32))
        return self.add(
            "QLinearMatMul", [rows, "s", "z", weights, scale, self.constant(np.array(0, np.int8)), "s", "z"]
        )

    def write(self, file: Path, out: str, classes: int = 1000) -> str:
        """The file."""
        graph = helper.make_graph(
            self.nodes, file.stem,
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, self.size, self.size])],
            [helper.make_tensor_value_info(out, TensorProto.UINT8, [1, classes])],
            [numpy_helper.from_array(array, name) for name, array in self.arrays.items()],
        )  # fmt: skip
        model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)])
        onnx.checker.check_model(model)
        file.write_bytes(model.SerializeToString())
        return str(file)


def resnet_50(file: Path, size: int = 224) -> str:
    """53 convolutions and a product."""
    net = Network(size)
    x = net.convolution(net.add("QuantizeLinear", ["image", "s", "z"]), 3, 64, 7, 2)
    x = net.add("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    c = 64
    for width, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for block in range(blocks):
            stride = 2 if block == 0 and width > 64 else 1
            inner = net.convolution(net.convolution(x, c, width), width, width, 3, stride)
            y = net.convolution(inner, width, 4 * width)
            short = net.convolution(x, c, 4 * width, 1, stride) if block == 0 else x
            x, c = net.sum(y, short), 4 * width
    return net.write(file, net.head(x, c))


def mobilenet_v2(file: Path, size: int = 224) -> str:
    """52 convolutions, 17 of them depthwise, and a product."""
    net = Network(size)
    x, c = net.convolution(net.add("QuantizeLinear", ["image", "s", "z"]), 3, 32, 3, 2), 32
    for expand, width, blocks, first in (
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ):  # fmt: skip
        for block in range(blocks):
            stride, inner = first if block == 0 else 1, expand * c
            y = net.convolution(x, c, inner) if expand > 1 else x
            y = net.convolution(net.convolution(y, inner, inner, 3, stride, inner), inner, width)
            x, c = net.sum(y, x) if stride == 1 and c == width else y, width
    return net.write(file, net.head(net.convolution(x, c, 1280), 1280))


NETWORKS: dict[str, Callable[..., str]] = {"resnet-50": resnet_50, "mobilenet-v2": mobilenet_v2}
