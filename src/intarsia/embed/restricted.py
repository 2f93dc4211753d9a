"""Fewest calls where layouts are restricted: nothing packed twice, no input, or only constant tensors rearranged.

What a layout may do is a property of components (``duplication.py``): a product of slots equals a product of elements
only if every component's slots equal its elements, for slots are never fewer. So each component is listed by itself,
with only those chains kept that pack nothing twice, the fewest calls for each vector of factors; then components are
combined by depth first search, cut where the calls so far times the fewest calls of the rest exceed the best.

For ``constant-only`` a component need only be free of duplication for tensors that are not constant, chains have no
gaps (a gap between the lanes of a row-major tensor puts it out of order), and the order is looked at when a whole shape
is there. Above skewed digits only stacked chains are looked at, so what is found there is not proved to be the best.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod

from intarsia.embed.digits import Chain, Digits, chains, reaches, stacked
from intarsia.embed.duplication import Duplication, components, skewed_axes
from intarsia.embed.groups import Group
from intarsia.embed.measures import value
from intarsia.embed.requirements import satisfied
from intarsia.embed.shape import Shape, build, complete
from intarsia.embed.space import Space
from intarsia.embed.ties import sliding
from intarsia.embed.watch import Search


@dataclass(frozen=True, slots=True)
class Option:
    """Chains of a component, the lanes that they take on each instruction axis, and their calls."""

    chains: tuple[Chain, ...]
    taken: tuple[int, ...]
    calls: int


class Restricted:
    """The search in one space; ``closed`` says whether every component has a closed form."""

    def __init__(self, space: Space, search: Search) -> None:
        self.space = space
        self.search = search
        self.require = space.rules.problem.require
        self.duplication = Duplication(space.rules)
        operator = space.rules.problem.operator
        tensors = [operator.tensor(access.tensor) for _, access in self.duplication.inputs]
        everywhere = "no-duplication" in self.require
        self.watched = [i for i, t in enumerate(tensors) if everywhere or not t.constant]
        self.ordered = "constant-only" in self.require
        self.exhaustive = not self.ordered and not space.skewed
        self.lanes = tuple(space.rooms)
        self.closed = True
        self._options: dict[tuple[Group, ...], list[Option]] = {}

    def run(self) -> None:
        """Offer the best shapes of the space to the search."""
        for groups in product(*(self.space.groupings(part) for part in self.space.parts)):
            flat = tuple(group for part in groups for group in part)
            inside = {name for group in flat for name in group}
            whole = (*flat, *((n,) for n in self.space.extents if n not in inside))
            parts = components(self.space.rules, whole, skewed_axes(self.space.skewed))
            options = [self.options(c) for c in parts]
            if not self.closed or not self.search.alive():
                return
            self._combine(sorted(options, key=len))

    def options(self, component: tuple[Group, ...]) -> list[Option]:
        """What a component may do, by rising calls."""
        if component not in self._options:
            self._options[component] = sorted(self._listed(component), key=lambda o: o.calls)
        return self._options[component]

    def _listed(self, component: tuple[Group, ...]) -> Iterator[Option]:
        fewest: dict[tuple[int, ...], int] = {}
        slides = sliding(self.space, self.duplication, component)
        listed = [self._chains(group, slides) for group in component]
        for made in self._fitting(listed, (), dict(self.space.rooms)):
            if not self.search.alive():
                return
            taken = tuple(prod(self._taken(c, lane) for c in made) for lane in self.lanes)
            calls = prod(c.calls for c in made)
            if calls > fewest.get(taken, calls):
                continue
            held = self.duplication.held(made)
            if held is None:
                self.closed = False
                return
            if all(held[t].slots == held[t].distinct for t in self.watched):
                fewest[taken] = calls
                yield Option(made, taken, calls)

    def _fitting(
        self, listed: list[list[Chain]], made: tuple[Chain, ...], room: dict[str, int]
    ) -> Iterator[tuple[Chain, ...]]:
        if len(made) == len(listed):
            yield made
            return
        for chain in listed[len(made)]:
            left = {lane: r // self._taken(chain, lane) for lane, r in room.items()}
            if all(left.values()):
                yield from self._fitting(listed, (*made, chain), left)

    def _taken(self, chain: Chain, lane: str) -> int:
        """The lanes that a chain takes above its skewed digits."""
        return chain.factor(lane) // self.space.bottom(chain.axes).factor(lane)

    def _chains(self, group: Group, slides: set[str]) -> list[Chain]:
        """The chains of a group that do not repeat a watched tensor: one that it moves without containing the axis."""
        extents = tuple(self.space.extents[n] for n in group)
        found = [Chain(group, extents, digits) for digits in self._digits(group, slides)]
        for t in self.watched:
            names = {n for s in self.duplication.inputs[t][1].subscripts for n, _ in s.terms}
            if names.isdisjoint(group):
                moving = self.duplication.moving[t]
                found = [c for c in found if not any(d.lane in moving for d in c.digits)]
        return found

    def _digits(self, group: Group, slides: set[str]) -> list[Digits]:
        capacities, extent = self.space.capacities(group), self.space.extent(group)
        exact = self.space.exact(group)
        if slides.isdisjoint(group) or not self.exhaustive:
            bottom = self.space.bottom(group).digits
            ranges = (range(1, min(room, extent) + 1) for room in capacities.values())
            found = [stacked(bottom, tuple(zip(capacities, factors, strict=True))) for factors in product(*ranges)]
            return [d for d in found if reaches(d, extent) and not (exact and d and extent % d[-1].top)]
        listed = chains(extent, capacities, exact=exact, merged=True)
        return sorted(listed, key=lambda d: Chain(group, (extent,), d).calls)

    def _combine(self, options: list[list[Option]]) -> None:
        if not all(options):
            return
        after = [1] * (len(options) + 1)
        for i in reversed(range(len(options))):
            after[i] = after[i + 1] * min(o.calls for o in options[i])
        self._extend(options, after, 0, (), tuple(self.space.rooms.values()), 1)

    def _extend(
        self,
        options: list[list[Option]],
        after: list[int],
        index: int,
        chosen: tuple[Chain, ...],
        room: tuple[int, ...],
        calls: int,
    ) -> None:
        if index == len(options):
            if "dense" not in self.require or all(r == 1 for r in room):
                self._offer(chosen)
            return
        for option in options[index]:
            known = self.search.best.calls if self.search.best is not None else 0
            if known and calls * option.calls * after[index + 1] > known:
                return
            left = tuple(r // t for r, t in zip(room, option.taken, strict=True))
            if all(left) and self.search.alive():
                self._extend(options, after, index + 1, (*chosen, *option.chains), left, calls * option.calls)

    def _offer(self, chosen: tuple[Chain, ...]) -> None:
        problem = self.space.rules.problem
        shape = Shape(self.space.rules.operands, complete(problem, chosen))
        best = self.search.best
        if best is not None and best.calls <= shape.calls and not self.ordered:
            return
        embedding = build(problem, shape)
        if self.ordered and not in_order(self.space, chosen):
            return
        if satisfied(self.space.rules, embedding):
            self.search.offer(embedding, value(embedding, problem.objective))


def in_order(space: Space, chosen: tuple[Chain, ...]) -> bool:
    """Whether the lanes of every tensor that is not constant can be in row-major order: a necessary condition.

    A lane digit lies inside a vector, an outer loop outside: so no outer loop of more than one iteration may have a
    shorter step in the tensor than a lane digit has.
    """
    rules = space.rules
    for _, access in rules.pairs:
        if access is None or rules.problem.operator.tensor(access.tensor).constant:
            continue
        shape = rules.problem.operator.tensor(access.tensor).shape
        lanes, outer = [0], [prod(shape)]
        for chain in chosen:
            step = sum(
                abs(s.coefficient(chain.axes[-1])) * prod(shape[i + 1 :]) for i, s in enumerate(access.subscripts)
            )
            if not step:
                continue
            below = 1
            for gap, digit in zip(chain.gaps, (*chain.digits, None), strict=True):
                outer += [step * below] if gap > 1 else []
                if digit is not None:
                    lanes.append(step * digit.stride)
                    below = digit.top
        if max(lanes) > min(outer):
            return False
    return True
