"""What each stage of a strategy chooses from: the runs that fit into it, and in which mode."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intarsia.place.contents import Floats
from intarsia.place.stages import Stages


@dataclass(frozen=True, slots=True)
class Table:
    """Runs as one stage; shapes [a, r, k], and which mode each r is (or, [a, k], the chosen ones).

    ``ready`` is share and what comes after the last backward pass, ``later`` is share less what drains; the rest as in
    ``Stages``.
    """

    slow: Floats
    share: Floats
    ready: Floats
    later: Floats
    modes: NDArray[np.int64]


def tables(stages: Stages, *, cheapest: bool) -> list[Table]:
    """What each stage chooses from.

    Args:
        stages: the runs.
        cheapest: keep only the mode with the least load that fits. Nothing is lost under 1F1B and ZeRO 0 or 1:
            computing δ seconds again adds M·δ or δ/v, and takes at most δ/v from the tail, by draining δ/v longer.
    """
    found: dict[float, Table] = {}
    for stage, flight in enumerate(stages.flight):
        if flight not in found:
            found[flight] = _table(stages, stages.fits(stage), cheapest=cheapest)
    return [found[flight] for flight in stages.flight]


def _table(stages: Stages, fits: NDArray[np.bool_], *, cheapest: bool) -> Table:
    slow = np.where(fits, stages.slow, np.inf)
    ready, later = stages.share + stages.after, stages.share - stages.drain
    if cheapest:
        best = np.where(fits, stages.load, np.inf).argmin(axis=0)[None]
        modes = np.array(stages.modes)[best[0]]

        def of(array: Floats) -> Floats:
            chosen: Floats = np.take_along_axis(array, best, axis=0)[0][:, None]
            return chosen
    else:
        modes = np.array(stages.modes)

        def of(array: Floats) -> Floats:
            return np.ascontiguousarray(np.moveaxis(array, 0, 1))

    return Table(of(slow), of(stages.share), of(ready), of(later), modes)


def mode_of(table: Table, start: int, row: int, units: int) -> int:
    """The index in ``MODES`` of a row of a run."""
    return int(table.modes[start, units] if table.modes.ndim == 2 else table.modes[row])
