"""What happens to an accumulator before it is stored: shift, bias, clip, in as few cycles as give the same bits.

The reference's epilogue is ``clip((acc >> shift) + bias, 0, 127)``, modulo 2**32. The bias is added in one cycle a
tensor by a GEMM on a constant tensor: lane 0 of it is 1, the others are 127, and the other factor holds the digits of
the biases: the weights where a bias belongs to a column of the result, the inputs where it belongs to a row. That
reaches ``127 + 127*127*(lanes - 1)`` in magnitude; beyond, or where rows and columns both choose the bias, a bias
tensor is loaded into the accumulators and added by the ALU, two cycles a tensor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

DIGIT = 127
"""The largest weight and the largest input of either sign."""

BIAS_SEEDED = 1 << 14
"""Seeded biases lie within plus or minus this."""


@dataclass(frozen=True, slots=True)
class Epilogue:
    """``clip((acc >> shift) + bias, low, high)``.

    Attributes:
        shift: arithmetic shift to the right, bits.
        low, high: bounds of the result.
        bias: where biases are kept: as digits in the weight or in the input buffer, as they are in the accumulators,
            or nowhere because there is none.
    """

    shift: int = 8
    low: int = 0
    high: int = 127
    bias: Literal["wgt", "inp", "acc", "none"] = "wgt"

    @property
    def by_gemm(self) -> bool:
        """Whether the bias is added by a matrix product."""
        return self.bias in ("wgt", "inp")


def reach(lanes: int) -> int:
    """Largest magnitude of a bias that ``lanes`` reduction lanes can add in one call."""
    return DIGIT + DIGIT * DIGIT * (lanes - 1)


def constant_factor(rows: int, lanes: int) -> NDArray[np.int8]:
    """The tensor that the digits of biases are multiplied with, [rows, lanes]."""
    row = np.full(lanes, DIGIT, dtype=np.int8)
    row[0] = 1
    return np.tile(row, (rows, 1))


def bias_weights(bias: NDArray[np.int64], lanes: int) -> NDArray[np.int8]:
    """Weights [..., lanes] whose product with the constant input is the bias [...].

    Raises:
        ValueError: a bias is out of reach.
    """
    if bias.size and int(np.abs(bias).max()) > reach(lanes):
        raise ValueError(f"a bias of magnitude {int(np.abs(bias).max())} is beyond {reach(lanes)}")
    weights = np.zeros((*bias.shape, lanes), dtype=np.int64)
    quotient = np.clip((np.abs(bias) + DIGIT // 2) // DIGIT, 0, DIGIT * (lanes - 1)) * np.sign(bias)
    weights[..., 0] = bias - DIGIT * quotient
    left = quotient
    for lane in range(1, lanes):
        weights[..., lane] = np.clip(left, -DIGIT, DIGIT)
        left = left - weights[..., lane]
    return weights.astype(np.int8)


def apply_epilogue(acc: NDArray[np.int32], bias: NDArray[np.int32] | None, epilogue: Epilogue) -> NDArray[np.int8]:
    """The reference: the same formula in NumPy, ``bias`` broadcasting against ``acc``."""
    shifted = acc >> np.int32(epilogue.shift)
    if bias is not None:
        shifted = (shifted.astype(np.int64) + bias.astype(np.int64)).astype(np.int32)
    clipped: NDArray[np.int8] = np.clip(shifted, epilogue.low, epilogue.high).astype(np.int8)
    return clipped
