"""The skewed family: lanes along a direction that moves several operator axes at once.

A digit on instruction axis a may follow any integer direction v that leaves in place every tensor that a leaves in
place (A_t v = 0), and that moves the write exactly if a does. Here v is *elementary*: of minimal support among such
directions, times a stride. Any other direction is a sum of elementary ones of the same signs, so it compensates on
more axes by as much, and needs no fewer calls.

v has one axis that moves the write, its *pivot* x; the others, y, compensate. The digit joins the chain of x; each
compensated axis becomes y = t + v_y * digit with t counting to e_y + sum |v_y| (f - 1), and t carries digits, alone or
flattened with others, like any axis. For a 3x3 depthwise convolution oh on n with kh - 1 for each step leaves the
input in place: a 2x2 patch of outputs lies on n and its 4x4 window on the reduction.

Lanes where y leaves its range are padding, in a band; so y must be guarded (``PaddingHarmless``).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from itertools import combinations, islice, product
from math import gcd, lcm

from intarsia.embed.constraints import Direction, OneHome, Rules, moved
from intarsia.embed.digits import Chain, Digit
from intarsia.embed.embedding import Embedding
from intarsia.embed.groups import Group
from intarsia.embed.listing import shapes
from intarsia.embed.measures import Value, value
from intarsia.embed.operands import representatives
from intarsia.embed.problem import EmbeddingProblem
from intarsia.embed.requirements import satisfied
from intarsia.embed.shape import Shape, build, complete
from intarsia.embed.space import Space
from intarsia.embed.ties import Ties
from intarsia.solvers import Effort, Found, Infeasible, OutOfTime, Outcome

LARGEST_SUPPORT = 4
"""Axes that a direction moves at most: a pivot and what compensates it in three subscripts."""
TIES = 400
"""Embeddings of fewest calls that are measured for each set of skewed digits, before the search says out of time."""


@dataclass(frozen=True, slots=True)
class Skew:
    """A skewed digit: ``factor`` lanes on ``lane``, the pivot moving by ``stride`` and other axes by ``moves``."""

    lane: str
    pivot: str
    stride: int
    factor: int
    moves: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class SkewedSpace(Space):
    """A space whose pivots have given a digit away; they may not be flattened with others.

    Attributes:
        skews: the digits that are taken.
    """

    skews: tuple[Skew, ...] = ()

    def fusable(self, group: Group) -> bool:
        """Whether the axes may be flattened together."""
        pivots = {s.pivot for s in self.skews}
        return pivots.isdisjoint(group) and super().fusable(group)


def elementary(rules: Rules, lane: str) -> tuple[dict[str, int], ...]:
    """The elementary directions of an instruction axis that moves the write: primitive, the pivot's entry positive."""
    rows = [
        s
        for meaning, access in rules.pairs[1:]
        if access is not None and not moved(meaning, {lane: 1})
        for s in access.subscripts
    ]
    write = rules.pairs[0][1]
    assert write is not None
    found: list[dict[str, int]] = []
    for size in range(2, LARGEST_SUPPORT + 1):
        for axes in combinations(rules.live, size):
            if any(set(v) <= set(axes) for v in found):
                continue
            kernel = _kernel([[s.coefficient(name) for name in axes] for s in rows], size)
            if kernel is None or 0 in kernel:
                continue
            direction = dict(zip(axes, kernel, strict=True))
            pivots = [name for name in axes if moved(write, {name: 1})]
            if len(pivots) == 1:
                sign = 1 if direction[pivots[0]] > 0 else -1
                found.append({pivots[0]: sign * direction[pivots[0]], **_rest(direction, pivots[0], sign)})
    return tuple(v for v in found if rules.allows(lane, v) and _harmless(rules, v))


def _rest(direction: Direction, pivot: str, sign: int) -> dict[str, int]:
    return {name: sign * c for name, c in direction.items() if name != pivot}


def _harmless(rules: Rules, direction: Direction) -> bool:
    pivot, *others = direction
    home = OneHome(rules.problem.operator, rules.body)
    return home.allows(pivot) and all(rules.guarded((name,)) for name in others)


