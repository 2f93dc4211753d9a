"""The best split within a threshold where ``chain_split`` has only a bound: all sums that may matter are kept.

For what follows each start, a *label* is a pair of sums (shares alone; shares with the tail) that one split has; a
label that another one beats in both is dropped. Labels that cannot lead to less than what is known are dropped too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intarsia.place.chain_split import NEVER, SAME, Runs
from intarsia.place.contents import Floats
from intarsia.place.tables import Table, mode_of

MOST = 200_000
"""Labels of one threshold; beyond them the bound stays a bound."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Of one start: the sums, and the run and label that each came from."""

    alone: Floats
    tailed: Floats
    runs: NDArray[np.int64]
    after: NDArray[np.int64]


def exact_through(choices: list[Table], threshold: float, known: float) -> tuple[float, Runs] | None:
    """The least seconds over splits within the threshold, and a split that has them; nothing if ``known`` is no more.

    Args:
        choices: of each stage.
        threshold: on what each stage may add as the slowest; it comes on top of the sums.
        known: seconds that must be beaten.

    Raises:
        OverflowError: there are too many labels.
    """
    units = len(choices[0].slow)
    ahead = _before(choices, threshold)
    end = Labels(np.zeros(1), np.full(1, NEVER), np.zeros(1, int), np.zeros(1, int))
    kept: list[dict[int, Labels]] = [{units: end}]
    number = 0
    for stage in range(len(choices) - 1, -1, -1):
        here: dict[int, Labels] = {}
        for start in np.flatnonzero(np.isfinite(ahead[stage])):
            labels = _labels(choices[stage], int(start), kept[-1], threshold)
            if labels is None:
                continue
            least = threshold + ahead[stage][start] + labels.alone
            labels = _undominated(labels, np.flatnonzero(least < known * (1 - SAME)))
            number += len(labels.alone)
            if number > MOST:
                raise OverflowError("labels")
            if len(labels.alone):
                here[int(start)] = labels
        kept.append(here)
    first = kept[-1].get(0)
    if first is None:
        return None
    totals = threshold + np.maximum(first.alone, first.tailed)
    at = int(totals.argmin())
    return (float(totals[at]), _path(choices, kept, at)) if totals[at] < known * (1 - SAME) else None


def _before(choices: list[Table], threshold: float) -> list[Floats]:
    """For each stage and start, the least sum of shares of the stages before it."""
    units = len(choices[0].slow)
    least = np.full(units + 1, np.inf)
    least[0] = 0.0
    found = []
    for table in choices:
        found.append(least[:units])
        shares = np.where(table.slow <= threshold, table.share, np.inf).min(axis=1) + least[:units, None]
        following = np.full(units + 1, np.inf)
        for units_here in range(shares.shape[1]):
            reach = units - units_here
            following[units_here + 1 :] = np.minimum(following[units_here + 1 :], shares[:reach, units_here])
        least = following
    return found


def _labels(table: Table, start: int, following: dict[int, Labels], threshold: float) -> Labels | None:
    parts = []
    longest = table.slow.shape[2]
    for row, units in np.argwhere(table.slow[start] <= threshold):
        after = following.get(start + int(units) + 1)
        if after is None:
            continue
        at = start, row, units
        tailed = np.maximum(table.ready[at] + after.alone, table.later[at] + after.tailed)
        run = np.full(len(tailed), row * longest + units)
        parts.append((table.share[at] + after.alone, tailed, run, np.arange(len(tailed))))
    if not parts:
        return None
    return Labels(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _undominated(labels: Labels, keep: NDArray[np.int64]) -> Labels:
    """Only labels of ``keep`` that no other one beats in both sums."""
    order = keep[np.lexsort((labels.tailed[keep], labels.alone[keep]))]
    tailed = labels.tailed[order]
    pick = order[tailed < np.minimum.accumulate(np.append(np.inf, tailed))[:-1]]
    return Labels(labels.alone[pick], labels.tailed[pick], labels.runs[pick], labels.after[pick])


def _path(choices: list[Table], kept: list[dict[int, Labels]], label: int) -> Runs:
    start = 0
    runs: Runs = []
    for table, here in zip(choices, reversed(kept[1:]), strict=True):
        row, units = divmod(int(here[start].runs[label]), table.slow.shape[2])
        label = int(here[start].after[label])
        runs.append((mode_of(table, start, row, units), start, units + 1))
        start += units + 1
    return runs
