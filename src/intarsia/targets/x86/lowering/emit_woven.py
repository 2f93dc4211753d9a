"""The code of tiles whose registers are woven where they are used.

Accumulators that are stored together are finished before the next ones begin, so that few are alive; columns that they
share stay in registers, also from one tile of a row to the next. Weaving, multiplying and finishing stand next to each
other, for the processor to overlap them.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import TypeAlias

from intarsia.targets.x86.intrinsics import Spelling
from intarsia.targets.x86.lowering.emit_pack import row_at, woven
from intarsia.targets.x86.lowering.emit_store import Storing, parameters_at
from intarsia.targets.x86.lowering.emit_tile import KEPT, Point, Tile, pointer_of
from intarsia.targets.x86.lowering.plan import Plan
from intarsia.targets.x86.lowering.text import Text, Value

Columns: TypeAlias = dict[int, list[str]]
"""The four registers of each column, by bytes from a tile's corner."""


class WovenRow:
    """All tiles along the row of a plan with a factor that is woven."""

    def __init__(self, text: Text, plan: Plan, spelled: Spelling, counters: Mapping[str, Value]) -> None:
        self.text, self.plan, self.spelled, self.counters = text, plan, spelled, counters
        self.row, self.four = plan.parallel[-2:]
        self.feed = next(feed for feed in plan.factors if feed.weave)
        self.by = dict(plan.tile)[self.row]

    def emit(self) -> None:
        """The code for some counters of the loops outside; columns pass from tile to tile."""
        by, extent = self.by, self.plan.extents[self.row]
        whole = extent // by * by
        alike = self._alike(whole)
        had: Columns = {}
        for i in range(0, alike.start if alike else whole, by):
            had = self._tile(i, by, had)
        if alike:
            had = self._loop(alike, had)
            for i in range(alike.stop, whole, by):
                had = self._tile(i, by, had)
        if whole < extent:
            self._tile(whole, extent - whole, had)

    def _loop(self, alike: range, had: Columns) -> Columns:
        """The tiles that meet no column beside the tensor."""
        shared = self._shared()
        first = self._at(alike.start, self.by, had)
        begin = [first.column(offset, None) for offset in shared]
        kind = self.spelled.factor

        def body(index: Value, carried: list[str]) -> list[str]:
            given = {offset: carried[4 * i : 4 * i + 4] for i, offset in enumerate(shared)}
            made = self._tile(index, self.by, given)
            return [register for offset in shared for register in made[offset]]

        carried = [(kind, register) for column in begin for register in column]
        done = self.text.loop(alike.start, alike.stop, alike.step, body, carried)
        return {offset: done[4 * i : 4 * i + 4] for i, offset in enumerate(shared)}

    def _tile(self, index: Value, size: int, had: Columns) -> Columns:
        """One tile; the columns that the next one shares with it, by bytes from that one's corner."""
        tile = self._at(index, size, had)
        tile.emit()
        shift = size * self.feed.step(self.row)
        return {offset - shift: column for offset, column in tile.made.items() if offset >= shift}

    def _at(self, index: Value, size: int, had: Columns) -> WovenTile:
        tile = Tile(self.text, self.plan, self.spelled, {self.row: size, self.four: 4})
        return WovenTile(tile, {**self.counters, self.row: index, self.four: 0}, had)

    def _shared(self) -> list[int]:
        """Bytes from a tile's corner of the columns that the tile before has woven."""
        feed, step = self.feed, self.feed.step(self.row)
        taps = {0}
        for name in self.plan.reduction:
            taps = {t + feed.step(name) * k for t in taps for k in range(self.plan.extents[name])}
        columns = {t + step * k for t in taps for k in range(self.by)}
        return sorted(c - step * self.by for c in columns if c - step * self.by in columns)

    def _alike(self, whole: int) -> range:
        """The corners at which a tile meets no column beside the tensor."""
        weave, by, extents = self.feed.weave, self.by, self.plan.extents
        steps = dict(self.feed.column)
        if weave is None or weave.borders is None or self.row not in steps:
            return range(0, whole, by)
        step = steps[self.row]
        reach = step * (by - 1) + sum(c * (extents[n] - 1) for n, c in steps.items() if n != self.row)
        valid = weave.borders.valid
        good = [i for i in range(0, whole, by) if all(map(all, valid[i * step : i * step + reach + 1]))]
        return range(good[0], good[-1] + by, by) if good else range(0)


