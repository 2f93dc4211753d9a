"""Listing: every shape of one space by structural recursion, as sequences or as sets of digits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from math import prod

from intarsia.embed.calls import Allocation
from intarsia.embed.digits import Chain, Digits, chains, chains_upto
from intarsia.embed.groups import Group, genuine
from intarsia.embed.shape import Shape, complete, orders
from intarsia.embed.space import Space


def shapes(space: Space, *, merged: bool) -> Iterator[Shape]:
    """Every shape of a space.

    Args:
        space: the space of one assignment of operands.
        merged: one shape for each set of lanes; otherwise every order of the digits on every instruction axis.
    """
    problem = space.rules.problem
    for groups in product(*(space.groupings(part) for part in space.parts)):
        flat = tuple(group for part in groups for group in part)
        for chosen in _fill(space, flat, dict(space.rooms), merged=merged):
            shape = Shape(space.rules.operands, complete(problem, chosen))
            if merged:
                yield shape
                continue
            for order in orders(problem, shape):
                yield replace(shape, order=order)


def _fill(space: Space, groups: tuple[Group, ...], rooms: dict[str, int], *, merged: bool) -> Iterator[list[Chain]]:
    """Chains for the groups that together fit in the rooms; with ``merged`` off, orders decide what is canonical."""
    if not groups:
        if all(rooms[lane] == 1 for lane in space.full):
            yield []
        return
    group, rest = groups[0], groups[1:]
    extents = tuple(space.extents[name] for name in group)
    capacities = {a: rooms[a] for a in space.lanes(group)}
    for digits in chains(space.extent(group), capacities, exact=space.exact(group), merged=merged):
        if not genuine(extents, digits):
            continue
        left = _less(space, rooms, digits)
        if left is None:
            continue
        for others in _fill(space, rest, left, merged=merged):
            yield [Chain(group, extents, digits), *others]


def _less(space: Space, rooms: dict[str, int], digits: Digits) -> dict[str, int] | None:
    """The rooms that digits leave; where every lane is to be used, None if they cannot be filled any more."""
    used = {a: prod(d.factor for d in digits if d.lane == a) for a in rooms}
    if any(rooms[a] % used[a] for a in space.full):
        return None
    return {a: rooms[a] // used[a] for a in rooms}


def shapes_between(space: Space, low: int, high: int, alive: Callable[[], bool]) -> Iterator[Shape]:
    """Every shape, as a set of lanes, of more than ``low`` and at most ``high`` calls; flattened groups as layouts too.

    Args:
        space: the space of one assignment of operands.
        low: calls that were listed before.
        high: the most calls.
        alive: says whether to go on.
    """
    problem = space.rules.problem
    for groups in product(*(space.groupings(part) for part in space.parts)):
        allocations = [Allocation(space, part, own) for part, own in zip(space.parts, groups, strict=True)]
        least = [a.calls for a in allocations]
        if not all(least) or prod(least) * space.outside > high:
            continue
        flat = tuple(group for part in groups for group in part)
        for chosen in _bounded(space, flat, dict(space.rooms), high // space.outside):
            if not alive():
                return
            shape = Shape(space.rules.operands, complete(problem, chosen))
            if shape.calls > low:
                yield shape


def _bounded(space: Space, groups: tuple[Group, ...], rooms: dict[str, int], calls: int) -> Iterator[list[Chain]]:
    if not groups:
        if all(rooms[lane] == 1 for lane in space.full):
            yield []
        return
    group, rest = groups[0], groups[1:]
    extents = tuple(space.extents[name] for name in group)
    capacities = {a: rooms[a] for a in space.lanes(group)}
    floor = _floor(space, rest, rooms)
    for digits in chains_upto(space.extent(group), capacities, calls // floor, exact=space.exact(group)):
        if len(group) > 1 and not digits:
            continue
        left = _less(space, rooms, digits)
        if left is None:
            continue
        chain = Chain(group, extents, digits)
        for others in _bounded(space, rest, left, calls // chain.calls):
            yield [chain, *others]


def _floor(space: Space, groups: tuple[Group, ...], rooms: dict[str, int]) -> int:
    """A lower bound on the calls of groups that share rooms: values to cover, by lanes that there are."""
    values = prod(space.extent(group) for group in groups)
    return max(1, -(-values // prod(rooms.values())))
