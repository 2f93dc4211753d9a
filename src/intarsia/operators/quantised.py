"""A quantised operator: a contraction over stored integers, what they stand for, and what becomes of its sums.

A stored integer q stands for scale · (q - zero). The operator's sums are those of the differences::

    sums[o] = Σ (left - left_zero) · (right - right_zero) + bias        modulo 2^32; a read outside counts nothing
    result  = sums                                                      int32
            = float32(sums) · scale                                     float32
            = round(float32(sums) · scale) + zero, saturated            int8, uint8

with the product in float32 and rounding half to even, and at the end bounds (a fused ReLU or clip). ``scale`` is the
product of the factors' scales over the result's. This is what ONNX's QLinearConv, ConvInteger, QLinearMatMul and
MatMulInteger compute; docs/decisions/0023 says what is taken where its implementations differ.

Zero points, bias and scale are inputs too: their shapes have as many dimensions as their tensor, each its extent or 1,
and broadcast. ``evaluate_quantised`` is the reference.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from intarsia.ground.errors import InputError
from intarsia.operators.element import greatest, least
from intarsia.operators.operator import Access, Operator, Tensor

STORED = ("int8", "uint8")
"""Element types of the factors."""
RESULTS = ("int32", "float32", *STORED)
"""Element types of the result."""
BIAS, SCALE, ZERO = "bias", "scale", "zero"

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Quantised:
    """A quantised operator; ``quantised`` makes and checks one.

    Attributes:
        operator: the contraction of the stored integers, one statement with two factors, written in int32. What it
            pads with is not looked at: a read outside counts nothing.
        result: what comes out: the written tensor's name and shape, in the dtype of the result.
        left_zero, right_zero: zero points of the statement's first and second factor, in its dtype; None for 0.
        bias: added to the sums, int32; None for none.
        scale: float32; None for 1.
        zero: the zero point of an int8 or uint8 result, in its dtype; None for 0.
        low, high: bounds of the result, in its own numbers; None for none.
    """

    operator: Operator
    result: Tensor
    left_zero: Tensor | None = None
    right_zero: Tensor | None = None
    bias: Tensor | None = None
    scale: Tensor | None = None
    zero: Tensor | None = None
    low: float | None = None
    high: float | None = None

    @property
    def factors(self) -> tuple[Tensor, Tensor]:
        """The tensors of the statement's first and second factor."""
        left, right = self.operator.statements[0].reads
        return self.operator.tensor(left.tensor), self.operator.tensor(right.tensor)

    @property
    def parameters(self) -> tuple[Tensor, ...]:
        """Zero points, bias and scale, those that there are."""
        every = (self.left_zero, self.right_zero, self.bias, self.scale, self.zero)
        return tuple(tensor for tensor in every if tensor is not None)

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """All that is read: factors and parameters."""
        return (*self.factors, *self.parameters)

    def __str__(self) -> str:
        bounds = [f"{sign} {value:g}" for sign, value in ((">=", self.low), ("<=", self.high)) if value is not None]
        words = " ".join(["result", str(self.result), *bounds])
        return "\n".join([str(self.operator), "  " + " ".join([words, *map(str, self.parameters)])])


