"""A node of an ONNX graph with what is known of its tensors; the one reading of ONNX's protocol buffers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from intarsia.ground.errors import InputError

ELEMENTS = {
    "INT8": "int8",
    "UINT8": "uint8",
    "INT16": "int16",
    "INT32": "int32",
    "FLOAT16": "float16",
    "BFLOAT16": "bfloat16",
    "FLOAT": "float32",
}
"""ONNX's element types that operators have."""


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor of the graph.

    Attributes:
        name: in the graph; empty for an optional input that is left out.
        dims: extents; a string (``?`` if it has no name) where one is unknown, None if the rank is.
        element: ONNX's element type, such as ``INT8``; empty if unknown.
        constant: it is an initializer or the output of a Constant.
        data: its protocol buffer, if constant.
    """

    name: str
    dims: tuple[int | str, ...] | None
    element: str
    constant: bool
    data: Any

    @property
    def shape(self) -> tuple[int, ...]:
        """The extents.

        Raises:
            InputError: if one is unknown.
        """
        if self.dims is None:
            raise InputError(f"the shape of {self.name!r} is unknown")
        known = tuple(d for d in self.dims if isinstance(d, int))
        if len(known) != len(self.dims):
            shown = f"[{', '.join(map(str, self.dims))}]"
            raise InputError(
                f"the shape of {self.name!r} is not known", value=shown, hint="fix the graph's input shapes"
            )
        return known

    @property
    def dtype(self) -> str:
        """The element type.

        Raises:
            InputError: if it is unknown or none of ours.
        """
        if self.element not in ELEMENTS:
            what = f"the element type of {self.name!r}"
            raise InputError(what, value=self.element or "unknown", allowed=", ".join(ELEMENTS))
        return ELEMENTS[self.element]

    def numbers(self) -> tuple[int, ...]:
        """The values of a constant tensor of integers, flattened.

        Raises:
            InputError: if it is not constant.
        """
        return tuple(int(v) for v in self.array().reshape(-1))

    def array(self) -> Any:
        """The values of a constant tensor as a NumPy array.

        Raises:
            InputError: if it is not constant, or if its values are not loaded.
        """
        if not self.constant or self.data is None:
            raise InputError(f"{self.name!r} is not constant")
        from onnx import numpy_helper

        try:
            return numpy_helper.to_array(self.data)
        except (OSError, ValueError, TypeError) as error:
            raise InputError(f"the values of {self.name!r} cannot be read", value=str(error)) from error


@dataclass(frozen=True, slots=True)
class Node:
    """A node: its unique name, its type such as ``Conv``, its attributes, inputs and outputs."""

    name: str
    kind: str
    attributes: dict[str, Any]
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]

    def has(self, index: int) -> bool:
        """Whether an optional input is given."""
        return index < len(self.inputs) and bool(self.inputs[index].name)


def nodes_of(model: Any) -> Iterator[Node]:
    """The nodes of a model's graph in order; one without a name has its first output's, repeated names a number."""
    from onnx import helper

    values = _values(model.graph)
    taken: set[str] = set()
    for node in model.graph.node:
        base = node.name or next(iter(node.output), node.op_type)
        name = next(n for n in (base, *(f"{base}.{i}" for i in range(2, len(taken) + 3))) if n not in taken)
        taken.add(name)
        yield Node(
            name,
            f"{node.domain}.{node.op_type}" if node.domain not in {"", "ai.onnx"} else node.op_type,
            {a.name: helper.get_attribute_value(a) for a in node.attribute},
            tuple(values.get(n, Value(n, None, "", constant=False, data=None)) for n in node.input),
            tuple(values.get(n, Value(n, None, "", constant=False, data=None)) for n in node.output),
        )


def _values(graph: Any) -> dict[str, Value]:
    values = {info.name: _described(info) for info in (*graph.value_info, *graph.input, *graph.output)}
    constants = {t.name: t for t in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.output:
            constants[node.output[0]] = next((a.t for a in node.attribute if a.name == "value"), None)
    for name, tensor in constants.items():
        values[name] = _constant(name, tensor, values.get(name))
    return values


def _described(info: Any) -> Value:
    tensor = info.type.tensor_type
    dims = tuple(_dimension(d) for d in tensor.shape.dim) if tensor.HasField("shape") else None
    return Value(info.name, dims, _element(tensor.elem_type), constant=False, data=None)


def _dimension(dimension: Any) -> int | str:
    if dimension.HasField("dim_value"):
        return int(dimension.dim_value)
    return str(dimension.dim_param) or "?"


def _constant(name: str, tensor: Any, described: Value | None) -> Value:
    if tensor is not None:
        return Value(name, tuple(int(d) for d in tensor.dims), _element(tensor.data_type), constant=True, data=tensor)
    if described is not None:
        return Value(name, described.dims, described.element, constant=True, data=None)
    return Value(name, None, "", constant=True, data=None)


def _element(number: int) -> str:
    from onnx import TensorProto

    known = dict(TensorProto.DataType.items())
    return next((name for name, value in known.items() if value == number and name != "UNDEFINED"), "")
