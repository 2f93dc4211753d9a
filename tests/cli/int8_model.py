"""A small quantised network as an ONNX file."""

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper


def network(path: Path, *, fixed: bool = True) -> str:
    """Quantise, convolve, clip, take the mean, multiply, dequantise."""
    random = np.random.default_rng(0)
    arrays = {
        "s": np.float32(0.02), "z": np.uint8(120), "zw": np.int8(0), "sw": np.float32(0.01), "sy": np.float32(0.2),
        "w": random.integers(-128, 128, (8, 3, 3, 3), np.int8),
        "sw8": random.uniform(0.005, 0.02, 8).astype(np.float32), "zw8": np.zeros(8, np.int8),
        "b": random.integers(-500, 500, 8, np.int32), "m": random.integers(-128, 128, (8, 10), np.int8),
        "shape": np.array([1, 8]),
    }  # fmt: skip
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["xq"], "quantise"),
        helper.make_node(
            "QLinearConv", ["xq", "s", "z", "w", "sw8", "zw8", "sy", "z", "b"], ["c"], "conv", pads=[1] * 4
        ),
        helper.make_node("DequantizeLinear", ["c", "sy", "z"], ["d"], "dequantise"),
        helper.make_node("GlobalAveragePool", ["d"], ["p"], "mean"),
        helper.make_node("Reshape", ["p", "shape"], ["r"], "flat"),
        helper.make_node("QuantizeLinear", ["r", "s", "z"], ["q"], "again"),
        helper.make_node("QLinearMatMul", ["q", "s", "z", "m", "sw", "zw", "sy", "z"], ["y"], "product"),
    ]
    size = [1, 3, 9, 9] if fixed else ["n", 3, 9, 9]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, size)],
        [helper.make_tensor_value_info("y", TensorProto.UINT8, [1, 10])],
        [numpy_helper.from_array(np.asarray(a), n) for n, a in arrays.items()],
    )
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)])
    path.write_bytes(model.SerializeToString())
    return str(path)
