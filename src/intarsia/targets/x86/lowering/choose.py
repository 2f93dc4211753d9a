"""The plan of an operator: candidates, their nests and feeds, and the one that is predicted to be fastest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, prod

from intarsia.embed import Embedding, layout_of
from intarsia.machines import Instruction
from intarsia.operators import Affine, Operator
from intarsia.targets.x86.lowering.candidates import candidates
from intarsia.targets.x86.lowering.cost import DEFAULT, Speeds, predicted
from intarsia.targets.x86.lowering.packed import access_of, item_of
from intarsia.targets.x86.lowering.plan import Plan
from intarsia.targets.x86.lowering.planning import Ways, plan_of
from intarsia.targets.x86.lowering.store import Epilogue
from intarsia.targets.x86.lowering.subject import WAYS, Nest, Subject, Way, factors_of, is_constant

REGISTERS = 31
TABLED = 6
"""Embeddings that are tried with tables."""
TILES = 4
"""Tiles that are priced with every order and feed."""
MOST_TILED = 28
MOST_BOTH = 24
MOST_STRAIGHT = 16
"""Accumulators of a tile, of one whose loops move both factors, and of such a one that is all straight code."""
MOST_CANDIDATES = 160
STRAIGHT = 96
"""Multiplications up to which a whole reduction becomes straight code."""
UNROLLED = 64
"""Multiplications of an iteration of an unrolled loop."""
FACTORS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16, 20, 24)


@dataclass(frozen=True, slots=True)
class Movement:
    """Outer loops of more than one iteration by what they move."""

    first: tuple[str, ...]
    second: tuple[str, ...]
    both: tuple[str, ...]
    neither: tuple[str, ...]
    reduction: tuple[str, ...]


def movement(embedding: Embedding) -> Movement:
    """The loops by the factors that they move."""
    parallel: set[str] = set()
    for flat in embedding.flats:
        if embedding.operator.axis(flat.axes[0]).role == "parallel":
            parallel |= {name for name, _ in flat.value.terms}
    moved = [_moved(embedding, operand) for operand in factors_of(embedding)]
    kinds: dict[tuple[bool, bool], list[str]] = {}
    reduction = []
    for loop in embedding.outer:
        if loop.extent == 1:
            continue
        if loop.name in parallel:
            kinds.setdefault((loop.name in moved[0], loop.name in moved[1]), []).append(loop.name)
        else:
            reduction.append(loop.name)
    steps = _steps(embedding)
    return Movement(
        tuple(kinds.get((True, False), ())),
        tuple(kinds.get((False, True), ())),
        tuple(kinds.get((True, True), ())),
        tuple(kinds.get((False, False), ())),
        tuple(sorted(reduction, key=lambda name: -steps.get(name, 0))),
    )


def _loops(embedding: Embedding, subscript: Affine) -> dict[str, int]:
    """How far a subscript moves with each step of a loop; of flattened axes by the flattened index."""
    total: dict[str, int] = {}
    for axis, c in subscript.terms:
        flat = next(f for f in embedding.flats if axis in f.axes)
        last = axis == flat.axes[-1]
        for value, scale in ((flat.value, c if last else 0), (flat.shift(axis), c)):
            for name, inner in value.terms:
                total[name] = total.get(name, 0) + scale * inner
        if not last:
            total |= {name: total.get(name, 0) or 1 for name, _ in flat.value.terms}
    return total


def _moved(embedding: Embedding, operand: str) -> set[str]:
    found: set[str] = set()
    for subscript in access_of(embedding, operand).subscripts:
        found |= {name for name, c in _loops(embedding, subscript).items() if c}
    return found


def _steps(embedding: Embedding) -> dict[str, int]:
    """Elements that each loop moves in the factor that is not constant."""
    operator = embedding.operator
    accesses = [access_of(embedding, o) for o in factors_of(embedding)]
    moving = next((a for a in accesses if not operator.tensor(a.tensor).constant), accesses[0])
    shape, found = operator.tensor(moving.tensor).shape, dict[str, int]()
    for i, subscript in enumerate(moving.subscripts):
        for name, c in _loops(embedding, subscript).items():
            found[name] = found.get(name, 0) + c * prod(shape[i + 1 :])
    return found


def plans(
    operator: Operator,
    instruction: Instruction,
    epilogue: Epilogue | None = None,
    speeds: Speeds = DEFAULT,
    most: int = 8,
) -> list[tuple[float, Plan]]:
    """The best plans of different embeddings with their predicted cycles, the fastest first."""
    found: list[tuple[float, Plan]] = []
    subjects = [Subject(embedding) for embedding in candidates(operator, instruction, MOST_CANDIDATES)]
    tried = [(subject, False) for subject in subjects]
    tried += [(subject, True) for subject in sorted(subjects, key=lambda s: _table_floor(s, speeds))[:TABLED]]
    for subject, tables in tried:
        limit = sorted(c for c, _ in found)[most - 1] if len(found) >= most else inf
        best = best_plan(subject, epilogue, speeds, limit, tables=tables)
        if best is not None:
            found.append(best)
    return sorted(found, key=lambda entry: entry[0])[:most]


def best_plan(
    subject: Subject, epilogue: Epilogue | None, speeds: Speeds = DEFAULT, limit: float = inf, *, tables: bool = False
) -> tuple[float, Plan] | None:
    """The plan of an embedding that is predicted to be fastest, None if it has none.

    Tiles are ranked in the first order by the first feeds that serve; the best of them are priced with every order and
    feed. What cannot take less than ``limit`` cycles is left out.

    Args:
        subject: the embedding.
        epilogue: what happens to results.
        speeds: of the processor.
        limit: cycles that a plan must stay below.
        tables: whether to look at feeds by tables, and only at these, where nothing else feeds the embedding.
    """
    embedding = subject.embedding
    floor = embedding.calls / speeds.multiply
    if floor >= limit:
        return None
    moves = movement(embedding)
    extents = {loop.name: loop.extent for loop in embedding.outer}
    orders = list(_orders(moves, extents))
    base = Nest(orders[0][0], (), moves.reduction)
    ways = _serving(subject, base)
    if tables:
        ways = [] if ways else _by_tables(subject, base, (limit - floor) / speeds.element)
    if not ways:
        return None
    ranked: list[tuple[float, Plan]] = []
    for first in {tiled: (order, tiled) for order, tiled in reversed(orders)}.values():
        for nest in _nests(moves, extents, first):
            ranked += _priced(subject, nest, ways[:1], epilogue, speeds)
    ranked.sort(key=lambda entry: entry[0])
    found = ranked[:1]
    for _, plan in ranked[:TILES]:
        for order, tiled in orders:
            if not {name for name, _ in plan.tile} <= set(tiled):
                continue
            nest = Nest(order, plan.tile, plan.reduction, plan.unroll)
            found += _priced(subject, nest, ways if tables else _serving(subject, nest), epilogue, speeds)
    return min(found, key=lambda entry: entry[0], default=None)


def _priced(
    subject: Subject, nest: Nest, ways: list[Ways], epilogue: Epilogue | None, speeds: Speeds
) -> list[tuple[float, Plan]]:
    made = [plan_of(subject, nest, way, epilogue) for way in ways]
    return [(predicted(plan, speeds).total, plan) for plan in made if plan is not None]


def _serving(subject: Subject, nest: Nest) -> list[Ways]:
    """The feeds without tables that serve."""
    options = [way for way in _ways(subject.embedding, nest) if not _tabled(way)]
    return [way for way in options if plan_of(subject, nest, way) is not None]


def _by_tables(subject: Subject, nest: Nest, elements: float) -> list[Ways]:
    """The feeds that need tables, of no more than so many elements."""
    options = [w for w in _ways(subject.embedding, nest) if _tabled(w) and _least(subject.embedding, w) <= elements]
    return [way for way in options if plan_of(subject, nest, way) is not None]


def _table_floor(subject: Subject, speeds: Speeds) -> float:
    """Cycles that a plan with tables takes at least; infinitely many for embeddings that need none."""
    embedding = subject.embedding
    runtime = [o for o in factors_of(embedding) if not is_constant(embedding, o)]
    base = Nest((), (), ())
    if _serving(subject, base) or not runtime:
        return inf
    elements = min(_least(embedding, {o: ("table", 0)}) for o in runtime)
    return embedding.calls / speeds.multiply + elements * speeds.element


def _least(embedding: Embedding, ways: Ways) -> int:
    """Elements that tables have at least."""
    total = 0
    for operand, (way, _) in ways.items():
        if way == "table":
            access = access_of(embedding, operand)
            total += layout_of(embedding, operand, access).vectors * 4 // item_of(embedding, operand)
    return total


def _tabled(way: Ways) -> bool:
    return any(name == "table" for name, _ in way.values())


def _ways(embedding: Embedding, nest: Nest) -> Iterator[Ways]:
    runtime = [o for o in factors_of(embedding) if not is_constant(embedding, o)]
    options: list[list[tuple[Way, int]]] = []
    untiled = next((i for i, n in enumerate(nest.parallel) if n in dict(nest.tile)), len(nest.parallel))
    for _ in runtime:
        own: list[tuple[Way, int]] = [(w, 0) for w in WAYS if w != "interleave"]
        own += [("interleave", level) for level in range(untiled + 1)]
        options.append(own)
    if len(runtime) == 1:
        yield from ({runtime[0]: way} for way in options[0])
    elif len(runtime) == 2:
        yield from ({runtime[0]: a, runtime[1]: b} for a in options[0] for b in options[1])
    else:
        yield {}


def _nests(moves: Movement, extents: dict[str, int], order: tuple[tuple[str, ...], tuple[str, ...]]) -> Iterator[Nest]:
    """Tiles worth pricing in one order."""
    loops, tiled = order
    steps = prod(extents[n] for n in moves.reduction)
    for factors in _factors([extents[n] for n in tiled]):
        tile = tuple((n, f) for n, f in zip(tiled, factors, strict=True) if f > 1)
        count = prod(factors)
        columns = prod(f for n, f in tile if n in moves.second)
        both = any(n in moves.both for n, _ in tile)
        straight = steps * count <= STRAIGHT
        if count > (MOST_STRAIGHT if both and straight else MOST_BOTH if both else MOST_TILED) or (
            columns > 1 and count + columns + 2 > REGISTERS
        ):
            continue
        yield Nest(loops, tile, moves.reduction, _unroll(moves, extents, steps, count))


def _unroll(moves: Movement, extents: dict[str, int], steps: int, count: int) -> int:
    if steps * count <= STRAIGHT:
        return 0
    last = extents[moves.reduction[-1]]
    return max((u for u in (1, 2, 3, 4, 5, 6, 7, 8) if last % u == 0 and u * count <= UNROLLED), default=1)


def _orders(moves: Movement, extents: dict[str, int]) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
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
    ):
        if order not in seen:
            seen.add(order)
            yield order, tiled
    if not four and both:
        yield (*far, *both[:-1], *panels, *columns, *rows, both[-1]), (*tiled, both[-1])


def _factors(extents: list[int]) -> Iterator[tuple[int, ...]]:
    if not extents:
        yield ()
        return
    for factor in FACTORS:
        if factor <= extents[0]:
            for rest in _factors(extents[1:]):
                if factor * prod(rest) <= MOST_TILED:
                    yield (factor, *rest)
