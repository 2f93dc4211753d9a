"""Everything by which a user may name operators: what ``operators`` reads, a node of an ONNX file, a whole file."""

from __future__ import annotations

from dataclasses import replace

from intarsia.ground.errors import InputError
from intarsia.models.onnx_file import OnnxFile, Qualifying, read_node, read_onnx
from intarsia.operators import Operator, read_operator


def read_spec(spec: str) -> Operator:
    """One operator: whatever ``read_operator`` takes, or ``model.onnx#node``, or a file with one qualifying node.

    Raises:
        InputError: for anything that names no operator, or several.
    """
    path, name = _split(spec)
    if name:
        return read_node(path, name)
    if not path:
        return read_operator(spec)
    names = [node.name for node in read_onnx(path).qualifying]
    if len(names) == 1:
        return read_node(path, names[0])
    shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    hint = f"{path}#{names[0]}" if names else ""
    raise InputError(f"{len(names)} nodes qualify, one is needed", where=path, allowed=shown, hint=hint)


def read_specs(spec: str) -> OnnxFile:
    """Every operator that a spec names: of a whole ONNX file all nodes, otherwise the one of ``read_spec``.

    Raises:
        InputError: as ``read_spec`` and ``read_onnx``.
    """
    path, name = _split(spec)
    if path and not name:
        return read_onnx(path)
    if name:
        read_node(path, name)
        file = read_onnx(path)
        return replace(file, qualifying=tuple(q for q in file.qualifying if q.name == name)[:1], others=())
    return OnnxFile(spec, (Qualifying(spec, read_spec(spec), ""),), ())


def _split(spec: str) -> tuple[str, str]:
    """The path of an ONNX file and the name of a node, each empty if there is none."""
    if "\n" in spec:
        return "", ""
    for at in (i for i, letter in enumerate(spec) if letter == "#"):
        if spec[:at].endswith(".onnx"):
            return spec[:at], spec[at + 1 :]
    return (spec, "") if spec.endswith(".onnx") else ("", "")
