"""The code of the stages that pack at run time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod

from intarsia.targets.x86.lowering.plan import Plan
from intarsia.targets.x86.lowering.stages import Interleave, PadCopy, TableCopy
from intarsia.targets.x86.lowering.text import Text, Value

BYTES = "<64 x i8>"
NARROW = 16
WIDE = 64


def emit_interleave(text: Text, stage: Interleave, number: int, counters: Mapping[str, Value]) -> None:
    """Weave rows of bytes into double words, for what the loops inside the stage's level need."""
    source = "%scratch" if stage.source == "scratch" else f"%factor{number}"
    start = text.sum([(counters[n], c) for n, c in stage.terms], stage.constant)
    rows = [
        None if row is None else _row(text, stage, j, text.add(start, row), source, counters)
        for j, row in enumerate(stage.rows)
    ]
    _weave_dims(text, stage, 0, rows, text.at("%scratch", stage.offset), (True,) * 4)


def _row(text: Text, stage: Interleave, j: int, offset: Value, source: str, counters: Mapping[str, Value]) -> str:
    """Where a row begins: in the tensor, or in pad values where it lies outside."""
    inside: str | None = None
    for check in stage.borders.rows if stage.borders else ():
        if check.row != j:
            continue
        position = text.sum([(counters[n], c) for n, c in check.terms], check.constant)
        test = text.new(f"icmp ult i64 {position}, {check.size}")
        inside = test if inside is None else text.new(f"and i1 {inside}, {test}")
    if inside is None:
        return text.at(source, offset)
    assert stage.borders is not None
    given = text.new(f"getelementptr i8, ptr {source}, i64 {offset}")
    pad = text.at("%scratch", stage.borders.offset)
    return text.new(f"select i1 {inside}, ptr {given}, ptr {pad}")


def _weave_dims(
    text: Text, stage: Interleave, depth: int, rows: list[str | None], packed: str, pieces: tuple[bool, ...]
) -> None:
    """Loops over the dims from a depth on, from pointers at their first position."""
    if depth == len(stage.dims):
        _run(text, stage, rows, packed, pieces)
        return
    count, read, written = stage.dims[depth]

    def at(position: int, inside: tuple[bool, ...]) -> None:
        moved = [r if r is None else text.new(f"getelementptr i8, ptr {r}, i64 {read * position}") for r in rows]
        _weave_dims(text, stage, depth + 1, moved, text.at(packed, written * position), inside)

    first, last = 0, count
    if stage.borders is not None and stage.borders.column == depth:
        whole = [i for i, inside in enumerate(stage.borders.valid) if all(inside)]
        first, last = (whole[0], whole[-1] + 1) if whole else (count, count)
        for i, inside in enumerate(stage.borders.valid):
            if any(inside) and not first <= i < last:
                at(i, inside)
    if first == last:
        return

    def iteration(_: Value, carried: list[str]) -> list[str]:
        own = iter(carried)
        _weave_dims(text, stage, depth + 1, [r if r is None else next(own) for r in rows], carried[-1], pieces)
        return [*(text.at(p, read) for p in carried[:-1]), text.at(carried[-1], written)]

    begin = [text.new(f"getelementptr i8, ptr {r}, i64 {read * first}") for r in rows if r is not None]
    text.loop(first, last, 1, iteration, [*(("ptr", p) for p in begin), ("ptr", text.at(packed, written * first))])


def _over(
    text: Text,
    dims: tuple[tuple[int, int, int], ...],
    source: str,
    target: str,
    body: Callable[[str, str], None],
) -> None:
    """Loops over (iterations, source bytes, target bytes), outermost first."""
    if not dims:
        body(source, target)
        return
    count, read, written = dims[0]

    def iteration(_: Value, carried: list[str]) -> list[str]:
        _over(text, dims[1:], carried[0], carried[1], body)
        return [text.at(carried[0], read), text.at(carried[1], written)]

    text.loop(0, count, 1, iteration, [("ptr", source), ("ptr", target)])


