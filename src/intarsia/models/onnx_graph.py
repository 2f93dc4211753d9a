"""An ONNX file as a model: a free first extent of the inputs is the batch, initialisers are the weights."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

from intarsia.graph import Step, Steps, live
from intarsia.ground.errors import InputError
from intarsia.models.onnx_file import load
from intarsia.models.onnx_node import nodes_of
from intarsia.models.onnx_shapes import LARGEST, shaped
from intarsia.models.onnx_steps import steps_of
from intarsia.models.onnx_values import Values
from intarsia.models.traced import Traced, notes_of

LOSS_NOTE = "the loss is not in the graph: the gradient of its first output is taken as given"


def read_onnx_model(path: str) -> Traced:
    """The graph of a file.

    Raises:
        InputError: if the file cannot be read or is no ONNX model; if an extent but the first of an input is free; if
            a shape cannot be inferred.
    """
    model = _inlined(load(path))
    _empty(model)
    notes = [*_bound(path, model), LOSS_NOTE]
    model, guessed = shaped(model)
    try:
        graph = _steps(model)
    except InputError as error:
        raise error.at(f"{path}, {error.where}" if error.where else path) from error
    others = [value.name for value in model.graph.output][1:]
    if others:
        notes.append(f"only the first output is trained: what only {', '.join(others)} needs is left out")
    notes += [f"the result of {name} is taken to have its input's shape" for name in guessed]
    return Traced(Path(path).name, graph, notes=(*notes_of(graph.steps), *notes), source=path)


def _inlined(model: Any) -> Any:
    if not model.functions:
        return model
    from onnx import inliner

    return inliner.inline_local_functions(model)


def _empty(model: Any) -> None:
    """Drops the values of large weights, so that inference need not copy them."""
    for tensor in model.graph.initializer:
        if prod(tensor.dims) > LARGEST:
            for name in ("raw_data", "float_data", "double_data", "int32_data", "uint64_data"):
                tensor.ClearField(name)


def _bound(path: str, model: Any) -> list[str]:
    """The batch becomes 1, in inputs and in what is known of other tensors; what that means for a microbatch."""
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    batch: set[str] = set()
    fixed = 1
    for value in inputs:
        for i, dim in enumerate(value.type.tensor_type.shape.dim):
            if not dim.HasField("dim_value"):
                if i > 0:
                    raise _free(path, value.name, i, dim.dim_param)
                batch |= {dim.dim_param} - {""}
                dim.dim_value = 1
            elif i == 0:
                fixed = max(fixed, dim.dim_value)
    for value in (*model.graph.value_info, *model.graph.output):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param in batch:
                dim.dim_value = 1
            elif dim.dim_param:
                dim.Clear()
    return (
        [f"the file fixes the first extent of an input at {fixed}: a microbatch of 1 is all of it"] if fixed > 1 else []
    )


def _free(path: str, name: str, position: int, parameter: str) -> InputError:
    return InputError(
        f"extent {position} of input {name!r} is not fixed",
        where=path,
        value=parameter or "unnamed",
        allowed="a free first extent, which is the batch",
        hint=f"export with a number for {parameter or 'it'}, or set it with onnx.tools.update_model_dims",
    )


def _steps(model: Any) -> Steps:
    graph = model.graph
    values = Values()
    weights = {tensor.name for tensor in graph.initializer}
    inputs = []
    for value in graph.input:
        if value.name not in weights:
            values.steps[value.name] = f"input {value.name}"
            dims = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
            inputs.append((f"input {value.name}", prod(dims)))
    steps: list[Step] = []
    for node in nodes_of(model):
        if node.kind in {"Shape", "Size"} or all(values.is_constant(v) for v in node.inputs if v.name):
            values.keep_constant(node)
        else:
            steps += steps_of(node, values)
    output = next((values.steps[v.name] for v in graph.output if v.name in values.steps), "")
    if not steps or not output:
        raise InputError("no output depends on an input")
    return live(Steps(tuple(inputs), tuple(steps), output))
