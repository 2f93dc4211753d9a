"""The search over strategies, best bound first: a strategy's bound is refined until its best split is known.

A strategy starts with the bound of ``lower``, then gets that of ``room``, then a split and its bound by
``chain_split``, and where these differ the best split by ``labels``. What comes out next has the least bound of all, so
splits come out in the order of their seconds, each proved but where that was given up (``unproved``).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import count

import numpy as np
from numpy.typing import NDArray

from intarsia.graph import Recompute
from intarsia.place.branches import Space
from intarsia.place.contents import contents
from intarsia.place.room import roomy_seconds
from intarsia.place.solve import Solved, solve
from intarsia.place.space import strategy_of
from intarsia.place.values import Wanted

BOUNDED, ROOMY, GAPPED, SPLIT = range(4)


def best_first(
    space: Space, wanted: Wanted | None = None, recompute: tuple[Recompute, ...] = ()
) -> Iterator[Solved | float]:
    """Solved strategies in the order of their seconds; between them, bounds of all that is left.

    Args:
        space: the strategies.
        wanted: which of them; all for None.
        recompute: what stages choose from, if less than in the task; splits are not remembered then.
    """
    modes = recompute or space.task.choices.recompute
    numbers = count()
    heap: list[tuple[float, int, int, int, int, Solved | None]] = []
    orders: list[NDArray[np.int64]] = []
    for at, branch in enumerate(space.branches):
        orders.append(branch.order if wanted is None else branch.order[wanted(branch)[branch.order]])
        if len(orders[-1]):
            heap.append((float(branch.first[orders[-1][0]]), next(numbers), BOUNDED, at, 0, None))
    heapq.heapify(heap)
    while heap:
        bound, _, level, at, place, solved = heapq.heappop(heap)
        if solved is not None:
            yield solved
            continue
        yield bound
        if level == BOUNDED:
            branch, order = space.branches[at], orders[at]
            if place + 1 < len(order):
                following = float(branch.first[order[place + 1]])
                heapq.heappush(heap, (following, next(numbers), BOUNDED, at, place + 1, None))
            room = _room(space, at, int(order[place]))
            if np.isfinite(room):
                heapq.heappush(heap, (max(bound, room), next(numbers), ROOMY, at, int(order[place]), None))
            continue
        found = _solved(space, at, place, modes, exact=level == GAPPED)
        if found is None:
            continue
        if found.gap and level == ROOMY:
            heapq.heappush(heap, (max(bound, found.bound), next(numbers), GAPPED, at, place, None))
        else:
            heapq.heappush(heap, (max(bound, found.seconds), next(numbers), SPLIT, at, place, found))


def least_seconds(space: Space, cutoff: float) -> float:
    """Seconds that no plan takes less than, of the best plan, or a bound on it beyond a cutoff; infinite for no plan.

    Args:
        space: the strategies.
        cutoff: seconds beyond which nobody wants to know how many.
    """
    for step in best_first(space):
        if isinstance(step, Solved):
            return min(step.bound, step.seconds, unproved(space))
        if step > cutoff:
            return min(step, unproved(space))
    return np.inf


def unproved(space: Space) -> float:
    """Seconds that no split takes less than of the strategies whose best one took too much work to prove."""
    given_up = (space.known[key] for key in space.closed)
    return min((solved.bound for solved in given_up if solved is not None and solved.gap), default=np.inf)


def _room(space: Space, at: int, entry: int) -> float:
    key = (at, entry)
    if key not in space.rooms:
        branch = space.branches[at]
        strategy = strategy_of(space.task, branch.variant, branch.entries.own[entry])
        known = branch.bounds
        slope, rest, least = (float(array[entry]) for array in (known.slope, known.rest, known.least))
        space.rooms[key] = roomy_seconds(branch.profile, strategy, branch.main, slope, rest, least)
        space.counts.refined += 1
        space.counts.roomless += not np.isfinite(space.rooms[key])
    return space.rooms[key]


def _solved(space: Space, at: int, entry: int, modes: tuple[Recompute, ...], *, exact: bool) -> Solved | None:
    whole = modes == space.task.choices.recompute
    key = (at, entry)
    if whole and key in space.known:
        known = space.known[key]
        if known is None or not (exact and known.gap) or key in space.closed:
            return known
    branch = space.branches[at]
    if branch.runs is None:
        branch.runs = contents(branch.profile)
    strategy = strategy_of(space.task, branch.variant, branch.entries.own[entry])
    space.counts.tried += 1
    found = solve(branch.profile, branch.runs, strategy, modes, exact=exact)
    if whole:
        if key not in space.known:
            space.counts.solved += found is not None
            space.counts.unsplit += found is None
        space.known[key] = found
        if exact:
            space.closed.add(key)
    return found