def quantised(
    operator: Operator,
    dtype: str = "int32",
    *,
    left_zero: Shape | None = None,
    right_zero: Shape | None = None,
    bias: Shape | None = None,
    scale: Shape | None = None,
    zero: Shape | None = None,
    low: float | None = None,
    high: float | None = None,
    varying: Collection[str] = (),
) -> Quantised:
    """A quantised operator from the shapes of its parameters.

    The parameters are named ``X_zero`` for a factor X, ``bias``, ``scale``, and ``zero`` for the result.

    Args:
        operator: one statement ``+=`` with two factors of int8 or uint8, written in int32.
        dtype: of the result.
        left_zero: the shape of the first factor's zero points; it broadcasts to the factor's.
        right_zero: the same of the second factor's.
        bias: the shape of the bias; it broadcasts to the result's.
        scale: the same of the scale.
        zero: the same of the result's zero points.
        low: the least result, in its own numbers.
        high: the greatest.
        varying: names of parameters that are not known before the run.

    Raises:
        InputError: for an operator of another form, a shape that does not broadcast, a parameter or a bound that the
            result's dtype has no use for.
    """
    _check_operator(operator)
    if dtype not in RESULTS:
        raise InputError("no such result", where=operator.name, value=dtype, allowed=", ".join(RESULTS))
    (written,) = operator.outputs
    result = Tensor(written.name, dtype, written.shape)
    left, right = (operator.tensor(read.tensor) for read in operator.statements[0].reads)

    def parameter(name: str, shape: Shape | None, of: Tensor, element: str) -> Tensor | None:
        return None if shape is None else _parameter(operator, Tensor(name, element, shape), of, varying)

    for read, shape in zip(operator.statements[0].reads, (left_zero, right_zero), strict=True):
        _check_zero(operator, read, shape)
    _check_use(operator, dtype, scale, zero)
    _check_bounds(operator, dtype, low, high)
    return Quantised(
        operator,
        result,
        left_zero=parameter(f"{left.name}_zero", left_zero, left, left.dtype),
        right_zero=parameter(f"{right.name}_zero", right_zero, right, right.dtype),
        bias=parameter(BIAS, bias, result, "int32"),
        scale=parameter(SCALE, scale, result, "float32"),
        zero=parameter(ZERO, zero, result, dtype),
        low=low,
        high=high,
    )


def _check_operator(operator: Operator) -> None:
    statement = operator.statements[0]
    dtypes = [operator.tensor(read.tensor).dtype for read in statement.reads]
    written = operator.tensor(statement.write.tensor).dtype
    one = len(operator.statements) == 1 and statement.combine == "+=" and len(dtypes) == 2
    if not one or written != "int32" or not set(dtypes) <= set(STORED):
        allowed = "one statement that adds products of two factors of int8 or uint8 in int32"
        raise InputError("it cannot be quantised", where=operator.name, value=str(statement), allowed=allowed)
    if len({read.tensor for read in statement.reads}) == 1:
        raise InputError("both factors are one tensor", where=operator.name, value=str(statement))
    names = {BIAS, SCALE, ZERO, *(f"{read.tensor}_zero" for read in statement.reads)}
    clash = next((t.name for t in operator.tensors if t.name in names), None)
    if clash is not None:
        raise InputError("a tensor has the name of a parameter", where=operator.name, value=clash)


def _parameter(operator: Operator, made: Tensor, of: Tensor, varying: Collection[str]) -> Tensor:
    """A parameter whose shape broadcasts to that of a tensor, dimension by dimension."""
    extents = zip(made.shape, of.shape, strict=False)
    if len(made.shape) != len(of.shape) or not all(n in {1, extent} for n, extent in extents):
        where, allowed = f"{operator.name}, {made.name}", f"{of.shape}, or 1 instead of an extent"
        raise InputError("the shape does not broadcast", where=where, value=str(made.shape), allowed=allowed)
    return replace(made, constant=made.name not in varying)


def _check_zero(operator: Operator, read: Access, shape: Shape | None) -> None:
    """A zero point may not vary along what is summed: the sums would not be those of stored integers."""
    summed = {axis.name for axis in operator.axes if axis.role == "reduction"}
    for subscript, n in zip(read.subscripts, shape or (), strict=False):
        if n > 1 and any(subscript.coefficient(axis) for axis in summed):
            where = f"{operator.name}, {read.tensor}_zero"
            raise InputError("it varies along a summed dimension", where=where, value=str(shape), allowed="1 there")


def _check_use(operator: Operator, dtype: str, scale: Shape | None, zero: Shape | None) -> None:
    if scale is not None and dtype == "int32":
        raise InputError("an int32 result has no scale", where=operator.name, hint="float32, int8 or uint8")
    if zero is not None and dtype not in STORED:
        raise InputError(f"a {dtype} result has no zero point", where=operator.name, hint="int8 or uint8")


def _check_bounds(operator: Operator, dtype: str, low: float | None, high: float | None) -> None:
    for value in (low, high):
        if value is None:
            continue
        whole = dtype == "float32" or float(value).is_integer()
        if not whole or not least(dtype) <= value <= greatest(dtype):
            raise InputError(f"no bound of a {dtype} result", where=operator.name, value=f"{value:g}")
    if low is not None and high is not None and low > high:
        raise InputError("the bounds leave nothing", where=operator.name, value=f"{low:g} to {high:g}")
