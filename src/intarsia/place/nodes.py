"""The search over strategies, best bound first: a strategy's bound is refined until its best split is known.

A strategy starts with the bound of ``lower``, then gets that of ``room``, then its best split by ``chain_split``. What
comes out next has the least bound of all, so splits come out in the order of their seconds, each proved.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

import numpy as np
from numpy.typing import NDArray

from intarsia.graph import Recompute, Variant
from intarsia.machines.chips.efficiency import Efficiency
from intarsia.place.contents import Contents, Floats, contents
from intarsia.place.grain import whole_layers
from intarsia.place.lower import Grid, Lower, grid, lower
from intarsia.place.profile import Profile, demands
from intarsia.place.room import Dominant, dominant, roomy_seconds
from intarsia.place.solve import Solved, solve
from intarsia.place.space import Task, degrees, strategy_of, variants
from intarsia.place.sums import Network, work_of

BOUNDED, ROOMY, SPLIT = range(3)


@dataclass(slots=True)
class Branch:
    """All strategies with one variant.

    Attributes:
        variant: the shapes.
        profile: its layers.
        entries: its strategies.
        bounds: their first bounds.
        first: the same, seconds.
        order: those that are finite, the least first.
        main: its most laborious kind of layer.
        runs: what its stages can hold; made when first asked for.
    """

    variant: Variant
    profile: Profile
    entries: Grid
    bounds: Lower
    first: Floats
    order: NDArray[np.int64]
    main: Dominant
    runs: Contents | None = None


@dataclass(slots=True)
class Counts:
    """How many strategies were looked at, and what removed the others.

    Attributes:
        strategies: all.
        full: removed since the devices together do not hold the states.
        roomless: removed since no division of layers fits.
        refined: given the second bound.
        solved: with their best split known.
        unsplit: removed since no split fits.
        tried: dynamic programs, those for single modes too.
    """

    strategies: int = 0
    full: int = 0
    roomless: int = 0
    refined: int = 0
    solved: int = 0
    unsplit: int = 0
    tried: int = 0


@dataclass(slots=True)
class Space:
    """All strategies of a task, and what is known of each.

    Attributes:
        task: the question.
        branches: by variant.
        counts: what was done.
        known: by branch and entry, what was found, or nothing if nothing fits.
    """

    task: Task
    branches: list[Branch]
    counts: Counts
    known: dict[tuple[int, int], Solved | None] = field(default_factory=dict)
    rooms: dict[tuple[int, int], float] = field(default_factory=dict)


def space_of(task: Task, efficiency: Efficiency, told: Callable[[str], None]) -> Space:
    """Every variant's profile and first bounds."""
    counts = Counts()
    branches: list[Branch] = []
    grids: dict[tuple[int, int, int, int], Grid] = {}
    network: Network | None = None
    for variant in variants(task):
        profile = demands(task.model, variant, task.cluster).priced(efficiency)
        network = network or Network(profile)
        key = (variant.tensor * variant.context, variant.context, variant.expert, variant.microbatch)
        if key not in grids:
            grids[key] = grid(degrees(task, variant, [item.layer for item in profile.layers]))
        entries = grids[key]
        if not entries.own:
            continue
        main = dominant(profile, task.choices.recompute)
        whole = whole_layers(main, entries.pipeline, entries.chunks)
        bounds = lower(profile, task, entries, work_of(profile, task), network, whole)
        counts.strategies += len(entries.own)
        counts.full += int(np.isinf(bounds.rest).sum())
        first = bounds.seconds()
        order = np.argsort(first, kind="stable")[: int(np.isfinite(first).sum())]
        branches.append(Branch(variant, profile, entries, bounds, first, order, main))
        if len(branches) % 50 == 0:
            told(f"{counts.strategies} strategies of {len(branches)} variants")
    return Space(task, branches, counts)


Wanted = Callable[[Branch], NDArray[np.bool_]]
"""Which of a branch's strategies are looked at."""


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
        found = _solved(space, at, place, modes)
        if found is not None:
            heapq.heappush(heap, (max(bound, found.seconds), next(numbers), SPLIT, at, place, found))


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


def _solved(space: Space, at: int, entry: int, modes: tuple[Recompute, ...]) -> Solved | None:
    whole = modes == space.task.choices.recompute
    key = (at, entry)
    if whole and key in space.known:
        return space.known[key]
    branch = space.branches[at]
    if branch.runs is None:
        branch.runs = contents(branch.profile)
    strategy = strategy_of(space.task, branch.variant, branch.entries.own[entry])
    space.counts.tried += 1
    found = solve(branch.profile, branch.runs, strategy, modes)
    if whole:
        space.known[key] = found
        space.counts.solved += found is not None
        space.counts.unsplit += found is None
    return found
