"""What kernels do to sums before they store them, and what is left for afterwards.

In comes a quantised operator with its translation and the arrays of its parameters; out goes an epilogue with a bias
and a scale for each position along one dimension of the result, or None where the epilogue cannot say it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.operators import Quantised, greatest, least
from intarsia.operators.quantised import STORED
from intarsia.targets.x86.callable.translate import HALF, Translation, reductions
from intarsia.targets.x86.lowering import Epilogue

Array = NDArray[Any]
SMALL = float(1 << 30)
"""Below this, rounding to int32 and the additions after it cannot overflow."""


@dataclass(frozen=True, slots=True)
class Requantised:
    """An epilogue with its parameters.

    Attributes:
        epilogue: None where sums are stored as they are.
        bias: int32, along the epilogue's dimension: the bias and what makes up for zero points.
        scale: float32, along the same dimension.
    """

    epilogue: Epilogue | None
    bias: Array
    scale: Array


def requantised(q: Quantised, made: Translation, signed_sums: Array, arrays: Mapping[str, Array]) -> Requantised | None:
    """The epilogue of a quantised operator, None where results need another pass over the sums.

    Args:
        q: the quantised operator.
        made: its translation.
        signed_sums: the sums of the signed factor, in a shape that broadcasts to the result's.
        arrays: parameters by name.
    """
    if made.signed_zero or q.result.dtype not in {"int32", *STORED}:
        return None
    if q.result.dtype == "int32" and (q.low is not None or q.high is not None):
        return None
    zero = arrays[q.zero.name] if q.zero is not None else np.zeros(1, dtype=np.int32)
    if zero.size > 1:
        return None
    bias = (arrays[q.bias.name] if q.bias is not None else np.zeros(1, np.int32)).astype(np.int64)
    if made.unsigned_zero:
        bias = bias - made.unsigned_zero * signed_sums.astype(np.int64)
    scale = arrays[q.scale.name] if q.scale is not None else np.ones(1, np.float32)
    dim = _dimension(made, (bias, scale))
    if dim is None:
        return None
    size = q.result.shape[dim]
    spread = np.broadcast_to(bias.reshape(-1), (size,)), np.broadcast_to(scale.reshape(-1), (size,))
    wrapped = spread[0].astype(np.int32)  # sums are modulo 2^32
    if q.result.dtype == "int32":
        one = Epilogue("int32", dim) if wrapped.any() else None
        return Requantised(one, wrapped, np.ones(size, np.float32))
    low, high = (int(end(q.result.dtype)) for end in (least, greatest))
    low = low if q.low is None else max(low, int(q.low))
    high = high if q.high is None else min(high, int(q.high))
    small = _small(made, spread[0], spread[1])
    epilogue = Epilogue(q.result.dtype, dim, int(zero.reshape(-1)[0]), low, high, small=small)
    return Requantised(epilogue, wrapped, np.ascontiguousarray(spread[1], dtype=np.float32))


def _dimension(made: Translation, arrays: tuple[Array, ...]) -> int | None:
    """The only dimension of the result along which arrays move; that of the channels where none does."""
    moving = {i for array in arrays if array.size > 1 for i, n in enumerate(array.shape) if n > 1}
    if len(moving) > 1:
        return None
    return moving.pop() if moving else _channels(made)


def _channels(made: Translation) -> int:
    """The first dimension of the result that only the signed factor moves; the last if there is none."""
    statement = made.operator.statements[0]
    moved = {
        read.tensor: {axis for subscript in read.subscripts for axis, _ in subscript.terms} for read in statement.reads
    }
    own = moved[made.signed] - moved[made.unsigned]
    dims = [{axis for axis, _ in subscript.terms} for subscript in statement.write.subscripts]
    return next((i for i, axes in enumerate(dims) if axes & own), len(dims) - 1)


def _small(made: Translation, bias: Array, scale: Array) -> bool:
    """Whether no sum wraps and every sum times its scale fits 32 bits with room to spare."""
    factor = 2 * HALF - 1 if made.wide else HALF
    most = reductions(made.operator) * (2 * HALF - 1) * factor + np.abs(bias).max(initial=0)
    return bool(most < SMALL and most * np.abs(scale.astype(np.float64)).max(initial=0) < SMALL)
