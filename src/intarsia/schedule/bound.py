"""What no schedule can beat, without a search: critical paths, work over cores, and both together.

``heads`` and ``tails`` are lower bounds on the time before a task starts and after it finishes. A set of tasks of one
kind that all start after a head and are followed by a tail needs at least head + work ÷ cores + tail (the energetic
argument of cumulative scheduling); heads and tails are themselves made that way, from the sources and the sinks on.
Each task counts with its fewest core-seconds on the cores and with its shortest duration on a path.
"""

from __future__ import annotations

from collections.abc import Sequence

from intarsia.schedule.problem import ScheduleProblem
from intarsia.schedule.ticks import Ticked, in_ticks, members

BITS = 40
"""Of the ticks: the rounding is below 1e-10 of the makespan."""


def bound_one_kind(problem: ScheduleProblem) -> float:
    """A lower bound on the makespan of every schedule, seconds."""
    ticked = in_ticks(problem, BITS)
    return bound_ticks(ticked) * ticked.tick


def bound_ticks(ticked: Ticked) -> int:
    """The same in ticks."""
    heads, tails = heads_of(ticked), tails_of(ticked)
    tasks = range(len(heads))
    paths = max((heads[t] + ticked.shortest(t) + tails[t] for t in tasks), default=0)
    return max(paths, *(_windows(ticked, kind, heads, tails) for kind in range(len(ticked.cores))))


def heads_of(ticked: Ticked) -> list[int]:
    """For each task, ticks that must pass before it starts."""
    heads: list[int] = []
    for task in range(len(ticked.needs)):
        path = max((heads[need] + ticked.shortest(need) for need in ticked.needs[task]), default=0)
        heads.append(max(path, _energetic(ticked, ticked.before[task], heads)))
    return heads


def tails_of(ticked: Ticked) -> list[int]:
    """For each task, ticks that must pass after it has finished."""
    tails = [0] * len(ticked.needs)
    for task in reversed(range(len(tails))):
        tails[task] = max(tails[task], _energetic(ticked, ticked.after[task], tails))
        for need in ticked.needs[task]:
            tails[need] = max(tails[need], ticked.shortest(task) + tails[task])
    return tails


def _energetic(ticked: Ticked, tasks: int, offsets: Sequence[int]) -> int:
    """The most, over kinds and offsets, of offset + work ÷ cores of those tasks whose offset is at least that."""
    best = 0
    for kind, cores in enumerate(ticked.cores):
        work = 0
        own = (task for task in members(tasks) if ticked.kinds[task] == kind and cores)
        for task in sorted(own, key=lambda t: -offsets[t]):
            work += ticked.least_energy(task)
            best = max(best, offsets[task] + -(-work // cores))
    return best


def _windows(ticked: Ticked, kind: int, heads: Sequence[int], tails: Sequence[int]) -> int:
    """The same with a head and a tail, over all pairs of both."""
    cores = ticked.cores[kind]
    own = [task for task, its in enumerate(ticked.kinds) if its == kind]
    best = 0
    for head in sorted({heads[task] for task in own}) if cores else ():
        work = 0
        for task in sorted((t for t in own if heads[t] >= head), key=lambda t: -tails[t]):
            work += ticked.least_energy(task)
            best = max(best, head + -(-work // cores) + tails[task])
    return best
