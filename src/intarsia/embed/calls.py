"""The fewest calls, by dynamic programming over the factors, and every choice of factors that attains them.

Why factors are enough: a chain of total factor F on a (flattened) axis of extent E makes at least ceil(E / F) calls,
since that many values are needed to cover E with F lanes, and the chain with strides 1, f1, f1*f2, ... makes exactly so
many. So a stride above 1 never lowers calls, and calls = product over groups of ceil(E_g / F_g), with
product of F_g <= room on every instruction axis. Unguarded groups need F | E and make E / F calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product
from math import prod
from typing import TypeAlias

from intarsia.embed.groups import Group
from intarsia.embed.space import Part, Space

Factors: TypeAlias = tuple[int, ...]
"""One factor for each instruction axis of a part."""


def options(space: Space, part: Part, group: Group) -> dict[Factors, int]:
    """Every vector of factors that a group can take above its skewed digits, with its fewest calls."""
    capacities, extent, exact = space.capacities(group), space.extent(group), space.exact(group)
    found: dict[Factors, int] = {}
    bottom = space.bottom(group).digits
    top, gaps, used = 1, 1, 0
    for digit in bottom:
        gaps *= digit.stride // top
        top = digit.top
        used += digit.stride * (digit.factor - 1)
    ranges = [range(1, min(capacities.get(lane, 1), extent) + 1) for lane in part.lanes]
    for factors in product(*ranges):
        total = prod(factors)
        if used + top * (total - 1) >= extent or (exact and extent % (top * total)):
            continue
        found[factors] = gaps * -(-extent // (top * total))
    return found


class Allocation:
    """The ways to share the room of a part's instruction axes among its groups."""

    def __init__(self, space: Space, part: Part, groups: tuple[Group, ...]) -> None:
        self.groups = groups
        self.full = tuple(lane in space.full for lane in part.lanes)
        self.room = tuple(space.rooms[lane] for lane in part.lanes)
        self.options = [options(space, part, group) for group in groups]
        self.least = cache(self._least)

    def _least(self, index: int, room: Factors) -> int:
        """The fewest calls of the groups from an index on, 0 if there is no way."""
        if index == len(self.groups):
            return 0 if any(full and r > 1 for full, r in zip(self.full, room, strict=True)) else 1
        best = 0
        for factors, calls in self.options[index].items():
            left = self._left(room, factors)
            if left is None:
                continue
            rest = self.least(index + 1, left)
            if rest and (not best or calls * rest < best):
                best = calls * rest
        return best

    def _left(self, room: Factors, factors: Factors) -> Factors | None:
        if any(f > r or (full and r % f) for full, r, f in zip(self.full, room, factors, strict=True)):
            return None
        return tuple(r // f for r, f in zip(room, factors, strict=True))

    @property
    def calls(self) -> int:
        """The fewest calls, 0 if there is no way."""
        return self.least(0, self.room)

    def attaining(self, calls: int) -> Iterator[tuple[Factors, ...]]:
        """Every choice of factors with the fewest calls of all groups being this number, largest factors first."""
        return self._attaining(0, self.room, calls)

    def _attaining(self, index: int, room: Factors, calls: int) -> Iterator[tuple[Factors, ...]]:
        if index == len(self.groups):
            if calls == 1 and self.least(index, room):
                yield ()
            return
        for factors, own in sorted(self.options[index].items(), reverse=True):
            left = self._left(room, factors)
            if left is None or calls % own or self.least(index + 1, left) != calls // own:
                continue
            for rest in self._attaining(index + 1, left, calls // own):
                yield (factors, *rest)


def least_calls(space: Space, part: Part) -> tuple[int, list[Allocation]]:
    """The fewest calls of a part (0 if there is none) and the groupings that attain them."""
    best = 0
    kept: list[Allocation] = []
    for groups in space.groupings(part):
        allocation = Allocation(space, part, groups)
        calls = allocation.calls
        if calls and (not best or calls < best):
            best, kept = calls, []
        if calls and calls == best:
            kept.append(allocation)
    return best, kept
