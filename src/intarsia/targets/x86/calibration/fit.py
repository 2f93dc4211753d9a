"""Constants of the cost model from measured plans, and how well it ranks plans that it was not fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from intarsia.solvers.least_squares import fit
from intarsia.solvers.ranks import kendall
from intarsia.targets.x86.calibration.measured import Trial
from intarsia.targets.x86.lowering import Speeds, predicted

GIVEN = frozenset({"multiply", "loads", "operations", "turned"})
"""What is not fitted: the rates of the instruction and of transposed copies are measured by themselves, loads and
operations are the same on all cores."""
WIDEST = 4.0
"""How many times a constant may be larger or smaller than the shipped one."""
TRUST = 0.15
"""The weight of a constant's distance from the shipped one, beside a measured plan's error."""
FOLDS = 5
LOOKS = (1, 4, 8)
"""How many of the plans that are predicted to be fastest are measured, where regret is asked for."""


@dataclass(frozen=True, slots=True)
class Quality:
    """How well the model ranks the plans of each sample, on samples that it was not fitted to.

    Attributes:
        tau: Kendall's τ of predicted and measured cycles, mean over samples.
        regret: for so many plans measured: how much longer the fastest of them takes than the fastest of all, mean
            over samples.
        worst: the same of the worst sample.
    """

    tau: float
    regret: dict[int, float]
    worst: dict[int, float]


def fitted(trials: Sequence[Trial], start: Speeds) -> Speeds:
    """The constants under which predictions have the least relative errors.

    A factor on all predictions is fitted along and left out: it ranks nothing.

    Args:
        trials: what was measured.
        start: the shipped constants, with the measured rate of the instruction.
    """
    measured = np.log([trial.cycles for trial in trials])
    names, first = _vector(start)

    def errors(values: NDArray[np.float64]) -> NDArray[np.float64]:
        speeds = _speeds(start, names, first * np.exp(values[:-1]))
        told = np.log([predicted(trial.plan, speeds).total for trial in trials])
        return np.concatenate([told + values[-1] - measured, TRUST * values[:-1]])

    far = np.log(WIDEST)
    ends = [far] * (len(first) + 1)
    found = fit(errors, [0.0] * len(ends), [-e for e in ends], ends, outlier=0.2, evaluations=15)
    return _speeds(start, names, first * np.exp(found[:-1]))


def quality(trials: Sequence[Trial], start: Speeds, *, fitting: bool = True) -> Quality:
    """The ranking of plans of samples that were left out, a fifth at a time.

    Args:
        trials: what was measured.
        start: the shipped constants.
        fitting: whether constants are fitted to the other samples; otherwise the shipped ones are looked at.
    """
    names = list(dict.fromkeys(trial.sample for trial in trials))
    taus: list[float] = []
    regrets: dict[int, list[float]] = {looks: [] for looks in LOOKS}
    for fold in range(FOLDS):
        out = set(names[fold::FOLDS])
        speeds = fitted([t for t in trials if t.sample not in out], start) if fitting and len(names) > 1 else start
        for name in sorted(out):
            ranked = sorted((predicted(t.plan, speeds).total, t.cycles) for t in trials if t.sample == name)
            cycles = [measured for _, measured in ranked]
            tau = kendall([told for told, _ in ranked], cycles) if len(cycles) > 1 else None
            taus += [] if tau is None else [tau]
            for looks, values in regrets.items():
                values.append(min(cycles[:looks]) / min(cycles) - 1)
    return Quality(
        tau=fmean(taus) if taus else 0.0,
        regret={looks: fmean(values) for looks, values in regrets.items()},
        worst={looks: max(values) for looks, values in regrets.items()},
    )


def _vector(speeds: Speeds) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """What is fitted: single constants by name, and after them the rates of the caches."""
    names = tuple(f.name for f in fields(speeds) if f.name not in GIVEN and f.name != "caches")
    single = [float(getattr(speeds, name)) for name in names]
    return names, np.array([*single, *(rate for _, rate in speeds.caches)])


def _speeds(start: Speeds, names: tuple[str, ...], values: NDArray[np.float64]) -> Speeds:
    single = {name: float(value) for name, value in zip(names, values, strict=False)}
    rates = values[len(names) :].tolist()
    caches = tuple((size, rate) for (size, _), rate in zip(start.caches, rates, strict=True))
    return replace(start, caches=caches, **single)
