"""An int8 operator as what the instruction multiplies: unsigned by signed bytes, with what makes up for the difference.

In comes a quantised operator with what is known of its parameters; out goes the operator that is embedded. Its factors
are stored integers moved into the range of the instruction (``u' = u + 128`` for signed activations, ``s' = s - zero``
or ``s - 128`` for weights), so that::

    Σ (u - u_zero)(s - s_zero) = Σ u'·s' - U·Σ s' - S·Σ u' + N·U·S      modulo 2^32

with ``U = u_zero + 128`` or ``u_zero``, and ``S = s_zero - 128``, ``s_zero`` or, where weights are stored as
differences, 0. A read outside sees U, or S, and so counts nothing. Where bytes are widened to 16 bits nothing is moved:
``U = u_zero``, and weights are always stored as their differences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.operators import Access, Affine, Operator, Quantised, Statement, Tensor, evaluate

Array = NDArray[Any]
HALF = 128
"""What moves signed bytes into the range of unsigned ones."""


@dataclass(frozen=True, slots=True)
class Translation:
    """What is embedded in the place of a quantised operator.

    Attributes:
        operator: over unsigned and signed bytes, or int16 where these are widened; written in int32.
        unsigned: the factor that the instruction reads as unsigned; the activations, if one is constant.
        signed: the other one.
        flipped: factors whose highest bit is turned over before they are read.
        differences: whether the signed factor holds differences from its zero points.
        unsigned_zero: U.
        signed_zero: S.
        given: where bytes are widened, the dtypes of factors as code reads them.
    """

    operator: Operator
    unsigned: str
    signed: str
    flipped: frozenset[str]
    differences: bool
    unsigned_zero: int
    signed_zero: int
    given: Mapping[str, str]

    @property
    def wide(self) -> bool:
        """Whether bytes are widened to 16 bits."""
        return bool(self.given)


def translated(
    q: Quantised, pad: Mapping[str, int], known: Mapping[str, Array], *, wide: bool = False
) -> Translation | str:
    """The translation of a quantised operator, or why there is none.

    Args:
        q: the quantised operator.
        pad: what reads outside a factor see, for factors whose padding is no zero point.
        known: arrays of parameters, and of constant factors where they are known.
        wide: whether bytes are widened to 16 bits.
    """
    unsigned, signed = roles(q)
    zeroes = {t.name: z for t, z in zip(q.factors, (q.left_zero, q.right_zero), strict=True)}
    found = {name: _zero(zeroes[name], known) for name in zeroes}
    u_zero, s_zero = found[unsigned.name], found[signed.name]
    if len(set(u_zero.reshape(-1).tolist())) > 1:
        return f"{unsigned.name} has several zero points"
    u_move = HALF if unsigned.dtype == "int8" and not wide else 0
    differences = _fits(signed, s_zero, known, wide=wide)
    if not differences and len(set(s_zero.reshape(-1).tolist())) > 1:
        return f"{signed.name} has several zero points, and its differences from them do not fit int8"
    s_move = HALF if signed.dtype == "uint8" and not differences and not wide else 0
    u, s = int(u_zero.reshape(-1)[0]) + u_move, 0 if differences else int(s_zero.reshape(-1)[0]) - s_move
    dtypes = ("int16", "int16") if wide else ("uint8", "int8")
    tensors = {
        unsigned.name: replace(unsigned, dtype=dtypes[0], pad=pad.get(unsigned.name, u - u_move) + u_move),
        signed.name: replace(signed, dtype=dtypes[1], pad=pad.get(signed.name, s + s_move) - s_move),
    }
    operator = replace(q.operator, tensors=tuple(tensors.get(t.name, t) for t in q.operator.tensors))
    flipped = {unsigned.name} if u_move else set()
    flipped |= {signed.name} if s_move else set()
    given = {t.name: t.dtype for t in (unsigned, signed)} if wide else {}
    return Translation(operator, unsigned.name, signed.name, frozenset(flipped), differences, u, s, given)


def roles(q: Quantised) -> tuple[Tensor, Tensor]:
    """The factor that is read as unsigned, and the other one: weights are signed, and so is int8 beside uint8."""
    left, right = q.factors
    if left.constant != right.constant:
        return (left, right) if right.constant else (right, left)
    return (right, left) if (left.dtype, right.dtype) == ("int8", "uint8") else (left, right)


def stored(made: Translation, name: str, array: Array, zero: Array) -> Array:
    """A factor as the instruction reads it; the array itself where nothing is to be done."""
    if name == made.signed and made.differences:
        kept = not zero.any() and (made.wide or array.dtype == np.int8)
        return array if kept else _difference(array, zero).astype(np.int16 if made.wide else np.int8)
    if name in made.flipped:
        turned: Array = np.bitwise_xor(array.view(np.uint8), np.uint8(HALF))
        return turned.view(np.int8 if name == made.signed else np.uint8)
    return array


def sums_of(operator: Operator, name: str, array: Array) -> Array:
    """The sums of one factor over the operator's reductions, int32, in a shape that broadcasts to the result's.

    What does not move with the factor is left out of the shape: sums of weights are a vector over channels.
    """
    statement = operator.statements[0]
    read = next(r for r in statement.reads if r.tensor == name)
    moving = {axis for subscript in read.subscripts for axis, _ in subscript.terms}
    written = operator.tensor(statement.write.tensor)
    dims = [{axis for axis, _ in subscript.terms} for subscript in statement.write.subscripts]
    kept = set[str]()
    while (found := {axis for dim in dims if dim & (moving | kept) for axis in dim}) != kept:
        kept = found
    subscripts = tuple(
        subscript if dim & kept else Affine((), 0)
        for subscript, dim in zip(statement.write.subscripts, dims, strict=True)
    )
    shape = tuple(size if dim & kept else 1 for size, dim in zip(written.shape, dims, strict=True))
    axes_left = tuple(a for a in operator.axes if a.role == "reduction" or a.name in kept)
    made = Operator(
        f"{operator.name}.sums",
        axes_left,
        (replace(written, shape=shape), replace(operator.tensor(name), dtype="int16")),
        (Statement(Access(written.name, subscripts), "+=", (read,)),),
    )
    return evaluate(made, {name: array.astype(np.int16)})[written.name]


def reductions(operator: Operator) -> int:
    """Products of a sum."""
    return prod(a.extent for a in operator.axes if a.role == "reduction")


def _zero(zero: Tensor | None, known: Mapping[str, Array]) -> Array:
    return np.zeros(1, dtype=np.int16) if zero is None else known[zero.name].astype(np.int16)


def _difference(array: Array, zero: Array) -> Array:
    difference: Array = array.astype(np.int16) - zero
    return difference


def _fits(signed: Tensor, zero: Array, known: Mapping[str, Array], *, wide: bool) -> bool:
    """Whether the differences of a constant factor fit int8, for its dtype or for the values that it has, or int16."""
    if not signed.constant and zero.any():
        return False
    if (wide or signed.dtype == "int8") and not zero.any():
        return True
    if signed.name not in known or not signed.constant:
        return False
    difference = _difference(known[signed.name], zero)
    return wide or bool(difference.min() >= -HALF and difference.max() < HALF)
