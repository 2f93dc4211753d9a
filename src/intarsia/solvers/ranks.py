"""Rank statistics: a thin front of SciPy's."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan


def kendall(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Kendall's τ-b of two orders of the same things; None where one of them is all ties."""
    from scipy.stats import kendalltau

    value = float(kendalltau(first, second).statistic)
    return None if isnan(value) else value
