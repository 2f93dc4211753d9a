"""Bounded non-linear least squares: a thin front of SciPy's trust-region solver."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray


def fit(
    residuals: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    start: Sequence[float],
    lower: Sequence[float],
    upper: Sequence[float],
    *,
    tolerance: float = 1e-4,
    outlier: float = 0.05,
    evaluations: int = 60,
) -> NDArray[np.float64]:
    """The values between ``lower`` and ``upper`` that make the residuals small.

    Args:
        residuals: of values; shape [residuals].
        start: first values.
        lower: bounds.
        upper: bounds.
        tolerance: relative change of the sum, or of the values, at which it stops.
        outlier: residuals beyond this size count linearly (soft L1), so that a few wild measurements do not decide.
        evaluations: at most so many steps.
    """
    from scipy.optimize import least_squares

    found = least_squares(
        residuals,
        np.clip(start, lower, upper),
        bounds=(np.asarray(lower), np.asarray(upper)),
        loss="soft_l1",
        f_scale=outlier,
        ftol=tolerance,
        xtol=tolerance,
        max_nfev=evaluations,
        diff_step=1e-3,
    )
    values: NDArray[np.float64] = found.x
    return values