def _chunks(text: Text, count: int, wide: int, body: Callable[[Value], None]) -> None:
    """Cover ``count`` bytes with chunks; the last one overlaps the one before where they do not divide."""
    whole = count // wide * wide

    def iteration(index: Value, _: list[str]) -> list[str]:
        body(index)
        return []

    if whole:
        text.loop(0, whole, wide, iteration)
    if count > whole:
        body(max(0, count - wide))


def _run(text: Text, stage: Interleave, rows: list[str | None], packed: str, pieces: tuple[bool, ...]) -> None:
    if stage.quarters:
        pad = stage.pad if not all(pieces) else 0
        _weave(text, [_pieces(text, stage, row, pieces, pad) for row in rows], packed)
        return
    weave, size = (_wide, WIDE) if stage.run >= WIDE else (_narrow, NARROW)

    def chunk(index: Value) -> None:
        moved = [None if row is None else text.at(row, index) for row in rows]
        weave(text, moved, text.at(packed, text.times(index, 4)))

    _chunks(text, stage.run, size, chunk)


def _narrow(text: Text, rows: list[str | None], packed: str) -> None:
    """16 bytes of each row: widened to double words, shifted, joined."""
    total = ""
    for j, row in enumerate(rows):
        if row is None:
            continue
        part = text.new(f"load <16 x i8>, ptr {row}, align 1")
        wide = text.new(f"zext <16 x i8> {part} to <16 x i32>")
        if j:
            by = ", ".join([f"i32 {8 * j}"] * 16)
            wide = text.new(f"shl <16 x i32> {wide}, <{by}>")
        total = text.new(f"or <16 x i32> {total}, {wide}") if total else wide
    text.line(f"store <16 x i32> {total}, ptr {packed}, align 4")


def _wide(text: Text, rows: list[str | None], packed: str) -> None:
    """64 bytes of each row: 4x4 double words transposed, then bytes and words unpacked within quarters."""
    registers = []
    mask = ", ".join(f"i32 {4 * (i % 4) + i // 4}" for i in range(16))
    for row in rows:
        if row is None:
            registers.append("zeroinitializer")
            continue
        loaded = text.new(f"load <16 x i32>, ptr {row}, align 1")
        turned = text.new(f"shufflevector <16 x i32> {loaded}, <16 x i32> poison, <16 x i32> <{mask}>")
        registers.append(text.new(f"bitcast <16 x i32> {turned} to {BYTES}"))
    _weave(text, registers, packed)


