"""The code of the stages that weave rows of bytes into double words."""

from __future__ import annotations

from collections.abc import Mapping

from intarsia.targets.x86.lowering.emit_copy import chunks, extension
from intarsia.targets.x86.lowering.registers import Registers
from intarsia.targets.x86.lowering.stages import Interleave
from intarsia.targets.x86.lowering.text import Text, Value


def emit_interleave(
    text: Text,
    registers: Registers,
    stage: Interleave,
    number: int,
    counters: Mapping[str, Value],
    *,
    ranged: bool = False,
) -> None:
    """Weave rows of bytes into double words, for what the loops inside the stage's level need; or only a range."""
    source = "%scratch" if stage.source == "scratch" else f"%factor{number}"
    start = text.sum([(counters[n], c) for n, c in stage.terms], stage.constant)
    rows = [
        None if row is None else row_at(text, stage, j, text.add(start, row), source, counters)
        for j, row in enumerate(stage.rows)
    ]
    _weave_dims(
        text, registers, stage, 0, rows, text.at("%scratch", stage.offset), (True,) * registers.pieces, ranged=ranged
    )


def row_at(text: Text, stage: Interleave, j: int, offset: Value, source: str, counters: Mapping[str, Value]) -> str:
    """Where a row begins: in the tensor, or in pad values where it lies outside."""
    inside: str | None = None
    for check in stage.borders.rows if stage.borders else ():
        if check.row != j:
            continue
        position = text.sum([(counters[n], c) for n, c in check.terms], check.constant)
        test = text.new(f"icmp ult i64 {position}, {check.size}")
        inside = test if inside is None else text.new(f"and i1 {inside}, {test}")
    if stage.borders is None:
        return text.at(source, offset)
    given = text.new(f"getelementptr i8, ptr {source}, i64 {offset}")
    if inside is None:
        return given
    pad = text.at("%scratch", stage.borders.offset)
    return text.new(f"select i1 {inside}, ptr {given}, ptr {pad}")


def _weave_dims(
    text: Text,
    registers: Registers,
    stage: Interleave,
    depth: int,
    rows: list[str | None],
    packed: str,
    pieces: tuple[bool, ...],
    *,
    ranged: bool = False,
) -> None:
    """Loops over the dims from a depth on, from pointers at their first position; a range of the first of them."""
    if depth == len(stage.dims):
        _run(text, registers, stage, rows, packed, pieces)
        return
    count, read, written = stage.dims[depth]

    def at(position: int, inside: tuple[bool, ...]) -> None:
        moved = [r if r is None else text.new(f"getelementptr i8, ptr {r}, i64 {read * position}") for r in rows]
        _weave_dims(text, registers, stage, depth + 1, moved, text.at(packed, written * position), inside)

    first: Value
    last: Value
    first, last = ("%first", "%last") if ranged else (0, count)
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
        moved = [r if r is None else next(own) for r in rows]
        _weave_dims(text, registers, stage, depth + 1, moved, carried[-1], pieces)
        return [*(text.at(p, read) for p in carried[:-1]), text.at(carried[-1], written)]

    offset, target = text.times(first, read), text.at(packed, text.times(first, written))
    begin = [text.new(f"getelementptr i8, ptr {r}, i64 {offset}") for r in rows if r is not None]
    text.loop(first, last, 1, iteration, [*(("ptr", p) for p in begin), ("ptr", target)])


def _run(
    text: Text,
    registers: Registers,
    stage: Interleave,
    rows: list[str | None],
    packed: str,
    pieces: tuple[bool, ...],
) -> None:
    if stage.quarters and not stage.given:
        _put(text, registers, woven(text, registers, stage, rows, pieces), packed)
        return
    width = stage.at_once(registers)

    def chunk(index: Value) -> None:
        moved = [None if row is None else text.at(row, index) for row in rows]
        target = text.at(packed, text.times(index, 4))
        if stage.given:
            _paired(text, stage.given, width, moved, target)
        elif width == registers.size:
            _wide(text, registers, moved, target)
        else:
            _narrow(text, width, moved, target)

    chunks(text, stage.run, width, chunk)


