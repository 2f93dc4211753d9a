"""Accesses of an operator's text: a tensor with an affine subscript for each of its dimensions."""

from __future__ import annotations

from intarsia.ground.errors import InputError
from intarsia.operators.operator import Access, Affine, Axis, Tensor
from intarsia.operators.text.declarations import LARGEST_EXTENT
from intarsia.operators.text.reader import Reader, Token


def read_access(reader: Reader, axes: tuple[Axis, ...], tensors: dict[str, Tensor]) -> Access:
    """The access at the cursor.

    Raises:
        InputError: its tensor or an axis is unknown, it has not as many subscripts as dimensions, or one is not affine.
    """
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


def _affine(reader: Reader, axes: tuple[Axis, ...]) -> Affine:
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


def _check_reach(reader: Reader, token: Token, affine: Affine, axes: tuple[Axis, ...]) -> None:
    last = [affine.coefficient(a.name) * (a.extent - 1) for a in axes]
    low = affine.constant + sum(x for x in last if x < 0)
    high = affine.constant + sum(x for x in last if x > 0)
    if low < -LARGEST_EXTENT or high > LARGEST_EXTENT:
        what = f"the subscript {affine} reaches from {low} to {high}"
        raise reader.fail(what, token, allowed=f"-{LARGEST_EXTENT} to {LARGEST_EXTENT}")


def _term(reader: Reader, axes: set[str]) -> tuple[int, str]:
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


def _not_affine(reader: Reader, token: Token) -> InputError:
    return reader.fail(
        "the subscript is not affine", token, allowed="sums of integer*axis and integers, such as 2*oh+kh-3"
    )
