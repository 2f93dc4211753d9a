"""``intarsia show SPEC``: operators, their texts and sizes; of a whole ONNX file, every node."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from intarsia.cli.command import Command, json_option, spec_argument
from intarsia.cli.printing import print_fields, print_json, print_table
from intarsia.ground.units import bytes_text, count_text

if TYPE_CHECKING:
    from intarsia.models import OnnxFile, Qualifying
    from intarsia.operators import Operator, Tensor


def _options(parser: ArgumentParser) -> None:
    spec_argument(parser)
    json_option(parser)


def _run(arguments: Namespace) -> int:
    from intarsia import flow

    found = flow.read_operators(arguments.spec)
    if arguments.json:
        print_json(_json(found))
    elif len(found.qualifying) == 1 and not found.others:
        _print_operator(found.qualifying[0], arguments.spec)
    else:
        _print_nodes(found)
    return 0


def _print_operator(found: Qualifying, spec: str) -> None:
    operator = found.operator
    print(operator)
    print()
    node = [("node", found.name), ("note", found.note)] if found.name != spec else []
    tensors = [(t.name, bytes_text(t.bytes)) for t in operator.tensors]
    print_fields([*node, ("iterations", count_text(operator.iterations)), *tensors])


def _print_nodes(found: OnnxFile) -> None:
    rows = [
        (q.name, str(q.operator).partition("\n")[0], count_text(q.operator.iterations), q.note)
        for q in found.qualifying
    ]
    if rows:
        print_table(("node", "operator", "iterations", "note"), rows, right=("iterations",))
    else:
        print("no node of the file is an operator")
    if found.others:
        print()
        print_table(("node", "type", "why it is no operator"), [(o.name, o.kind, o.reason) for o in found.others])


def _json(found: OnnxFile) -> dict[str, Any]:
    operators = [{"node": q.name, "note": q.note, **operator_json(q.operator)} for q in found.qualifying]
    others = [{"node": o.name, "type": o.kind, "reason": o.reason} for o in found.others]
    return {"operators": operators, "others": others}


def operator_json(operator: Operator) -> dict[str, Any]:
    """An operator as JSON."""
    return {
        "name": operator.name,
        "text": str(operator),
        "iterations": operator.iterations,
        "axes": [{"name": a.name, "extent": a.extent, "role": a.role} for a in operator.axes],
        "tensors": [_tensor_json(t) for t in operator.tensors],
        "statements": [str(s) for s in operator.statements],
    }


def _tensor_json(tensor: Tensor) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "dtype": tensor.dtype,
        "shape": list(tensor.shape),
        "pad": _finite(tensor.pad),
        "constant": tensor.constant,
        "bytes": tensor.bytes,
    }


def _finite(value: float) -> float | str:
    """A number as JSON has it, which knows no infinity."""
    return value if abs(value) != float("inf") else str(value)


COMMAND = Command(
    "show",
    "print an operator's text, its iterations and the bytes of its tensors",
    "intarsia show deepbench:conv/inference_device/3",
    _options,
    _run,
)
