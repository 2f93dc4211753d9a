"""Statements of an operator's text, and what is asked of each: how axes move its write, and where the write may be."""

from __future__ import annotations

from intarsia.operators.operator import COMBINES, Access, Axis, Combine, Statement, Tensor
from intarsia.operators.text.accesses import read_access
from intarsia.operators.text.reader import Reader, Token


def read_statements(reader: Reader, axes: tuple[Axis, ...], tensors: dict[str, Tensor]) -> tuple[Statement, ...]:
    """The statements from the cursor to the end, one at least.

    Raises:
        InputError: one is none, or its write does not move or lie as axes and tensors ask.
    """
    statements: tuple[Statement, ...] = ()
    while reader.next.kind != "end":
        statements = (*statements, _statement(reader, axes, tensors))
    if not statements:
        raise reader.fail("expected a statement such as O[i] += A[i, k] * B[k]")
    return statements


def _statement(reader: Reader, axes: tuple[Axis, ...], tensors: dict[str, Tensor]) -> Statement:
    start = reader.next
    write = read_access(reader, axes, tensors)
    _check_roles(reader, start, write, axes)
    _check_inside(reader, start, write, axes, tensors[write.tensor])
    combine = _combine(reader)
    reads: tuple[Access, ...] = (_read(reader, axes, tensors, write),)
    while reader.sign("*"):
        reads = (*reads, _read(reader, axes, tensors, write))
    return Statement(write, combine, reads)


def _read(reader: Reader, axes: tuple[Axis, ...], tensors: dict[str, Tensor], write: Access) -> Access:
    token = reader.next
    read = read_access(reader, axes, tensors)
    written, dtype = tensors[write.tensor].dtype, tensors[read.tensor].dtype
    if ("float" in written) != ("float" in dtype):
        what = f"dtype mismatch: {read.tensor!r} is {dtype}, {write.tensor!r} is {written}"
        raise reader.fail(what, token, allowed="integers with integers, floating with floating")
    return read


def _check_roles(reader: Reader, token: Token, write: Access, axes: tuple[Axis, ...]) -> None:
    moving = {name for s in write.subscripts for name, _ in s.terms}
    for axis in axes:
        if axis.role == "reduction" and axis.name in moving:
            what = f"reduction axis {axis.name!r} moves the write {write}"
            raise reader.fail(what, token, hint="declare it before the semicolon")
        if axis.role == "parallel" and axis.name not in moving:
            what = f"parallel axis {axis.name!r} does not move the write {write}"
            raise reader.fail(what, token, hint="declare it after the semicolon")


def _check_inside(reader: Reader, token: Token, write: Access, axes: tuple[Axis, ...], tensor: Tensor) -> None:
    """Refuse a write that leaves its tensor.

    A dimension that several axes move, such as ``2*y+a``, may overshoot at both ends, where the last round of the axis
    with the largest coefficient is not full; but each of that axis' two ends must still write something.
    """
    extents = {a.name: a.extent for a in axes}
    for dimension, (subscript, size) in enumerate(zip(write.subscripts, tensor.shape, strict=True)):
        name, step = max(subscript.terms, key=lambda term: abs(term[1]), default=("", 0))
        spans = [c * (extents[n] - 1) for n, c in subscript.terms if n != name]
        low, high = sum(s for s in spans if s < 0), sum(s for s in spans if s > 0)
        for value in (extents.get(name, 1) - 1, 0):
            at = subscript.constant + step * value
            if at + high >= 0 and at + low < size:
                continue
            where = f" at {name}={value}" if name else ""
            index = at + (high if at < 0 else low)
            what = f"the write {write} has index {index} in dimension {dimension}{where}, outside {write.tensor!r}"
            raise reader.fail(what, token, allowed=f"0 to {size - 1}")


def _combine(reader: Reader) -> Combine:
    start = reader.next
    if reader.sign("+="):
        return "+="
    if start.kind == "name" and start.text in {"max", "min"} and reader.peek_sign(1, "="):
        reader.at += 2
        return "max=" if start.text == "max" else "min="
    raise reader.fail(f"expected a combining operator, found {start.text!r}", start, allowed=", ".join(COMBINES))
