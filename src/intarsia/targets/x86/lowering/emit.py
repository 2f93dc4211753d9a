"""From a plan to a module: what packs before the loops, the loops, and what moves results after them.

Functions ``prepare``, ``run`` and ``finish``, and ``whole``, which calls them in turn, have the same parameters: the
two factors (the given tensor, or the packed constant), the written tensor, the kernel's scratch memory, three tables,
bias and scale, and the range of the outermost parallel loop (in tiles where it is in the tile), so that threads may
share the work of ``run``.
"""

from __future__ import annotations

from collections.abc import Mapping

from intarsia.targets.x86.intrinsics import Spelling
from intarsia.targets.x86.lowering.emit_copy import emit_padcopy, emit_tablecopy, emit_unpack
from intarsia.targets.x86.lowering.emit_finish import declared
from intarsia.targets.x86.lowering.emit_pack import emit_interleave
from intarsia.targets.x86.lowering.emit_tile import KEPT, Tile
from intarsia.targets.x86.lowering.emit_woven import WovenRow
from intarsia.targets.x86.lowering.plan import Plan
from intarsia.targets.x86.lowering.stages import Interleave, PadCopy, TableCopy
from intarsia.targets.x86.lowering.text import Text, Value

PARAMETERS = (
    "ptr noalias %factor0, ptr noalias %factor1, ptr noalias %out, ptr noalias align 64 %scratch, "
    "ptr noalias %table0, ptr noalias %table1, ptr noalias %table_out, ptr noalias %parameters, i64 %first, i64 %last"
)


def module_of(plan: Plan, spelled: Spelling) -> str:
    """The module of a plan: functions ``prepare``, ``run``, ``finish`` and ``whole``."""
    prepare, run, finish = Text(), Text(), Text()
    number = {feed.operand: i for i, feed in enumerate(plan.factors)}
    for stage in plan.stages:
        match stage:
            case PadCopy():
                emit_padcopy(prepare, plan, stage, number[stage.operand])
            case TableCopy():
                emit_tablecopy(prepare, plan, stage, number[stage.operand])
            case Interleave(level=0):
                emit_interleave(prepare, plan.registers, stage, number[stage.operand], {})
            case Interleave():
                pass
    _Nest(run, plan, spelled).emit()
    if plan.store.address is None:
        emit_unpack(finish, plan, "i32" if "i32" in spelled.accumulator else "float")
    whole = Text()
    given = ", ".join(p.replace("noalias ", "").replace("align 64 ", "") for p in PARAMETERS.split(", ")[:-2])
    for name, last in (("prepare", 0), ("run", outermost(plan)), ("finish", 0)):
        whole.line(f"call void @{name}({given}, i64 0, i64 {last})")
    parts = (("prepare", prepare), ("run", run), ("finish", finish), ("whole", whole))
    functions = [t.function(n, PARAMETERS) for n, t in parts]
    return "\n".join(
        [
            spelled.declaration,
            declared(plan.registers),
            "declare i64 @llvm.smin.i64(i64, i64)",
            "declare i64 @llvm.smax.i64(i64, i64)",
            f"declare ptr @{KEPT}(ptr)",
            *functions,
            "",
        ]
    )


