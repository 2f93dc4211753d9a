"""An ONNX file in, the operators of its nodes out; every node that has none is listed with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intarsia.ground.errors import InputError
from intarsia.models.onnx_node import nodes_of
from intarsia.models.onnx_operators import convert
from intarsia.operators import Operator


@dataclass(frozen=True, slots=True)
class Qualifying:
    """A node with an operator; ``note`` says what of the node stands apart from it, empty if nothing."""

    name: str
    operator: Operator
    note: str


@dataclass(frozen=True, slots=True)
class Other:
    """A node without an operator: its name, its type, the reason."""

    name: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class OnnxFile:
    """The nodes of a file, in its order."""

    path: str
    qualifying: tuple[Qualifying, ...]
    others: tuple[Other, ...]


def read_onnx(path: str) -> OnnxFile:
    """Every node of an ONNX file's graph, as an operator or with the reason why not.

    Shapes are inferred by ONNX. Weights are not loaded: external data may be missing.

    Raises:
        InputError: if the file cannot be read, is no ONNX model, or is cut off.
    """
    qualifying: list[Qualifying] = []
    others: list[Other] = []
    for node in nodes_of(with_shapes(load(path))):
        try:
            operator, note = convert(node)
        except InputError as error:
            others.append(Other(node.name, node.kind, str(error).partition("\n")[0]))
        else:
            qualifying.append(Qualifying(node.name, operator, note))
    return OnnxFile(path, tuple(qualifying), tuple(others))


def read_node(path: str, name: str) -> Operator:
    """The operator of one node, by its name.

    Raises:
        InputError: as ``read_onnx``, or if there is no such node (with the nearest name) or it has no operator.
    """
    from difflib import get_close_matches

    file = read_onnx(path)
    for node in file.qualifying:
        if node.name == name:
            return node.operator
    for other in file.others:
        if other.name == name:
            raise InputError(
                f"the node cannot be an operator ({other.kind})", where=f"{path}#{name}", value=other.reason
            )
    names = [node.name for node in file.qualifying]
    near = next(iter(get_close_matches(name, names, n=1, cutoff=0.3)), "")
    shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    raise InputError("no such node", where=path, value=name, allowed=shown or "none: no node qualifies", hint=near)


def load(path: str) -> Any:
    """A file's model without its weights.

    Raises:
        InputError: if the file cannot be read, is no ONNX model, or is cut off.
    """
    import onnx
    from google.protobuf.message import DecodeError

    try:
        if Path(path).is_dir():
            raise InputError("it is a folder", where=path, allowed="an ONNX file")
        if not Path(path).is_file():
            raise InputError("no such file", where=path)
        model = onnx.load(path, load_external_data=False)
    except (DecodeError, ValueError) as error:
        raise InputError("not an ONNX file, or cut off", where=path, value=str(error)) from error
    except OSError as error:
        raise InputError("cannot be read", where=path, value=str(error)) from error
    _check(path, model.graph)
    return model


def with_shapes(model: Any) -> Any:
    """The same with the shapes that ONNX infers; as it is where it infers none."""
    import onnx

    try:
        return onnx.shape_inference.infer_shapes(model, data_prop=True)
    except (onnx.shape_inference.InferenceError, ValueError, RuntimeError):
        return model  # nodes without a shape are then listed with that reason


def _check(path: str, graph: Any) -> None:
    """Refuse what happens to decode but is no whole graph."""
    if not graph.node and (graph.input or graph.output or graph.initializer):
        raise InputError(
            "the ONNX file's graph has no nodes", where=path, hint="a file with nodes such as Conv or MatMul"
        )
    if not graph.node:
        raise InputError("not an ONNX file, or cut off", where=path, value="it has no nodes")
    made = {name for node in graph.node for name in node.output}
    made |= {value.name for value in (*graph.input, *graph.initializer)}
    missing = next((output.name for output in graph.output if output.name not in made), None)
    if missing is not None or not graph.output:
        value = f"no node makes the output {missing!r}" if missing is not None else "it has no outputs"
        raise InputError("not an ONNX file, or cut off", where=path, value=value)
