"""The arrays that an operator reads: checked when given, or drawn from a seed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.ground.errors import InputError
from intarsia.operators.element import greatest, is_floating, least, numpy_dtype
from intarsia.operators.operator import Operator, Tensor

Array = NDArray[Any]


def check_inputs(op: Operator, inputs: Mapping[str, Array]) -> None:
    """Refuse inputs that are missing, unknown, or of another shape or dtype than the operator declares.

    Raises:
        InputError: naming the tensor, with the value found and the value needed.
    """
    names = [t.name for t in op.inputs]
    for name in inputs:
        if name not in names:
            raise InputError("unknown input", where=op.name, value=name, allowed=", ".join(names) or "none")
    for tensor in op.inputs:
        _check_input(op, tensor, inputs)


def _check_input(op: Operator, tensor: Tensor, inputs: Mapping[str, Array]) -> None:
    if tensor.name not in inputs:
        raise InputError("missing input", where=op.name, value=tensor.name, allowed=str(tensor))
    array = inputs[tensor.name]
    where = f"{op.name}, input {tensor.name}"
    if array.shape != tensor.shape:
        raise InputError("wrong shape", where=where, value=str(array.shape), allowed=str(tensor.shape))
    if array.dtype != numpy_dtype(tensor.dtype):
        raise InputError("wrong dtype", where=where, value=str(array.dtype), allowed=tensor.dtype)


def random_inputs(op: Operator, seed: int) -> dict[str, Array]:
    """Every input of an operator, drawn from a seed: integers over the dtype's whole range, floats normal (0, 1).

    Returns:
        Tensor name to a C-ordered array of the tensor's shape and dtype; equal seeds give equal arrays.
    """
    random = np.random.default_rng(seed)
    return {t.name: _draw(t, random) for t in op.inputs}


def _draw(tensor: Tensor, random: np.random.Generator) -> Array:
    dtype = numpy_dtype(tensor.dtype)
    if is_floating(tensor.dtype):
        return random.standard_normal(tensor.shape, dtype=np.float32).astype(dtype)
    low, high = int(least(tensor.dtype)), int(greatest(tensor.dtype))
    return random.integers(low, high, tensor.shape, dtype=dtype, endpoint=True)
