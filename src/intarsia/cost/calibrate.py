"""Efficiencies of a chip from measured operator times: products, and passes that memory bounds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intarsia.cost.demand import demand
from intarsia.graph import Contraction, Elementwise
from intarsia.machines.chips import Chip
from intarsia.solvers.least_squares import fit


@dataclass(frozen=True, slots=True)
class Measured:
    """One measured operator.

    Attributes:
        name: of its kind (matmul, gelu, …): each kind was measured with its own overhead.
        work: what it does.
        seconds: measured.
    """

    name: str
    work: Contraction | Elementwise
    seconds: float


@dataclass(frozen=True, slots=True)
class OperatorFit:
    """What operators say of a chip.

    Attributes:
        matmul: fraction of the tensor cores' peak; 0 without products.
        memory: fraction of the HBM bandwidth, the mean over the kinds that it bounds; 0 without such kinds.
        overhead: seconds of measuring, by kind: the host's call and its synchronisation, not part of a kernel.
        errors: |predicted ÷ measured − 1| of each operator when its kind's rows around it were not fitted on.
    """

    matmul: float
    memory: float
    overhead: dict[str, float]
    errors: tuple[float, ...]

    @property
    def error(self) -> float:
        """Mean of the errors."""
        return sum(self.errors) / len(self.errors)


def fit_operators(chip: Chip, measured: Sequence[Measured], *, folds: int = 5) -> OperatorFit:
    """Fits one fraction of the peak, one of the bandwidth for each kind, and one overhead for each kind.

    Args:
        chip: whose figures the fractions are of.
        measured: operators of one or more kinds.
        folds: of the cross-validation; row i belongs to fold i mod ``folds``.
    """
    kinds = sorted({row.name for row in measured})
    matmul: list[float] = []
    memory: list[float] = []
    overhead: dict[str, float] = {}
    errors: list[float] = []
    for kind in kinds:
        rows = [row for row in measured if row.name == kind]
        values = _fit_kind(chip, rows)
        is_product = isinstance(rows[0].work, Contraction)
        (matmul if is_product else memory).append(float(values[0]))
        overhead[kind] = float(values[1])
        for fold in range(folds):
            kept = [row for index, row in enumerate(rows) if index % folds != fold]
            left = [row for index, row in enumerate(rows) if index % folds == fold]
            seconds = _seconds(chip, left, _fit_kind(chip, kept))
            errors += [abs(float(s) / row.seconds - 1) for s, row in zip(seconds, left, strict=True)]
    return OperatorFit(_mean(matmul), _mean(memory), overhead, tuple(errors))


def _fit_kind(chip: Chip, rows: Sequence[Measured]) -> NDArray[np.float64]:
    times = np.array([row.seconds for row in rows])

    def residuals(values: NDArray[np.float64]) -> NDArray[np.float64]:
        off: NDArray[np.float64] = np.log(_seconds(chip, rows, np.exp(values)) / times)
        return off

    start = [math.log(0.8), math.log(2e-5)]
    values = fit(residuals, start, [math.log(0.2), math.log(1e-7)], [0.0, math.log(2e-4)])
    found: NDArray[np.float64] = np.exp(values)
    return found


def _seconds(chip: Chip, rows: Sequence[Measured], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """A fraction of the roof, and the overhead that hides behind long work but not behind short."""
    fraction, overhead = values
    asked = [demand(chip, row.work) for row in rows]
    roofs = np.array([max(d.contraction, d.vector, d.hbm_bytes / chip.hbm_bandwidth) for d in asked])
    return np.asarray(roofs / fraction + overhead)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
