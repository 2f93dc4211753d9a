"""Which states others make superfluous, compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intarsia.ground.compiled import kept

COMPARED = 3000
"""States that one is compared with before it is kept."""


@kept
def undominated(
    states: NDArray[np.uint64], times: NDArray[np.int32], lows: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which states to keep; equal sets stand together, and none is dominated by a later one only.

    The times do not know when the tasks that nothing waits for finish, but nothing that ends before the other's bound
    can make the one worse.
    """
    kept = np.zeros(states.shape[0], dtype=np.bool_)
    members = np.empty(states.shape[0], dtype=np.int64)
    size = 0
    for s in range(states.shape[0]):
        for word in range(states.shape[1]):
            if s == 0 or states[s, word] != states[s - 1, word]:
                size = 0
        worse = False
        for m in range(min(size, COMPARED)):
            other = members[m]
            worse = ends[other] <= lows[s]
            if not worse:
                continue
            for i in range(times.shape[1]):
                if times[other, i] > times[s, i]:
                    worse = False
                    break
            if worse:
                break
        if not worse:
            members[size] = s
            size += 1
            kept[s] = True
    return kept
