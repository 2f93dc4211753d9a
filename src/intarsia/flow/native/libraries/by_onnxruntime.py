"""ONNX Runtime on the CPU: QLinearConv with the channels last, QLinearMatMul, MatMulInteger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from intarsia.flow.native.libraries.library import Array, Prepared
from intarsia.flow.native.shapes import Convolution, Form, Problem

IR, OPSET = 8, 15
MICROSOFT = "com.microsoft"


@dataclass(frozen=True, slots=True)
class OnnxRuntime:
    """ONNX Runtime with some number of threads."""

    runtime: Any
    threads: int

    @property
    def name(self) -> str:
        """Name and version."""
        return f"onnxruntime {self.runtime.__version__}"

    @property
    def refusals(self) -> tuple[type[Exception], ...]:
        """Its own exceptions."""
        return refusals(self.runtime)

    def prepare(self, problem: Problem, form: Form) -> Prepared | None:
        """Convolutions requantised (ConvInteger is far slower); products in both forms."""
        convolution = isinstance(problem.shape, Convolution)
        if convolution and form != "uint8":
            return None
        shape = problem.shape.operator.outputs[0].shape
        session = self._session(_model(problem, form, shape))
        binding = session.io_binding()
        value = self.runtime.OrtValue.ortvalue_from_numpy(problem.x)
        out = self.runtime.OrtValue.ortvalue_from_numpy(np.zeros(shape, form))
        binding.bind_ortvalue_input("x", value)
        binding.bind_ortvalue_output("y", out)

        def result(_: object) -> Array:
            found: Array = out.numpy()
            return found

        return Prepared(lambda: session.run_with_iobinding(binding), result, form)

    def _session(self, model: bytes) -> Any:
        options = self.runtime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        return self.runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def refusals(runtime: Any) -> tuple[type[Exception], ...]:
    """What ONNX Runtime raises where it cannot run a graph, as it stands in its status codes.

    No kernel for a node; a node, an operator set or a version of the format that it does not know; a kernel's own
    check. They have no base in common but ``Exception``.
    """
    codes = runtime.capi.onnxruntime_pybind11_state
    return codes.NotImplemented, codes.InvalidGraph, codes.Fail, codes.RuntimeException


def library(threads: int) -> OnnxRuntime:
    """ONNX Runtime."""
    import onnxruntime

    return OnnxRuntime(onnxruntime, threads)


def _model(problem: Problem, form: Form, shape: tuple[int, ...]) -> bytes:
    """A graph of one node."""
    from onnx import TensorProto, helper, numpy_helper

    def constant(name: str, value: Any) -> Any:
        return numpy_helper.from_array(np.asarray(value), name)

    scales = [
        constant("one", np.float32(1)),
        constant("zero", np.uint8(0)),
        constant("wscale", np.float32(problem.scale)),
        constant("wzero", np.int8(0)),
    ]
    node, weights = _node(problem, form)
    element = TensorProto.UINT8 if form == "uint8" else TensorProto.INT32
    graph = helper.make_graph(
        [node],
        "one",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, problem.x.shape)],
        [helper.make_tensor_value_info("y", element, shape)],
        [*(scales if form == "uint8" else []), constant("w", weights)],
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
    made: bytes = helper.make_model(graph, ir_version=IR, opset_imports=opsets).SerializeToString()
    return made


def _node(problem: Problem, form: Form) -> tuple[Any, Array]:
    from onnx import helper

    inputs = ["x", "one", "zero", "w", "wscale", "wzero", "one", "zero"]
    if isinstance(problem.shape, Convolution):
        shape = problem.shape
        rank = len(shape.size)
        node = helper.make_node(
            "QLinearConv", inputs, ["y"], domain=MICROSOFT, channels_last=1, group=shape.groups,
            kernel_shape=list(shape.kernel), strides=list(shape.stride[:rank]), pads=list(shape.pad[:rank]) * 2,
        )  # fmt: skip
        return node, problem.w
    if form == "int32":
        return helper.make_node("MatMulInteger", ["x", "w"], ["y"]), problem.w
    return helper.make_node("QLinearMatMul", inputs, ["y"]), problem.w
