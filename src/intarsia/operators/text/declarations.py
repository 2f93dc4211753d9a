"""What an operator's text declares: its axes with their extents, its tensors with shape, dtype and pad value."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from math import inf

from intarsia.operators.operator import DTYPES, Axis, Role, Tensor
from intarsia.operators.text.reader import Reader

LARGEST_EXTENT = 2**31 - 1
LARGEST_TENSOR = 2**32
_largest = ContextVar("largest tensor", default=LARGEST_TENSOR)


@contextmanager
def tensors_of_any_size() -> Iterator[None]:
    """Where operators are counted and never run, their tensors may be larger than addresses reach."""
    before = _largest.set(2**62)
    try:
        yield
    finally:
        _largest.reset(before)


def read_axes(reader: Reader, role: Role, axes: tuple[Axis, ...]) -> tuple[Axis, ...]:
    """The axes before the cursor, and those of a role behind it.

    Raises:
        InputError: one is declared twice, or its extent is not possible.
    """
    while reader.next.kind == "name" and reader.peek_sign(1, "<"):
        token = reader.take("name", "an axis")
        if any(a.name == token.text for a in axes):
            raise reader.fail(f"axis {token.text!r} is declared twice", token)
        reader.need("<")
        axes = (*axes, Axis(token.text, _extent(reader, f"extent of axis {token.text!r}"), role))
    return axes


def _extent(reader: Reader, what: str) -> int:
    start = reader.next
    negative = reader.sign("-")
    token = reader.take("number", f"the {what}")
    value = int(token.text) if token.text.isdigit() else 0
    if negative or not token.text.isdigit() or not 1 <= value <= LARGEST_EXTENT:
        shown = ("-" if negative else "") + token.text
        raise reader.fail(f"{what} is {shown}", start, allowed=f"integers from 1 to {LARGEST_EXTENT}")
    return value


def read_tensors(reader: Reader) -> tuple[Tensor, ...]:
    """The tensors behind the cursor, one at least.

    Raises:
        InputError: one is declared twice, or its dtype, shape or pad value is not possible.
    """
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


def _tensor(reader: Reader, name: str) -> Tensor:
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


def _fields(reader: Reader, tensor: Tensor) -> Tensor:
    while reader.next.kind == "name" and reader.next.text in {"const", "pad"} and not reader.peek_sign(1, ":"):
        word = reader.take("name", "const or pad")
        if word.text == "const":
            tensor = replace(tensor, constant=True)
            continue
        reader.need("=")
        tensor = replace(tensor, pad=_number(reader, tensor.dtype))
    return tensor


def _number(reader: Reader, dtype: str) -> int | float:
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
