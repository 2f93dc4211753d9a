"""How many chains there are, without listing them: signed block chains.

Let an instruction axis hold m digits in some order. A sequence is canonical if no two neighbours are one digit written
as two. Inclusion and exclusion over the marked mergeable neighbours: every sequence is counted once for each way to
mark some of its mergeable neighbours, with sign (-1)^marks, so the canonical ones keep 1 and the others cancel. A
marked run is a *block*: digits s, s*f1, s*f1*f2, ... of product F; summed over its ordered factorisations,
sum of (-1)^(r-1) = -mu(F), Moebius' function (1 / zeta = sum of (-1)^r (zeta - 1)^r). Blocks are permuted as units, so

    sequences = sum over chains of m blocks of m! * product of -mu(F),       sets = the same with 1 for m!,

the latter because a chain's neighbours that merge are then merged in the only order there is.

A chain that must be genuinely fused needs, at every border P of its group, a digit that crosses P. Inclusion and
exclusion again, over the set B of borders that no digit crosses; a digit that does not cross has s | P or P | s, so all
digits but those above the last border of B are among its divisors and are listed, and those above are counted by
lattice points: N(f1, f2, ...; r) chains with these factors and reach r = (extent - 1) / P.
"""

from __future__ import annotations

from functools import cache, lru_cache
from itertools import chain as join
from itertools import combinations
from math import lcm, prod
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from intarsia.embed.groups import boundaries, crosses

Key: TypeAlias = tuple[tuple[int, ...], tuple[int, ...]]
"""(number of blocks, total factor), each for every instruction axis of the part."""
Table: TypeAlias = dict[Key, int]
Numbers: TypeAlias = NDArray[np.int64]
"""The same, dense."""
Blocks: TypeAlias = tuple[tuple[int, int], ...]
"""(instruction axis, factor) of each block, by rising stride."""


@cache
def moebius(number: int) -> int:
    """Moebius' function."""
    sign = 1
    for prime in range(2, number + 1):
        if number % prime:
            continue
        number //= prime
        if number % prime == 0:
            return 0
        sign = -sign
    return sign


@lru_cache(maxsize=4096)
def chain_table(extents: tuple[int, ...], rooms: tuple[int, ...], *, exact: bool) -> Table:
    """Signed number of chains of a group by blocks and factors, the genuinely fused ones only if it has several axes.

    Args:
        extents: of the group's axes.
        rooms: the room on each instruction axis of the part, 1 where the group may not go.
        exact: whether the top digit must divide the extent.
    """
    borders = boundaries(extents)
    extent = prod(extents)
    total = _empty(rooms)
    for chosen in join.from_iterable(combinations(borders, size) for size in range(len(borders) + 1)):
        sign = -1 if len(chosen) % 2 else 1
        total += sign * _uncrossed(extent, rooms, chosen, exact=exact)
    lanes = len(rooms)
    where = (tuple(map(int, place)) for place in np.argwhere(total))
    return {(place[:lanes], place[lanes:]): int(total[place]) for place in where}


def convolve(total: Table, left: Table, right: Table, rooms: tuple[int, ...]) -> None:
    """Add to a table what two tables give side by side, as far as the rooms allow."""
    for (blocks, factors), number in left.items():
        for (more, others), times in right.items():
            product = tuple(f * g for f, g in zip(factors, others, strict=True))
            if any(f > room for f, room in zip(product, rooms, strict=True)):
                continue
            key: Key = (tuple(a + b for a, b in zip(blocks, more, strict=True)), product)
            total[key] = total.get(key, 0) + number * times


def _empty(rooms: tuple[int, ...]) -> Numbers:
    """A dense table: as many blocks as fit by every factor up to the room, for each instruction axis."""
    return np.zeros((*(room.bit_length() for room in rooms), *(room + 1 for room in rooms)), dtype=np.int64)


