"""A problem in ticks as arrays, for the compiled loops of ``states``."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intarsia.schedule.bound import tails_of
from intarsia.schedule.ticks import FREE, Ticked


class Facts(NamedTuple):
    """A problem in ticks as arrays over tasks, kinds and modes."""

    kinds: NDArray[np.int64]  # [task]
    ticks: NDArray[np.int64]  # [task, mode]: one core, spread; -1 where the mode is not tried
    shortest: NDArray[np.int64]  # [task]
    work: NDArray[np.int64]  # [task]: fewest core-ticks
    tails: NDArray[np.int64]  # [task]: ticks that must follow it
    waits: NDArray[np.uint64]  # [task, word]: tasks directly before it, and an equal one that goes first
    needs: NDArray[np.int64]  # tasks directly before each, one after the other
    needs_first: NDArray[np.int64]  # [task + 1]: where each task's begin
    by_tail: NDArray[np.int64]  # [task]: tasks by kind, in each the longest tail first
    first: NDArray[np.int64]  # [kind + 1]: where a kind's cores begin among all cores
    free: int  # the kind that no core limits


def facts_of(ticked: Ticked) -> Facts:
    """The arrays of a problem."""
    tasks = range(len(ticked.kinds))
    tails = tails_of(ticked)
    ticks = [[ticked.ticks(t, spread=s) if s in ticked.modes[t] else -1 for s in (False, True)] for t in tasks]
    by_tail = sorted(tasks, key=lambda t: (ticked.kinds[t], -tails[t]))
    waits = [twin | sum(1 << need for need in own) for own, twin in zip(ticked.needs, _twins(ticked), strict=True)]
    words = [[wait >> 64 * word & (1 << 64) - 1 for word in range(len(tasks) // 64 + 1)] for wait in waits]
    return Facts(
        np.array(ticked.kinds, dtype=np.int64),
        np.array(ticks, dtype=np.int64).reshape(-1, 2),
        np.array([ticked.shortest(t) for t in tasks], dtype=np.int64),
        np.array([ticked.least_energy(t) for t in tasks], dtype=np.int64),
        np.array(tails, dtype=np.int64),
        np.array(words, dtype=np.uint64).reshape(len(tasks), -1),
        np.array([need for own in ticked.needs for need in own], dtype=np.int64),
        np.cumsum([0, *(len(own) for own in ticked.needs)]).astype(np.int64),
        np.array(by_tail, dtype=np.int64),
        np.cumsum([0, *ticked.cores]).astype(np.int64),
        FREE,
    )


def _twins(ticked: Ticked) -> list[int]:
    """For each task the last one before it that is equal in all respects: it may go first."""
    last: dict[object, int] = {}
    found = []
    for task, kind in enumerate(ticked.kinds):
        same = (kind, ticked.one[task], ticked.spread[task], ticked.needs[task], ticked.after[task])
        found.append(1 << last[same] if same in last else 0)
        last[same] = task
    return found