def _paired(text: Text, given: str, few: int, rows: list[str | None], packed: str) -> None:
    """A few bytes of each of two rows: alternating, each widened to 16 bits."""
    kind = f"<{few} x i8>"
    loaded = ["zeroinitializer" if row is None else text.new(f"load {kind}, ptr {row}, align 1") for row in rows]
    mask = ", ".join(f"i32 {i}, i32 {few + i}" for i in range(few))
    size = 2 * few
    both = text.new(f"shufflevector {kind} {loaded[0]}, {kind} {loaded[1]}, <{size} x i32> <{mask}>")
    wide = text.new(f"{extension(given)} <{size} x i8> {both} to <{size} x i16>")
    text.line(f"store <{size} x i16> {wide}, ptr {packed}, align 4")


def _narrow(text: Text, few: int, rows: list[str | None], packed: str) -> None:
    """A few bytes of each row: widened to double words, shifted, joined."""
    total, words = "", f"<{few} x i32>"
    for j, row in enumerate(rows):
        if row is None:
            continue
        part = text.new(f"load <{few} x i8>, ptr {row}, align 1")
        wide = text.new(f"zext <{few} x i8> {part} to {words}")
        if j:
            by = ", ".join([f"i32 {8 * j}"] * few)
            wide = text.new(f"shl {words} {wide}, <{by}>")
        total = text.new(f"or {words} {total}, {wide}") if total else wide
    text.line(f"store {words} {total}, ptr {packed}, align 4")


def _wide(text: Text, registers: Registers, rows: list[str | None], packed: str) -> None:
    """A register of each row: its double words transposed over quarters, then bytes and words unpacked within them."""
    loaded, words = [], registers.words
    mask = ", ".join(f"i32 {registers.pieces * (i % 4) + i // 4}" for i in range(registers.lanes))
    for row in rows:
        if row is None:
            loaded.append("zeroinitializer")
            continue
        given = text.new(f"load {words}, ptr {row}, align 1")
        turned = text.new(f"shufflevector {words} {given}, {words} poison, {words} <{mask}>")
        loaded.append(text.new(f"bitcast {words} {turned} to {registers.bytes}"))
    _put(text, registers, _weave(text, registers, loaded), packed)


def _put(text: Text, registers: Registers, found: list[str], packed: str) -> None:
    for k, register in enumerate(found):
        text.line(f"store {registers.bytes} {register}, ptr {text.at(packed, registers.size * k)}, align 4")


def woven(
    text: Text, registers: Registers, stage: Interleave, rows: list[str | None], pieces: tuple[bool, ...]
) -> list[str]:
    """The four registers of bytes that pieces of rows make; pieces that lie beside the tensor are pad values."""
    pad = stage.pad if not all(pieces) else 0
    return _weave(text, registers, [_pieces(text, registers, stage, row, pieces, pad) for row in rows])


def _weave(text: Text, registers: Registers, rows: list[str]) -> list[str]:
    """Bytes of four rows to double words: register k has those of bytes 4k to 4k+3 of each quarter."""
    low = [_unpack(text, registers, rows[0], rows[1], 1, h) for h in (0, 1)]
    high = [_unpack(text, registers, rows[2], rows[3], 1, h) for h in (0, 1)]
    return [_unpack(text, registers, low[k // 2], high[k // 2], 2, k % 2) for k in range(4)]


def _pieces(
    text: Text, registers: Registers, stage: Interleave, row: str | None, inside: tuple[bool, ...], pad: int
) -> str:
    """The pieces of 16 bytes of a row in one register, by as few loads as they allow; pad values for those outside."""
    if row is None:
        return "zeroinitializer"
    places, every = stage.quarters, range(registers.pieces)
    size = next(
        s
        for s in (4, 2, 1)
        if s <= registers.pieces
        and all(places[i] - places[i - i % s] == 16 * (i % s) and inside[i] == inside[i - i % s] for i in every)
    )
    count = 4 * size
    parts = []
    for i in every[::size]:
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
    return text.new(f"bitcast {registers.words} {parts[0]} to {registers.bytes}")


def _unpack(text: Text, registers: Registers, left: str, right: str, size: int, half: int) -> str:
    """Elements of ``size`` bytes of the low or high halves of 16-byte quarters, alternating."""
    mask, kind = [], registers.bytes
    for quarter in range(registers.pieces):
        for element in range(8 // size):
            base = 16 * quarter + 8 * half + size * element
            mask += [base + i for i in range(size)] + [registers.size + base + i for i in range(size)]
    picked = ", ".join(f"i32 {i}" for i in mask)
    return text.new(f"shufflevector {kind} {left}, {kind} {right}, <{registers.size} x i32> <{picked}>")
