"""The code of one register tile: accumulators over the whole reduction, then their store."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from math import prod

from intarsia.targets.x86.intrinsics import Spelling
from intarsia.targets.x86.lowering.emit_store import Storing, parameters_at
from intarsia.targets.x86.lowering.feed import Feed, Form
from intarsia.targets.x86.lowering.plan import Plan
from intarsia.targets.x86.lowering.registers import Registers
from intarsia.targets.x86.lowering.text import Text, Value

Point = tuple[int, ...]
KEPT = "llvm.launder.invariant.group.p0"
"""A copy of a pointer that LLVM does not see through: it would keep a pointer of its own for each row of a tile, more
than there are registers, instead of one pointer with constant offsets."""


def pointer_of(source: str, number: int) -> str:
    """The argument that holds a feed's memory."""
    return "%scratch" if source == "scratch" else f"%factor{number}"


class Tile:
    """One tile of a plan, with factors that may be smaller at the end of a loop."""

    def __init__(self, text: Text, plan: Plan, spelled: Spelling, sizes: Mapping[str, int]) -> None:
        self.text, self.plan, self.spelled = text, plan, spelled
        self.loops = [name for name, _ in plan.tile]
        self.points: list[Point] = list(product(*(range(sizes[name]) for name in self.loops)))
        self.order = self._order()
        self.counters: Mapping[str, Value] = {}
        self.skips = {skip.loop: skip for skip in plan.skips}

    def _order(self) -> list[int]:
        """Accumulators in an order that keeps few registers alive: a register of the factor that has more, once."""
        kinds = [[self.offset(feed, point) for point in self.points] for feed in self.plan.factors]
        many = max(kinds, key=lambda offsets: len(set(offsets)))
        return sorted(range(len(self.points)), key=lambda i: (many[i], i))

    def offset(self, feed: Feed, point: Point) -> int:
        """Bytes from the tile's corner to a point."""
        return sum(feed.within(n) * k for n, k in zip(self.loops, point, strict=True))

    def emit(self, counters: Mapping[str, Value]) -> None:
        """The code at a corner of the tile."""
        bases = []
        for number, feed in enumerate(self.plan.factors):
            offset = self.text.sum([(counters[n], feed.step(n)) for n in self.plan.parallel], feed.constant)
            bases.append(self.text.at(pointer_of(feed.source, number), offset))
        parameters = [parameters_at(self.text, self.plan, counters, self.within(p)) for p in self.points]
        first = [p.bias if p else "zeroinitializer" for p in parameters]
        self.counters = counters
        sums = self._reduce(0, bases, first)
        store = Storing(self.text, self.plan, self.spelled.accumulator, counters)
        for group in self.groups():
            store.emit([(self.within(self.points[i]), sums[i], parameters[i]) for i in group])

    def within(self, point: Point) -> dict[str, int]:
        """The iteration of each loop at a point."""
        return dict(zip(self.loops, point, strict=True))

    def groups(self) -> list[list[int]]:
        """Indices of accumulators that are stored together: four of a group, or each by itself."""
        group = self.plan.store.group
        if group is None:
            return [[i] for i in range(len(self.points))]
        rest = [i for i, name in enumerate(self.loops) if name not in group.loops]
        own = [self.loops.index(name) for name in group.loops]
        found: dict[Point, list[int]] = {}
        for i, point in enumerate(self.points):
            found.setdefault(tuple(point[j] for j in rest), []).append(i)
        return [sorted(g, key=lambda i: [self.points[i][j] for j in own]) for g in found.values()]

    def _reduce(self, depth: int, bases: list[str], sums: list[str]) -> list[str]:
        """The sums after the loops from a depth on, from pointers at their first iteration."""
        plan, rest = self.plan, self.plan.reduction[depth:]
        if not rest:
            return self._step(bases, [()], (), sums)
        if not plan.unroll:
            return self._step(bases, list(product(*(range(plan.extents[n]) for n in rest))), rest, sums)
        extent = plan.extents[rest[0]]
        start, stop = self._range(rest[0])
        if (start, stop) == (0, extent) and len(rest) == 1 and plan.unroll >= extent:
            return self._step(bases, [(i,) for i in range(extent)], rest, sums)
        by = plan.unroll if len(rest) == 1 else 1

        def body(_: Value, carried: list[str]) -> list[str]:
            pointers, values = carried[: len(bases)], carried[len(bases) :]
            if len(rest) == 1:
                kept = [self.text.new(f"call ptr @{KEPT}(ptr {p})") for p in pointers]
                values = self._step(kept, [(i,) for i in range(by)], rest, values)
            else:
                values = self._reduce(depth + 1, pointers, values)
            steps = [by * feed.step(rest[0]) for feed in plan.factors]
            return [*(self.text.at(p, s) for p, s in zip(pointers, steps, strict=True)), *values]

        begin = [
            self.text.at(b, self.text.times(start, feed.step(rest[0])))
            for b, feed in zip(bases, plan.factors, strict=True)
        ]
        carried = [("ptr", b) for b in begin] + [(self.spelled.accumulator, s) for s in sums]
        if (start, stop) != (0, extent):
            return self.text.loop(start, stop, 1, body, carried)[len(bases) :]
        whole = extent // by * by
        done = self.text.loop(0, whole if depth else self._all_or(by, whole), by, body, carried)
        if whole == extent:
            return done[len(bases) :]
        return self._step(done[: len(bases)], [(i,) for i in range(extent - whole)], rest, done[len(bases) :])

    def _all_or(self, least: int, whole: int) -> Value:
        """All iterations of the outermost reduction loop, or the least where the tile reads only zeros."""
        skip = self.skips.get("")
        if skip is None:
            return whole
        position = self.text.sum([(self.counters[n], c) for n, c in skip.terms], skip.constant)
        if isinstance(position, int):
            return whole if 0 <= position < skip.size else least
        inside = self.text.new(f"icmp ult i64 {position}, {skip.size}")
        return self.text.new(f"select i1 {inside}, i64 {whole}, i64 {least}")

    def _range(self, loop: str) -> tuple[Value, Value]:
        """The iterations of a reduction loop that are needed."""
        extent, skip = self.plan.extents[loop], self.skips.get(loop)
        if skip is None:
            return 0, extent
        base = self.text.sum([(self.counters[n], c) for n, c in skip.terms], skip.constant)
        below = self.text.sum([(base, -1)], skip.step - 1)
        above = self.text.sum([(base, -1)], skip.size - 1 + skip.step)
        return self._quotient(below, skip.step, "smax", 0), self._quotient(above, skip.step, "smin", extent)

    def _quotient(self, value: Value, divisor: int, bound: str, limit: int) -> Value:
        """A quotient, rounded down where it is not negative, within a bound."""
        if isinstance(value, int):
            return max(value // divisor, limit) if bound == "smax" else min(value // divisor, limit)
        kept = value
        if divisor > 1:
            kept = self.text.new(f"sdiv i64 {value}, {divisor}")
        return self.text.new(f"call i64 @llvm.{bound}.i64(i64 {kept}, i64 {limit})")

    def _step(self, bases: list[str], iterations: list[Point], loops: tuple[str, ...], sums: list[str]) -> list[str]:
        """Straight code for some iterations of the innermost loops."""
        sums = list(sums)
        made: dict[tuple[int, int], str] = {}
        for iteration in iterations:
            for i in self.order:
                point = self.points[i]
                registers = []
                for number, feed in enumerate(self.plan.factors):
                    offset = sum(feed.step(n) * k for n, k in zip(loops, iteration, strict=True))
                    offset += self.offset(feed, point)
                    if (number, offset) not in made:
                        made[number, offset] = self.load(feed, self.text.at(bases[number], offset))
                    registers.append(made[number, offset])
                total = self.text.name()
                self.text.lines.append(self.spelled.text(total, sums[i], registers[0], registers[1]))
                sums[i] = total
        return sums

    def load(self, feed: Feed, pointer: str) -> str:
        """A factor of the instruction, from memory."""
        register, words = load_form(self.text, feed.form, pointer, aligned=feed.aligned), self.plan.registers.words
        if self.spelled.factor == words:
            return register
        return self.text.new(f"bitcast {words} {register} to {self.spelled.factor}")


def load_form(text: Text, form: Form, pointer: str, *, aligned: bool) -> str:
    """A register of double words in its form."""
    words = Registers(form.size).words
    if form.wide and not form.pick:
        return text.new(f"load {words}, ptr {pointer}, align {form.size if aligned else 1}")
    if form.width == 4 and not form.pick:
        word = text.new(f"load i32, ptr {pointer}, align 1")
        first = text.new(f"insertelement {words} poison, i32 {word}, i64 0")
        return text.new(f"shufflevector {words} {first}, {words} poison, {words} zeroinitializer")
    count, kind = form.width // form.piece, f"i{8 * form.piece}"
    part = text.new(f"load <{count} x {kind}>, ptr {pointer}, align 1")
    size = form.size // form.piece
    pick = form.pick or tuple(i % count for i in range(size))
    # What no lane uses is no poison, which would spread over its double word: the first element, or, where shuffles
    # cannot cross the halves of a register, zero, so that elements beside zeros are widened by one instruction.
    other, any_of = ("poison", 0) if form.size == 64 else ("zeroinitializer", count)
    mask = ", ".join(f"i32 {i if i >= 0 else any_of}" for i in pick)
    found = text.new(f"shufflevector <{count} x {kind}> {part}, <{count} x {kind}> {other}, <{size} x i32> <{mask}>")
    return found if form.piece == 4 else text.new(f"bitcast <{size} x {kind}> {found} to {words}")


def multiplications(plan: Plan) -> int:
    """Instructions of one tile over the whole reduction."""
    return plan.accumulators * prod(plan.extents[n] for n in plan.reduction)
