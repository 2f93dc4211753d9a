"""How many embeddings the skewed family has: the skewed digits are listed, what lies beside them is counted.

Skewed digits are taken together as blocks, as in ``signed.py``: digits v, v*f1, v*f1*f2, ... of one direction on one
instruction axis, product F, with the signed number of ways to write F so that every step stays inside the box. For each
set of blocks what remains is aligned digits between them and fused groups beside them, whose tables are closed forms or
short lists.

A *reading* of a set of blocks says which axis is the pivot of each. It fixes what is asked of the rest: for every axis
the strides and factors that its chain must hold, and what it counts to. Several readings of one set may allow the same
rest, which then counts once: tables are built axis by axis, and what lies on an axis leaves a subset of the readings
possible; it counts if at least one is left at the end. (Groups flattened over other extents are other embeddings.)

Sets of blocks are taken by their least ray (instruction axis and direction up to length), the last ray first. All signs
cancel within a ray, so the sum over the rays that were finished is a number of embeddings: the count is at least that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from math import factorial, gcd, prod
from typing import TypeAlias

from intarsia.embed.constraints import Rules
from intarsia.embed.directions import Vector, all_directions, pivots
from intarsia.embed.groups import Group, groups_with
from intarsia.embed.signed import Table, chain_table, convolve
from intarsia.embed.skew_rest import State, Tower, chained, rest_table
from intarsia.embed.skew_space import acyclic
from intarsia.embed.space import Space, space_of

Rest: TypeAlias = frozenset[tuple[State, ...]]
"""What each reading that is left asks of some axes, in their order."""
Rooms: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Skewed digits of one direction.

    Attributes:
        lane: the instruction axis, by its number.
        vector: over the live axes.
        factor: product of the digits' factors.
        weight: signed number of ways to write it.
    """

    lane: int
    vector: Vector
    factor: int
    weight: int


@dataclass(frozen=True, slots=True)
class Reading:
    """Pivots for a set of blocks: the towers and what each live axis counts to, and who compensates whom."""

    states: tuple[State, ...]
    edges: frozenset[tuple[int, int]] = frozenset()


Readings: TypeAlias = tuple[Reading, ...]
Choice: TypeAlias = tuple[Block, Readings]


@dataclass(slots=True)
class Tally:
    """What was counted: sequences, sets of lanes, and whether that is all."""

    total: int = 0
    distinct: int = 0
    complete: bool = True


def count_skewed(rules: Rules, alive: Callable[[], bool]) -> Tally:
    """The shapes of one assignment with at least one skewed digit.

    Args:
        rules: the constraint families, of a plain instruction, without requirements.
        alive: says whether to go on; if it says no, ``complete`` is False and there are at least so many shapes.
    """
    tally = Tally()
    rays = list(_rays(rules, alive))
    search = _Sets(rules, alive)
    fitting: list[Choice] = []
    for ray in reversed(rays):
        own = search.alone(ray)
        fitting = own + fitting
        search.add(fitting, len(own))
        if not alive():
            break
        tally.total, tally.distinct = search.total, search.distinct
    tally.complete = alive()
    return tally


