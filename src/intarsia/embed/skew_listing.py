"""Listing the skewed family on boxes small enough: every direction, not only those that can be best."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from intarsia.embed.constraints import Rules
from intarsia.embed.digits import Chain, Digit, Digits, mergeable
from intarsia.embed.directions import all_directions, pivots
from intarsia.embed.groups import Group, genuine, groupings
from intarsia.embed.shape import Shape, complete, orders
from intarsia.embed.skew_space import Step, acyclic
from intarsia.embed.space import Space


def skewed_shapes(rules: Rules, *, merged: bool) -> Iterator[Shape]:
    """Every shape of the skewed family, the fused and aligned ones included; a call's shape is listed with one pivot.

    Args:
        rules: the constraint families of one assignment of operands.
        merged: one shape for each set of lanes; otherwise every order of the digits on every instruction axis.
    """
    problem = rules.problem
    seen: set[object] = set()
    for space in _spaces(rules):
        for groups in groupings(tuple(space.serves), space.fusable):
            for chains in _fill(space, groups, dict(rules.capacities), merged=merged):
                key = _key(space, chains)
                if key in seen:
                    continue
                seen.add(key)
                shape = Shape(rules.operands, complete(problem, chains))
                if merged:
                    yield shape
                    continue
                for order in orders(problem, shape):
                    yield replace(shape, order=order)


def _key(space: Space, chains: list[Chain]) -> object:
    """What a call's shape is, whichever axis is the pivot."""
    found: list[tuple[object, ...]] = []
    for chain in chains:
        for digit in chain.digits:
            if len(chain.axes) > 1:
                found.append((digit.lane, chain.axes, chain.extents, digit.stride, digit.factor))
            else:
                vector = {chain.axes[0]: digit.stride, **dict(digit.skew)}
                found.append((digit.lane, tuple(vector.get(n, 0) for n in space.rules.live), digit.factor))
    return frozenset(found)


def _spaces(rules: Rules) -> Iterator[Space]:
    """The spaces above every set of skewed digits whose compensations form no cycle."""
    by_pivot: dict[int, list[Step]] = {}
    for lane in rules.capacities:
        for v in all_directions(rules, lane):
            if sum(1 for x in v if x) > 1:
                for pivot in pivots(rules, v):
                    by_pivot.setdefault(pivot, []).append((lane, pivot, v))

    def extend(left: list[int], towers: dict[int, Digits], room: dict[str, int]) -> Iterator[dict[int, Digits]]:
        if not left:
            yield towers
            return
        for digits, rest in _towers(rules, by_pivot[left[0]], (), room):
            yield from extend(left[1:], {**towers, left[0]: digits}, rest)

    for towers in extend(list(by_pivot), {}, dict(rules.capacities)):
        space = _space(rules, towers)
        if space is not None:
            yield space


def _towers(
    rules: Rules, steps: list[Step], digits: Digits, room: dict[str, int]
) -> Iterator[tuple[Digits, dict[str, int]]]:
    """Every set of skewed digits of one pivot, by rising stride, and the room that it leaves."""
    yield digits, room
    below = digits[-1].top if digits else 1
    used = sum(d.stride * (d.factor - 1) for d in digits)
    for lane, pivot, v in steps:
        if v[pivot] % below:
            continue
        reach = rules.problem.operator.axis(rules.live[pivot]).extent - 1 - used
        skew = tuple((rules.live[y], c) for y, c in enumerate(v) if c and y != pivot)
        for factor in range(2, min(room[lane], reach // v[pivot] + 1) + 1):
            digit = Digit(lane, v[pivot], factor, skew)
            yield from _towers(rules, steps, (*digits, digit), {**room, lane: room[lane] // factor})


def _space(rules: Rules, towers: dict[int, Digits]) -> Space | None:
    extents = {a.name: a.extent for a in rules.problem.operator.axes}
    edges: set[tuple[int, int]] = set()
    for pivot, digits in towers.items():
        for digit in digits:
            for name, c in digit.skew:
                extents[name] += abs(c) * (digit.factor - 1)
                edges.add((pivot, rules.live.index(name)))
    if not acyclic(edges):
        return None
    skewed = {rules.live[pivot]: digits for pivot, digits in towers.items() if digits}
    return Space(rules, extents, dict(rules.capacities), skewed)


def _fill(space: Space, groups: tuple[Group, ...], room: dict[str, int], *, merged: bool) -> Iterator[list[Chain]]:
    if not groups:
        if all(room[lane] == 1 for lane in space.full):
            yield []
        return
    group, rest = groups[0], groups[1:]
    extents = tuple(space.extents[name] for name in group)
    fixed = space.skewed.get(group[0], ())
    lanes = set(space.lanes(group))
    for digits in _weave((), fixed, space.extent(group), room, lanes, exact=space.exact(group)):
        if not genuine(extents, digits) or (merged and any(map(mergeable, digits, digits[1:]))):
            continue
        left = _left(space, room, digits)
        if left is None:
            continue
        for others in _fill(space, rest, left, merged=merged):
            yield [Chain(group, extents, digits), *others]


def _left(space: Space, room: dict[str, int], digits: Digits) -> dict[str, int] | None:
    """The room that digits leave; None if an instruction axis that must be filled cannot be filled any more."""
    left = dict(room)
    for digit in digits:
        if digit.lane in space.full and left[digit.lane] % digit.factor:
            return None
        left[digit.lane] //= digit.factor
    return left


def _weave(
    digits: Digits, fixed: Digits, extent: int, room: dict[str, int], lanes: set[str], *, exact: bool
) -> Iterator[Digits]:
    """Every chain with these skewed digits and any aligned ones between them."""
    if not fixed:
        yield digits
    below = digits[-1].top if digits else 1
    reach = extent - 1 - sum(d.stride * (d.factor - 1) for d in digits)
    options = [fixed[0]] if fixed else []
    for lane in lanes:
        for factor in range(2, room[lane] + 1):
            options += [Digit(lane, stride, factor) for stride in range(below, reach // (factor - 1) + 1, below)]
    for digit in options:
        skewed = bool(digit.skew)
        if digit.stride % below or digit.stride * (digit.factor - 1) > reach or digit.factor > room[digit.lane]:
            continue
        if exact and extent % digit.top:
            continue
        left = {**room, digit.lane: room[digit.lane] // digit.factor}
        yield from _weave((*digits, digit), fixed[1:] if skewed else fixed, extent, left, lanes, exact=exact)
