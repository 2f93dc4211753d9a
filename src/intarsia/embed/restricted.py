"""Fewest calls where layouts are restricted: nothing packed twice, no input, or only constant tensors rearranged.

What a layout may do is a property of components (``duplication.py``): a product of slots equals a product of elements
only if every component's slots equal its elements, for slots are never fewer. So each component is listed by itself,
with only those chains kept that pack nothing twice, the fewest calls for each vector of factors; then components are
combined by depth first search, cut where the calls so far times the fewest calls of the rest exceed the best. Digits
and flattenings that cannot but pack something twice are left out before any chain is listed (``sharing.py``).

Of choices with the same factors and calls those are kept that may repeat the fewest bytes of what is allowed to repeat
(constant tensors), as in ``ties.py``.

For ``constant-only`` a component need only be free of duplication for tensors that are not constant, chains have no
gaps (a gap between the lanes of a row-major tensor puts it out of order), and the order is looked at when a whole shape
is there (``order.py``). Above skewed digits only stacked chains are looked at, so what is found there is not proved to
be the best.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product, takewhile
from math import prod

from intarsia.embed.digits import Chain, Digit, Digits, chains, reaches, stacked
from intarsia.embed.duplication import Duplication, Held, components, skewed_axes
from intarsia.embed.embedding import Embedding
from intarsia.embed.groups import Group
from intarsia.embed.measures import Value, by_calls, least, value
from intarsia.embed.order import in_order
from intarsia.embed.requirements import satisfied
from intarsia.embed.shape import Shape, build, complete
from intarsia.embed.sharing import Once
from intarsia.embed.space import Part, Space
from intarsia.embed.ties import sliding
from intarsia.embed.watch import Search

Taken = tuple[int, ...]
"""Lanes on each instruction axis."""


@dataclass(frozen=True, slots=True)
class Option:
    """Chains of a component, the lanes that they take on each instruction axis, their calls, and what they hold."""

    chains: tuple[Chain, ...]
    taken: Taken
    calls: int
    held: tuple[Held, ...]


class Restricted:
    """The search in one space; ``closed`` says whether every component has a closed form."""

    def __init__(self, space: Space, search: Search) -> None:
        self.space = space
        self.search = search
        self.problem = space.rules.problem
        self.duplication = Duplication(space.rules)
        operator = self.problem.operator
        tensors = [operator.tensor(access.tensor) for _, access in self.duplication.inputs]
        everywhere = "no-duplication" in self.problem.require
        self.watched = [i for i, t in enumerate(tensors) if everywhere or not t.constant]
        self.free = [i for i in range(len(tensors)) if i not in self.watched]
        self.ordered = "constant-only" in self.problem.require
        self.wants = bool(self.free) and by_calls(self.problem.objective) and "duplicated" in self.problem.objective
        self.exhaustive = not self.ordered and not space.skewed
        self.once = None if space.skewed or self.problem.dropped else Once(self.duplication, self.watched)
        self.lanes = tuple(space.rooms)
        self.full = tuple(lane in space.full for lane in self.lanes)
        self.best = None if search.best is None else (search.best.calls, search.value[-1] if self.wants else 0)
        self.closed = True
        self._options: dict[tuple[Group, ...], list[Option]] = {}
        self._listed_chains: dict[tuple[Group, bool], dict[Taken, list[Chain]]] = {}

    def run(self) -> None:
        """Offer the best shapes of the space to the search."""
        for groups in product(*(self._groupings(part) for part in self.space.parts)):
            flat = tuple(group for part in groups for group in part)
            inside = {name for group in flat for name in group}
            whole = (*flat, *((n,) for n in self.space.extents if n not in inside))
            parts = components(self.space.rules, whole, skewed_axes(self.space.skewed))
            options = [self.options(c) for c in parts]
            if not self.closed or not self.search.alive():
                return
            self._combine(sorted(options, key=self._served))

    def _groupings(self, part: Part) -> list[tuple[Group, ...]]:
        """The ways to flatten the axes of a part, those left out that pack something twice whatever the digits."""
        once = self.once
        return [
            groups
            for groups in self.space.groupings(part)
            if once is None or all(len(group) == 1 or once.separable(group) for group in groups)
        ]

    def options(self, component: tuple[Group, ...]) -> list[Option]:
        """What a component may do, by rising calls."""
        if component not in self._options:
            self._options[component] = sorted(self._best(component), key=lambda o: o.calls)
        return self._options[component]

    def _served(self, options: list[Option]) -> Taken:
        """The instruction axes that a component may lie on: those that share them are combined one after the other."""
        return tuple(max((o.taken[i] > 1 for o in options), default=False) for i in range(len(self.lanes)))

    def _best(self, component: tuple[Group, ...]) -> list[Option]:
        """For each vector of factors the options of fewest calls, one or those that may repeat the fewest bytes."""
        if self.duplication.held(tuple(self.space.bottom(group) for group in component)) is None:
            self.closed = False
            return []
        best: dict[Taken, list[Option]] = {}
        slides = sliding(self.space, self.duplication, component)
        listed = [self._chains(group, whole=not slides.isdisjoint(group)) for group in component]
        for menus in self._fitting(listed, (), tuple(self.space.rooms.values())):
            for made in product(*menus):
                if not self.search.alive():
                    return []
                taken = tuple(prod(self._taken(c, lane) for c in made) for lane in self.lanes)
                calls = prod(c.calls for c in made)
                kept = best.get(taken, [])
                if kept and (calls > kept[0].calls or (calls == kept[0].calls and not self.free)):
                    continue
                held = self.duplication.held(made)
                if held is None:
                    self.closed = False
                    return []
                if all(held[t].slots == held[t].distinct for t in self._read):
                    best[taken] = self._kept(kept, Option(made, taken, calls, held))
        return [option for kept in best.values() for option in kept]

    def _kept(self, kept: list[Option], new: Option) -> list[Option]:
        """The options of one vector of factors with a new one of no more calls; all of them where the order matters."""
        if not kept or new.calls < kept[0].calls:
            return [new]
        if self.ordered:
            return [*kept, new]
        if any(self._beats(old, new) for old in kept):
            return kept
        return [*(old for old in kept if not self._beats(new, old)), new]

    def _beats(self, left: Option, right: Option) -> bool:
        pairs = [(left.held[t], right.held[t]) for t in self.free]
        return all(a.distinct == b.distinct and a.slots <= b.slots for a, b in pairs)

    def _fitting(
        self, listed: list[dict[Taken, list[Chain]]], made: tuple[list[Chain], ...], room: Taken
    ) -> Iterator[tuple[list[Chain], ...]]:
        """Chains for every group of a component, by the lanes that they take, together no more than there are."""
        if len(made) == len(listed):
            yield made
            return
        for taken, found in listed[len(made)].items():
            left = self._left(room, taken)
            if left is not None:
                yield from self._fitting(listed, (*made, found), left)

    def _taken(self, chain: Chain, lane: str) -> int:
        """The lanes that a chain takes above its skewed digits."""
        return chain.factor(lane) // self.space.bottom(chain.axes).factor(lane)

    def _chains(self, group: Group, *, whole: bool) -> dict[Taken, list[Chain]]:
        """The chains of a group that repeat no watched tensor by themselves, by the lanes taken, fewest calls first."""
        if (group, whole) not in self._listed_chains:
            extents = tuple(self.space.extents[n] for n in group)
            found: dict[Taken, list[Chain]] = {}
            for digits in takewhile(lambda _: self.search.alive(), self._digits(group, whole=whole)):
                chain = Chain(group, extents, digits)
                if all(self._once(group, d) for d in digits):
                    found.setdefault(tuple(self._taken(chain, lane) for lane in self.lanes), []).append(chain)
            for own in found.values():
                own.sort(key=lambda c: c.calls)
            self._listed_chains[group, whole] = found
        return self._listed_chains[group, whole]

    def _once(self, group: Group, digit: Digit) -> bool:
        """Whether a digit may pack every element of the watched tensors once."""
        if self.once is not None and len(group) == 1:
            return self.once.allows(group[0], digit)
        for t in self._read:
            names = {n for s in self.duplication.inputs[t][1].subscripts for n, _ in s.terms}
            if names.isdisjoint(group) and digit.lane in self.duplication.moving[t]:
                return False
        return True

    @property
    def _read(self) -> list[int]:
        """The watched inputs of which something inside is read, where that is known."""
        return self.watched if self.once is None else self.once.read

    def _digits(self, group: Group, *, whole: bool) -> Iterator[Digits]:
        capacities, extent = self.space.capacities(group), self.space.extent(group)
        exact = self.space.exact(group)
        if whole and self.exhaustive:
            yield from chains(extent, capacities, exact=exact, merged=True, allowed=lambda d: self._once(group, d))
            return
        bottom = self.space.bottom(group).digits
        ranges = (range(1, min(room, extent) + 1) for room in capacities.values())
        for factors in product(*ranges):
            digits = stacked(bottom, tuple(zip(capacities, factors, strict=True)))
            if reaches(digits, extent) and not (exact and digits and extent % digits[-1].top):
                yield digits

    def _combine(self, options: list[list[Option]]) -> None:
        """Every choice of one option for each component that may be better than the best so far."""
        rooms = tuple(self.space.rooms.values())

        @cache
        def fewest(index: int, room: Taken) -> int:
            """The fewest calls of the components from an index on, 0 if they do not fit."""
            if index == len(options):
                return 0 if any(full and r > 1 for full, r in zip(self.full, room, strict=True)) else 1
            best = 0
            for option in options[index]:
                if best and option.calls >= best:
                    break
                left = self._left(room, option.taken)
                rest = 0 if left is None else fewest(index + 1, left)
                if rest and (not best or option.calls * rest < best):
                    best = option.calls * rest
            return best

        def extend(chosen: tuple[Option, ...], room: Taken, calls: int) -> None:
            index = len(chosen)
            if index == len(options):
                self._offer(chosen, calls)
                return
            for option in options[index]:
                left = self._left(room, option.taken)
                rest = 0 if left is None else fewest(index + 1, left)
                if left is not None and rest and self._may_win(calls * option.calls * rest) and self.search.alive():
                    extend((*chosen, option), left, calls * option.calls)

        if self._may_win(fewest(0, rooms)):
            extend((), rooms, 1)

    def _left(self, room: Taken, taken: Taken) -> Taken | None:
        """The room behind some lanes; None if there is too little, or what must be filled cannot be any more."""
        if any(t > r or (full and r % t) for full, r, t in zip(self.full, room, taken, strict=True)):
            return None
        return tuple(r // t for r, t in zip(room, taken, strict=True))

    def _may_win(self, calls: int, duplicated: int = 0) -> bool:
        """Whether so many calls at least, and so many duplicated bytes, are better than the best so far."""
        return self.best is None or (calls, duplicated) < self.best

    def _offer(self, chosen: tuple[Option, ...], calls: int) -> None:
        made = [chain for option in chosen for chain in option.chains]
        duplicated = self.duplication.total([option.held for option in chosen]) if self.wants else 0
        if not self._may_win(calls, duplicated) or (self.ordered and not in_order(self.space, made)):
            return
        embedding = build(self.problem, Shape(self.space.rules.operands, complete(self.problem, made)))
        if satisfied(self.space.rules, embedding):
            self.search.offer(embedding, self._measured(embedding, duplicated))
            self.best = (calls, duplicated)

    def _measured(self, embedding: Embedding, duplicated: int) -> Value:
        """What the objective measures, from the closed form where there is no skew."""
        objective = self.problem.objective
        if self.once is None or not by_calls(objective):
            return value(embedding, objective)
        bound = least(self.problem, objective, embedding.calls)
        return (*bound[:-1], duplicated) if self.wants else bound
