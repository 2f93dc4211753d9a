"""A problem in ticks as arrays for compiled loops: few of them, since each is counted whenever it is handed on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intarsia.schedule.ticks import Ticked

KIND, ONE, SPREAD, SHORTEST, WORK, TAIL, RANK, NEEDS = range(8)
"""Rows of ``Facts.tasks``: the kind; ticks on one core and spread, -1 where that is not tried; the fewer of the two;
the fewest core-ticks; ticks that must follow it; its place by falling tails; where its needs begin."""


class Facts(NamedTuple):
    """A problem in ticks."""

    tasks: NDArray[np.int64]  # [row, task + 1]: the last column ends the needs
    needs: NDArray[np.int64]  # tasks directly before each, one after the other
    waits: NDArray[np.uint64]  # [task, word]: tasks directly before it, and an equal one that goes first
    first: NDArray[np.int64]  # [kind + 1]: where a kind's cores begin among all cores


def facts_of(ticked: Ticked, tails: list[int]) -> Facts:
    """The arrays of a problem, with lower bounds on the ticks that must follow each task."""
    tasks = range(len(ticked.kinds))
    table = np.zeros((8, len(tasks) + 1), dtype=np.int64)
    for task in tasks:
        one, spread = (ticked.ticks(task, spread=s) if s in ticked.modes[task] else -1 for s in (False, True))
        own = (ticked.kinds[task], one, spread, ticked.shortest(task), ticked.least_energy(task), tails[task])
        table[:RANK, task] = own
    table[RANK, :-1] = by_falling(table[TAIL, :-1])
    table[NEEDS, 1:] = np.cumsum([len(own) for own in ticked.needs])
    waits = [twin | sum(1 << need for need in own) for own, twin in zip(ticked.needs, _twins(ticked), strict=True)]
    return Facts(table, _flat(ticked.needs), _words(waits), np.cumsum([0, *ticked.cores]).astype(np.int64))


def restricted(facts: Facts, tasks: list[int]) -> Facts:
    """The same for some of the tasks, ascending, as if the others were nothing."""
    number = {task: index for index, task in enumerate(tasks)}
    table = np.ascontiguousarray(facts.tasks[:, [*tasks, -1]])
    needs = [[number[n] for n in facts.needs[slice(*facts.tasks[NEEDS, t : t + 2])] if n in number] for t in tasks]
    table[RANK, :-1] = by_falling(table[TAIL, :-1])
    table[NEEDS, 1:] = np.cumsum([len(own) for own in needs])
    waits = [sum(1 << need for need in own) for own in needs]
    return Facts(table, _flat(needs), _words(waits), facts.first)


def _twins(ticked: Ticked) -> list[int]:
    """For each task the last one before it that is equal in all respects: it may go first."""
    last: dict[object, int] = {}
    found = []
    for task, kind in enumerate(ticked.kinds):
        same = (kind, ticked.one[task], ticked.spread[task], ticked.needs[task], ticked.after[task])
        found.append(1 << last[same] if same in last else 0)
        last[same] = task
    return found


def by_falling(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """The place of each, the greatest first."""
    return np.argsort(np.argsort(-values, kind="stable"))


def _flat(needs: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    return np.array([need for own in needs for need in own], dtype=np.int64)


def _words(sets: list[int]) -> NDArray[np.uint64]:
    words = [[own >> 64 * word & (1 << 64) - 1 for word in range(len(sets) // 64 + 1)] for own in sets]
    return np.array(words, dtype=np.uint64).reshape(len(sets), -1)
