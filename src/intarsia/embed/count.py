"""How many embeddings there are, in total and modulo symmetry."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import factorial, prod

from intarsia.embed.constraints import Rules
from intarsia.embed.groups import Group, groups_with
from intarsia.embed.operands import assignments, representatives
from intarsia.embed.problem import EmbeddingProblem
from intarsia.embed.signed import Key, Table, chain_table
from intarsia.embed.space import Part, Space, space_of


@dataclass(frozen=True, slots=True)
class Count:
    """Embeddings of a family.

    Attributes:
        total: shapes of a call, every order of the digits on every instruction axis and every assignment by itself.
        distinct: modulo the permutations of lanes within an instruction axis and the exchange of interchangeable
            operands.
        method: "closed form" or "listing".
    """

    total: int
    distinct: int
    method: str


CLOSED = {"dense", "no-padding"}
"""Requirements that the closed form knows."""


def count(problem: EmbeddingProblem) -> Count:
    """The number of embeddings; in closed form for aligned and fused families of plain instructions, else listed."""
    every = [space_of(Rules(problem, operands)) for operands in assignments(problem)]
    if problem.family == "skewed" or set(problem.require) - CLOSED or not all(s.rules.plain for s in every):
        return _by_listing(problem)
    kept = set(representatives(problem))
    numbers = [(space, *count_space(space)) for space in every]
    return Count(
        sum(total for _, total, _ in numbers),
        sum(distinct for space, _, distinct in numbers if space.rules.operands in kept),
        "closed form",
    )


def _by_listing(problem: EmbeddingProblem) -> Count:
    from intarsia.embed.enumerate import enumerate_embeddings

    total = sum(1 for _ in enumerate_embeddings(problem))
    return Count(total, sum(1 for _ in enumerate_embeddings(problem, distinct=True)), "listing")


def count_space(space: Space) -> tuple[int, int]:
    """(sequences, sets) of one assignment: the parts do not know each other, so their numbers multiply."""
    served = {lane for part in space.parts for lane in part.lanes}
    if "dense" in space.rules.problem.require and served != set(space.rooms):
        return 0, 0
    total = distinct = 1
    for part in space.parts:
        table = part_table(space, part)
        total *= sum(number * prod(factorial(m) for m in blocks) for (blocks, _), number in table.items())
        distinct *= sum(table.values())
    return total, distinct


def part_table(space: Space, part: Part) -> Table:
    """Signed block chains of a part: over every way to group its axes, the convolution of the groups' tables."""
    rooms = tuple(space.rooms[lane] for lane in part.lanes)
    full = "dense" in space.rules.problem.require

    @cache
    def table_of(group: Group) -> Table:
        own = tuple(room if lane in space.lanes(group) else 1 for lane, room in zip(part.lanes, rooms, strict=True))
        extents = tuple(space.extents[name] for name in group)
        return chain_table(extents, own, exact=space.exact(group))

    @cache
    def whole(axes: tuple[str, ...]) -> Table:
        if not axes:
            return {((0,) * len(rooms), (1,) * len(rooms)): 1}
        total: Table = {}
        for group in groups_with(axes, space.fusable):
            rest = tuple(a for a in axes if a not in group)
            _convolve(total, table_of(group), whole(rest), rooms)
        return total

    table = whole(part.axes)
    return {key: n for key, n in table.items() if key[1] == rooms} if full else table


def _convolve(total: Table, left: Table, right: Table, rooms: tuple[int, ...]) -> None:
    for (blocks, factors), number in left.items():
        for (more, others), times in right.items():
            product = tuple(f * g for f, g in zip(factors, others, strict=True))
            if any(f > room for f, room in zip(product, rooms, strict=True)):
                continue
            key: Key = (tuple(a + b for a, b in zip(blocks, more, strict=True)), product)
            total[key] = total.get(key, 0) + number * times
