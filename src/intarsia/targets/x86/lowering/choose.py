"""The plan of an operator: candidates, their nests and feeds, and the one that is predicted to be fastest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf

from intarsia.embed import Embedding, layout_of
from intarsia.machines import Instruction
from intarsia.operators import Operator
from intarsia.targets.x86.lowering.candidates import candidates
from intarsia.targets.x86.lowering.cost import DEFAULT, Speeds, predicted, speeds_of
from intarsia.targets.x86.lowering.movement import movement
from intarsia.targets.x86.lowering.nests import blocks, nests, orders_of, woven_nests
from intarsia.targets.x86.lowering.packed import access_of, item_of
from intarsia.targets.x86.lowering.plan import Plan
from intarsia.targets.x86.lowering.planning import Ways, plan_of
from intarsia.targets.x86.lowering.store import Epilogue
from intarsia.targets.x86.lowering.subject import WAYS, Nest, Subject, Way, factors_of, is_constant

TABLED = 6
"""Embeddings that are tried with tables."""
TILES = 4
"""Tiles that are priced with every order and feed."""
MOST_CANDIDATES = 160
HOPE = 2.0
"""How many times slower than the best plan so far a tile may be in the first order by the first feed."""


def plans(
    operator: Operator,
    instruction: Instruction,
    epilogue: Epilogue | None = None,
    speeds: Speeds | None = None,
    most: int = 8,
    given: Mapping[str, str] | None = None,
    below: float = inf,
) -> list[tuple[float, Plan]]:
    """The best plans of different embeddings with their predicted cycles, the fastest first; perhaps none.

    ``given`` has the element types of tensors that are handed in narrower than the operator has them; plans must stay
    ``below`` some cycles.
    """
    speeds = speeds or speeds_of(instruction)
    found: list[tuple[float, Plan]] = []
    subjects = [Subject(embedding, given) for embedding in candidates(operator, instruction, MOST_CANDIDATES)]
    for subject in subjects:
        best = best_plan(subject, epilogue, speeds, _limit(found, most, below))
        if best is not None and best[0] < below:
            found.append(best)
    tabled = sorted(((_table_floor(s.embedding, speeds), s) for s in subjects), key=lambda entry: entry[0])
    looks = 0
    for floor, subject in tabled:
        limit = _limit(found, most, below)
        if floor >= limit or looks == TABLED:
            break
        if _serving(subject, Nest((), (), ())):
            continue
        looks += 1
        best = best_plan(subject, epilogue, speeds, limit, tables=True)
        if best is not None and best[0] < below:
            found.append(best)
    return sorted(found, key=lambda entry: entry[0])[:most]


def _limit(found: list[tuple[float, Plan]], most: int, below: float) -> float:
    """Cycles from which on a plan is none of the best."""
    return sorted(c for c, _ in found)[most - 1] if len(found) >= most else below


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
    orders = list(orders_of(moves, extents))
    base = Nest(orders[0][0], (), moves.reduction)
    ways = _serving(subject, base)
    if tables:
        ways = [] if ways else _by_tables(subject, base, (limit - floor) / speeds.element)
    if not ways:
        return None
    ranked: list[tuple[float, Plan]] = []
    for first in {tiled: (order, tiled) for order, tiled in reversed(orders)}.values():
        for nest in nests(moves, extents, first, embedding):
            ranked += _priced(subject, nest, ways[:1], epilogue, speeds, limit * HOPE)
    ranked.sort(key=lambda entry: entry[0])
    found = ranked[:1]
    for floor, plan in _promising(ranked, speeds):
        if floor >= min(limit, found[0][0]):
            continue
        for order, tiled in orders:
            if not {name for name, _ in plan.tile} <= set(tiled):
                continue
            for block in blocks(moves, embedding, order, dict(plan.tile)):
                nest = Nest(order, plan.tile, plan.reduction, plan.unroll, block)
                here = ways if tables else _untabled(subject, nest)
                found += _priced(subject, nest, here, epilogue, speeds, min(limit, found[0][0]))
        found.sort(key=lambda entry: entry[0])
    for nest in woven_nests(moves, orders, extents):
        runtime = [o for o in factors_of(embedding) if not is_constant(embedding, o)]
        here = [{o: ("woven", 0)} for o in runtime if len(runtime) == 1]
        found += _priced(subject, nest, here, epilogue, speeds, limit)
    return min(found, key=lambda entry: entry[0], default=None)


def _promising(ranked: list[tuple[float, Plan]], speeds: Speeds) -> list[tuple[float, Plan]]:
    """Some plans of different tiles with cycles that no order or feed takes less than: the first, and the lowest."""
    floors = []
    for _, plan in ranked:
        cycles = predicted(plan, speeds, 0.0)  # wherever bytes come from
        floors.append((cycles.multiply + cycles.store, plan))
    lowest = sorted(floors, key=lambda entry: entry[0])[:TILES]
    return [*floors[:TILES], *(entry for entry in lowest if entry not in floors[:TILES])]


def _priced(
    subject: Subject, nest: Nest, ways: list[Ways], epilogue: Epilogue | None, speeds: Speeds, limit: float
) -> list[tuple[float, Plan]]:
    """Plans with their cycles, those that stay below a limit."""
    made = [plan_of(subject, nest, way, epilogue) for way in ways]
    priced = [(predicted(plan, speeds, limit).total, plan) for plan in made if plan is not None]
    return [entry for entry in priced if entry[0] < limit]


def _serving(subject: Subject, nest: Nest) -> list[Ways]:
    """The feeds without tables that serve."""
    return [way for way in _untabled(subject, nest) if plan_of(subject, nest, way) is not None]


def _untabled(subject: Subject, nest: Nest) -> list[Ways]:
    """The feeds without tables; none that packs where registers are read, or repeated, without a shuffle."""
    options = [way for way in _ways(subject.embedding, nest) if not _tabled(way)]
    if not subject.once("plain", lambda: _plain(subject)):
        return options
    return [way for way in options if all(name != "interleave" for name, _ in way.values())]


def _plain(subject: Subject) -> bool:
    """Whether each factor that is not constant can be read without a shuffle."""
    runtime = [o for o in factors_of(subject.embedding) if not is_constant(subject.embedding, o)]
    plan = plan_of(subject, Nest((), (), ()), dict.fromkeys(runtime, ("padded", 0)))
    return plan is not None and not any(feed.form.pick for feed in plan.factors)


def _by_tables(subject: Subject, nest: Nest, elements: float) -> list[Ways]:
    """The feeds that need tables, of no more than so many elements."""
    options = [w for w in _ways(subject.embedding, nest) if _tabled(w) and _least(subject.embedding, w) <= elements]
    return [way for way in options if plan_of(subject, nest, way) is not None]


def _table_floor(embedding: Embedding, speeds: Speeds) -> float:
    """Cycles that a plan with tables takes at least; infinitely many where all is constant."""
    runtime = [o for o in factors_of(embedding) if not is_constant(embedding, o)]
    if not runtime:
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
        own: list[tuple[Way, int]] = [(w, 0) for w in WAYS if w not in {"interleave", "woven"}]
        own.insert(2, ("padded", 1))
        own += [("interleave", level) for level in range(untiled + 1)]
        options.append(own)
    if len(runtime) == 1:
        yield from ({runtime[0]: way} for way in options[0])
    elif len(runtime) == 2:
        yield from ({runtime[0]: a, runtime[1]: b} for a in options[0] for b in options[1])
    else:
        yield {}
