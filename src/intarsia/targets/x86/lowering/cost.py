"""What a plan is predicted to take, in cycles, from how often each port is used and which cache its bytes come from.

A step of the innermost loop takes as long as its busiest resource: two multiplications, two loads, four operations a
cycle, one shuffle; or its accumulators' latency. Bytes of constants that the first-level cache cannot hold come from
the second, and so on. Packing and stores are added, they hardly overlap with what needs them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import product
from math import inf, prod

from intarsia.machines import Instruction
from intarsia.targets.x86.lowering.emit_store import contiguous_order
from intarsia.targets.x86.lowering.feed import Feed
from intarsia.targets.x86.lowering.plan import Plan
from intarsia.targets.x86.lowering.runs import waiting
from intarsia.targets.x86.lowering.stages import Interleave, PadCopy, TableCopy
from intarsia.targets.x86.lowering.traffic import traffic


@dataclass(frozen=True, slots=True)
class Speeds:
    """A core, in cycles and bytes.

    Attributes:
        multiply: of the instruction in a cycle.
        loads, operations: in a cycle.
        latency: cycles from an accumulator to itself.
        caches: bytes of each cache, and bytes that come from the next one in a cycle.
        woven: cycles for a woven register, from memory to packed memory.
        element: cycles for an element that is packed by a table.
        copied: bytes copied in a cycle.
        scattered: cycles for a register whose lanes are stored one by one.
        written: bytes stored in a cycle where they miss the first cache.
        tile: cycles around each tile.
        turned: bytes of a transposed copy in a cycle, in the first two caches.
        hidden: how far moving bytes and multiplying overlap: 1 for not at all, infinitely large for wholly.
    """

    multiply: float = 2.0
    loads: float = 2.0
    operations: float = 4.0
    latency: float = 5.0
    caches: tuple[tuple[int, float], ...] = ((1 << 15, 40.0), (1 << 20, 8.0), (1 << 25, 4.0))
    woven: float = 3.6
    element: float = 2.6
    copied: float = 12.0
    scattered: float = 27.0
    written: float = 32.0
    tile: float = 12.0
    turned: float = 5.0
    hidden: float = 2.5


BEYOND = ("bytes from L2", "bytes from L3", "bytes from memory")
"""What a kernel waits for whose bytes are not in the cache before."""
FILLED = (0.75, 0.95, 0.75)
"""The part of each cache that a loop nest may hope to keep: the first has few places for each line, the last is
shared."""
LINE, SETS, WAYS_KEPT = 64, 64, 7
"""Bytes of a line of the first cache, its sets, and lines of a set that a tile may hope to keep, of eight."""
WEAVING = 8
"""Shuffles that make four registers of four rows."""
DEFAULT = Speeds()
TWO_INSTRUCTIONS = "x86.vpmaddwd.ymm"
"""A multiplication and an addition, on three ports that have both or one of them."""


def speeds_of(instruction: Instruction) -> Speeds:
    """The speeds of a core with an instruction."""
    return replace(DEFAULT, multiply=1.5, latency=1.0) if instruction.name == TWO_INSTRUCTIONS else DEFAULT


@dataclass(frozen=True, slots=True)
class Cycles:
    """Predicted cycles of a plan by what takes them; ``busiest`` is what multiplying waits for."""

    multiply: float
    pack: float
    store: float
    busiest: str = ""

    @property
    def total(self) -> float:
        """All of them."""
        return self.multiply + self.pack + self.store

    @property
    def bound(self) -> str:
        """What takes most of them."""
        most = max(self.multiply, self.pack, self.store)
        return self.busiest if most == self.multiply else "packing" if most == self.pack else "stores"


def predicted(plan: Plan, speeds: Speeds = DEFAULT, limit: float = inf) -> Cycles:
    """The cycles of a plan; what bytes beyond the first cache take is left out where the rest reaches a limit."""
    tiles = [(count, sizes, *_tile(plan, sizes, speeds)) for count, sizes in _tiles(plan)]
    multiply = sum(count * cycles for count, _, cycles, _ in tiles)
    busiest = max(tiles, key=lambda tile: tile[0] * tile[2])[3]
    registers = sum(count * prod(sizes.values()) for count, sizes, _, _ in tiles)
    least = Cycles(multiply, _packing(plan, speeds), registers * _stored(plan, speeds), busiest)
    if least.total >= limit:
        return least
    moved = traffic(plan, tuple(size * part for (size, _), part in zip(speeds.caches, FILLED, strict=True)))
    waits = [each / rate for each, (_, rate) in zip(moved, speeds.caches, strict=True)]
    total = sum(t**speeds.hidden for t in (multiply, *waits)) ** (1 / speeds.hidden)
    store = least.store + registers * waiting(plan, _item(plan), speeds.caches)
    beyond = BEYOND[waits.index(max(waits))] if max(waits) > multiply else busiest
    return replace(least, multiply=total, store=store, busiest=beyond)


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


def _tile(plan: Plan, sizes: dict[str, int], speeds: Speeds) -> tuple[float, str]:
    """Cycles of one tile over the whole reduction, and what is busy all the time."""
    extents = plan.extents
    if plan.unroll:
        loops: tuple[str, ...] = ()
        steps = _steps(plan)
    else:
        loops, steps = plan.reduction, 1.0
    inner = prod(extents[n] for n in loops)
    loads, shuffles, joins, missed = 0.0, 0.0, 0.0, 0.0
    for feed in plan.factors:
        moves = [(feed.step(n), extents[n]) for n in loops] + [(feed.within(n), size) for n, size in sizes.items()]
        distinct = {0}
        for step, count in moves:
            if step:
                distinct = {place + step * k for place in distinct for k in range(count)}
        missed += _missed(feed, sizes)
        crossing = feed.form.size / 64 if feed.form.wide and not feed.aligned else 0.0
        if feed.weave is not None:
            shift = sizes[plan.parallel[-2]] * feed.step(plan.parallel[-2])
            new = sum(place - shift not in distinct or place < shift for place in distinct)
            rows = len(feed.weave.rows) - feed.weave.rows.count(None)
            loads += new * rows
            shuffles += new * WEAVING
            joins += new * rows * _joins(feed.weave.quarters)
            continue
        loads += len(distinct) * (1.0 + 0.8 * crossing)
        shuffles += len(distinct) * _shuffles(feed)
    work = prod(sizes.values()) * inner
    instructions = 2 if plan.embedding.instruction.name == TWO_INSTRUCTIONS else 1
    busy = max(
        {
            "multiplying": (work + shuffles + joins) / speeds.multiply,
            "loads": loads / speeds.loads,
            "shuffles": shuffles,
            "issue": (work * instructions + loads + shuffles + joins) / speeds.operations,
            "latency": speeds.latency * inner if plan.unroll else 0.0,
            "bytes from L2": missed / speeds.caches[0][1],
        }.items(),
        key=lambda entry: entry[1],
    )
    around = 1.0 / plan.unroll if plan.unroll else 0.0
    if any(feed.weave for feed in plan.factors):  # neighbours overlap: there is no loop of their own
        return steps * busy[1], busy[0]
    return steps * (busy[1] + around) + speeds.tile, busy[0]


def _missed(feed: Feed, sizes: dict[str, int]) -> float:
    """Bytes of a step that come from the second cache because more lines than it has ways share a set of the first."""
    places = {0}
    for name, size in sizes.items():
        places = {place + feed.within(name) * k for place in places for k in range(size)}
    lines = {place // LINE for place in places}
    most = max(Counter(line % SETS for line in lines).values())
    return LINE * len(lines) if most > WAYS_KEPT else 0.0


def _joins(quarters: tuple[int, ...]) -> int:
    """Operations that make a register of pieces of 16 bytes, beside loads."""
    size = next(s for s in (4, 2, 1) if all(q - quarters[i - i % s] == 16 * (i % s) for i, q in enumerate(quarters)))
    parts = quarters[::size]
    return 0 if len(set(parts)) == 1 else len(parts) - 1


def _steps(plan: Plan) -> float:
    """Iterations of the reduction, on average where some are left out."""
    average = {skip.loop: skip.average for skip in plan.skips}
    return prod(average.get(name, plan.extents[name]) for name in plan.reduction) * average.get("", 1.0)


def _shuffles(feed: Feed) -> float:
    if not feed.form.pick:
        return 0.0
    return 1.0 if feed.form.piece == 4 or feed.form.spread else 4.0


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
                total += times * stage.bytes / plan.registers.size * each
    return total


def _item(plan: Plan) -> int:
    """Bytes of a result."""
    epilogue = plan.store.epilogue
    return 1 if epilogue is not None and epilogue.dtype in {"int8", "uint8"} else 4


def _stored(plan: Plan, speeds: Speeds) -> float:
    """Cycles for each accumulator."""
    store, lanes = plan.store, plan.registers.lanes
    item = _item(plan)
    written = lanes * item / speeds.written
    scaled = 2.5 if store.epilogue is not None and store.epilogue.scaled else 0.0
    if store.address is None:
        return lanes * 3.0 + written
    if store.group:
        moved = 0.0 if item == 4 or store.group.order[4:8] == tuple(range(lanes, lanes + 4)) else 0.5
        return (2.5 if item == 4 else 0.5) + moved + scaled + written
    if contiguous_order(store.address.lanes, store.used, item) is None:
        return speeds.scattered + scaled
    return (1.0 if item == 4 else 2.5) + scaled + written + (1.0 if store.limits else 0.0)
