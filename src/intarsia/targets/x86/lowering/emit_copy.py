"""The code of the stages that copy: into a box with a border, or by a table, and results out of scratch memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from intarsia.operators import DTYPES, is_floating, numpy_dtype
from intarsia.targets.x86.lowering.plan import Plan
from intarsia.targets.x86.lowering.stages import PadCopy, TableCopy
from intarsia.targets.x86.lowering.text import Text, Value


def _over(
    text: Text,
    dims: tuple[tuple[int, int, int], ...],
    source: str,
    target: str,
    body: Callable[[str, str], None],
) -> None:
    """Loops over (iterations, source bytes, target bytes), outermost first, of which only a range is done."""

    def at(depth: int, source: str, target: str) -> None:
        if depth == len(dims):
            body(source, target)
            return
        count, read, written = dims[depth]
        first, last = (0, count) if depth else ("%first", "%last")

        def iteration(_: Value, carried: list[str]) -> list[str]:
            at(depth + 1, carried[0], carried[1])
            return [text.at(carried[0], read), text.at(carried[1], written)]

        begin = text.at(source, text.times(first, read)), text.at(target, text.times(first, written))
        text.loop(first, last, 1, iteration, [("ptr", pointer) for pointer in begin])

    at(0, source, target)


def chunks(text: Text, count: int, wide: int, body: Callable[[Value], None]) -> None:
    """Cover ``count`` bytes with chunks; the last one overlaps the one before where they do not divide."""
    whole = count // wide * wide

    def iteration(index: Value, _: list[str]) -> list[str]:
        body(index)
        return []

    if whole:
        text.loop(0, whole, wide, iteration)
    if count > whole:
        body(max(0, count - wide))


def emit_padcopy(text: Text, plan: Plan, stage: PadCopy, number: int) -> None:
    """Copy a range of a tensor into its box; the border was written when the memory was made."""
    tensor, box = plan.embedding.operator.tensor(stage.tensor), stage.box
    dims, count = stage.copied(tensor)
    item = DTYPES[stage.given or tensor.dtype]
    start = stage.offset + box.before + sum(-l * s for l, s in zip(box.low, box.strides, strict=True))

    def row(source: str, target: str) -> None:
        if stage.given:
            _widen(text, stage.given, tensor.dtype, count, source, target)
        else:
            _copy(text, item * count, source, target)

    _over(text, dims, f"%factor{number}", text.at("%scratch", start), row)


def _copy(text: Text, count: int, source: str, target: str) -> None:
    size = next(s for s in (64, 32, 16, 8, 4, 2, 1) if s <= count)

    def chunk(index: Value) -> None:
        loaded = text.new(f"load <{size} x i8>, ptr {text.at(source, index)}, align 1")
        text.line(f"store <{size} x i8> {loaded}, ptr {text.at(target, index)}, align 1")

    chunks(text, count, size, chunk)


def _widen(text: Text, given: str, dtype: str, count: int, source: str, target: str) -> None:
    """Copy elements of one integer type as those of a wider one."""
    size = next(s for s in (16, 8, 4, 2, 1) if s <= count)
    narrow, wide = f"<{size} x i{8 * DTYPES[given]}>", f"<{size} x i{8 * DTYPES[dtype]}>"

    def chunk(index: Value) -> None:
        place = text.at(source, text.times(index, DTYPES[given]))
        loaded = text.new(f"load {narrow}, ptr {place}, align 1")
        value = text.new(f"{extension(given)} {narrow} {loaded} to {wide}")
        text.line(f"store {wide} {value}, ptr {text.at(target, text.times(index, DTYPES[dtype]))}, align 1")

    chunks(text, count, size, chunk)


def extension(given: str) -> str:
    """LLVM's instruction that widens an integer type."""
    return "zext" if given.startswith("u") else "sext"


def emit_tablecopy(text: Text, plan: Plan, stage: TableCopy, number: int) -> None:
    """Element by element of a range: what the table names, zero, or the pad value."""
    kind = f"i{8 * stage.item}"
    narrow = f"i{8 * DTYPES[stage.given]}" if stage.given else kind
    step = DTYPES[stage.given] if stage.given else stage.item
    pad = _bits(plan, stage)

    def element(index: Value, _: list[str]) -> list[str]:
        entry = text.new(f"load i32, ptr {text.at(f'%table{number}', text.times(index, 4))}, align 4")
        holds = text.new(f"icmp sge i32 {entry}, 0")
        place = text.new(f"select i1 {holds}, i32 {entry}, i32 0")
        wide = text.new(f"zext i32 {place} to i64")
        read = text.new(f"load {narrow}, ptr {text.at(f'%factor{number}', text.times(wide, step))}, align 1")
        if stage.given:
            read = text.new(f"{extension(stage.given)} {narrow} {read} to {kind}")
        nothing = text.new(f"icmp eq i32 {entry}, -1")
        empty = text.new(f"select i1 {nothing}, {kind} 0, {kind} {pad}")
        value = text.new(f"select i1 {holds}, {kind} {read}, {kind} {empty}")
        target = text.at("%scratch", text.add(text.times(index, stage.item), stage.offset))
        text.line(f"store {kind} {value}, ptr {target}, align {stage.item}")
        return []

    text.loop("%first", "%last", 1, element)


def _bits(plan: Plan, stage: TableCopy) -> int:
    """The pad value as an integer of as many bits."""
    tensor = plan.embedding.operator.tensor(stage.tensor)
    if not is_floating(tensor.dtype):
        return int(tensor.pad)
    return int(np.array([tensor.pad], numpy_dtype(tensor.dtype)).view(f"u{stage.item}")[0])


def emit_unpack(text: Text, plan: Plan, kind: str) -> None:
    """Move a range of accumulators that were kept in scratch memory to the written tensor, by a table."""

    def element(index: Value, _: list[str]) -> list[str]:
        entry = text.new(f"load i32, ptr {text.at('%table_out', text.times(index, 4))}, align 4")
        holds = text.new(f"icmp sge i32 {entry}, 0")

        def move() -> None:
            place = text.add(text.times(index, 4), plan.store.offset)
            value = text.new(f"load {kind}, ptr {text.at('%scratch', place)}, align 4")
            wide = text.new(f"zext i32 {entry} to i64")
            text.line(f"store {kind} {value}, ptr {text.at('%out', text.times(wide, 4))}, align 4")

        text.when(holds, move)
        return []

    text.loop("%first", "%last", 1, element)
