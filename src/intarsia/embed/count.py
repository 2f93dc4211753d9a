"""How many embeddings there are, in total and modulo symmetry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from math import factorial, prod

from intarsia.embed.constraints import Rules
from intarsia.embed.groups import Group, groups_with
from intarsia.embed.operands import assignments, representatives
from intarsia.embed.problem import EmbeddingProblem
from intarsia.embed.signed import Table, chain_table, convolve
from intarsia.embed.skew_count import count_skewed
from intarsia.embed.space import Part, Space, space_of
from intarsia.embed.watch import Search


@dataclass(frozen=True, slots=True)
class Count:
    """Embeddings of a family.

    Attributes:
        total: shapes of a call, every order of the digits on every instruction axis and every assignment by itself.
        distinct: modulo the permutations of lanes within an instruction axis and the exchange of interchangeable
            operands.
        method: "closed form", "structure" (skewed digits listed, the rest in closed form) or "listing".
        complete: whether the counting ended within the problem's limit; if not, there are at least so many.
    """

    total: int
    distinct: int
    method: str
    complete: bool = True


CLOSED = {"dense", "no-padding"}
"""Requirements that the closed form knows."""
COUNTING = 10.0
"""Seconds that an answer waits for a count without a closed form."""


def count(problem: EmbeddingProblem) -> Count:
    """The number of embeddings: in closed form for aligned and fused families of plain instructions, else listed.

    Of the skewed family the skewed digits are listed and the rest is counted (``skew_count.py``). What is not in closed
    form takes as long as the problem's limit at most.
    """
    every = [space_of(Rules(problem, operands)) for operands in assignments(problem)]
    if problem.family == "skewed" and set(problem.require) & CLOSED:
        # a skewed axis counts beyond its extent
        return count(replace(problem, family="fused"))
    alive = Search(problem).alive
    if set(problem.require) - CLOSED or not all(s.rules.plain for s in every):
        return _by_listing(problem, alive)
    kept = set(representatives(problem))
    numbers = [(space, *count_space(space)) for space in every]
    found = Count(
        sum(total for _, total, _ in numbers),
        sum(distinct for space, _, distinct in numbers if space.rules.operands in kept),
        "closed form",
    )
    return _with_skew(found, [space.rules for space in every], alive) if problem.family == "skewed" else found


def _with_skew(fused: Count, every: list[Rules], alive: Callable[[], bool]) -> Count:
    """The fused ones and those with skewed digits."""
    kept = set(representatives(every[0].problem)) if every else set()
    tallies = [(rules.operands in kept, count_skewed(rules, alive)) for rules in every]
    return Count(
        fused.total + sum(tally.total for _, tally in tallies),
        fused.distinct + sum(tally.distinct for own, tally in tallies if own),
        "structure",
        complete=all(tally.complete for _, tally in tallies),
    )


def _by_listing(problem: EmbeddingProblem, alive: Callable[[], bool]) -> Count:
    from intarsia.embed.enumerate import enumerate_embeddings

    total = sum(1 for _ in enumerate_embeddings(problem, alive=alive))
    distinct = sum(1 for _ in enumerate_embeddings(problem, distinct=True, alive=alive))
    return Count(total, distinct, "listing", complete=alive())


def count_space(space: Space) -> tuple[int, int]:
    """(sequences, sets) of one assignment: the parts do not know each other, so their numbers multiply."""
    if not space.fillable:
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
    full = [i for i, lane in enumerate(part.lanes) if lane in space.full]

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
            convolve(total, table_of(group), whole(rest), rooms)
        return total

    table = whole(part.axes)
    return {key: n for key, n in table.items() if all(key[1][i] == rooms[i] for i in full)}
