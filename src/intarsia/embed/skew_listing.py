"""Listing the skewed family on boxes small enough: every direction, not only those that can be best."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import TypeAlias

from intarsia.embed.constraints import Rules
from intarsia.embed.digits import Chain, Digit, Digits, mergeable
from intarsia.embed.directions import Vector, all_directions, pivots
from intarsia.embed.groups import Group, genuine, groupings
from intarsia.embed.shape import Shape, complete, orders
from intarsia.embed.space import Space

Step: TypeAlias = tuple[str, int, Vector]
"""A direction as (instruction axis, pivot, vector)."""


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
    found = []
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
    steps: dict[int, list[Step]] = {}
    for lane in rules.capacities:
        for v in all_directions(rules, lane):
            if sum(1 for x in v if x) > 1:
                for pivot in pivots(rules, v):
                    steps.setdefault(pivot, []).append((lane, pivot, v))
    options = [list(_towers(rules, own, (), 1, dict(rules.capacities))) for own in steps.values()]
    for towers in product(*options):
        space = _space(rules, dict(zip(steps, towers, strict=True)))
        if space is not None:
            yield space


def _towers(
    rules: Rules, steps: list[Step], digits: Digits, below: int, room: Mapping[str, int]
) -> Iterator[Digits]:
    """Every set of skewed digits of one pivot, by rising stride."""
    yield digits
    for lane, pivot, v in steps:
        if v[pivot] % below:
            continue
        skew = tuple((rules.live[y], c) for y, c in enumerate(v) if c and y != pivot)
        for factor in range(2, room[lane] + 1):
            digit = Digit(lane, v[pivot], factor, skew)
            yield from _towers(rules, steps, (*digits, digit), digit.top, {**room, lane: room[lane] // factor})


def _space(rules: Rules, towers: dict[int, Digits]) -> Space | None:
    extents = {a.name: a.extent for a in rules.problem.operator.axes}
    edges: set[tuple[str, str]] = set()
    for pivot, digits in towers.items():
        for digit in digits:
            for name, c in digit.skew:
                extents[name] += abs(c) * (digit.factor - 1)
                edges.add((rules.live[pivot], name))
    if not _ordered(edges):
        return None
    skewed = {rules.live[pivot]: digits for pivot, digits in towers.items() if digits}
    return Space(rules, extents, dict(rules.capacities), skewed)


def _ordered(edges: set[tuple[str, str]]) -> bool:
    left = {a for a, _ in edges}
    while left:
        free = {a for a in left if not any(p in left and y == a for p, y in edges)}
        if not free:
            return False
        left -= free
    return True


def _fill(space: Space, groups: tuple[Group, ...], room: dict[str, int], *, merged: bool) -> Iterator[list[Chain]]:
    if not groups:
        yield []
        return
    group, rest = groups[0], groups[1:]
    extents = tuple(space.extents[name] for name in group)
    fixed = space.skewed.get(group[0], ())
    lanes = set(space.lanes(group))
    for digits in _weave((), fixed, space.extent(group), room, lanes, exact=space.exact(group) and not fixed):
        if not genuine(extents, digits) or (merged and any(map(mergeable, digits, digits[1:]))):
            continue
        left = dict(room)
        for digit in digits:
            left[digit.lane] //= digit.factor
        for others in _fill(space, rest, left, merged=merged):
            yield [Chain(group, extents, digits), *others]


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