def _rays(rules: Rules, alive: Callable[[], bool]) -> Iterator[tuple[Block, ...]]:
    """The blocks of each instruction axis and ray."""
    reach = [rules.problem.operator.axis(name).extent - 1 for name in rules.live]
    for lane, (name, room) in enumerate(rules.capacities.items()):
        rays: dict[Vector, list[Block]] = {}
        for v in all_directions(rules, name):
            if not alive():
                return
            places = pivots(rules, v) if sum(1 for x in v if x) > 1 else []
            most = min(r // abs(x) for x, r in zip(v, reach, strict=True) if x)
            unit = gcd(*v)
            for factor in range(2, room + 1):
                weight = _weight(factor, most)
                if weight and any(v[pivot] * (factor - 1) <= reach[pivot] for pivot in places):
                    ray = rays.setdefault(tuple(x // unit for x in v), [])
                    ray.append(Block(lane, v, factor, weight))
        yield from (tuple(ray) for ray in rays.values())


@cache
def _weight(factor: int, most: int) -> int:
    """Sum of (-1)^(r-1) over the ordered factorisations into r digits, the steps being at most so many times v."""
    total = 1
    for first in range(2, min(most, factor // 2) + 1):
        if factor % first == 0:
            total -= _weight(factor // first, most // first)
    return total


class _Sets:
    """The signed sum over sets of blocks."""

    def __init__(self, rules: Rules, alive: Callable[[], bool]) -> None:
        self.rules, self.alive = rules, alive
        self.rest = _Rest(space_of(rules))
        self.own = [rules.problem.operator.axis(name).extent for name in rules.live]
        self.rooms = tuple(rules.capacities.values())
        self.full = self.rest.full
        self.pivots = cache(lambda v: pivots(rules, v))
        self.acyclic = cache(lambda edges: acyclic(set(edges)))
        self.total = self.distinct = 0

    def alone(self, blocks: tuple[Block, ...]) -> list[Choice]:
        """Those blocks that fit, with their readings."""
        nothing = (Reading(tuple(((), extent) for extent in self.own)),)
        return self._fitting(nothing, blocks, self.rooms)

    def _fitting(self, readings: Readings, blocks: Iterable[Block], rooms: Rooms) -> list[Choice]:
        """Those blocks that fit beside what was read."""
        return [(b, r) for b in blocks if self._has_room(b, rooms) and (r := self._read(readings, b))]

    def _has_room(self, block: Block, rooms: Rooms) -> bool:
        room = rooms[block.lane]
        return block.factor <= room and not (block.lane in self.full and room % block.factor)

    def add(self, fitting: list[Choice], first: int) -> None:
        """Add every set whose first block is among the first of these."""
        self._add(fitting, first, (0,) * len(self.rooms), self.rooms, 1)

    def _add(self, fitting: list[Choice], first: int, number: Rooms, rooms: Rooms, weight: int) -> None:
        """The same beside some blocks; what does not fit beside them does not fit beside more either."""
        for i, (block, readings) in enumerate(fitting[:first]):
            if not self.alive():
                return
            sign = weight * block.weight
            filled = tuple(n + (lane == block.lane) for lane, n in enumerate(number))
            left = tuple(r // block.factor if lane == block.lane else r for lane, r in enumerate(rooms))
            for more, times in self.rest.numbers(frozenset(r.states for r in readings), left):
                self.total += sign * times * prod(factorial(a + b) for a, b in zip(filled, more, strict=True))
                self.distinct += sign * times
            later = self._fitting(readings, (b for b, _ in fitting[i + 1 :]), left)
            self._add(later, len(later), filled, left, sign)

    def _read(self, readings: Readings, block: Block) -> Readings:
        """The readings with one block more."""
        return tuple(r for reading in readings for r in self._pivoted(reading, block))

    def _pivoted(self, reading: Reading, block: Block) -> Iterator[Reading]:
        """A reading with one block more: one for each axis that can be its pivot."""
        v = block.vector
        for pivot in self.pivots(v):
            tower: Tower = tuple(sorted((*reading.states[pivot][0], (v[pivot], block.factor))))
            edges = reading.edges | {(pivot, y) for y, c in enumerate(v) if c and y != pivot}
            if not chained(tower, self.own[pivot]) or not self.acyclic(edges):
                continue
            yield Reading(
                tuple(
                    (tower if y == pivot else own, extent + (abs(v[y]) * (block.factor - 1) if y != pivot else 0))
                    for y, (own, extent) in enumerate(reading.states)
                ),
                edges,
            )


class _Rest:
    """Tables of what may lie beside skewed digits."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.table = cache(self._table)
        self.numbers = cache(self._numbers)
        self.names = space.rules.live
        self.fusable = cache(space.fusable)
        self.lanes = cache(space.lanes)
        self.exact = cache(space.exact)
        self.full = {i for i, lane in enumerate(space.rules.capacities) if lane in space.full}

    def _numbers(self, readings: Rest, rooms: Rooms) -> list[tuple[Rooms, int]]:
        """(blocks on each instruction axis, signed number)."""
        found: dict[Rooms, int] = {}
        for (blocks, factors), number in self.table(self.names, readings, rooms).items():
            if all(factors[i] == rooms[i] for i in self.full):
                found[blocks] = found.get(blocks, 0) + number
        return list(found.items())

    def _table(self, names: tuple[str, ...], readings: Rest, rooms: Rooms) -> Table:
        """Signed block chains of these axes that at least one reading allows."""
        if not names:
            return {((0,) * len(rooms), (1,) * len(rooms)): 1}
        total: Table = {}
        for group in groups_with(names, self.fusable):
            others = tuple(name for name in names if name not in group)
            alone = len(group) == 1
            found = self._alone(group, readings, rooms) if alone else self._flattened(names, group, readings, rooms)
            for table, left in found:
                convolve(total, table, self.table(others, left, rooms), rooms)
        return total

    def _alone(self, group: Group, readings: Rest, rooms: Rooms) -> Iterator[tuple[Table, Rest]]:
        """The first axis by itself: its tables by the readings that they leave."""
        states = tuple(sorted({r[0] for r in readings}))
        exact = self.exact(group)
        for allowed, table in rest_table(states, self._rooms(group, rooms), exact=exact):
            yield table, frozenset(r[1:] for r in readings if r[0] in allowed)

    def _flattened(
        self, names: tuple[str, ...], group: Group, readings: Rest, rooms: Rooms
    ) -> Iterator[tuple[Table, Rest]]:
        """A flattened group over all extents that readings without a pivot in it have."""
        inside = [names.index(name) for name in group]
        by_extents: dict[tuple[int, ...], set[tuple[State, ...]]] = {}
        for reading in readings:
            if any(reading[i][0] for i in inside):
                continue
            rest = tuple(state for i, state in enumerate(reading) if i not in inside)
            by_extents.setdefault(tuple(reading[i][1] for i in inside), set()).add(rest)
        for extents, left in by_extents.items():
            yield chain_table(extents, self._rooms(group, rooms), exact=self.exact(group)), frozenset(left)

    def _rooms(self, group: Group, rooms: Rooms) -> Rooms:
        """The room on each instruction axis, 1 where the group may not go."""
        lanes = self.lanes(group)
        return tuple(r if lane in lanes else 1 for lane, r in zip(self.space.rules.capacities, rooms, strict=True))
