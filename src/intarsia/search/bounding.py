"""Bounds for the chips of one memory and network: the ladders of every variant climbed together, step by step.

The limit that one training's plans must keep depends on what the others take at least, so all trainings go up in turn:
first by quick bounds on rungs that lie far apart, then closer, then with sharper ratios, and at last by best plans.
Where no layer is nearly all of the work a chip's own passes come between: they say more than its rung, and quickly as
long as no plans are searched for.
Chips that all trainings together have put beyond the limit are left behind. Variants do not depend on each other, so
they are shared out to processes; what comes out does not depend on how.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intarsia.graph import Variant
from intarsia.machines.template import Point
from intarsia.place.branches import Brancher
from intarsia.search.ladder import ALL, FILLED, STEP, STRIDES, Ladder
from intarsia.search.own import OwnPasses
from intarsia.search.question import Question
from intarsia.search.rough import Rough

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Numbered = tuple[tuple[int, Variant], ...]
"""Variants of a training, each with its place among all that are looked at."""


@dataclass(frozen=True, slots=True)
class Rungs:
    """One step up of all ladders.

    Attributes:
        sharp: how ratios are bounded.
        exact: whether plans are searched for.
        stride: the distance of rungs.
        filled: the distance of numbers of seconds of weight gradients; 0 where these are not looked at.
        between: whether the next rung bounds those below it, too. Plans of the dream with everything as much quicker
            as the main layer is below that rung take as much less, and all but that layer is quicker than it is.
    """

    sharp: bool
    exact: bool
    stride: int
    filled: int = 0
    between: bool = False


@dataclass(frozen=True, slots=True)
class Passes:
    """Bounds from each chip's own passes of all layers, where no layer is nearly all of the work.

    Attributes:
        sharp: how passes are bounded.
        exact: whether plans are searched for.
    """

    sharp: bool
    exact: bool


Step = Rungs | Passes
FRONT = (Rungs(False, False, 64, between=True),)
"""Steps for a front, whose chips are on all rungs: a quick one for all; chip by chip then (``own.py``)."""
NEARLY_ALL = 0.9
"""A main layer that makes so much of a dream's seconds tells chips apart well enough."""
TOGETHER = 1 << 15
"""Chips whose own passes are bounded together."""


def steps(trainings: int) -> tuple[Step, ...]:
    """The steps of a search; of several trainings, the limits of each are wide until all have taken the quick ones."""
    quick = [Rungs(sharp, False, stride) for sharp in (False, True) for stride in STRIDES] if trainings > 1 else []
    coarse = [Rungs(False, True, stride) for stride in STRIDES] if trainings == 1 else []
    sharp = [Rungs(True, True, stride) for stride in STRIDES]
    filled = [Rungs(True, True, stride, stride) for stride in FILLED]
    return (*quick, *coarse, Passes(False, False), Passes(True, False), *sharp, *filled, Passes(True, True))


