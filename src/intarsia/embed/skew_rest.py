"""Aligned digits between the skewed digits of one axis: chains that hold a tower of given strides and factors.

An axis on which nothing is skewed is counted in closed form (``signed.py``); otherwise its blocks are listed, each list
with the towers that it can be woven with.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import TypeAlias

from intarsia.embed.signed import Table, chain_table, moebius

Tower: TypeAlias = tuple[tuple[int, int], ...]
"""(stride, factor) by rising stride."""
State: TypeAlias = tuple[Tower, int]
"""The tower that an axis must hold, and what the axis counts to."""
Blocks: TypeAlias = tuple[tuple[int, int, int], ...]
"""(stride, factor, instruction axis) by rising stride."""


def chained(tower: Tower, extent: int) -> bool:
    """Whether digits form a chain that stays inside the extent."""
    if sum(stride * (factor - 1) for stride, factor in tower) >= extent:
        return False
    return all(high % (low * factor) == 0 for (low, factor), (high, _) in pairwise(tower))


@lru_cache(maxsize=65536)
def rest_table(
    states: tuple[State, ...], rooms: tuple[int, ...], *, exact: bool
) -> tuple[tuple[frozenset[State], Table], ...]:
    """Signed block chains of an axis, by the states that allow them.

    Args:
        states: what may be asked of the axis.
        rooms: the room on each instruction axis, 1 where the axis may not go.
        exact: whether the top digit must divide the extent.
    """
    if len(states) == 1 and not states[0][0]:
        return ((frozenset(states), chain_table((states[0][1],), rooms, exact=exact)),)
    found: dict[frozenset[State], Table] = {}
    start = frozenset(s for s in states if _woven((), s, exact=exact))
    for blocks, allowed, sign in _listed((), start, rooms, 1, exact=exact):
        number = [0] * len(rooms)
        factors = [1] * len(rooms)
        for _, factor, lane in blocks:
            number[lane] += 1
            factors[lane] *= factor
        table = found.setdefault(allowed, {})
        key = (tuple(number), tuple(factors))
        table[key] = table.get(key, 0) + sign
    return tuple(found.items())


def _listed(
    blocks: Blocks, allowed: frozenset[State], rooms: tuple[int, ...], sign: int, *, exact: bool
) -> Iterator[tuple[Blocks, frozenset[State], int]]:
    """Every list of blocks that some state allows, with the states and the sign."""
    if not allowed:
        return
    yield blocks, allowed, sign
    below = blocks[-1][0] * blocks[-1][1] if blocks else 1
    reach = max(extent for _, extent in allowed) - 1 - sum(s * (f - 1) for s, f, _ in blocks)
    for factor in range(2, max(rooms) + 1):
        if not moebius(factor):
            continue
        for stride in range(below, reach // (factor - 1) + 1, below):
            tower: Tower = (*((s, f) for s, f, _ in blocks), (stride, factor))
            left = frozenset(s for s in allowed if _woven(tower, s, exact=exact))
            for lane, room in enumerate(rooms):
                if left and factor <= room:
                    rest = tuple(r // factor if i == lane else r for i, r in enumerate(rooms))
                    longer = (*blocks, (stride, factor, lane))
                    yield from _listed(longer, left, rest, -sign * moebius(factor), exact=exact)


def _woven(tower: Tower, state: State, *, exact: bool) -> bool:
    """Whether digits and those that a state asks for form one chain."""
    whole: Tower = tuple(sorted((*tower, *state[0])))
    top = whole[-1][0] * whole[-1][1] if whole else 1
    return chained(whole, state[1]) and not (exact and state[1] % top)
