"""What a quantised operator computes: the living definition, written to be read, not to be fast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from intarsia.ground.errors import InputError
from intarsia.operators.element import greatest, least, numpy_dtype
from intarsia.operators.fast import evaluate
from intarsia.operators.inputs import Array, check_inputs
from intarsia.operators.operator import Operator, Tensor
from intarsia.operators.quantised import STORED, Quantised


def evaluate_quantised(q: Quantised, inputs: Mapping[str, Array]) -> Array:
    """The result of a quantised operator.

    Args:
        q: the quantised operator.
        inputs: name to array for every factor and parameter, of their shapes and dtypes.

    Returns:
        The array of ``q.result``.

    Raises:
        InputError: if an input is missing, unknown, of another shape or dtype, or if a scale is not finite.
    """
    check_quantised_inputs(q, inputs)
    left, right = q.factors
    differences = {
        left.name: _less(inputs[left.name], q.left_zero, inputs),
        right.name: _less(inputs[right.name], q.right_zero, inputs),
    }
    sums = evaluate(of_differences(q.operator), differences)[q.result.name]
    return finish(q, sums, inputs)


def check_quantised_inputs(q: Quantised, inputs: Mapping[str, Array]) -> None:
    """Refuse inputs that are missing, unknown, of another shape or dtype than declared, or a scale that is not finite.

    Raises:
        InputError: naming the input, with the value found and the value needed.
    """
    check_inputs(replace(q.operator, tensors=(*q.operator.tensors, *q.parameters)), inputs)
    if q.scale is not None and not np.isfinite(inputs[q.scale.name]).all():
        raise InputError("not finite", where=f"{q.operator.name}, input {q.scale.name}")


def of_differences(operator: Operator) -> Operator:
    """The same operator over stored integers less their zero points: int16 holds each, and 0 stands for nothing."""
    written = operator.statements[0].write.tensor
    tensors = tuple(t if t.name == written else replace(t, dtype="int16", pad=0) for t in operator.tensors)
    return replace(operator, tensors=tensors)


def finish(q: Quantised, sums: Array, inputs: Mapping[str, Array]) -> Array:
    """The result from the sums of products: bias, scale, rounding, zero point, saturation, bounds.

    Args:
        q: the quantised operator.
        sums: int32, of the result's shape; not changed.
        inputs: name to array for every parameter.
    """
    with np.errstate(over="ignore"):  # integers wrap; a float beyond float32 is infinite, and saturates
        if q.bias is not None:
            sums = sums + inputs[q.bias.name]
        if q.result.dtype == "int32":
            return _bounded(q, sums)
        values = sums.astype(np.float32)
        if q.scale is not None:
            values = values * inputs[q.scale.name]
    if q.result.dtype == "float32":
        return _bounded(q, values)
    rounded = np.rint(values).astype(np.float64)
    if q.zero is not None:
        rounded = rounded + inputs[q.zero.name]
    assert q.result.dtype in STORED
    saturated = np.clip(rounded, least(q.result.dtype), greatest(q.result.dtype))
    return _bounded(q, saturated.astype(numpy_dtype(q.result.dtype)))


def _less(stored: Array, zero: Tensor | None, inputs: Mapping[str, Array]) -> Array:
    difference = stored.astype(np.int16)
    return difference if zero is None else difference - inputs[zero.name].astype(np.int16)


def _bounded(q: Quantised, values: Array) -> Array:
    """Values of the result's dtype, none below ``low`` or above ``high``."""
    if q.low is not None:
        values = np.maximum(values, np.asarray(q.low, values.dtype))
    if q.high is not None:
        values = np.minimum(values, np.asarray(q.high, values.dtype))
    return np.asarray(values)
