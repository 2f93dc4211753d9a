"""Embeddings worth planning: each instruction axis filled in the ways that memory can feed.

Which operator axis may lie on which instruction axis is what ``embed`` allows; here the ways are listed, not searched:
reduction axes that lie behind each other on the summed axis; channels, positions, groups with channels, and positions
that slide along a kernel on the lanes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import prod

from intarsia.embed import Embedding, EmbeddingProblem
from intarsia.embed.constraints import Rules
from intarsia.embed.digits import Chain, Digit
from intarsia.embed.operands import representatives
from intarsia.embed.shape import Shape, build, complete
from intarsia.embed.space import Space, space_of
from intarsia.ground import InputError
from intarsia.machines import Instruction
from intarsia.operators import Access, Axis, Operator

SLACK = 4.0
"""How many times the fewest calls a candidate may need."""

PAIR = 2
"""Elements that are summed: where they lie far apart, one of them may stay empty."""

Chains = tuple[Chain, ...]


@dataclass(frozen=True, slots=True)
class _Menu:
    """Ways to fill an instruction axis."""

    lane: str
    chains: tuple[Chains, ...]


def candidates(operator: Operator, instruction: Instruction, most: int) -> tuple[Embedding, ...]:
    """Embeddings worth planning, those of fewest calls first.

    Args:
        operator: with one statement that is a sum of products.
        instruction: with one axis that is summed and one that is not.
        most: how many at most.

    Raises:
        InputError: if the operator is no sum of products of two tensors.
    """
    if (
        len(operator.statements) != 1
        or len(operator.statements[0].reads) != 2
        or operator.statements[0].combine != "+="
    ):
        raise InputError(
            "native code is made of sums of products of two tensors",
            where=operator.name,
            value="; ".join(map(str, operator.statements)),
            allowed="one statement, O[...] += A[...] * B[...]",
        )
    problem = EmbeddingProblem(operator, instruction, "skewed")
    found: dict[str, Embedding] = {}
    for operands in representatives(problem):
        space = space_of(Rules(problem, operands))
        for chains in _products(problem, space):
            flattened = (*chains, *_positions(problem, {name for chain in chains for name in chain.axes}))
            embedding = build(problem, Shape(operands, complete(problem, flattened)))
            found.setdefault(str(embedding), embedding)
    ranked = sorted(found.values(), key=lambda e: e.calls)
    if not ranked:
        return ()
    limit = ranked[0].calls * SLACK
    return tuple(e for e in ranked if e.calls <= limit)[:most]


def _products(problem: EmbeddingProblem, space: Space) -> Iterator[Chains]:
    semantics = problem.instruction.semantics
    summed = [a.name for a in semantics.axes if a.role == "reduction"]
    lanes = [a.name for a in semantics.axes if a.role == "parallel"]
    sums: list[Chains] = [()]
    for lane in summed:
        sums = list(_sums(problem, space, lane))
    for inner in sums:
        taken = {name for chain in inner for name in chain.axes}
        for lane in lanes:
            for outer in _lanes(problem, space, lane):
                if _fit(inner, outer, taken):
                    yield _merged(inner, outer, space)


def _fit(inner: Chains, outer: Chains, taken: set[str]) -> bool:
    """Whether no axis is in two chains; a kernel axis that only slides may meet its own digits."""
    for chain in outer:
        if not taken.isdisjoint(chain.axes):
            other = next(c for c in inner if set(c.axes) & set(chain.axes))
            if chain.digits or len(other.axes) > 1:
                return False
    return True


def _merged(inner: Chains, outer: Chains, space: Space) -> Chains:
    slid = {chain.axes: chain for chain in outer if not chain.digits}
    kept = [c for c in outer if c.digits or not any(c.axes == i.axes for i in inner)]
    found = []
    for chain in inner:
        wider = slid.get(chain.axes)
        if wider is None:
            found.append(chain)
            continue
        digit = chain.digits[0]
        factor = min(space.rooms[digit.lane], wider.extents[0])
        found.append(Chain(chain.axes, wider.extents, (Digit(digit.lane, digit.stride, factor),)))
    return (*found, *kept)


def _positions(problem: EmbeddingProblem, taken: set[str]) -> Chains:
    """Axes that choose the result and have no lanes, as one, where they lie behind each other in every tensor."""
    operator = problem.operator
    statement = operator.statements[problem.statement]
    accesses = (statement.write, *statement.reads)
    free = [
        axis
        for axis in operator.axes
        if axis.role == "parallel" and axis.extent > 1 and axis.name not in taken and _alone(operator, accesses, axis)
    ]
    groups: list[list[Axis]] = []
    for axis in free:
        last = groups[-1][-1] if groups else None
        if last and all(_step(operator, x, last.name) == _step(operator, x, axis.name) * axis.extent for x in accesses):
            groups[-1].append(axis)
        else:
            groups.append([axis])
    return tuple(Chain(tuple(a.name for a in g), tuple(a.extent for a in g)) for g in groups)


def _alone(operator: Operator, accesses: tuple[Access, ...], axis: Axis) -> bool:
    """Whether an axis alone chooses a position of each tensor, from its beginning on."""
    for access in accesses:
        for subscript in access.subscripts:
            if not subscript.coefficient(axis.name):
                continue
            if subscript.constant or any(operator.axis(n).extent > 1 for n, _ in subscript.terms if n != axis.name):
                return False
    return True


def _step(operator: Operator, access: Access, axis: str) -> int:
    shape = operator.tensor(access.tensor).shape
    inner = [prod(shape[i + 1 :]) for i in range(len(shape))]
    return sum(s.coefficient(axis) * size for s, size in zip(access.subscripts, inner, strict=True))


def _moving(problem: EmbeddingProblem) -> tuple[Access, ...]:
    """Reads of tensors that are not constant, or all where all are."""
    reads = problem.operator.statements[problem.statement].reads
    return tuple(r for r in reads if not problem.operator.tensor(r.tensor).constant) or reads


def _sums(problem: EmbeddingProblem, space: Space, lane: str) -> Iterator[Chains]:
    operator, room = problem.operator, space.rooms[lane]
    able = [n for n, lanes in space.serves.items() if lane in lanes and operator.axis(n).role == "reduction"]
    for name in able:
        yield (Chain((name,), (space.extents[name],), (Digit(lane, 1, min(room, space.extents[name])),)),)
    for read in _moving(problem):
        order = sorted((n for n in able if _step(operator, read, n)), key=lambda n: -_step(operator, read, n))
        for count in range(2, len(order) + 1):
            for names in combinations(order, count):
                extents = tuple(space.extents[n] for n in names)
                yield (Chain(names, extents, (Digit(lane, 1, min(room, prod(extents))),)),)
    near = any(_step(operator, read, n) == 1 for read in _moving(problem) for n in able)
    if not able or (room == PAIR and not near):
        yield ()


def _lanes(problem: EmbeddingProblem, space: Space, lane: str) -> Iterator[Chains]:
    operator, room = problem.operator, space.rooms[lane]
    able = [n for n, lanes in space.serves.items() if lane in lanes and operator.axis(n).role == "parallel"]
    extent = space.extents

    def chain(name: str, *digits: Digit) -> Chain:
        return Chain((name,), (extent[name],), digits)

    for name in able:
        yield (chain(name, Digit(lane, 1, min(room, extent[name]))),)
        for quarters in (4, 2):
            if extent[name] % (16 * quarters) == 0 and room in {8, 16} and 4 * quarters <= room:
                yield from _quartered(able, extent, lane, name, quarters, room // (4 * quarters))
    for low in able:
        for high in able:
            if low == high:
                continue
            for factor in {2, 3, 4, 5, 8, extent[low], extent[high]}:
                other = room // factor
                if 2 <= factor <= min(room, extent[low]) and other >= 2:
                    other = min(other, extent[high])
                    if other >= 2:
                        yield chain(low, Digit(lane, 1, factor)), chain(high, Digit(lane, 1, other))
    yield from _sliding(problem, space, lane)
    if not able:
        yield ()


def _quartered(
    able: list[str], extent: dict[str, int], lane: str, name: str, quarters: int, parts: int
) -> Iterator[Chains]:
    """Channels as unpacking bytes leaves them: 4 neighbours of each of some pieces of 16, and positions far apart."""
    own = (Chain((name,), (extent[name],), (Digit(lane, 1, 4), Digit(lane, 16, quarters))),)
    if parts == 1:
        yield own
        return
    for far in able:
        if far != name and extent[far] >= parts:
            yield (*own, Chain((far,), (extent[far],), (Digit(lane, -(-extent[far] // parts), parts),)))


def _sliding(problem: EmbeddingProblem, space: Space, lane: str) -> Iterator[Chains]:
    """Few channels with positions that slide along a kernel axis, so that the image's operand stays the same."""
    operator, room, extent = problem.operator, space.rooms[lane], space.extents
    for read in _moving(problem):
        for subscript in read.subscripts:
            for slow, a in subscript.terms:
                for tap, b in subscript.terms:
                    if operator.axis(slow).role != "parallel" or operator.axis(tap).role != "reduction" or a % b:
                        continue
                    if extent[slow] < 2 or extent[tap] < 2 or a * b < 0:
                        continue
                    for channel in (n for n, lanes in space.serves.items() if lane in lanes and n != slow):
                        if operator.axis(channel).role != "parallel":
                            continue
                        for count in (2, 3, 4, 5, 8):
                            other = min(room // count, extent[channel])
                            if other < 2 or count > extent[slow] or count * other * 2 <= room:
                                continue
                            reach = extent[tap] + a // b * (count - 1)
                            ways: list[tuple[Digit, ...]] = [(Digit(lane, 1, other),)]
                            if count * 2 == room // 4 and extent[channel] % 32 == 0:  # as unpacking bytes leaves them
                                ways.append((Digit(lane, 1, 4), Digit(lane, 16, 2)))
                            for digits in ways:
                                yield (
                                    Chain((channel,), (extent[channel],), digits),
                                    Chain((slow,), (extent[slow],), (Digit(lane, 1, count, ((tap, -(a // b)),)),)),
                                    Chain((tap,), (reach,)),
                                )
