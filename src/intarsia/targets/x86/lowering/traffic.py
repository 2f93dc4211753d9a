"""Bytes that a plan moves into each cache, by what its loops use again before it is gone.

A loop nest is cut where all that its inside reads fits a cache. What the inside touches is fetched again in each
iteration outside, but for what the loop just outside does not move. Results pass through: they are written once, and
need no room but where all of the nest fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from intarsia.operators import DTYPES
from intarsia.targets.x86.lowering.feed import Feed
from intarsia.targets.x86.lowering.plan import Plan
from intarsia.targets.x86.lowering.stages import Interleave


@dataclass(frozen=True, slots=True)
class _Touched:
    """What a nest reads or writes: bytes of one register, and bytes between registers for each step of a loop."""

    width: int
    steps: dict[str, int]

    def footprint(self, counts: dict[str, int]) -> int:
        """Different bytes over some iterations of each loop: all registers, but not more than from first to last."""
        moved = [(abs(step), counts.get(name, 1)) for name, step in self.steps.items()]
        registers = self.width * prod(n for _, n in moved)
        return min(registers, self.width + sum(step * (n - 1) for step, n in moved))

    def moves(self, loop: str) -> bool:
        """Whether a loop changes what is touched."""
        return bool(self.steps.get(loop))


def traffic(plan: Plan, rooms: tuple[float, ...]) -> tuple[float, ...]:
    """Bytes that come into caches while the plan multiplies; results count when they are written.

    Args:
        plan: the plan.
        rooms: bytes that may stay in each cache, the nearest first.
    """
    read, written = [_read(plan, feed) for feed in plan.factors], _written(plan)
    tile, block = dict(plan.tile), plan.block
    extents = plan.extents | ({block[0]: block[1]} if block else {})
    loops = [(n, -(-extents[n] // tile.get(n, 1))) for n in plan.parallel]
    inside = [tile | {n: extents[n] for n in plan.reduction}]
    for name, _ in reversed(loops):
        inside.insert(0, inside[0] | {name: extents[name]})
    if block:
        loops.insert(0, (block[0], -(-plan.extents[block[0]] // block[1])))
        inside.insert(0, inside[0] | {block[0]: plan.extents[block[0]]})
    return tuple(_into(room, read, written, loops, inside) for room in rooms)


def _into(
    room: float, read: list[_Touched], written: _Touched, loops: list[tuple[str, int]], inside: list[dict[str, int]]
) -> float:
    """Bytes into one cache: ``inside[d]`` are the iterations of every loop within the first d loops."""
    needed = [sum(one.footprint(counts) for one in read) for counts in inside]
    needed[0] += written.footprint(inside[0])
    depth = next((d for d, each in enumerate(needed) if each <= room), len(loops))
    if not depth:  # all of it is still there from the run before
        return 0.0
    total = 0.0
    for one in (*read, written):
        again = [count for name, count in loops[:depth]]
        if not one.moves(loops[depth - 1][0]) and one.footprint(inside[depth]) <= room:
            again.pop()
        total += one.footprint(inside[depth]) * prod(again)
    return total


def _read(plan: Plan, feed: Feed) -> _Touched:
    woven = next((s for s in plan.stages if isinstance(s, Interleave) and s.operand == feed.operand), None)
    outside = plan.parallel[: woven.level] if woven is not None else ()
    return _Touched(feed.form.width, {n: c for n, c in (*feed.inner, *feed.terms) if n not in outside})


def _written(plan: Plan) -> _Touched:
    store = plan.store
    item = DTYPES[store.epilogue.dtype] if store.epilogue else 4
    if store.address is None:
        return _Touched(4 * len(store.used), dict(store.terms))
    return _Touched(item * len(store.used), dict(store.address.terms))
