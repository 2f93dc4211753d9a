"""What a pass takes at least by its order and its work together, on many chips at once.

Tasks of one kind that all start after a *head* and are followed by a *tail* need head + work ÷ cores + tail, as
``schedule.bound`` explains; here every quantity is a row of chips.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intarsia.graph import Node
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


def windows(heads: Floats, tails: Floats, work: Floats) -> Floats:
    """The most, over all sets of tasks above a head and a tail, of head + work + tail; each [tasks, points]."""
    order = np.argsort(-tails, axis=0, kind="stable")
    heads, tails, work = (np.take_along_axis(column, order, axis=0) for column in (heads, tails, work))
    best = np.zeros(heads.shape[1])
    for head in heads:
        inside = heads >= head
        best = np.maximum(best, np.max(np.where(inside, head + np.cumsum(work * inside, axis=0) + tails, 0), axis=0))
    return best