def _uncrossed(extent: int, rooms: tuple[int, ...], borders: tuple[int, ...], *, exact: bool) -> Numbers:
    """Signed number of chains whose digits cross none of some borders.

    What can follow a chain depends on the stride above it only: every stride s that is listed divides the extent E,
    and the digits below it reach at most s - 1, so used + s*(f - 1) <= E - 1 says no more than s*f <= E, and the
    reach above a stride t is E / t - 1, rounded down.
    """
    last = max(borders, default=1)
    strides = _divisors(extent) if exact else tuple(d for d in _divisors(last) if d < last)

    @cache
    def above(below: int) -> Numbers:
        if exact:
            total = _empty(rooms)
            total[(0,) * len(rooms) + (1,) * len(rooms)] = 1
        else:
            total = _free(rooms, extent // lcm(below, last) - 1).copy()
        for stride in strides:
            if stride % below:
                continue
            for factor in range(2, min(max(rooms), extent // stride) + 1):
                own = 0 if exact and extent % (stride * factor) else block_weight(stride, factor, borders)
                if own:
                    _put_before(total, rooms, factor, own, above(stride * factor))
        return total

    return above(1)


@lru_cache(maxsize=4096)
def _free(rooms: tuple[int, ...], reach: int) -> Numbers:
    """Signed number of unrestricted chains of this reach."""
    total = _empty(rooms)
    for blocks, number in free_chains(rooms, reach):
        place = [0] * len(rooms) + [1] * len(rooms)
        sign = 1
        for lane, factor in blocks:
            place[lane] += 1
            place[len(rooms) + lane] *= factor
            sign *= -moebius(factor)
        total[tuple(place)] += sign * number
    return total


def _put_before(total: Numbers, rooms: tuple[int, ...], factor: int, weight: int, rest: Numbers) -> None:
    """Add the chains that begin with a block and go on as the rest, the block on each instruction axis in turn."""
    for lane, room in enumerate(rooms):
        if factor > room:
            continue
        into = [slice(None)] * total.ndim
        of = [slice(None)] * total.ndim
        into[lane], of[lane] = slice(1, None), slice(None, -1)
        into[len(rooms) + lane] = slice(0, None, factor)
        of[len(rooms) + lane] = slice(None, room // factor + 1)
        total[tuple(into)] += weight * rest[tuple(of)]


@cache
def _divisors(number: int) -> tuple[int, ...]:
    small = [d for d in range(1, int(number**0.5) + 1) if number % d == 0]
    return tuple(sorted({*small, *(number // d for d in small)}))


@cache
def block_weight(stride: int, factor: int, borders: tuple[int, ...]) -> int:
    """Sum of (-1)^(r-1) over the ordered factorisations of a block into r digits that cross none of the borders."""
    if not borders:
        return -moebius(factor)
    total = 0
    for first in _divisors(factor)[1:]:
        if any(crosses(stride, first, p) for p in borders):
            continue
        total += 1 if first == factor else -block_weight(stride * first, factor // first, borders)
    return total


def free_chains(rooms: tuple[int, ...], reach: int) -> tuple[tuple[Blocks, int], ...]:
    """Every sequence of squarefree blocks that fits, with the number of its chains, the empty one included.

    A weighted multiset of reaches is pushed down the sequence: behind a gap g and a factor f a chain of reach r has
    (floor(r / g) - (f - 1)) / f left.
    """
    found: list[tuple[Blocks, int]] = [((), 1)]
    if reach > 0:
        _push((), rooms, np.array([reach]), np.array([1]), found)
    return tuple(found)


def _push(
    blocks: Blocks,
    rooms: tuple[int, ...],
    reaches: NDArray[np.int64],
    weights: NDArray[np.int64],
    found: list[tuple[Blocks, int]],
) -> None:
    quotients, weights = spread(reaches, weights)
    for factor in range(2, max(rooms) + 1):
        if moebius(factor) == 0:
            continue
        enough = quotients >= factor - 1
        if not enough.any():
            break
        number = int(weights[enough].sum())
        rest, merged = _gather((quotients[enough] - (factor - 1)) // factor, weights[enough])
        for lane, room in enumerate(rooms):
            if factor > room:
                continue
            longer = (*blocks, (lane, factor))
            found.append((longer, number))
            left = tuple(r // factor if i == lane else r for i, r in enumerate(rooms))
            if max(left) > 1 and rest.size:
                _push(longer, left, rest, merged, found)


def spread(reaches: NDArray[np.int64], weights: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Replace every reach r by floor(r / g) for all gaps g = 1 .. r, with multiplicities: its 2*sqrt(r) values."""
    roots = np.sqrt(reaches).astype(np.int64)
    high_of, gaps = _ragged(roots)
    high = reaches[high_of] // gaps
    low_of, low = _ragged(reaches // (roots + 1))
    times = reaches[low_of] // low - reaches[low_of] // (low + 1)
    return _gather(np.concatenate([high, low]), np.concatenate([weights[high_of], weights[low_of] * times]))


def _ragged(sizes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each size n the numbers 1 .. n, one after the other, and which size they belong to."""
    owner = np.repeat(np.arange(sizes.size), sizes)
    starts = np.cumsum(sizes) - sizes
    return owner, np.arange(owner.size) - starts[owner] + 1


def _gather(values: NDArray[np.int64], weights: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Equal values put together; zero, which can hold nothing, left out."""
    keep = values > 0
    values, weights = values[keep], weights[keep]
    order = np.argsort(values, kind="stable")
    values, weights = values[order], weights[order]
    first = np.flatnonzero(np.diff(values, prepend=0))
    return values[first], np.add.reduceat(weights, first) if first.size else weights


def forget() -> None:
    """Empty the tables that are kept between problems, so that a measurement starts cold."""
    for table in (chain_table, _free, block_weight, moebius, _divisors):
        table.cache_clear()
