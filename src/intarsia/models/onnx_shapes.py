"""Shapes of an ONNX graph where inference alone does not find them.

Exporters compute shapes in the graph itself. Such small integer tensors are computed here and become constants, and
shapes are inferred again, until nothing changes. A node of unknown type is given its input's shape.
"""

from __future__ import annotations

from typing import Any

from intarsia.models.onnx_file import with_shapes
from intarsia.models.onnx_node import Node, nodes_of
from intarsia.models.onnx_steps import is_known

LARGEST = 4096
"""Elements of an integer tensor that may be a shape."""
ROUNDS = 512


def shaped(model: Any) -> tuple[Any, list[str]]:
    """The model with shapes, and the nodes whose result was given the shape of their input."""
    guessed: list[str] = []
    known: dict[str, Any] = {}
    for _ in range(ROUNDS):
        model = with_shapes(model)
        if not _computed(model, known) and not _guessed(model, guessed):
            break
    return model, guessed


def _computed(model: Any, known: dict[str, Any]) -> bool:
    """Computes what integer tensors it can; true if there are new ones among them."""
    from onnx import numpy_helper

    for tensor in model.graph.initializer:
        if tensor.name not in known and _is_small_integer(tensor):
            known[tensor.name] = numpy_helper.to_array(tensor)
    found: dict[str, Any] = {}
    for node, raw in zip(nodes_of(model), list(model.graph.node), strict=True):
        value = _value(node, raw, known)
        if value is not None:
            known[node.outputs[0].name] = found[node.outputs[0].name] = value
    kept = [node for node in model.graph.node if node.output[0] not in found]
    if found:
        del model.graph.node[:]
        model.graph.node.extend(kept)
        model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in found.items())
    return bool(found)


def _is_small_integer(tensor: Any) -> bool:
    from math import prod

    from onnx import TensorProto

    integers = {TensorProto.INT64, TensorProto.INT32, TensorProto.BOOL}
    local = tensor.data_location != TensorProto.EXTERNAL
    return tensor.data_type in integers and prod(tensor.dims) <= LARGEST and local


def _value(node: Node, raw: Any, known: dict[str, Any]) -> Any:
    """What a node makes, if that is a small integer tensor that can be computed; else None."""
    import numpy as np

    if len(node.outputs) != 1:
        return None
    if node.kind == "Shape":
        dims = node.inputs[0].dims
        if dims is None or not all(isinstance(d, int) for d in dims):
            return None
        return np.array(dims[node.attributes.get("start", 0) : node.attributes.get("end")], dtype=np.int64)
    if not node.kind.isalnum() or not all(v.name in known or not v.name for v in node.inputs):
        return None
    value = _evaluated(raw, {v.name: known[v.name] for v in node.inputs if v.name})
    if value is None or value.size > LARGEST or value.dtype.kind not in "ib":
        return None
    return value


def _evaluated(raw: Any, inputs: dict[str, Any]) -> Any:
    from onnx import helper
    from onnx.reference import ReferenceEvaluator

    given = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in inputs.items()
    ]
    made = [helper.make_empty_tensor_value_info(raw.output[0])]
    graph = helper.make_graph([raw], "node", given, made)
    try:
        (value,) = ReferenceEvaluator(helper.make_model(graph)).run(None, inputs)
    except (RuntimeError, ValueError, TypeError, IndexError):
        return None  # the reference lacks the operator, or NumPy refuses its inputs: a shape that stays unknown
    return value if hasattr(value, "dtype") else None


def _guessed(model: Any, guessed: list[str]) -> bool:
    """Gives the first node of unknown type without a shape that of its input; false if there is none."""
    from onnx import helper

    node = next((n for n in nodes_of(model) if not is_known(n.kind) and _is_opaque(n)), None)
    if node is None or node.name in guessed:
        return False
    shape = next(v.shape for v in node.inputs if v.dims is not None)
    for stale in [v for v in model.graph.value_info if v.name == node.outputs[0].name]:
        model.graph.value_info.remove(stale)
    model.graph.value_info.append(helper.make_tensor_value_info(node.outputs[0].name, 1, shape))
    guessed.append(node.name)
    return True


def _is_opaque(node: Node) -> bool:
    sources = [v for v in node.inputs if v.dims is not None]
    known_input = bool(sources) and all(isinstance(d, int) for d in sources[0].dims or ())
    return known_input and any(v.name and not _has_shape(v.dims) for v in node.outputs[:1])


def _has_shape(dims: tuple[int | str, ...] | None) -> bool:
    return dims is not None and all(isinstance(d, int) for d in dims)
