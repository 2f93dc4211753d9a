"""An ONNX graph, node by node: each node alone as a session of ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.flow.native.libraries.by_onnxruntime import refusals
from intarsia.ground import InputError

Array = NDArray[Any]
UNKNOWN = "the model's input has no fixed shape"


def runtime(threads: int) -> tuple[Any, Any]:
    """ONNX Runtime, and options of sessions with some number of threads.

    Raises:
        InputError: if it is not installed.
    """
    if find_spec("onnxruntime") is None:
        what = "a whole model needs onnxruntime, which is not installed"
        raise InputError(what, hint="pip install onnxruntime (of the extra `libraries`), or model.onnx#NODE")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    return onnxruntime, options


class Nodes:
    """The nodes of a model, each of which can be run by ONNX Runtime.

    Attributes:
        model: with weights.
        weights: initializers by name.
    """

    def __init__(self, model: Any, path: str, threads: int) -> None:
        from onnx import AttributeProto, numpy_helper

        self._runtime, self._options = runtime(threads)
        self.model, self._path = model, path
        self.weights: dict[str, Array] = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
        self._initializers = {t.name: t for t in model.graph.initializer}
        graphs = {AttributeProto.GRAPH, AttributeProto.GRAPHS}
        for node in model.graph.node:
            if any(attribute.type in graphs for attribute in node.attribute):
                raise InputError("a node has a graph of its own", where=path, value=f"{node.name} ({node.op_type})")

    def inputs(self, seed: int) -> dict[str, Array]:
        """Arrays for the model's inputs from a seed: bytes over their range, floats normal, other integers 0 or 1.

        Raises:
            InputError: an input without a fixed shape, or of a type that numbers do not have.
        """
        from onnx import helper

        random = np.random.default_rng(seed)
        found = {}
        for value in self.model.graph.input:
            if value.name in self.weights:
                continue
            tensor = value.type.tensor_type
            if not tensor.HasField("shape") or any(d.dim_value <= 0 for d in tensor.shape.dim):
                raise InputError(UNKNOWN, where=f"{self._path}, {value.name}", hint="export it with fixed shapes")
            shape = tuple(d.dim_value for d in tensor.shape.dim)
            dtype = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.elem_type))
            found[value.name] = _drawn(random, shape, dtype, f"{self._path}, {value.name}")
        return found

    def session(self, node: Any, values: Mapping[str, Array]) -> tuple[Any, dict[str, Array]]:
        """A session of one node, and what it is fed with.

        Raises:
            InputError: if ONNX Runtime refuses the node.
        """
        from onnx import helper

        names = list(dict.fromkeys(name for name in node.input if name))
        fed = {name: values[name] for name in names if name not in self._initializers}
        elements = {name: helper.np_dtype_to_tensor_dtype(array.dtype) for name, array in fed.items()}
        infos = [helper.make_tensor_value_info(name, elements[name], array.shape) for name, array in fed.items()]
        graph = helper.make_graph(
            [node], "node", infos, [helper.make_empty_tensor_value_info(name) for name in node.output if name],
            [self._initializers[name] for name in names if name in self._initializers],
        )  # fmt: skip
        model = helper.make_model(graph, ir_version=self.model.ir_version, opset_imports=self.model.opset_import)
        model.functions.extend(self.model.functions)
        return self._made(model, self._where(node)), fed

    def outputs(self, session: Any, node: Any, fed: Mapping[str, Array]) -> dict[str, Array]:
        """The values that a node makes.

        Raises:
            InputError: if ONNX Runtime refuses to run it.
        """
        names = [name for name in node.output if name]
        try:
            return dict(zip(names, session.run(names, dict(fed)), strict=True))
        except refusals(self._runtime) as error:
            raise _refused(error, self._where(node)) from error

    def whole(self) -> Any:
        """A session of the whole model."""
        return self._made(self.model, self._path)

    def _where(self, node: Any) -> str:
        return f"{self._path}, {node.name} ({node.op_type})"

    def _made(self, model: Any, where: str) -> Any:
        try:
            return self._runtime.InferenceSession(
                model.SerializeToString(), self._options, providers=["CPUExecutionProvider"]
            )
        except refusals(self._runtime) as error:
            raise _refused(error, where) from error


def _refused(error: Exception, where: str) -> InputError:
    return InputError("onnxruntime refuses it", where=where, value=str(error).strip().partition("\n")[0])


def _drawn(random: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any], where: str) -> Array:
    if dtype.kind == "f":
        return random.standard_normal(shape).astype(dtype)
    if dtype in {np.dtype(np.int8), np.dtype(np.uint8)}:
        ends = np.iinfo(dtype)
        return random.integers(ends.min, ends.max, shape, dtype=dtype, endpoint=True)
    if dtype.kind in "iub":
        return random.integers(0, 2, shape).astype(dtype)
    raise InputError("no numbers can be drawn for this type", where=where, value=str(dtype))
