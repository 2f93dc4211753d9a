"""Reads the text of an operator back into an ``Operator``; every error points at its line and column.

Grammar (white space is free, lines are not; ``#`` begins a comment)::

    operator  = name ":" axes [";" axes] NEWLINE tensors NEWLINE statement {NEWLINE statement}
    axes      = { name "<" integer }            before the semicolon parallel, after it reduction
    tensors   = { name ":" dtype "[" integers "]" ["const"] ["pad=" pad] }   on one line or several
    pad       = ["-"] (number | "inf")          inf for floating dtypes only
    statement = access ("+=" | "max=" | "min=") access { "*" access }
    access    = name "[" affine { "," affine } "]"
    affine    = term { ("+" | "-") term };  term = [integer "*"] axis | axis "*" integer | integer

What is asked beyond the grammar: names are declared once; a parallel axis moves every write and a reduction axis none;
a statement's tensors are all integers or all floating; a tensor is read or written, not both, and is used; a written
tensor has one combining operator; a write stays inside its tensor; a tensor fits in 32-bit byte addresses and a
subscript in 32-bit signed integers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from math import inf

from intarsia.ground.errors import InputError, at_column
from intarsia.operators.operator import (
    COMBINES,
    DTYPES,
    Access,
    Affine,
    Axis,
    Combine,
    Operator,
    Role,
    Statement,
    Tensor,
)

TOKEN = re.compile(
    r"""(?P<space>[ \t]+|\#[^\n]*)
      | (?P<number>\d+(\.\d+)?([eE][+-]?\d+)?)
      | (?P<name>[A-Za-z_][\w.]*)
      | (?P<sign>\+=|[-+*<:;,=\[\]()/%^])
      | (?P<bad>.)""",
    re.ASCII | re.VERBOSE,
)
LARGEST_EXTENT = 2**31 - 1
LARGEST_TENSOR = 2**32
_largest = ContextVar("largest tensor", default=LARGEST_TENSOR)
LONGEST_NUMBER = 40


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the text; line and column count from 1."""

    kind: str
    text: str
    line: int
    column: int


class _Reader:
    """A cursor over the tokens of the text; ``fail`` builds the error at the cursor."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.tokens: list[Token] = []
        self.at = 0
        for number, line in enumerate(source.splitlines(), start=1):
            self._read_line(number, line)
        lines = source.splitlines() or [""]
        self.tokens.append(Token("end", "", len(lines), len(lines[-1]) + 1))

    def _read_line(self, number: int, line: str) -> None:
        for match in TOKEN.finditer(line):
            kind = next(k for k in ("space", "number", "name", "sign", "bad") if match.group(k) is not None)
            if kind == "space":
                continue
            token = Token(kind, match.group(), number, match.start() + 1)
            if kind == "bad":
                raise self.fail(f"unexpected character {token.text!r}", token)
            if kind == "number" and len(token.text) > LONGEST_NUMBER:
                raise self.fail("the number is too long", token, allowed=f"at most {LONGEST_NUMBER} characters")
            self.tokens.append(token)

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    def fail(self, what: str, token: Token | None = None, *, allowed: str = "", hint: str = "") -> InputError:
        token = token or self.next
        return at_column(what, source=self.source, line=token.line, column=token.column, allowed=allowed, hint=hint)

    def take(self, kind: str, what: str) -> Token:
        if self.next.kind != kind:
            raise self.fail(f"expected {what}, found {self.next.text!r}" if self.next.text else f"expected {what}")
        self.at += 1
        return self.tokens[self.at - 1]

    def sign(self, text: str) -> bool:
        if self.next.kind == "sign" and self.next.text == text:
            self.at += 1
            return True
        return False

    def need(self, text: str) -> None:
        if not self.sign(text):
            found = f", found {self.next.text!r}" if self.next.text else ""
            raise self.fail(f"expected {text!r}{found}")

    def peek_sign(self, ahead: int, text: str) -> bool:
        index = self.at + ahead
        return index < len(self.tokens) and self.tokens[index].text == text


@contextmanager
def tensors_of_any_size() -> Iterator[None]:
    """Where operators are counted and never run, their tensors may be larger than addresses reach."""
    before = _largest.set(2**62)
    try:
        yield
    finally:
        _largest.reset(before)


def parse_operator(source: str) -> Operator:
    """The operator that a text describes; ``str`` of the result parses back to an equal operator.

    Raises:
        InputError: with line, column and a caret, for anything that is not an operator.
    """
    reader = _Reader(source)
    name = reader.take("name", "the operator's name").text
    reader.need(":")
    axes = _axes(reader, "parallel", ())
    if reader.sign(";"):
        axes = _axes(reader, "reduction", axes)
    tensors = _tensors(reader)
    statements = _statements(reader, axes, {t.name: t for t in tensors})
    operator = Operator(name, axes, tensors, statements)
    _check_combines(reader, operator)
    _check_use(reader, operator)
    return operator


def _axes(reader: _Reader, role: Role, axes: tuple[Axis, ...]) -> tuple[Axis, ...]:
    while reader.next.kind == "name" and reader.peek_sign(1, "<"):
        token = reader.take("name", "an axis")
        if any(a.name == token.text for a in axes):
            raise reader.fail(f"axis {token.text!r} is declared twice", token)
        reader.need("<")
        axes = (*axes, Axis(token.text, _extent(reader, f"extent of axis {token.text!r}"), role))
    return axes


def _extent(reader: _Reader, what: str) -> int:
    start = reader.next
    negative = reader.sign("-")
    token = reader.take("number", f"the {what}")
    value = int(token.text) if token.text.isdigit() else 0
    if negative or not token.text.isdigit() or not 1 <= value <= LARGEST_EXTENT:
        shown = ("-" if negative else "") + token.text
        raise reader.fail(f"{what} is {shown}", start, allowed=f"integers from 1 to {LARGEST_EXTENT}")
    return value


def _tensors(reader: _Reader) -> tuple[Tensor, ...]:
    tensors: tuple[Tensor, ...] = ()
    while reader.next.kind == "name" and reader.peek_sign(1, ":"):
        token = reader.take("name", "a tensor")
        if any(t.name == token.text for t in tensors):
            raise reader.fail(f"tensor {token.text!r} is declared twice", token)
        reader.need(":")
        tensors = (*tensors, _tensor(reader, token.text))
    if not tensors:
        raise reader.fail("expected a tensor declaration such as I:int8[1, 3, 224, 224]")
    return tensors


def _tensor(reader: _Reader, name: str) -> Tensor:
    dtype = reader.take("name", "a dtype")
    if dtype.text not in DTYPES:
        raise reader.fail(f"unknown dtype {dtype.text!r}", dtype, allowed=", ".join(DTYPES))
    reader.need("[")
    shape: tuple[int, ...] = ()
    while not reader.sign("]"):
        if shape:
            reader.need(",")
        shape = (*shape, _extent(reader, f"dimension {len(shape)} of tensor {name!r}"))
    tensor = _fields(reader, Tensor(name, dtype.text, shape))
    if tensor.bytes > _largest.get():
        what = f"tensor {name!r} has {tensor.bytes} bytes, beyond 32-bit addresses"
        raise reader.fail(what, dtype, allowed=f"at most {_largest.get()} bytes")
    return tensor


def _fields(reader: _Reader, tensor: Tensor) -> Tensor:
    while reader.next.kind == "name" and reader.next.text in {"const", "pad"} and not reader.peek_sign(1, ":"):
        word = reader.take("name", "const or pad")
        if word.text == "const":
            tensor = replace(tensor, constant=True)
            continue
        reader.need("=")
        tensor = replace(tensor, pad=_number(reader, tensor.dtype))
    return tensor


def _number(reader: _Reader, dtype: str) -> int | float:
    start = reader.next
    negative = reader.sign("-")
    if "float" in dtype and reader.next.text == "inf":
        reader.at += 1
        return -inf if negative else inf
    token = reader.take("number", "a pad value")
    text = ("-" if negative else "") + token.text
    if "float" in dtype:
        return float(text)
    bits = 8 * DTYPES[dtype]
    low, high = (0, 2**bits - 1) if dtype.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    if not token.text.isdigit() or not low <= int(text) <= high:
        raise reader.fail(f"pad value {text} is not of dtype {dtype}", start, allowed=f"{low} to {high}")
    return int(text)


def _statements(reader: _Reader, axes: tuple[Axis, ...], tensors: dict[str, Tensor]) -> tuple[Statement, ...]:
    statements: tuple[Statement, ...] = ()
    while reader.next.kind != "end":
        statements = (*statements, _statement(reader, axes, tensors))
    if not statements:
        raise reader.fail("expected a statement such as O[i] += A[i, k] * B[k]")
    return statements


def _statement(reader: _Reader, axes: tuple[Axis, ...], tensors: dict[str, Tensor]) -> Statement:
    start = reader.next
    write = _access(reader, axes, tensors)
    _check_roles(reader, start, write, axes)
    _check_inside(reader, start, write, axes, tensors[write.tensor])
    combine = _combine(reader)
    reads: tuple[Access, ...] = (_read(reader, axes, tensors, write),)
    while reader.sign("*"):
        reads = (*reads, _read(reader, axes, tensors, write))
    return Statement(write, combine, reads)


def _read(reader: _Reader, axes: tuple[Axis, ...], tensors: dict[str, Tensor], write: Access) -> Access:
    token = reader.next
    read = _access(reader, axes, tensors)
    written, dtype = tensors[write.tensor].dtype, tensors[read.tensor].dtype
    if ("float" in written) != ("float" in dtype):
        what = f"dtype mismatch: {read.tensor!r} is {dtype}, {write.tensor!r} is {written}"
        raise reader.fail(what, token, allowed="integers with integers, floating with floating")
    return read


def _check_roles(reader: _Reader, token: Token, write: Access, axes: tuple[Axis, ...]) -> None:
    moving = {name for s in write.subscripts for name, _ in s.terms}
    for axis in axes:
        if axis.role == "reduction" and axis.name in moving:
            what = f"reduction axis {axis.name!r} moves the write {write}"
            raise reader.fail(what, token, hint="declare it before the semicolon")
        if axis.role == "parallel" and axis.name not in moving:
            what = f"parallel axis {axis.name!r} does not move the write {write}"
            raise reader.fail(what, token, hint="declare it after the semicolon")


def _check_inside(reader: _Reader, token: Token, write: Access, axes: tuple[Axis, ...], tensor: Tensor) -> None:
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


def _combine(reader: _Reader) -> Combine:
    start = reader.next
    if reader.sign("+="):
        return "+="
    if start.kind == "name" and start.text in {"max", "min"} and reader.peek_sign(1, "="):
        reader.at += 2
        return "max=" if start.text == "max" else "min="
    raise reader.fail(f"expected a combining operator, found {start.text!r}", start, allowed=", ".join(COMBINES))


def _access(reader: _Reader, axes: tuple[Axis, ...], tensors: dict[str, Tensor]) -> Access:
    token = reader.take("name", "a tensor access")
    if token.text not in tensors:
        raise reader.fail(f"unknown tensor {token.text!r}", token, allowed=", ".join(tensors))
    reader.need("[")
    subscripts: tuple[Affine, ...] = ()
    while not reader.sign("]"):
        if subscripts:
            reader.need(",")
        subscripts = (*subscripts, _affine(reader, axes))
    rank = len(tensors[token.text].shape)
    if len(subscripts) != rank:
        what = f"tensor {token.text!r} has rank {rank}, the access has {len(subscripts)} subscripts"
        raise reader.fail(what, token)
    return Access(token.text, subscripts)


def _affine(reader: _Reader, axes: tuple[Axis, ...]) -> Affine:
    start = reader.next
    terms: dict[str, int] = {}
    constant = 0
    sign = -1 if reader.sign("-") else 1
    while True:
        coefficient, axis = _term(reader, {a.name for a in axes})
        if axis:
            terms[axis] = terms.get(axis, 0) + sign * coefficient
        else:
            constant += sign * coefficient
        if reader.sign("+"):
            sign = 1
        elif reader.sign("-"):
            sign = -1
        elif reader.next.text in {",", "]"}:
            break
        elif reader.next.kind == "end":
            raise reader.fail("expected ']'")
        else:
            raise _not_affine(reader, reader.next)
    affine = Affine(tuple((a, c) for a, c in terms.items() if c), constant)
    _check_reach(reader, start, affine, axes)
    return affine


def _check_reach(reader: _Reader, token: Token, affine: Affine, axes: tuple[Axis, ...]) -> None:
    last = [affine.coefficient(a.name) * (a.extent - 1) for a in axes]
    low = affine.constant + sum(x for x in last if x < 0)
    high = affine.constant + sum(x for x in last if x > 0)
    if low < -LARGEST_EXTENT or high > LARGEST_EXTENT:
        what = f"the subscript {affine} reaches from {low} to {high}"
        raise reader.fail(what, token, allowed=f"-{LARGEST_EXTENT} to {LARGEST_EXTENT}")


def _term(reader: _Reader, axes: set[str]) -> tuple[int, str]:
    """One term as (coefficient, axis), axis "" for a constant."""
    coefficient, axis, start = 1, "", reader.next
    while True:
        token = reader.next
        if token.kind == "number" and token.text.isdigit():
            coefficient *= int(token.text)
        elif token.kind == "name":
            if token.text not in axes:
                raise reader.fail(f"unknown axis {token.text!r}", token, allowed=", ".join(sorted(axes)) or "none")
            if axis:
                raise _not_affine(reader, start)
            axis = token.text
        else:
            found = f", found {token.text!r}" if token.text else ""
            raise reader.fail(f"expected an axis or an integer{found}", token)
        reader.at += 1
        if not reader.sign("*"):
            return coefficient, axis


def _not_affine(reader: _Reader, token: Token) -> InputError:
    return reader.fail(
        "the subscript is not affine", token, allowed="sums of integer*axis and integers, such as 2*oh+kh-3"
    )


def _check_combines(reader: _Reader, operator: Operator) -> None:
    for tensor in operator.outputs:
        combines = {s.combine for s in operator.statements if s.write.tensor == tensor.name}
        if len(combines) > 1:
            what = f"tensor {tensor.name!r} is combined in several ways"
            raise reader.fail(what, _first(reader, tensor.name), allowed="one of +=, max=, min= per tensor")


def _check_use(reader: _Reader, operator: Operator) -> None:
    written = {s.write.tensor for s in operator.statements}
    read = {r.tensor for s in operator.statements for r in s.reads}
    for tensor in operator.tensors:
        if tensor.name in written & read:
            raise reader.fail(f"tensor {tensor.name!r} is both read and written", _first(reader, tensor.name))
        if tensor.name not in written | read:
            raise reader.fail(f"tensor {tensor.name!r} is never used", _first(reader, tensor.name))


def _first(reader: _Reader, tensor: str) -> Token:
    """The token that declares a tensor."""
    pairs = zip(reader.tokens[1:], reader.tokens[2:], strict=False)
    return next(name for name, colon in pairs if name.text == tensor and colon.text == ":")
