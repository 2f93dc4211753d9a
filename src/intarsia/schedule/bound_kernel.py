"""What follows a placed task, compiled: the times of the state after it, and a lower bound on the makespan.

Only schedules below a limit count, so that a task whose time on one core would reach the limit must be spread: then it
waits for all cores, and takes the core-ticks of spreading. A task that cannot wait for all cores must do with one.
To what each task needs on its way to the end come, for each kind, the relaxations of ``preemptive_kernel`` and
``partition_kernel``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.ground.compiled import compiled
from intarsia.schedule.facts import KIND, NEEDS, ONE, SHORTEST, SPREAD, TAIL, WORK
from intarsia.schedule.partition_kernel import may_fit
from intarsia.schedule.preemptive_kernel import preemptive

ROWS = 8
"""Of the scratch space; as many columns as tasks."""


@compiled
def successor(
    tasks: NDArray[np.int64],
    needs: NDArray[np.int64],
    first: NDArray[np.int64],
    left: NDArray[np.int64],
    waiting: int,
    times: NDArray[np.int64],
    low: int,
    limit: int,
    task: int,
    mode: int,
    start: int,
    out: NDArray[np.int64],
    scratch: NDArray[np.int64],
) -> Any:
    """The times after a task is placed, into ``out``, and a bound; whatever reaches the limit need not be finished.

    The first ``waiting`` of ``left`` are the tasks that were not placed before it, ascending; ``times`` and ``low`` are
    those of the state; row 0 of ``scratch`` is 0 for what is placed.
    """
    cores = first[-1]
    for i in range(times.shape[0]):
        out[i] = times[i]
    kind = tasks[KIND, task]
    finish = start + tasks[ONE + mode, task]
    low = max(low, finish + tasks[TAIL, task])
    if first[kind] < first[kind + 1] and finish > start:
        _occupy(out, first[kind], first[kind + 1], start, finish, mode)
    scratch[0, task] = finish
    out[cores + task] = 0
    changed = 1 << kind
    for i in range(waiting):
        j = left[i]
        if j == task:
            continue
        kind, tail, one, spread = tasks[KIND, j], tasks[TAIL, j], tasks[ONE, j], tasks[SPREAD, j]
        a, b = first[kind], first[kind + 1]
        at = out[cores + j]
        for n in range(tasks[NEEDS, j], tasks[NEEDS, j + 1]):
            at = max(at, scratch[0, needs[n]])
        if a < b and tasks[SHORTEST, j] > 0:
            at = max(at, out[a])
        work = tasks[WORK, j]
        if spread < 0:
            finish = at + one
        else:
            wide = max(at, out[b - 1]) if spread > 0 else at
            if one < 0 or at + one + tail >= limit:
                at, finish, work = wide, wide + spread, spread * (b - a)
            elif wide + spread + tail >= limit:
                finish, work = at + one, one
            else:
                finish = min(at + one, wide + spread)
        scratch[0, j], scratch[1, j] = finish, work
        low = max(low, finish + tail)
        if low >= limit:
            return low
        if at != out[cores + j]:
            out[cores + j] = at
            changed |= 1 << kind
    for kind in range(first.shape[0] - 1):
        if changed >> kind & 1 and first[kind] < first[kind + 1]:
            low = preemptive(tasks, first, kind, left, waiting, task, low, limit, out, scratch)
            if low >= limit:
                return low
    for kind in range(first.shape[0] - 1):
        if (
            changed >> kind & 1
            and first[kind + 1] - first[kind] == 2
            and not may_fit(tasks, first, kind, left, waiting, task, limit, out, scratch)
        ):
            return limit
    return low


@compiled
def _occupy(times: NDArray[np.int64], begin: int, end: int, start: int, finish: int, mode: int) -> None:
    """Take the core that was free last before the start, or all; keep the ticks of these cores ascending.

    The tasks of a kind are placed by their starts, so that no core is of use before this one.
    """
    for core in range(begin, end):
        times[core] = finish if mode else max(times[core], start)
    if mode:
        return
    core = begin
    while core + 1 < end and times[core + 1] < finish:
        times[core] = times[core + 1]
        core += 1
    times[core] = finish
