"""Among the embeddings of fewest calls, the one with the fewest duplicated bytes.

All factor vectors of fewest calls are listed (``calls.py``), and for each group the chains with those factors and no
wasted gap. Most chains need no listing. An axis that stands alone in every factor's subscript, and a flattened group,
are packed value by value: their slots are the same for every chain without idle vectors (all chains of these factors
and calls run through calls * factor values), and the stacked chain (stride 1, one digit to an instruction axis) has
none. What remains are the axes that slide against another one, such as oh against kh. (A flattened group whose digits
do not cross its borders makes the calls of smaller groups, but its layout is im2col's: it is kept as a candidate,
though never counted.)

A component's chains enter the total only through slots and elements of each input, and the total grows with the slots;
so among choices with the same factors and the same elements only those whose slots are not all beaten by another choice
(the Pareto set) can be best. No embedding duplicates less than nothing, so the search ends as soon as it finds one that
duplicates nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

from intarsia.embed.calls import Allocation, least_calls
from intarsia.embed.digits import Chain, Digits, best_chains, stacked
from intarsia.embed.duplication import Duplication, Held, components, count_layout
from intarsia.embed.embedding import Embedding
from intarsia.embed.groups import Group
from intarsia.embed.shape import Shape, build, complete
from intarsia.embed.space import Space

Split: TypeAlias = tuple[tuple[Group, tuple[tuple[str, int], ...], int], ...]
"""Groups with their factors on each instruction axis and their calls."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Chains of a component and what they hold."""

    chains: tuple[Chain, ...]
    held: tuple[Held, ...]


def sliding(space: Space, duplication: Duplication, component: tuple[Group, ...]) -> set[str]:
    """The axes of a component that slide against another one: the chains of the others do not matter."""
    names = {group[0] for group in component if len(group) == 1}
    found: set[str] = set()
    for _, access in duplication.inputs:
        live = [{n for n, _ in s.terms if space.extents[n] > 1} for s in access.subscripts]
        uses = [n for terms in live for n in terms]
        found |= {n for n in uses if uses.count(n) > 1}
        for terms in live:
            if len(terms) > 1 and terms <= names:
                found |= terms
    return found


class Ties:
    """The tie class of one space."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.problem = space.rules.problem
        self.duplication = Duplication(space.rules)
        self._chains: dict[tuple[bool, Group, tuple[tuple[str, int], ...], int], list[Digits]] = {}
        self._choices: dict[Split, list[Choice] | None] = {}
        found = [least_calls(space, part) for part in space.parts]
        self.feasible = space.fillable and all(calls for calls, _ in found)
        self.calls = space.outside
        for calls, _ in found:
            self.calls *= calls
        self.allocations = [(calls, kept) for calls, kept in found]

    def splits(self) -> Iterator[Split]:
        """Every choice of groups and factors with the fewest calls, the least fused first."""
        combos = product(*(kept for _, kept in self.allocations))
        for combo in sorted(combos, key=lambda c: -sum(len(a.groups) for a in c)):
            listed = [
                list(self._of(a, calls, i))
                for i, (a, (calls, _)) in enumerate(zip(combo, self.allocations, strict=True))
            ]
            for choice in product(*listed):
                yield tuple(entry for part in choice for entry in part)

    def _of(self, allocation: Allocation, calls: int, part: int) -> Iterator[Split]:
        lanes = self.space.parts[part].lanes
        for factors in allocation.attaining(calls):
            yield tuple(
                (group, tuple((a, f) for a, f in zip(lanes, own, strict=True) if f > 1), allocation.options[i][own])
                for i, (group, own) in enumerate(zip(allocation.groups, factors, strict=True))
            )

    def chains(self, group: Group, factors: tuple[tuple[str, int], ...], calls: int, *, whole: bool) -> list[Digits]:
        """The chains of a group with these factors and calls: all of them, or the stacked one."""
        key = (whole, group, factors, calls)
        if key not in self._chains:
            exact = self.space.exact(group)
            found = best_chains(self.space.extent(group), dict(factors), calls, exact=exact)
            self._chains[key] = list(found) if whole else [stacked(self.space.skewed.get(group[0], ()), factors)]
        return self._chains[key]

    def choices(self, split: Split) -> list[Choice] | None:
        """The Pareto set of a component, None if it has no closed form."""
        if split not in self._choices:
            self._choices[split] = self._pareto(split)
        return self._choices[split]

    def listed(self, split: Split) -> Iterator[tuple[Chain, ...]]:
        """Every choice of chains."""
        extents = self.space.extents
        slides = sliding(self.space, self.duplication, tuple(group for group, _, _ in split))
        options = (self.chains(*entry, whole=not slides.isdisjoint(entry[0])) for entry in split)
        for digits in product(*options):
            yield tuple(
                Chain(group, tuple(extents[n] for n in group), own)
                for (group, _, _), own in zip(split, digits, strict=True)
            )

    def _pareto(self, split: Split) -> list[Choice] | None:
        best: dict[tuple[int, ...], list[Choice]] = {}
        for chains in self.listed(split):
            held = self.duplication.held(chains)
            if held is None:
                return None
            kept = best.setdefault(tuple(h.distinct for h in held), [])
            if any(_beats(c.held, held) for c in kept):
                continue
            kept[:] = [c for c in kept if not _beats(held, c.held)] + [Choice(chains, held)]
        return [choice for kept in best.values() for choice in kept]

    def whole(self, split: Split) -> Split:
        """The split with the axes that are in no part."""
        inside = {name for group, _, _ in split for name in group}
        rest = [n for n in self.space.extents if n not in inside]
        return (*split, *(((n,), (), self.space.extents[n]) for n in rest))

    def stacked(self) -> Iterator[tuple[Chain, ...]]:
        """The tie class with stacked chains only."""
        for split in self.splits():
            yield tuple(
                Chain(
                    group,
                    tuple(self.space.extents[n] for n in group),
                    self.chains(group, factors, calls, whole=False)[0],
                )
                for group, factors, calls in self.whole(split)
            )

    def candidates(self) -> Iterator[tuple[int, tuple[Chain, ...]]]:
        """(duplicated bytes, chains) of enough of the tie class to contain its best."""
        for split in self.splits():
            yield from self._candidates(self.whole(split))

    def _candidates(self, split: Split) -> Iterator[tuple[int, tuple[Chain, ...]]]:
        entry = {group: (group, factors, calls) for group, factors, calls in split}
        parts = [tuple(entry[g] for g in c) for c in components(self.space.rules, tuple(entry))]
        tables = [self.choices(part) for part in parts]
        if any(table is None for table in tables):
            for chains in self.listed(split):
                yield count_layout(self.shape(chains)), chains
            return
        for combo in product(*(table for table in tables if table is not None)):
            total = self.duplication.total([c.held for c in combo])
            yield total, tuple(chain for c in combo for chain in c.chains)

    def shape(self, chains: tuple[Chain, ...]) -> Embedding:
        """The embedding of these chains."""
        rules = self.space.rules
        return build(self.problem, Shape(rules.operands, complete(self.problem, chains)))


def _beats(left: tuple[Held, ...], right: tuple[Held, ...]) -> bool:
    return all(a.slots <= b.slots for a, b in zip(left, right, strict=True))
