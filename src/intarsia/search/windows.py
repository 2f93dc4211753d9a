"""What a pass takes at least by its order and its work together, on many chips at once.

Tasks of one kind that all start after a *head* and are followed by a *tail* need head + work ÷ cores + tail, as
``schedule.bound`` explains; here every quantity is a row of chips.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intarsia.graph import Node
from intarsia.ground.compiled import kept
from intarsia.search.durations import Task

Floats = NDArray[np.float64]


def needs_of(nodes: tuple[Node, ...]) -> dict[str, list[str]]:
    """Of each node, those of the same pass that it waits for."""
    names = {node.name for node in nodes}
    return {node.name: [need for need in node.needs if need in names] for node in nodes}


def tails_of(tasks: dict[str, Task], needs: dict[str, list[str]], zero: Floats) -> dict[str, Floats]:
    """Seconds that must pass after each task."""
    tails = dict.fromkeys(tasks, zero)
    for name in reversed(tasks):
        for need in needs[name]:
            tails[need] = np.maximum(tails[need], tasks[name].shortest + tails[name])
    return tails


@kept
def raise_to_windows(least: Floats, heads: Floats, tails: Floats, work: Floats) -> None:
    """Raise bounds to the most, over all sets of tasks above a head and a tail, of head + work + tail.

    Args:
        least: what is known of each chip, [chips]; changed.
        heads: seconds before each task, [chips, tasks].
        tails: seconds after each, [chips, tasks].
        work: core-seconds of each over the cores, [chips, tasks].
    """
    tasks = heads.shape[1]
    for chip in range(len(least)):
        head, tail, own, best = heads[chip], tails[chip], work[chip], least[chip]
        late, after = np.argsort(-head, kind="mergesort"), np.argsort(-tail, kind="mergesort")
        total = longest = 0.0
        for at in range(tasks):
            first = late[at]
            total += own[first]
            longest = max(longest, tail[first])
            if at + 1 < tasks and head[late[at + 1]] == head[first]:
                continue
            # No window of this head is more than all that start no earlier and the longest of what follows one.
            if head[first] + total + longest <= best:
                continue
            done = 0.0
            for task in after:
                if head[task] >= head[first]:
                    done += own[task]
                    best = max(best, head[first] + done + tail[task])
        least[chip] = best
