"""Orders of loops, tiles and blocks that are worth pricing for an embedding."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from intarsia.embed import Embedding
from intarsia.targets.x86.lowering.cost import TWO_INSTRUCTIONS
from intarsia.targets.x86.lowering.movement import Movement
from intarsia.targets.x86.lowering.packed import access_of, item_of
from intarsia.targets.x86.lowering.registers import registers_of
from intarsia.targets.x86.lowering.subject import Nest, factors_of

MOST = {64: (28, 24, 16), 32: (12, 10, 8)}
"""Accumulators of a tile, of one whose loops move both factors, and of such a one that is all straight code, by the
bytes of a register."""
STRAIGHT = 96
"""Multiplications up to which a whole reduction becomes straight code."""
WOVEN = 96
"""The same where registers are woven in it."""
UNROLLED = 64
"""Multiplications of an iteration of an unrolled loop."""
LEAST_TILED, TALL = 10, 16
"""Accumulators of a tile at least, where so many fit the registers, and at most where one register of the second factor
serves all: each needs a register of the first, hence a load."""
BLOCKS = (8, 32, 128, 512)
"""Iterations of a block, before they are rounded up to a multiple of the tile's."""
BLOCKED = 1 << 18
"""Bytes of a factor above which blocks of it are tried."""
NARROW = 14
"""Positions of a row up to which a tile may hold several rows."""
FACTORS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16, 20, 24)


def nests(
    moves: Movement, extents: dict[str, int], order: tuple[tuple[str, ...], tuple[str, ...]], embedding: Embedding
) -> Iterator[Nest]:
    """Tiles worth pricing in one order."""
    loops, tiled = order
    registers = registers_of(embedding)
    most, most_both, most_straight = MOST[registers.size]
    room = registers.count - (embedding.instruction.name == TWO_INSTRUCTIONS)  # a product stays before it is added
    steps = prod(extents[n] for n in moves.reduction)
    wide = any(extents[n] > 1 for n in tiled if n in moves.second)
    found: list[Nest] = []
    for factors in _factors([extents[n] for n in tiled], most):
        tile = tuple((n, f) for n, f in zip(tiled, factors, strict=True) if f > 1)
        count = prod(factors)
        columns = prod(f for n, f in tile if n in moves.second)
        both = any(n in moves.both for n, _ in tile)
        straight = steps * count <= STRAIGHT
        if wide and columns == 1 and count > TALL:
            continue
        if count > (most_straight if both and straight else most_both if both else most) or (
            columns > 1 and count + columns + (1 if registers.size == 64 else 2) > room
        ):
            continue
        unroll = _unroll(moves, extents, steps, count)
        if unroll > 1 and columns > 1 and count + 2 * columns > room:
            unroll = 1  # the compiler reads the next iteration's columns early: some registers would go to memory
        found.append(Nest(loops, tile, moves.reduction, unroll))
    counts = [prod(f for _, f in nest.tile) for nest in found]
    least = 1 if any(n in moves.both for n in tiled) else min(LEAST_TILED, max(counts))
    yield from (nest for nest, count in zip(found, counts, strict=True) if count >= least)


def blocks(
    moves: Movement, embedding: Embedding, order: tuple[str, ...], tile: dict[str, int]
) -> Iterator[tuple[str, int] | None]:
    """No blocks, and blocks of a loop that moves one factor alone inside of one that moves the other alone."""
    yield None
    extents = {loop.name: loop.extent for loop in embedding.outer}
    for operand, inner, outer in zip(
        factors_of(embedding), (moves.first, moves.second), (moves.second, moves.first), strict=False
    ):
        if _bytes(embedding, operand) <= BLOCKED:
            continue
        at = next((i for i, n in enumerate(order) if n in outer), len(order))
        name = next((n for n in order[at:] if n in inner), "")
        for size in BLOCKS:
            each = -(-size // tile.get(name, 1)) * tile.get(name, 1)
            if name and each < extents[name]:
                yield name, each


def _bytes(embedding: Embedding, operand: str) -> int:
    """Bytes of a factor's tensor."""
    return prod(embedding.operator.tensor(access_of(embedding, operand).tensor).shape) * item_of(embedding, operand)


def woven_nests(
    moves: Movement, orders: list[tuple[tuple[str, ...], tuple[str, ...]]], extents: dict[str, int]
) -> Iterator[Nest]:
    """Tiles of registers that are woven where they are used: four of them, and some positions of a row."""
    for order, tiled in orders:
        four = order[-1:]
        if len(tiled) < 2 or tiled[-1:] != four or extents[four[0]] != 4:
            continue
        row = order[-2]
        for factor in (f for f in FACTORS if 1 < f <= extents[row]):
            if 4 * factor * prod(extents[n] for n in moves.reduction) <= WOVEN:
                yield Nest(order, ((row, factor), (four[0], 4)), moves.reduction, 0)


def _unroll(moves: Movement, extents: dict[str, int], steps: int, count: int) -> int:
    if steps * count <= STRAIGHT:
        return 0
    last = extents[moves.reduction[-1]]
    return max((u for u in (1, 2, 3, 4, 5, 6, 7, 8) if last % u == 0 and u * count <= UNROLLED), default=1)


def orders_of(moves: Movement, extents: dict[str, int]) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Order of the parallel loops and which of them are in the tile."""
    four = tuple(n for n in moves.both if extents[n] == 4)[-1:]
    both = tuple(n for n in moves.both if n not in four)
    rows = moves.first[-1:] or moves.neither[-1:]
    far = tuple(n for n in (*moves.neither, *moves.first) if n not in rows)
    columns = moves.second[-1:]
    panels = tuple(n for n in moves.second if n not in columns)
    tiled = (*columns, *rows, *four)
    seen = set()
    for order in (
        (*far, *both, *panels, *columns, *rows, *four),
        (*both, *panels, *columns, *far, *rows, *four),
        (*far, *panels, *columns, *rows, *both, *four),
        (*both, *far, *panels, *columns, *rows, *four),
        (*far, *both, *rows, *panels, *columns, *four),
    ):
        if order not in seen:
            seen.add(order)
            yield order, tiled
    if far and rows and not four and extents[rows[0]] <= NARROW:
        for order in ((*far[:-1], *both, *panels, *columns), (*both, *panels, *columns, *far[:-1])):
            yield (*order, far[-1], *rows), (*columns, far[-1], *rows)
    if not four and both:
        yield (*far, *both[:-1], *panels, *columns, *rows, both[-1]), (*tiled, both[-1])


def _factors(extents: list[int], most: int) -> Iterator[tuple[int, ...]]:
    if not extents:
        yield ()
        return
    for factor in FACTORS:
        if factor <= extents[0]:
            for rest in _factors(extents[1:], most):
                if factor * prod(rest) <= most:
                    yield (factor, *rest)
