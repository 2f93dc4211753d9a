"""What an element type can hold: its NumPy type, its least and greatest value, the identity of a combining operator."""

from __future__ import annotations

from math import inf
from typing import Any, assert_never

import numpy as np

from intarsia.operators.operator import DTYPES, Combine


def is_floating(dtype: str) -> bool:
    """Whether elements are floating-point numbers."""
    return "float" in dtype


def numpy_dtype(dtype: str) -> np.dtype[Any]:
    """The NumPy type of an element type; bfloat16 is that of ``ml_dtypes``."""
    if dtype == "bfloat16":
        import ml_dtypes

        bfloat16: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
        return bfloat16
    return np.dtype(dtype)


def least(dtype: str) -> int | float:
    """The least value of an element type; minus infinity for floating-point types."""
    if is_floating(dtype):
        return -inf
    return 0 if dtype.startswith("u") else -(1 << (8 * DTYPES[dtype] - 1))


def greatest(dtype: str) -> int | float:
    """The greatest value of an element type; infinity for floating-point types."""
    if is_floating(dtype):
        return inf
    bits = 8 * DTYPES[dtype]
    return (1 << bits) - 1 if dtype.startswith("u") else (1 << (bits - 1)) - 1


def identity(combine: Combine, dtype: str) -> int | float:
    """The value that a combining operator leaves unchanged: what a written tensor holds at the beginning."""
    match combine:
        case "+=":
            return 0
        case "max=":
            return least(dtype)
        case "min=":
            return greatest(dtype)
        case _:
            assert_never(combine)
