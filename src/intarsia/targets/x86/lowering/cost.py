"""What a plan is predicted to take, in cycles, from how often each port is used and which cache its bytes come from.

A step of the innermost loop takes as long as its busiest resource: two multiplications, two loads, four operations a
cycle, one shuffle; or its accumulators' latency. Bytes of constants that the first-level cache cannot hold come from
the second, and so on. Packing and stores are added, they hardly overlap with what needs them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod

from intarsia.targets.x86.lowering.emit_store import contiguous_order
from intarsia.targets.x86.lowering.feed import Feed
from intarsia.targets.x86.lowering.plan import Plan
from intarsia.targets.x86.lowering.stages import Interleave, PadCopy, TableCopy


@dataclass(frozen=True, slots=True)
class Speeds:
    """A core, in cycles and bytes.

    Attributes:
        multiply: of the instruction in a cycle.
        loads, operations: in a cycle.
        latency: cycles from an accumulator to itself.
        caches: bytes of each cache, and bytes that come from the next one in a cycle.
        woven: cycles for a woven register of 64 bytes, from memory to packed memory.
        element: cycles for an element that is packed by a table.
        copied: bytes copied in a cycle.
        scattered: cycles for a register whose lanes are stored one by one.
        written: bytes stored in a cycle where they miss the first cache.
        tile: cycles around each tile.
    """

    multiply: float = 2.0
    loads: float = 2.0
    operations: float = 4.0
    latency: float = 5.0
    caches: tuple[tuple[int, float], ...] = ((1 << 15, 24.0), (1 << 20, 8.0), (1 << 25, 4.0))
    woven: float = 3.0
    element: float = 1.5
    copied: float = 12.0
    scattered: float = 20.0
    written: float = 16.0
    tile: float = 12.0


DEFAULT = Speeds()


@dataclass(frozen=True, slots=True)
class Cycles:
    """Predicted cycles of a plan by what takes them."""

    multiply: float
    pack: float
    store: float

    @property
    def total(self) -> float:
        """All of them."""
        return self.multiply + self.pack + self.store


def predicted(plan: Plan, speeds: Speeds = DEFAULT) -> Cycles:
    """The cycles of a plan."""
    tiles = _tiles(plan)
    multiply = sum(count * _tile(plan, sizes, speeds) for count, sizes in tiles)
    registers = sum(count * prod(sizes.values()) for count, sizes in tiles)
    return Cycles(multiply, _packing(plan, speeds), registers * _stored(plan, speeds))


def _tiles(plan: Plan) -> list[tuple[int, dict[str, int]]]:
    """How often each size of tile runs."""
    extents, tile = plan.extents, dict(plan.tile)
    rest = prod(extents[n] for n in plan.parallel if n not in tile)
    options = []
    for name, factor in plan.tile:
        whole, left = divmod(extents[name], factor)
        options.append([(whole, factor)] * (whole > 0) + [(1, left)] * (left > 0))
    found = []
    for chosen in product(*options):
        sizes = {name: size for name, (_, size) in zip(tile, chosen, strict=True)}
        found.append((rest * prod(count for count, _ in chosen), sizes))
    return found


def _tile(plan: Plan, sizes: dict[str, int], speeds: Speeds) -> float:
    """Cycles of one tile over the whole reduction."""
    extents = plan.extents
    if plan.unroll:
        loops: tuple[str, ...] = ()
        steps = _steps(plan)
    else:
        loops, steps = plan.reduction, 1.0
    inner = prod(extents[n] for n in loops)
    loads, shuffles = 0.0, 0.0
    for feed in plan.factors:
        moves = [(feed.step(n), extents[n]) for n in loops] + [(feed.within(n), size) for n, size in sizes.items()]
        distinct = {0}
        for step, count in moves:
            if step:
                distinct = {place + step * k for place in distinct for k in range(count)}
        wide = feed.form.width == 64 and not feed.aligned
        loads += len(distinct) * (1.8 if wide else 1.0)
        shuffles += len(distinct) * _shuffles(feed)
    work = prod(sizes.values()) * inner
    busy = max(
        (work + shuffles) / speeds.multiply,
        loads / speeds.loads,
        shuffles,
        (work + loads + shuffles) / speeds.operations,
        speeds.latency * inner if plan.unroll else 0.0,
        _streamed(plan, sizes, speeds),
    )
    around = 1.0 / plan.unroll if plan.unroll else 0.0
    return steps * (busy + around) + speeds.tile


def _steps(plan: Plan) -> float:
    """Iterations of the reduction, on average where some are left out."""
    total = 1.0
    skips = {skip.loop: skip for skip in plan.skips}
    for name in plan.reduction:
        skip = skips.get(name)
        if skip is None:
            total *= plan.extents[name]
            continue
        bases = [skip.constant]
        for loop, c in skip.terms:
            bases = [b + c * i for b in bases for i in range(plan.extents[loop])]
        taps = range(plan.extents[name])
        total *= sum(0 <= b + skip.step * k < skip.size for b in bases for k in taps) / len(bases)
    return total


def _shuffles(feed: Feed) -> float:
    if not feed.form.pick:
        return 0.0
    return 1.0 if feed.form.piece == 4 else 4.0


def _streamed(plan: Plan, sizes: dict[str, int], speeds: Speeds) -> float:
    """Cycles of a step for constants that come from beyond the first cache: what a pass over the reduction reads."""
    total = 0.0
    steps = prod(plan.extents[n] for n in plan.reduction)
    for feed in plan.factors:
        if feed.source != "constant":
            continue
        moving = [n for n in sizes if feed.within(n)]
        vectors = prod(sizes[n] for n in moving)
        moved = any(feed.step(n) for n in plan.reduction)
        size = feed.form.width * vectors * (steps if moved else 1)
        inner = next((n for n in reversed(plan.parallel)), "")
        again = [n for n in plan.parallel if feed.step(n)]
        if again and again[-1] == inner:
            size = _whole(plan, feed)
        rate = next((r for c, r in reversed(speeds.caches) if size > c * 0.6), 0.0)
        if rate:
            total += feed.form.width * vectors / rate if moved else 0.0
    return total / 1.0


def _whole(plan: Plan, feed: Feed) -> int:
    return feed.form.width * prod(plan.extents[n] for n in (*plan.parallel, *plan.reduction) if feed.step(n))


def _packing(plan: Plan, speeds: Speeds) -> float:
    total = 0.0
    for stage in plan.stages:
        match stage:
            case PadCopy():
                total += stage.box.bytes / speeds.copied
            case TableCopy():
                total += stage.count * speeds.element
            case Interleave():
                times = prod(plan.extents[n] for n in plan.parallel[: stage.level])
                each = speeds.woven * (1.3 if stage.run < 64 and not stage.quarters else 1.0)
                if stage.bytes > speeds.caches[0][0] // 2:
                    each += 3.0
                total += times * stage.bytes / 64 * each
    return total


def _stored(plan: Plan, speeds: Speeds) -> float:
    """Cycles for each accumulator."""
    store = plan.store
    item = 1 if store.epilogue is not None and store.epilogue.dtype in {"int8", "uint8"} else 4
    written = 16 * item / speeds.written
    scaled = 2.5 if store.epilogue is not None and store.epilogue.scaled else 0.0
    if store.address is None:
        return 16 * 3.0 + written
    if store.group:
        moved = 0.0 if item == 4 or store.group.order[4:8] == (16, 17, 18, 19) else 0.5
        return (2.5 if item == 4 else 0.5) + moved + scaled + written
    if contiguous_order(store.address.lanes, store.used, item) is None:
        return speeds.scattered + scaled
    return (1.0 if item == 4 else 2.5) + scaled + written + (1.0 if store.limits else 0.0)
