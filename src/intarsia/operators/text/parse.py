"""A whole operator from its text, and what is asked of all its statements together."""

from __future__ import annotations

from intarsia.operators.operator import Operator
from intarsia.operators.text.declarations import read_axes, read_tensors
from intarsia.operators.text.reader import Reader, Token
from intarsia.operators.text.statements import read_statements


def parse_operator(source: str) -> Operator:
    """The operator that a text describes; ``str`` of the result parses back to an equal operator.

    Raises:
        InputError: with line, column and a caret, for anything that is not an operator.
    """
    reader = Reader(source)
    name = reader.take("name", "the operator's name").text
    reader.need(":")
    axes = read_axes(reader, "parallel", ())
    if reader.sign(";"):
        axes = read_axes(reader, "reduction", axes)
    tensors = read_tensors(reader)
    statements = read_statements(reader, axes, {t.name: t for t in tensors})
    operator = Operator(name, axes, tensors, statements)
    _check_combines(reader, operator)
    _check_use(reader, operator)
    return operator


def _check_combines(reader: Reader, operator: Operator) -> None:
    for tensor in operator.outputs:
        combines = {s.combine for s in operator.statements if s.write.tensor == tensor.name}
        if len(combines) > 1:
            what = f"tensor {tensor.name!r} is combined in several ways"
            raise reader.fail(what, _first(reader, tensor.name), allowed="one of +=, max=, min= per tensor")


def _check_use(reader: Reader, operator: Operator) -> None:
    written = {s.write.tensor for s in operator.statements}
    read = {r.tensor for s in operator.statements for r in s.reads}
    for tensor in operator.tensors:
        if tensor.name in written & read:
            raise reader.fail(f"tensor {tensor.name!r} is both read and written", _first(reader, tensor.name))
        if tensor.name not in written | read:
            raise reader.fail(f"tensor {tensor.name!r} is never used", _first(reader, tensor.name))


def _first(reader: Reader, tensor: str) -> Token:
    """The token that declares a tensor."""
    pairs = zip(reader.tokens[1:], reader.tokens[2:], strict=False)
    return next(name for name, colon in pairs if name.text == tensor and colon.text == ":")
