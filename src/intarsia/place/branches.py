"""All strategies of a task, by the share of a layer that a device has, with their first bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from intarsia.graph import Variant
from intarsia.machines.chips.efficiency import Efficiency
from intarsia.place.contents import Contents, Floats
from intarsia.place.grain import whole_layers
from intarsia.place.lower import Grid, Lower, grid, lower
from intarsia.place.profile import Profile, demands
from intarsia.place.room import Dominant, dominant
from intarsia.place.solve import Solved
from intarsia.place.space import Task, degrees, variants
from intarsia.place.sums import Network, Work, work_of

MANY = 1 << 20
"""Pairs of a profile and a strategy that are bounded together."""


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
        closed: where no better split is left to be found, or too much work.
        rooms: second bounds.
    """

    task: Task
    branches: list[Branch]
    counts: Counts
    known: dict[tuple[int, int], Solved | None] = field(default_factory=dict)
    closed: set[tuple[int, int]] = field(default_factory=set)
    rooms: dict[tuple[int, int], float] = field(default_factory=dict)


class Brancher:
    """Makes branches of a task; what does not depend on the chip is kept, so it serves chips on one network."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self._grids: dict[tuple[int, int, int, int], Grid] = {}
        self._network: Network | None = None

    def branch(self, profile: Profile, task: Task | None = None) -> Branch | None:
        """The strategies with a profile's variant, nothing if there are none.

        Args:
            profile: the layers.
            task: the same task with another chip.
        """
        task = task or self.task
        entries, network = self._entries(profile)
        if not entries.own:
            return None
        main = dominant(profile, task.choices.recompute)
        whole = whole_layers(main, entries.pipeline, entries.chunks)
        bounds = lower(profile, task, entries, work_of(profile, task), network, whole)
        first = bounds.seconds()
        order = np.argsort(first, kind="stable")[: int(np.isfinite(first).sum())]
        return Branch(profile.variant, profile, entries, bounds, first, order, main)

    def firsts(self, profile: Profile, many: Work) -> Floats:
        """A bound on the plans of each of many profiles, less sharp than that of a branch, but quick.

        Args:
            profile: one of them; the others have other seconds, and nothing else.
            many: their sums, in rows.

        Returns:
            seconds, infinite where no plan fits, [profiles].
        """
        entries, network = self._entries(profile)
        if not entries.own:
            return np.full(len(many.seconds), np.inf)
        found = []
        for part in _parts(many, max(MANY // len(entries.own), 1)):
            bounds = lower(profile, self.task, entries, part, network, np.zeros(len(entries.own)))
            found.append(bounds.seconds().min(axis=-1))
        return np.concatenate(found)

    def _entries(self, profile: Profile) -> tuple[Grid, Network]:
        """The strategies with a profile's variant, and the network."""
        variant = profile.variant
        self._network = self._network or Network(profile)
        key = (variant.tensor * variant.context, variant.context, variant.expert, variant.microbatch)
        if key not in self._grids:
            self._grids[key] = grid(degrees(self.task, variant, [item.layer for item in profile.layers]))
        return self._grids[key], self._network


def _parts(many: Work, step: int) -> Iterator[Work]:
    """Sums of many profiles, so many at once."""
    backward, weights = np.asarray(many.backward), np.asarray(many.weights)
    for at in range(0, len(many.seconds), step):
        rows = slice(at, at + step)
        yield replace(many, seconds=many.seconds[rows], backward=backward[rows], weights=weights[rows])


def space_of(task: Task, efficiency: Efficiency, told: Callable[[str], None]) -> Space:
    """Every variant's profile and first bounds."""
    brancher = Brancher(task)
    profiles = (demands(task.model, variant, task.cluster).priced(efficiency) for variant in variants(task))
    branches: list[Branch] = []
    strategies = 0
    for branch in filter(None, map(brancher.branch, profiles)):
        branches.append(branch)
        strategies += len(branch.entries.own)
        if len(branches) % 50 == 0:
            told(f"{strategies} strategies of {len(branches)} variants")
    return space_with(task, branches)


def space_with(task: Task, branches: list[Branch]) -> Space:
    """The space of these branches only."""
    strategies = sum(len(branch.entries.own) for branch in branches)
    full = sum(int(np.isinf(branch.bounds.rest).sum()) for branch in branches)
    return Space(task, branches, Counts(strategies=strategies, full=full))
