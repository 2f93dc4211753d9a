"""The skewed family: digits that move several operator axes at once, and keep fixed what must stay fixed.

A skewed digit of factor f joins the chain of its pivot axis x with stride s = v_x, and every other axis y that v moves
is compensated: y = t_y + v_y * digit, where t_y counts to e_y + sum of |v_y| * (f - 1), its origin shifted if v_y > 0.
t_y is a virtual axis like any other: it may carry digits, alone or flattened. So (oh + 1, kh - 1) and (ow + 1, kw - 1)
with f = 2 put a 2x2 patch of outputs on one instruction axis and leave t_kh, t_kw of 4x4 for the reduction.

The compensations form no cycle: then the value of an iteration gives the digits of the pivots that nobody compensates,
these give the values of the next t, and so on, so every iteration is exactly one lane of one call. (Lattice tilings
without such an order, (1, 1) with (1, -1) say, are not in the family. Nor is a pivot flattened with other axes, nor any
skewed digit where an instruction addresses registers by several axes at once.)

Fewest calls: which directions matter.

1. A multiple c*v of a direction makes no fewer calls: the gap c below it costs c * ceil(e / (c*f)) >= ceil(e / f), and
   it lengthens every t at least as much.
2. If v = w + w' with w, w' of the same signs as v (so |w_y| <= |v_y| for every y, and 0 < w_x <= v_x), w instead of v
   shortens every t, and where w_x divides v_x the chain of x makes no more calls. Hence primitive directions.
3. Gaps and further digits of the same direction on the same instruction axis fall to 1.; aligned digits of x come
   above the skewed ones, for below them they would multiply the compensation.
4. Everything else is aligned or fused with the extents t, where ``calls.py`` is exact; its calls do not grow when an
   extent falls.

Point 2 needs that w_x divides v_x: ``complete`` says whether the least stride on each pivot divides the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations, product
from typing import TypeAlias

from intarsia.embed.constraints import Rules
from intarsia.embed.digits import Digit, Digits
from intarsia.embed.directions import Vector, pivots, skewed_directions
from intarsia.embed.space import Space, space_of
from intarsia.embed.ties import Ties

Step: TypeAlias = tuple[str, int, Vector]
"""A direction as (instruction axis, index of the pivot axis, vector over the live axes)."""
Skew: TypeAlias = tuple[str, int, Vector, int]
"""A skewed digit: a step and its factor."""


def steps(rules: Rules) -> list[Step]:
    """The primitive steps that may carry a skewed digit."""
    return [
        (lane, pivot, v)
        for lane in rules.capacities
        for v in skewed_directions(rules, lane)
        for pivot in pivots(rules, v)
    ]


def complete(found: list[Step]) -> bool:
    """Whether primitive directions suffice: on each instruction axis and pivot the least stride divides the others."""
    strides: dict[tuple[str, int], set[int]] = {}
    for lane, pivot, v in found:
        strides.setdefault((lane, pivot), set()).add(v[pivot])
    return all(s % min(group) == 0 for group in strides.values() for s in group)


def acyclic(edges: set[tuple[int, int]]) -> bool:
    """Whether no axis is compensated, over any number of (pivot, compensated axis) edges, by a digit of its own."""
    left = {pivot for pivot, _ in edges}
    while left:
        free = {p for p in left if not any(q in left and y == p for q, y in edges)}
        if not free:
            return False
        left -= free
    return True


def edges_of(step: Step) -> set[tuple[int, int]]:
    """The (pivot, compensated axis) pairs of a step."""
    _, pivot, v = step
    return {(pivot, y) for y, c in enumerate(v) if c and y != pivot}


def configurations(rules: Rules) -> Iterator[tuple[Skew, ...]]:
    """Every set of skewed digits of primitive directions that fits the instruction, the empty one first."""
    extents = [rules.problem.operator.axis(name).extent for name in rules.live]
    choices = steps(rules)

    def extend(start: int, chosen: tuple[Skew, ...], left: dict[str, int]) -> Iterator[tuple[Skew, ...]]:
        yield chosen
        for i in range(start, len(choices)):
            lane, pivot, v = choices[i]
            edges = {e for a, p, w, _ in chosen for e in edges_of((a, p, w))} | edges_of(choices[i])
            if not acyclic(edges):
                continue
            for factor in range(2, left[lane] + 1):
                if v[pivot] * (factor - 1) >= extents[pivot]:
                    break
                rest = {**left, lane: left[lane] // factor}
                yield from extend(i + 1, (*chosen, (lane, pivot, v, factor)), rest)

    return extend(0, (), dict(rules.capacities))


def spaces(rules: Rules, chosen: tuple[Skew, ...]) -> Iterator[Space]:
    """The spaces above some skewed digits: one for every order of the digits that share a pivot."""
    if not chosen:
        yield space_of(rules)
        return
    by_pivot: dict[int, list[Skew]] = {}
    for skew in chosen:
        by_pivot.setdefault(skew[1], []).append(skew)
    for orders in product(*(permutations(group) for group in by_pivot.values())):
        space = _space(rules, orders)
        if space is not None:
            yield space


def _space(rules: Rules, orders: tuple[tuple[Skew, ...], ...]) -> Space | None:
    """The space above the towers of skewed digits, None if one does not reach the box."""
    own = {a.name: a.extent for a in rules.problem.operator.axes}
    extents, rooms = dict(own), dict(rules.capacities)
    bottom: dict[str, Digits] = {}
    filled = space_of(rules).full
    for order in orders:
        pivot = rules.live[order[0][1]]
        bottom[pivot] = _tower(rules, order)
        for digit in bottom[pivot]:
            if digit.lane in filled and rooms[digit.lane] % digit.factor:
                return None
            rooms[digit.lane] //= digit.factor
            for name, c in digit.skew:
                if abs(c) >= own[name]:
                    return None
                extents[name] += abs(c) * (digit.factor - 1)
        if sum(d.stride * (d.factor - 1) for d in bottom[pivot]) >= own[pivot]:
            return None
    space = Space(rules, extents, rooms, bottom)
    rounded_up = any(space.exact((pivot,)) and own[pivot] % digits[-1].top for pivot, digits in bottom.items())
    return None if rounded_up else space


def _tower(rules: Rules, order: tuple[Skew, ...]) -> Digits:
    """The digits of one pivot, each direction multiplied until its stride is a multiple of what lies below."""
    below, digits = 1, list[Digit]()
    for lane, pivot, v, factor in order:
        times = next(t for t in range(1, below + 1) if v[pivot] * t % below == 0)
        skew = tuple((rules.live[y], c * times) for y, c in enumerate(v) if c and y != pivot)
        digits.append(Digit(lane, v[pivot] * times, factor, skew))
        below = digits[-1].top
    return tuple(digits)


def fewest(rules: Rules, best: int, alive: Callable[[], bool]) -> tuple[int, list[Ties]]:
    """The fewest calls over all configurations and the spaces that attain them.

    Args:
        rules: the constraint families of one assignment.
        best: calls that are known to be possible, 0 if none; what needs more is not kept.
        alive: says whether to go on.
    """
    kept: list[Ties] = []
    for chosen in configurations(rules):
        for space in spaces(rules, chosen):
            if not alive():
                return best, kept
            ties = Ties(space)
            if not ties.feasible or (best and ties.calls > best):
                continue
            if ties.calls != best:
                best, kept = ties.calls, []
            kept.append(ties)
    return best, kept