def _kernel(rows: list[list[int]], size: int) -> list[int] | None:
    """The primitive integer vector that spans the kernel, None if the kernel is not a line."""
    matrix = [[Fraction(c) for c in row] for row in rows if any(row)]
    pivots: list[int] = []
    for column in range(size):
        at = len(pivots)
        chosen = next((i for i in range(at, len(matrix)) if matrix[i][column]), None)
        if chosen is None:
            continue
        matrix[at], matrix[chosen] = matrix[chosen], matrix[at]
        matrix[at] = [c / matrix[at][column] for c in matrix[at]]
        for i in range(len(matrix)):
            if i != at and matrix[i][column]:
                matrix[i] = [a - matrix[i][column] * b for a, b in zip(matrix[i], matrix[at], strict=True)]
        pivots.append(column)
    free = [c for c in range(size) if c not in pivots]
    if len(free) != 1:
        return None
    vector = [Fraction(0)] * size
    vector[free[0]] = Fraction(1)
    for row, column in enumerate(pivots):
        vector[column] = -matrix[row][free[0]]
    scale = reduce(lcm, (v.denominator for v in vector))
    integers = [int(v * scale) for v in vector]
    return [v // reduce(gcd, integers) for v in integers]


def skew_sets(rules: Rules) -> Iterator[tuple[Skew, ...]]:
    """Every set of skewed digits, the empty one first: at most one for each pivot, their factors within the rooms."""
    options: dict[str, list[Skew]] = {}
    extent = {a.name: a.extent for a in rules.problem.operator.axes}
    for lane, room in rules.capacities.items():
        for direction in elementary(rules, lane):
            pivot = next(iter(direction))
            for times in range(1, extent[pivot]):
                stride = times * direction[pivot]
                moves = tuple((name, times * c) for name, c in direction.items() if name != pivot)
                if any(abs(c) > extent[name] - 1 for name, c in moves):
                    break
                for factor in range(2, min(room, (extent[pivot] - 1) // stride + 1) + 1):
                    options.setdefault(pivot, []).append(Skew(lane, pivot, stride, factor, moves))
    for chosen in product(*([None, *skews] for skews in options.values())):
        skews = tuple(s for s in chosen if s is not None)
        if _fits(rules, skews):
            yield skews


def _fits(rules: Rules, skews: tuple[Skew, ...]) -> bool:
    rooms = dict(rules.capacities)
    for skew in skews:
        rooms[skew.lane] //= skew.factor
    pivots = {s.pivot for s in skews}
    return all(rooms.values()) and not any(name in pivots for s in skews for name, _ in s.moves)


def skewed_space(rules: Rules, skews: tuple[Skew, ...]) -> SkewedSpace:
    """What is left for other digits: pivots count to their number of tiles, compensated axes count further."""
    extents = {a.name: a.extent for a in rules.problem.operator.axes}
    rooms = dict(rules.capacities)
    for skew in skews:
        extents[skew.pivot] = -(-extents[skew.pivot] // (skew.stride * skew.factor))
        rooms[skew.lane] //= skew.factor
        for name, c in skew.moves:
            extents[name] += abs(c) * (skew.factor - 1)
    return SkewedSpace(rules, extents, rooms, skews)


def with_skews(space: SkewedSpace, chains: tuple[Chain, ...]) -> Shape:
    """The shape of a space's chains, with the skewed digits put back under their pivots' chains."""
    problem = space.rules.problem
    given = {name: chain for chain in chains for name in chain.axes}
    found = [chain for chain in chains if chain.axes[0] not in {s.pivot for s in space.skews}]
    for name, extent in space.extents.items():
        compensated = extent != problem.operator.axis(name).extent and name not in {s.pivot for s in space.skews}
        if compensated and name not in given:
            found.append(Chain((name,), (extent,)))
    for skew in space.skews:
        step = skew.stride * skew.factor
        above = given[skew.pivot].digits if skew.pivot in given else ()
        raised = tuple(replace(d, stride=d.stride * step) for d in above)
        own = Digit(skew.lane, skew.stride, skew.factor, skew.moves)
        extent = problem.operator.axis(skew.pivot).extent
        found.append(Chain((skew.pivot,), (extent,), (own, *raised)))
    return Shape(space.rules.operands, complete(problem, found))


def skewed_shapes(rules: Rules, *, merged: bool) -> Iterator[Shape]:
    """Every shape of the skewed family for one assignment; fused and aligned ones, without a skewed digit, first."""
    for skews in skew_sets(rules):
        space = skewed_space(rules, skews)
        for shape in shapes(space, merged=merged):
            yield with_skews(space, shape.chains) if skews else shape


def optimise_skewed(problem: EmbeddingProblem) -> Outcome[Embedding]:
    """The best of the skewed family: all sets of skewed digits by their fewest calls, then the ties by measure."""
    started = time.monotonic()
    ranked: list[tuple[int, int, Ties]] = []
    late = False
    for operands in representatives(problem):
        for skews in skew_sets(Rules(problem, operands)):
            if time.monotonic() - started > problem.limit:
                late = True
                break
            space = skewed_space(Rules(problem, operands), skews)
            ties = Ties(space)
            if ties.feasible:
                ranked.append((ties.calls * _strides(space), len(ranked), ties))
    if not ranked:
        return _none(problem, started, late=late)
    ranked.sort(key=lambda entry: entry[:2])
    best: tuple[Value, Embedding] | None = None
    nodes = len(ranked)
    for calls, _, ties in ranked:
        if best is not None and problem.objective[0] == "calls" and calls > best[0][0]:
            break
        space = ties.space
        assert isinstance(space, SkewedSpace)
        for chains in islice(_listed(ties), TIES):
            if time.monotonic() - started > problem.limit:
                late = True
                break
            nodes += 1
            embedding = build(problem, with_skews(space, chains))
            if not satisfied(space.rules, embedding):
                continue
            measured = value(embedding, problem.objective)
            if best is None or measured < best[0]:
                best = measured, embedding
    effort = Effort(time.monotonic() - started, nodes)
    if best is None:
        return _none(problem, started, late=late)
    bound = best[0] if not late else (ranked[0][0], *(0 for _ in problem.objective[1:]))
    return OutOfTime(best[1], bound, effort) if late else Found(best[1], bound, effort)


def _listed(ties: Ties) -> Iterator[tuple[Chain, ...]]:
    for split in ties.splits():
        yield from ties.listed(ties.whole(split))


def _strides(space: SkewedSpace) -> int:
    total = 1
    for skew in space.skews:
        total *= skew.stride
    return total


def _none(problem: EmbeddingProblem, started: float, *, late: bool) -> Outcome[Embedding]:
    effort = Effort(time.monotonic() - started)
    if late:
        return OutOfTime(None, (0,) * len(problem.objective), effort)
    from intarsia.embed.explain import explain

    because, relaxation = explain(problem)
    return Infeasible(because, relaxation, effort)