class Climb:
    """One ladder on some chips."""

    def __init__(self, ladder: Ladder, rows: Ints) -> None:
        self.ladder, self.rows = ladder, rows
        self.found: Floats = np.full(len(rows), ladder.least)
        self._rungs = np.zeros(len(rows), dtype=np.int32)
        self._at: Ints = np.zeros(0, dtype=np.int64)
        self._own: OwnPasses | None = None
        self._planned: set[int] = set()
        self._sharp: bool | None = None

    def go(self, step: Step, cutoffs: Floats) -> None:
        """Raise the bounds that are not beyond their cutoffs."""
        live = np.flatnonzero((self.found <= cutoffs) & (self.found < np.inf))
        if not len(live):
            return
        if isinstance(step, Rungs):
            self._climb(step, live, cutoffs)
        elif self.ladder.weight < NEARLY_ALL:
            for at in range(0, len(live), TOGETHER):
                self._pass(step, live[at : at + TOGETHER], cutoffs)

    def _pass(self, step: Passes, live: Ints, cutoffs: Floats) -> None:
        """Raise bounds of some chips to those of their own passes."""
        own = OwnPasses(self.ladder, self.rows[live], sharp=step.sharp)
        bounds = [own.best(n, float(cutoffs[at])) for n, at in enumerate(live)] if step.exact else own.firsts()
        self.found[live] = np.maximum(self.found[live], bounds)

    def _climb(self, step: Rungs, live: Ints, cutoffs: Floats) -> None:
        """Raise bounds of some chips to those of their rungs."""
        if self._sharp is not step.sharp:
            # Cutoffs only fall: a chip that is not live now never will be.
            self._rungs[live] = self.ladder.rungs(self.rows[live], sharp=step.sharp)
            self._sharp = step.sharp
        below, above = self._rungs[live] // step.stride * step.stride, np.full(len(live), ALL)
        if step.filled:
            above = -(-self.ladder.fillings(self.rows[live]) // step.filled) * step.filled
        pairs, which = np.unique(np.stack([below, above], axis=1), axis=0, return_inverse=True)
        for number, (rung, filling) in enumerate(pairs.tolist()):
            at = live[which.ravel() == number]
            cutoff = float(cutoffs[at].max())
            bound = self.ladder.best(rung, filling, cutoff) if step.exact else self.ladder.bound(rung, filling)
            self.found[at] = np.maximum(self.found[at], bound)
            if step.between and bound <= cutoff and (self._rungs[at] > rung).any():
                over = rung + step.stride
                limit = cutoff * STEP**step.stride
                bound = self.ladder.best(over, ALL, limit) if step.exact else self.ladder.bound(over, ALL)
                ratios = STEP ** (self._rungs[at] - over).astype(np.float64)
                self.found[at] = np.maximum(self.found[at], bound * ratios)

    def own(self, places: Ints, cutoffs: Floats) -> None:
        """Raise the bounds of some chips that are not beyond their cutoffs to quick ones of the chips' own passes."""
        self._at = np.sort(places[self.found[places] <= cutoffs])
        if len(self._at):
            self._own = OwnPasses(self.ladder, self.rows[self._at], sharp=True)
            self.found[self._at] = np.maximum(self.found[self._at], self._own.firsts())

    def plans(self, places: Ints, most: Floats, cutoffs: Floats) -> None:
        """Raise those of these bounds that are no higher than ``most`` to those of best plans."""
        live = self.found[places] <= most
        for place, cutoff in zip(places[live].tolist(), cutoffs[live].tolist(), strict=True):
            own = int(np.searchsorted(self._at, place))
            if own < len(self._at) and self._at[own] == place and place not in self._planned:
                self._planned.add(place)
                assert self._own is not None
                self.found[place] = max(self.found[place], self._own.best(own, cutoff))


class Share:
    """The ladders of some variants."""

    def __init__(self, question: Question, rough: Rough | None = None) -> None:
        self.question = question
        self._rough = {} if rough is None else {question.cluster.devices: rough}
        self._ladders: list[list[tuple[int, Ladder]]] = []
        self._climbs: list[list[tuple[int, Climb]]] = []

    def begin(self, point: Point, every: Sequence[Numbered], devices: int = 0) -> list[list[tuple[int, float]]]:
        """Ladders with the memory and the links of a point.

        Args:
            point: whose.
            every: of each training, the variants.
            devices: which cluster; the question's own for 0.

        Returns:
            of each training, for each variant a bound on its plans on every chip.
        """
        self._ladders, self._climbs = [], []
        question = self.question.of(devices or self.question.cluster.devices)
        rough = self._rough_of(question)
        for at, numbered in enumerate(every):
            brancher = Brancher(question.on(point, at))
            self._ladders.append([(n, Ladder(question, brancher, rough, variant)) for n, variant in numbered])
        return [[(n, ladder.least) for n, ladder in own] for own in self._ladders]

    def _rough_of(self, its: Question) -> Rough:
        """Of each cluster one, which is kept."""
        devices = its.cluster.devices
        if devices not in self._rough:
            self._rough[devices] = Rough(its.space.points, its.cluster, its.efficiency, its.mapping)
        return self._rough[devices]

    def guess(self, at: int, rows: Ints, limit: float) -> list[tuple[int, Floats]]:
        """What plans of a training may take on some chips, by the ratio of main layers alone; no bounds.

        Args:
            at: the training.
            rows: the chips.
            limit: variants whose least is beyond it are left out.

        Returns:
            for each other variant, seconds, [rows].
        """
        near = [(n, ladder) for n, ladder in self._ladders[at] if ladder.least <= limit]
        return [(n, ladder.least * ladder.slower(rows, sharp=False)) for n, ladder in near]

    def least_guess(self, at: int, rows: Ints, limit: float) -> Floats:
        """The least of them, [rows]."""
        return _least([column for _, column in self.guess(at, rows, limit)], len(rows))

    def rows(self, rows: Ints, most: Sequence[float]) -> None:
        """The chips to bound, and of each training the seconds beyond which variants are left out altogether."""
        self._climbs = [
            [(n, Climb(ladder, rows)) for n, ladder in own if ladder.least <= limit]
            for own, limit in zip(self._ladders, most, strict=True)
        ]

    def climb(self, at: int, step: Step, cutoffs: Floats) -> Floats:
        """One step of a training's ladders.

        Returns:
            its least bound on each chip, [rows].
        """
        for _, climb in self._climbs[at]:
            climb.go(step, cutoffs)
        return _least([climb.found for _, climb in self._climbs[at]], len(cutoffs))

    def own(self, at: int, places: Ints, cutoffs: Floats) -> Floats:
        """Some chips' own bounds on the plans of a training, quick ones.

        Args:
            at: the training.
            places: of the chips.
            cutoffs: seconds beyond which nobody wants to know how many, [places].

        Returns:
            its least bound on each, [places].
        """
        for _, climb in self._climbs[at]:
            climb.own(places, cutoffs)
        return _least([climb.found[places] for _, climb in self._climbs[at]], len(places))

    def plans(self, at: int, places: Ints, most: Floats, cutoffs: Floats) -> Floats:
        """Sharper ones, by best plans, of some of the chips that ``own`` was asked for last.

        Args:
            at: the training.
            places: of the chips.
            most: variants whose bounds are above it keep them, [places].
            cutoffs: seconds beyond which nobody wants to know how many, [places].

        Returns:
            its least bound on each, [places].
        """
        for _, climb in self._climbs[at]:
            climb.plans(places, most, cutoffs)
        return _least([climb.found[places] for _, climb in self._climbs[at]], len(places))

    def tables(self, places: Ints) -> list[list[tuple[int, Floats]]]:
        """Of each training, for each variant that is left its bounds on some of the chips."""
        return [[(n, climb.found[places]) for n, climb in own] for own in self._climbs]


def _least(columns: list[Floats], length: int) -> Floats:
    found = np.full(length, np.inf)
    for column in columns:
        np.minimum(found, column, out=found)
    return found