def _weave(text: Text, registers: list[str], packed: str) -> None:
    """Bytes of four rows to double words: register k has those of bytes 4k to 4k+3 of each quarter."""
    low = [_unpack(text, registers[0], registers[1], 1, h) for h in (0, 1)]
    high = [_unpack(text, registers[2], registers[3], 1, h) for h in (0, 1)]
    for k in range(4):
        woven = _unpack(text, low[k // 2], high[k // 2], 2, k % 2)
        text.line(f"store {BYTES} {woven}, ptr {text.at(packed, 64 * k)}, align 4")


def _pieces(text: Text, stage: Interleave, row: str | None, inside: tuple[bool, ...], pad: int) -> str:
    """Four pieces of 16 bytes of a row in one register, by as few loads as they allow; pad values for those outside."""
    if row is None:
        return "zeroinitializer"
    places = stage.quarters
    size = next(
        s
        for s in (4, 2, 1)
        if all(places[i] - places[i - i % s] == 16 * (i % s) and inside[i] == inside[i - i % s] for i in range(4))
    )
    count = 4 * size
    parts = []
    for i in range(0, 4, size):
        kind = f"<{count} x i32>"
        if inside[i]:
            place = text.new(f"getelementptr i8, ptr {row}, i64 {places[i]}")
            parts.append(text.new(f"load {kind}, ptr {place}, align 1"))
        else:
            word = int.from_bytes(bytes([pad] * 4), "little")
            parts.append("<" + ", ".join([f"i32 {word}"] * count) + ">")
    while len(parts) > 1:
        mask = ", ".join(f"i32 {i}" for i in range(2 * count))
        kind = f"<{count} x i32>"
        parts = [
            text.new(f"shufflevector {kind} {parts[i]}, {kind} {parts[i + 1]}, <{2 * count} x i32> <{mask}>")
            for i in range(0, len(parts), 2)
        ]
        count *= 2
    return text.new(f"bitcast <16 x i32> {parts[0]} to {BYTES}")


def _unpack(text: Text, left: str, right: str, size: int, half: int) -> str:
    """Elements of ``size`` bytes of the low or high halves of 16-byte quarters, alternating."""
    mask = []
    for quarter in range(4):
        for element in range(8 // size):
            base = 16 * quarter + 8 * half + size * element
            mask += [base + i for i in range(size)] + [64 + base + i for i in range(size)]
    picked = ", ".join(f"i32 {i}" for i in mask)
    return text.new(f"shufflevector {BYTES} {left}, {BYTES} {right}, <64 x i32> <{picked}>")


def emit_padcopy(text: Text, plan: Plan, stage: PadCopy, number: int) -> None:
    """Copy a tensor into its box; the border was written when the memory was made."""
    tensor = plan.embedding.operator.tensor(stage.tensor)
    box = stage.box
    run = len(tensor.shape)
    while run and (run == len(tensor.shape) or (box.low[run] == 0 and box.high[run] == tensor.shape[run])):
        run -= 1
    item = box.item
    given = [item * prod(tensor.shape[i + 1 :]) for i in range(len(tensor.shape))]
    dims = tuple((tensor.shape[i], given[i], box.strides[i]) for i in range(run) if tensor.shape[i] > 1)
    start = stage.offset + box.before + sum(-l * s for l, s in zip(box.low, box.strides, strict=True))
    count = item * prod(tensor.shape[run:])
    _over(
        text,
        dims,
        f"%factor{number}",
        text.at("%scratch", start),
        lambda source, target: _copy(text, count, source, target),
    )


def _copy(text: Text, count: int, source: str, target: str) -> None:
    size = next(s for s in (64, 32, 16, 8, 4, 2, 1) if s <= count)

    def chunk(index: Value) -> None:
        loaded = text.new(f"load <{size} x i8>, ptr {text.at(source, index)}, align 1")
        text.line(f"store <{size} x i8> {loaded}, ptr {text.at(target, index)}, align 1")

    _chunks(text, count, size, chunk)


def emit_tablecopy(text: Text, plan: Plan, stage: TableCopy, number: int) -> None:
    """Element by element: what the table names, zero, or the pad value."""
    kind = f"i{8 * stage.item}"
    pad = _bits(plan, stage)

    def element(index: Value, _: list[str]) -> list[str]:
        entry = text.new(f"load i32, ptr {text.at(f'%table{number}', text.times(index, 4))}, align 4")
        holds = text.new(f"icmp sge i32 {entry}, 0")
        place = text.new(f"select i1 {holds}, i32 {entry}, i32 0")
        wide = text.new(f"zext i32 {place} to i64")
        read = text.new(f"load {kind}, ptr {text.at(f'%factor{number}', text.times(wide, stage.item))}, align 1")
        nothing = text.new(f"icmp eq i32 {entry}, -1")
        empty = text.new(f"select i1 {nothing}, {kind} 0, {kind} {pad}")
        value = text.new(f"select i1 {holds}, {kind} {read}, {kind} {empty}")
        target = text.at("%scratch", text.add(text.times(index, stage.item), stage.offset))
        text.line(f"store {kind} {value}, ptr {target}, align {stage.item}")
        return []

    text.loop(0, stage.count, 1, element)


def _bits(plan: Plan, stage: TableCopy) -> int:
    pad = plan.embedding.operator.tensor(stage.tensor).pad
    assert isinstance(pad, int) or pad == int(pad)
    return int(pad)


def emit_unpack(text: Text, plan: Plan, kind: str) -> None:
    """Move accumulators that were kept in scratch memory to the written tensor, by a table."""

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

    text.loop(0, plan.store.count, 1, element)
