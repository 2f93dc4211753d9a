"""Objectives that are products over components: fewest calls, needed calls, moved bytes, predicted cycles.

Calls, needed calls and the vectors of every operand are products over *components*: sets of groups that meet in a
subscript of the statement. So each component is listed by itself, and of its choices only those are kept that no other
one beats in every number and in the lanes that it takes (the Pareto set). Components are combined depth first, cut
where the numbers so far, times the least of the rest, cannot be better than the best. No objective here falls when a
number grows, so the cut loses nothing.

- Vectors: an axis that stands alone in every subscript, and a flattened group, have as many as its chain has calls, the
  fewest for the stacked chain. A subscript of several axes that are not flattened slides over a progression, which the
  reach and the common step of each chain's outer loops give.
- Needed calls enter by a lower bound (``needed.py``), exact where the chains in question take no lanes; so an optimum
  may stay unproved, with the bound as said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray

from intarsia.embed.digits import Chain, chains, stacked
from intarsia.embed.groups import Group, connected
from intarsia.embed.measures import Numbers, Value, valued
from intarsia.embed.needed import FewestNeeded, parts
from intarsia.embed.problem import EmbeddingProblem
from intarsia.embed.shape import Shape, complete
from intarsia.embed.space import Part, Space
from intarsia.embed.strides import Stride, Taken, stride_of, vectors_of
from intarsia.embed.watch import Search

SPELLED = 4096
"""Calls of axes without lanes up to which they are told apart in a bound."""


def separable(problem: EmbeddingProblem) -> bool:
    """Whether this search answers the objective within the requirements; duplicated bytes may only break ties."""
    first, *rest = problem.objective
    known = all(isinstance(m, str) for m in rest) and isinstance(first, str) and first != "duplicated"
    return known and set(problem.require) <= {"dense", "no-padding"} and not problem.dropped


@dataclass(frozen=True, slots=True)
class Choice:
    """Chains of a component, the lanes that they take on each instruction axis, and their numbers."""

    chains: tuple[Chain, ...]
    taken: Taken
    numbers: Numbers


class Separable:
    """The search in one space."""

    def __init__(self, space: Space, search: Search) -> None:
        self.space = space
        self.search = search
        self.bounding = False
        self.problem = space.rules.problem
        self.lanes = tuple(space.rooms)
        self.full = tuple(lane in space.full for lane in self.lanes)
        names = {m for m in self.problem.objective if isinstance(m, str)}
        self.moves = bool(names & {"moved", "cycles"})
        found = parts(self.problem.operator, space.rules.body) if names & {"needed", "cycles"} else ()
        self.needed = FewestNeeded(found) if found else None
        links = [{n for n, _ in s.terms} for _, a in space.rules.pairs if a for s in a.subscripts]
        self.links = [names for names in links if len(names) > 1]
        self.floor: Value | None = None
        self._choices: dict[tuple[Group, ...], list[Choice]] = {}
        self._strides: dict[Group, list[Stride]] = {}

    def run(self) -> Iterator[Shape]:
        """The shapes that may be better than the best so far, and the least value that any shape can have."""
        for groups in product(*(self._groupings(part) for part in self.space.parts)):
            flat = tuple(group for part in groups for group in part)
            inside = {name for group in flat for name in group}
            whole = (*flat, *((n,) for n in self.space.extents if n not in inside))
            sets = connected((set(group) for group in whole), self.links)
            listed = [self.choices(tuple(g for g in whole if names & set(g))) for names in sets]
            yield from self._combined(sorted(listed, key=len, reverse=True))
            if not self.search.alive():
                return

    def _groupings(self, part: Part) -> list[tuple[Group, ...]]:
        """The ways to flatten a part's axes: no number here knows in which order a group is flattened."""
        found = {frozenset(map(frozenset, groups)): groups for groups in reversed([*self.space.groupings(part)])}
        return list(reversed(found.values()))

    def bound(self) -> Value | None:
        """The fewest needed calls that any shape can have, at least; None if there is no shape."""
        assert self.problem.objective == ("needed",)
        self.bounding = True
        for _ in self.run():
            pass
        return self.floor

    def choices(self, component: tuple[Group, ...]) -> list[Choice]:
        """The Pareto set of a component."""
        if component not in self._choices:
            self._choices[component] = self._listed(component)
        return self._choices[component]

    def _listed(self, component: tuple[Group, ...]) -> list[Choice]:
        rooms = tuple(self.space.rooms.values())
        best: dict[Taken, list[Choice]] = {}
        for made in product(*(self._options(group) for group in component)):
            if not self.search.alive():
                break
            taken = tuple(prod(s.taken[i] for s in made) for i in range(len(rooms)))
            if self._left(rooms, taken) is None:
                continue
            new = Choice(tuple(s.chain for s in made), taken, self._numbers(made, taken))
            kept = best.setdefault(taken, [])
            if not any(_no_more(old.numbers, new.numbers) for old in kept):
                kept[:] = [*(old for old in kept if not _no_more(new.numbers, old.numbers)), new]
        found = sorted((c for kept in best.values() for c in kept), key=lambda c: (sum(c.taken), c.numbers))
        return [c for i, c in enumerate(found) if not any(self._beats(b, c) for b in found[:i])]

    def _beats(self, left: Choice, right: Choice) -> bool:
        """Whether a choice is no worse in any number, and takes no more lanes where none must be filled."""
        lanes = zip(left.taken, right.taken, self.full, strict=True)
        return _no_more(left.numbers, right.numbers) and all(a == b or (a < b and not full) for a, b, full in lanes)

    def _options(self, group: Group) -> list[Stride]:
        """The chains of a group: all that matter where it slides against another, else, and for bounds, the stacked."""
        slides = not self.bounding and len(group) == 1 and any(names & set(group) for names in self.links)
        if group not in self._strides:
            extents = tuple(self.space.extents[n] for n in group)
            capacities, extent, exact = self.space.capacities(group), self.space.extent(group), self.space.exact(group)
            if slides:
                listed = chains(extent, capacities, exact=exact, merged=True)
            else:
                factors = product(*(range(1, min(room, extent) + 1) for room in capacities.values()))
                listed = (stacked((), tuple(zip(capacities, own, strict=True))) for own in factors)
            found = (Chain(group, extents, digits) for digits in listed)
            fitting = (c for c in found if self._reaches(c) and not (exact and extent % _top(c)))
            self._strides[group] = self._undominated([stride_of(c, self.lanes) for c in fitting])
        return self._strides[group]

    def _reaches(self, chain: Chain) -> bool:
        return sum(d.stride * (d.factor - 1) for d in chain.digits) < chain.extent

    def _undominated(self, found: list[Stride]) -> list[Stride]:
        """Chains of which no other one with the same lanes and step is as good in calls, reach and working tuples."""
        kept: dict[tuple[Taken, int], list[tuple[Stride, NDArray[np.int64]]]] = {}
        for new in sorted(found, key=lambda s: (s.chain.calls, s.reach, len(s.chain.digits))):
            works = self._working(new.chain)
            others = kept.setdefault((new.taken, new.step), [])
            if not any(old.reach <= new.reach and _under(own, works) for old, own in others):
                others.append((new, works))
        return [stride for group in kept.values() for stride, _ in group]

    def _working(self, chain: Chain) -> NDArray[np.int64]:
        """For each call of a lone chain the working tuples of the axes that limit it, the most first."""
        if self.needed is None or len(chain.axes) > 1:
            return np.zeros(0, dtype=np.int64)
        index = next(i for i, part in enumerate(self.needed.parts) if chain.axes[0] in part.axes)
        return -np.sort(-self.needed.counts(index, (chain,), frozenset()).ravel())

    def _numbers(self, made: tuple[Stride, ...], taken: Taken) -> Numbers:
        """Calls; needed calls at least; vectors of each operand."""
        calls = prod(s.chain.calls for s in made)
        needed = self._fewest_needed(made, taken) if self.needed else 0
        vectors: tuple[int, ...] = ()
        if self.moves:
            vectors = tuple(1 if a is None else vectors_of(a, made) for _, a in self.space.rules.pairs)
        return Numbers(calls, needed, vectors)

    def _fewest_needed(self, made: tuple[Stride, ...], taken: Taken) -> int:
        """The better of two bounds: from the chains of the parallel axes, and from those of the reductions."""
        assert self.needed is not None
        axes = frozenset(name for s in made for name in s.chain.axes)
        best = 0
        for role in ("parallel", "reduction"):
            mine = [s for s in made if self._role(s.chain) == role]
            free = [s for s in made if s not in mine and prod(s.taken) == 1 and len(s.chain.axes) == 1]
            if prod(s.chain.calls for s in free) > SPELLED:
                free = []
            blocked = [s for s in mine if len(s.chain.axes) > 1 or (self.bounding and prod(s.taken) > 1)]
            known = tuple(s.chain for s in (*mine, *free) if s not in blocked)
            names = frozenset(name for s in blocked for name in s.chain.axes)
            size = prod(prod(s.taken) for s in blocked)
            lanes = prod(taken) // prod(prod(s.taken) for s in mine)
            best = max(best, self.needed.bound(axes, known, names, size, lanes))
        return best

    def _role(self, chain: Chain) -> str:
        return self.problem.operator.axis(chain.axes[0]).role

    def _combined(self, listed: list[list[Choice]]) -> Iterator[Shape]:
        """Every choice of one for each component that may be better than the best so far."""
        rooms = tuple(self.space.rooms.values())

        @cache
        def least(index: int, room: Taken) -> Numbers | None:
            """The least of each number from a component on, each by itself; None if they do not fit."""
            if index == len(listed):
                filled = not any(full and r > 1 for full, r in zip(self.full, room, strict=True))
                return self._one() if filled else None
            best: Numbers | None = None
            for choice in listed[index]:
                left = self._left(room, choice.taken)
                rest = None if left is None else least(index + 1, left)
                if rest is not None:
                    found = choice.numbers.times(rest)
                    best = found if best is None else best.least(found)
            return best

        def extend(index: int, room: Taken, so_far: Numbers, chosen: tuple[Chain, ...]) -> Iterator[Shape]:
            if index == len(listed):
                self._lower(self._value(so_far))
                yield Shape(self.space.rules.operands, complete(self.problem, chosen))
                return
            ways = []
            for choice in listed[index]:
                left = self._left(room, choice.taken)
                rest = None if left is None else least(index + 1, left)
                if left is not None and rest is not None:
                    made = so_far.times(choice.numbers)
                    ways.append((self._value(made.times(rest)), left, made, choice.chains))
            for value, left, made, own in sorted(ways, key=lambda way: way[0]):
                if self._hopeless(value) or not self.search.alive():
                    return
                yield from extend(index + 1, left, made, (*chosen, *own))

        yield from extend(0, rooms, self._one(), ())

    def _one(self) -> Numbers:
        return Numbers(1, 1, (1,) * len(self.space.rules.pairs) if self.moves else ())

    def _value(self, numbers: Numbers) -> Value:
        return valued(self.problem, self.space.rules.pairs, numbers)

    def _hopeless(self, value: Value) -> bool:
        if self.bounding:
            return self.floor is not None and value >= self.floor
        return self.search.best is not None and value >= self.search.value

    def _lower(self, value: Value) -> None:
        self.floor = value if self.floor is None else min(self.floor, value)

    def _left(self, room: Taken, taken: Taken) -> Taken | None:
        """The room behind some lanes; None if there is too little, or what must be filled cannot be any more."""
        if any(t > r or (full and r % t) for full, r, t in zip(self.full, room, taken, strict=True)):
            return None
        return tuple(r // t for r, t in zip(room, taken, strict=True))


def _no_more(left: Numbers, right: Numbers) -> bool:
    pairs = zip((left.calls, left.needed, *left.vectors), (right.calls, right.needed, *right.vectors), strict=True)
    return all(a <= b for a, b in pairs)


def _under(left: NDArray[np.int64], right: NDArray[np.int64]) -> bool:
    """Whether sorted counts are no longer and nowhere more."""
    return len(left) <= len(right) and bool((left <= right[: len(left)]).all())


def _top(chain: Chain) -> int:
    return chain.digits[-1].top if chain.digits else 1
