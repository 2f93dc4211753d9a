"""What results wait for that leave the caches in short runs.

Lines are fetched ahead within a page, for some pages at a time: results that go to more pages than these wait at the
beginning of each run. Where they go to more pages than the processor remembers the places of, they wait longer.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from intarsia.targets.x86.lowering.plan import Plan

PAGE = 4096
"""Bytes."""
FOLLOWED, REMEMBERED = 24, 512
"""Pages that are fetched ahead in at a time, and pages whose places are remembered."""
BEGINNING, SHORT = 512, 128
"""Bytes of a run before lines are fetched ahead of it, and while a page's place is looked up."""
LINE, TORN = 64, 64.0
"""Bytes of a line, and cycles for a run that shares one with the run beside it, which was or will be written apart."""
LOOKING = 2.0
"""Bytes that are written in a cycle meanwhile."""
SHARED = 4
"""The part of the last cache, as one over this, that results of one kernel may hope for; there they wait for lookups
only."""


def waiting(plan: Plan, item: int, caches: tuple[tuple[int, float], ...]) -> float:
    """Cycles that a register of results waits, on average.

    Args:
        plan: the plan.
        item: bytes of a result.
        caches: bytes of each, and bytes that come from the next one in a cycle.
    """
    store = plan.store
    width = item * len(store.used)
    size = width * prod(plan.extents[n] for n in plan.parallel)
    (inner, _), (last, beyond) = caches[-2:]
    if store.address is None or size <= 2 * inner:
        return 0.0
    run, pages = max(store.address.lanes) + item, 1
    torn = 0.0
    for step, count in _moves(plan):
        if step < PAGE:
            run += step * (count - 1)
            continue
        pages *= count
        torn = TORN if step % LINE else torn
        if pages > FOLLOWED:
            lookup = min(1.0, SHORT / run) / LOOKING if pages > REMEMBERED else 0.0
            if size * SHARED <= last:
                return width * lookup
            return width * (lookup + min(1.0, BEGINNING / run) / beyond + torn / run)
    return 0.0


def _moves(plan: Plan) -> Iterator[tuple[int, int]]:
    """Bytes between results and their count, for each loop from the innermost to the outermost."""
    assert plan.store.address is not None
    step, tile = plan.store.address.step, dict(plan.tile)
    yield from sorted((abs(step(name)), factor) for name, factor in tile.items())
    blocked, size = plan.block or ("", 1)
    for name in reversed(plan.parallel):
        extent = size if name == blocked else plan.extents[name]
        yield abs(step(name)) * tile.get(name, 1), -(-extent // tile.get(name, 1))
    if blocked:
        yield abs(step(blocked)) * size, -(-plan.extents[blocked] // size)
