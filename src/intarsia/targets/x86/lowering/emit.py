"""From a plan to a module: what packs before the loops, the loops, and what moves results after them.

All functions have the same parameters: the two factors (the given tensor, or the packed constant), the written tensor,
the kernel's scratch memory, three tables, bias and scale, and a range. ``prepare0`` and so on are the stages before the
loops, ``run`` the loops and ``finish`` what comes after them; threads may share the units of each. ``prepare`` calls
all stages, and ``whole`` everything.
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
from intarsia.targets.x86.lowering.sharing import BLOCKS, shared, stages_before, units_of
from intarsia.targets.x86.lowering.stages import Interleave, PadCopy, Stage, TableCopy
from intarsia.targets.x86.lowering.text import Text, Value

PARAMETERS = (
    "ptr noalias %factor0, ptr noalias %factor1, ptr noalias %out, ptr noalias align 64 %scratch, "
    "ptr noalias %table0, ptr noalias %table1, ptr noalias %table_out, ptr noalias %parameters, i64 %first, i64 %last"
)
PREPARE, RUN, FINISH, WHOLE = "prepare", "run", "finish", "whole"


def module_of(plan: Plan, spelled: Spelling) -> str:
    """The module of a plan."""
    made: dict[str, Text] = {}
    number = {feed.operand: i for i, feed in enumerate(plan.factors)}
    before = stages_before(plan)
    for i, stage in enumerate(before):
        _stage(made.setdefault(f"{PREPARE}{i}", Text()), plan, stage, number[stage.operand])
    made[PREPARE] = _calls([(f"{PREPARE}{i}", units_of(plan, stage)) for i, stage in enumerate(before)])
    _Nest(made.setdefault(RUN, Text()), plan, spelled).emit()
    finish = made.setdefault(FINISH, Text())
    if plan.store.address is None:
        emit_unpack(finish, plan, "i32" if "i32" in spelled.accumulator else "float")
    made[WHOLE] = _calls([(PREPARE, 0), (RUN, shared(plan).units), (FINISH, plan.store.count)])
    functions = [text.function(name, PARAMETERS) for name, text in made.items()]
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


def _stage(text: Text, plan: Plan, stage: Stage, number: int) -> None:
    """A range of what packs before the loops."""
    match stage:
        case PadCopy():
            emit_padcopy(text, plan, stage, number)
        case TableCopy():
            emit_tablecopy(text, plan, stage, number)
        case Interleave():
            emit_interleave(text, plan.registers, stage, number, {}, ranged=units_of(plan, stage) > 1)


def _calls(named: list[tuple[str, int]]) -> Text:
    """Functions in turn, over all of their units."""
    text = Text()
    given = ", ".join(p.replace("noalias ", "").replace("align 64 ", "") for p in PARAMETERS.split(", ")[:-2])
    for name, units in named:
        text.line(f"call void @{name}({given}, i64 0, i64 {units})")
    return text


class _Nest:
    def __init__(self, text: Text, plan: Plan, spelled: Spelling) -> None:
        self.text, self.plan, self.spelled = text, plan, spelled
        self.tile = dict(plan.tile)
        self.shared = shared(plan).level
        self.bounds: tuple[Value, Value] = 0, 0

    def emit(self) -> None:
        """All loops."""
        if self.plan.block is not None:
            self._blocks(*self.plan.block)
        else:
            self._at(0, {}, {})

    def _blocks(self, name: str, size: int) -> None:
        """The loop over blocks of a loop."""
        first: Value
        stop: Value
        text, extent = self.text, self.plan.extents[name]
        count = -(-extent // size)

        def body(index: Value, _: list[str]) -> list[str]:
            low = text.times(index, size)
            self.bounds = low, self._least(text.add(low, size), extent)
            self._at(0, {}, {})
            return []

        def blocks() -> None:
            text.loop(first, stop, 1, body)

        if self.shared == BLOCKS:
            first, stop = "%first", self._least("%last", count)
            text.when(text.new(f"icmp slt i64 {first}, {stop}"), blocks)
        else:
            first, stop = 0, count
            blocks()

    def _range(self, level: int, counters: Mapping[str, Value], sizes: Mapping[str, int]) -> None:
        """The iterations of the loop that are this thread's."""
        text, name = self.text, self.plan.parallel[level]
        extent, by = self.plan.extents[name], self.tile.get(name, 1)
        whole = extent // by
        stop = self._least("%last", whole)

        def main() -> None:
            self._loop(level, text.times("%first", by), text.times(stop, by), by, counters, sizes)

        text.when(text.new(f"icmp slt i64 %first, {stop}"), main)
        if whole * by < extent:
            rest = text.new(f"icmp sgt i64 %last, {whole}")
            text.when(rest, lambda: self._inside(level, whole * by, extent - whole * by, counters, sizes))

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

    def _least(self, value: Value, limit: int) -> Value:
        if isinstance(value, int):
            return min(value, limit)
        return self.text.new(f"call i64 @llvm.smin.i64(i64 {value}, i64 {limit})")

    def _at(self, level: int, counters: Mapping[str, Value], sizes: Mapping[str, int]) -> None:
        number = {feed.operand: i for i, feed in enumerate(self.plan.factors)}
        for stage in self.plan.stages:
            if isinstance(stage, Interleave) and stage.level == level > 0:
                emit_interleave(self.text, self.plan.registers, stage, number[stage.operand], counters)
        if level == len(self.plan.parallel):
            Tile(self.text, self.plan, self.spelled, sizes).emit(counters)
            return
        if level == self.shared:
            self._range(level, counters, sizes)
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