class WovenTile:
    """One tile of a plan with a factor that is woven."""

    def __init__(self, tile: Tile, counters: Mapping[str, Value], had: Columns) -> None:
        self.tile, self.text, self.plan, self.counters = tile, tile.text, tile.plan, counters
        self.bases: list[str] = []
        self.rows: list[str | None] = []
        self.made = dict(had)
        plan, text = self.plan, self.text
        for number, feed in enumerate(plan.factors):
            start = text.sum([(self.counters[n], feed.step(n)) for n in plan.parallel], feed.constant)
            source = pointer_of(feed.source, number)
            self.bases.append("" if feed.weave else text.at(source, start))
            if feed.weave is not None:
                self.feed = feed
                for j, row in enumerate(feed.weave.rows):
                    if row is None:
                        self.rows.append(None)
                    else:
                        self.rows.append(row_at(text, feed.weave, j, text.add(start, row), source, counters))

    def emit(self) -> None:
        """The code at a corner of the tile."""
        plan, text, tile = self.plan, self.text, self.tile
        store = Storing(text, plan, tile.spelled.accumulator, self.counters)
        for group in tile.groups():
            parameters = {i: parameters_at(text, plan, self.counters, tile.within(tile.points[i])) for i in group}
            sums = {i: p.bias if p else "zeroinitializer" for i, p in parameters.items()}
            self._sum(sums)
            store.emit([(tile.within(tile.points[i]), sums[i], parameters[i]) for i in group])

    def _sum(self, sums: dict[int, str]) -> None:
        """The whole reduction of some accumulators."""
        plan, text, tile = self.plan, self.text, self.tile
        kept = [b and text.new(f"call ptr @{KEPT}(ptr {b})") for b in self.bases]
        for iteration in product(*(range(plan.extents[n]) for n in plan.reduction)):
            for i, before in sums.items():
                point, registers = tile.points[i], []
                for number, feed in enumerate(plan.factors):
                    offset = sum(feed.step(n) * k for n, k in zip(plan.reduction, iteration, strict=True))
                    offset += tile.offset(feed, point)
                    if feed.weave is not None:
                        inside = self._inside(point, iteration)
                        registers.append(self.column(offset, inside)[point[tile.loops.index(feed.four)]])
                    else:
                        registers.append(tile.load(feed, text.at(kept[number], offset)))
                total = text.name()
                text.lines.append(tile.spelled.text(total, before, registers[0], registers[1]))
                sums[i] = total

    def column(self, offset: int, inside: tuple[bool, ...] | None) -> list[str]:
        """The four registers of a column, woven when the first is needed; ``inside`` as ``_inside`` says."""
        assert self.feed.weave is not None
        text, registers, kind = self.text, self.plan.registers, self.tile.spelled.factor
        if offset not in self.made:
            rows = [r if r is None else text.new(f"getelementptr i8, ptr {r}, i64 {offset}") for r in self.rows]
            found = woven(text, registers, self.feed.weave, rows, inside or (True,) * registers.pieces)
            if kind != registers.bytes:
                found = [text.new(f"bitcast {registers.bytes} {one} to {kind}") for one in found]
            self.made[offset] = found
        return self.made[offset]

    def _inside(self, point: Point, iteration: Point) -> tuple[bool, ...] | None:
        """Which pieces of a column lie inside the tensor; None for all, as it is where counters are not known."""
        borders = self.feed.weave.borders if self.feed.weave else None
        if borders is None or borders.column < 0:
            return None
        within = self.tile.within(point) | dict(zip(self.plan.reduction, iteration, strict=True))
        position = 0
        for name, c in self.feed.column:
            counter = self.counters.get(name, 0)
            if not isinstance(counter, int):
                return None
            position += c * (counter + within.get(name, 0))
        return borders.valid[position]