def outermost(plan: Plan) -> int:
    """Iterations of the outermost parallel loop, tiles of it, or blocks: what threads may share."""
    if not plan.parallel:
        return 1
    if plan.block is not None:
        return -(-plan.extents[plan.block[0]] // plan.block[1])
    name = plan.parallel[0]
    return -(-plan.extents[name] // dict(plan.tile).get(name, 1))


class _Nest:
    def __init__(self, text: Text, plan: Plan, spelled: Spelling) -> None:
        self.text, self.plan, self.spelled = text, plan, spelled
        self.tile = dict(plan.tile)
        self.bounds: tuple[Value, Value] = 0, 0

    def emit(self) -> None:
        """All loops."""
        if not self.plan.parallel:
            self._at(0, {}, {})
            return
        if self.plan.block is not None:
            self._blocks(*self.plan.block)
            return
        name = self.plan.parallel[0]
        extent, by = self.plan.extents[name], self.tile.get(name, 1)
        whole = extent // by
        stop = self.text.new(f"call i64 @llvm.smin.i64(i64 %last, i64 {whole})")
        some = self.text.new(f"icmp slt i64 %first, {stop}")

        def main() -> None:
            first, last = self.text.times("%first", by), self.text.times(stop, by)
            self._loop(0, first, last, by, {}, {})

        self.text.when(some, main)
        if whole * by < extent:
            rest = self.text.new(f"icmp sgt i64 %last, {whole}")
            self.text.when(rest, lambda: self._inside(0, whole * by, extent - whole * by, {}, {}))

    def _blocks(self, name: str, size: int) -> None:
        """The loop over blocks of a loop."""
        text, extent = self.text, self.plan.extents[name]
        stop = self._least("%last", -(-extent // size))

        def body(index: Value, _: list[str]) -> list[str]:
            low = text.times(index, size)
            self.bounds = low, self._least(text.add(low, size), extent)
            self._at(0, {}, {})
            return []

        def blocks() -> None:
            text.loop("%first", stop, 1, body)

        text.when(text.new(f"icmp slt i64 %first, {stop}"), blocks)

    def _block(self, level: int, counters: Mapping[str, Value], sizes: Mapping[str, int]) -> None:
        """The iterations of the loop that belong to the block."""
        text, name = self.text, self.plan.parallel[level]
        (low, high), extent, by = self.bounds, self.plan.extents[name], self.tile.get(name, 1)
        whole = extent // by * by
        stop = self._least(high, whole)
        some = text.new(f"icmp slt i64 {low}, {stop}")
        text.when(some, lambda: self._loop(level, low, stop, by, counters, sizes))
        if whole < extent:
            last = text.new(f"icmp eq i64 {high}, {extent}")
            text.when(last, lambda: self._inside(level, whole, extent - whole, counters, sizes))

    def _least(self, value: Value, limit: int) -> str:
        return self.text.new(f"call i64 @llvm.smin.i64(i64 {value}, i64 {limit})")

    def _at(self, level: int, counters: Mapping[str, Value], sizes: Mapping[str, int]) -> None:
        number = {feed.operand: i for i, feed in enumerate(self.plan.factors)}
        for stage in self.plan.stages:
            if isinstance(stage, Interleave) and stage.level == level > 0:
                emit_interleave(self.text, self.plan.registers, stage, number[stage.operand], counters)
        if level == len(self.plan.parallel):
            Tile(self.text, self.plan, self.spelled, sizes).emit(counters)
            return
        name = self.plan.parallel[level]
        if level == len(self.plan.parallel) - 2 and any(feed.weave for feed in self.plan.factors):
            WovenRow(self.text, self.plan, self.spelled, counters).emit()
            return
        if self.plan.block is not None and name == self.plan.block[0]:
            self._block(level, counters, sizes)
            return
        extent, by = self.plan.extents[name], self.tile.get(name, 1)
        whole = extent // by * by
        if whole:
            self._loop(level, 0, whole, by, counters, sizes)
        if whole < extent:
            self._inside(level, whole, extent - whole, counters, sizes)

    def _loop(
        self, level: int, start: Value, stop: Value, by: int, counters: Mapping[str, Value], sizes: Mapping[str, int]
    ) -> None:
        def body(index: Value, _: list[str]) -> list[str]:
            self._inside(level, index, by, counters, sizes)
            return []

        self.text.loop(start, stop, by, body)

    def _inside(
        self, level: int, index: Value, size: int, counters: Mapping[str, Value], sizes: Mapping[str, int]
    ) -> None:
        name = self.plan.parallel[level]
        inner = {**sizes, name: size} if name in self.tile else sizes
        self._at(level + 1, {**counters, name: index}, inner)
