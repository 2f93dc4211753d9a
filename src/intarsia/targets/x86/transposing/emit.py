"""The code of a transposed copy: blocks of rows and columns that are woven in registers.

A register holds 16 bytes of each of some rows, in pieces of 16 bytes. Of n registers number i is woven with number
i + n/2, element by element within the pieces; done as often as 2 divides n, this leaves column after column, because
each time the highest bit of a register's number becomes the lowest bit of an element's. A last block that would reach
beyond the end begins earlier, and writes some elements again. Nothing outside of what is written is touched.
"""

from __future__ import annotations

from collections.abc import Sequence

from intarsia.targets.x86.lowering.emit_copy import chunks
from intarsia.targets.x86.lowering.registers import PIECE
from intarsia.targets.x86.lowering.text import Text, Value
from intarsia.targets.x86.transposing.transposition import SHARE, Transposition

PARAMETERS = "ptr noalias %from, ptr noalias %to, i64 %first, i64 %last"
NAME = "transpose"
ONE = f"<{PIECE} x i8>"
PIECES = (8, 4, 2, 1)
"""Bytes of what is read or written where 16 would be too many."""


def module_of(what: Transposition) -> str:
    """The module of a transposed copy: one function, of two arrays and a range of units of work."""
    limits = [f"declare i64 @llvm.s{end}.i64(i64, i64)" for end in ("min", "max")]
    return "\n".join([*limits, _Code(what).function(), ""])


class _Code:
    def __init__(self, what: Transposition) -> None:
        self.what, self.text = what, Text()
        self.row, self.written = what.columns * what.item, what.rows * what.item

    def function(self) -> str:
        """The function."""
        text = self.text

        def unit(index: Value, _: list[str]) -> list[str]:
            self._unit(index)
            return []

        def units() -> None:
            text.loop("%first", "%last", 1, unit)

        text.when(text.new("icmp slt i64 %first, %last"), units)
        return text.function(NAME, PARAMETERS)

    def _unit(self, index: Value) -> None:
        what, text = self.what, self.text
        share, read, write = index, "%from", "%to"
        if what.batch > 1:
            one = text.new(f"udiv i64 {index}, {what.shares}")
            share = text.add(index, text.times(one, -what.shares))
            behind = text.times(one, self.row * what.rows)
            read, write = text.at(read, behind), text.at(write, behind)
        if what.narrow:
            self._several(share, read, write)
        elif what.by_rows:
            row = self._start(share, what.high, what.rows)
            chunks(text, what.columns, what.each, lambda column: self._block(read, write, row, column))
        else:
            column = self._start(share, what.each, what.columns)
            chunks(text, what.rows, what.high, lambda row: self._block(read, write, row, column))

    def _start(self, share: Value, size: int, count: int) -> Value:
        """Where a block begins."""
        begin = self.text.times(share, size)
        return begin if count % size == 0 else self._least(begin, max(0, count - size))

    def _least(self, one: Value, other: Value, end: str = "min") -> str:
        return self.text.new(f"call i64 @llvm.s{end}.i64(i64 {one}, i64 {other})")

    def _several(self, share: Value, read: str, write: str) -> None:
        """Blocks behind each other; bytes behind a block may hold anything while a whole block follows in this unit."""
        what, text = self.what, self.text
        each, last = what.each, max(0, what.columns - what.each)
        begin = text.times(share, SHARE * each)
        stop = self._least(text.add(begin, (SHARE - 1) * each), what.columns - 2 * each + 1)

        def before(column: Value, _: list[str]) -> list[str]:
            self._block(read, write, 0, column, over=True)
            return []

        def blocks() -> None:
            text.loop(begin, stop, each, before)

        text.when(text.new(f"icmp slt i64 {begin}, {stop}"), blocks)
        reached = text.add(self._least(begin, stop, "max"), each - 1)
        left = text.new(f"and i64 {reached}, {-each}")
        finish = self._least(text.add(begin, SHARE * each), what.columns)

        def after(column: Value, _: list[str]) -> list[str]:
            self._block(read, write, 0, self._least(column, last))
            return []

        text.loop(left, finish, each, after)

    def _block(self, read: str, write: str, row: Value, column: Value, *, over: bool = False) -> None:
        """One block; ``over`` says that bytes behind it may be written too."""
        what, text = self.what, self.text
        source = text.at(read, text.sum([(row, self.row), (column, what.item)]))
        target = text.at(write, text.sum([(row, what.item), (column, self.written)]))
        count = min(what.high, what.each)
        registers = [self._loaded(source, i) for i in range(count)]
        half = count // 2
        for _ in range(half.bit_length()):
            registers = [self._woven(registers[i], registers[i + half], high) for i in range(half) for high in (0, 1)]
        if what.flipped:
            kind = f"<{what.register} x i8>"
            turn = f"<{', '.join(['i8 -128'] * what.register)}>"
            registers = [text.new(f"xor {kind} {register}, {turn}") for register in registers]
        if what.narrow:
            self._packed(registers, target, over=over)
            return
        for j, register in enumerate(registers[: what.columns]):
            self._store(register, what.register, what.register, text.at(target, j * self.written))

    def _loaded(self, source: str, number: int) -> str:
        """A register: a piece of each of its rows."""
        what, text = self.what, self.text
        pieces = []
        for k in range(what.register // PIECE):
            row = k * what.each + number
            pieces.append(self._piece(text.at(source, row * self.row)) if row < what.rows else "zeroinitializer")
        size = PIECE
        while len(pieces) > 1:
            order = _shuffle(range(2 * size))
            pieces = [
                text.new(f"shufflevector <{size} x i8> {a}, <{size} x i8> {b}, {order}")
                for a, b in zip(pieces[::2], pieces[1::2], strict=True)
            ]
            size *= 2
        return pieces[0]

    def _piece(self, place: str) -> str:
        """16 bytes of a row, or as many as it has."""
        text = self.text
        if self.row >= PIECE or self.what.slack:
            return text.new(f"load {ONE}, ptr {place}, align 1")
        found = "zeroinitializer"
        for offset, size in _parts(self.row):
            part = text.new(f"load <{size} x i8>, ptr {text.at(place, offset)}, align 1")
            spread = _shuffle([*range(size), *[-1] * (PIECE - size)])
            wide = text.new(f"shufflevector <{size} x i8> {part}, <{size} x i8> poison, {spread}")
            order = [PIECE + i - offset if offset <= i < offset + size else i for i in range(PIECE)]
            found = text.new(f"shufflevector {ONE} {found}, {ONE} {wide}, {_shuffle(order)}")
        return found

    def _woven(self, left: str, right: str, high: int) -> str:
        """Elements of the lower or higher half of each piece of two registers in turn."""
        what = self.what
        lanes, each = what.register // what.item, what.each
        order = []
        for piece in range(0, lanes, each):
            for i in range(each // 2):
                place = piece + high * each // 2 + i
                order += [place, lanes + place]
        kind = f"<{lanes} x i{8 * what.item}>"
        a, b = (self._as(register, kind) for register in (left, right))
        woven = self.text.new(f"shufflevector {kind} {a}, {kind} {b}, {_shuffle(order)}")
        return self.text.new(f"bitcast {kind} {woven} to <{what.register} x i8>")

    def _as(self, register: str, kind: str) -> str:
        return self.text.new(f"bitcast <{self.what.register} x i8> {register} to {kind}")

    def _packed(self, registers: Sequence[str], target: str, *, over: bool) -> None:
        """Store registers that hold several written rows each, without what is no row."""
        what, text = self.what, self.text
        several, width = what.each // what.high, what.high * what.item
        order = [i * width + j for i in range(several) for j in range(self.written)]
        order += [-1] * (PIECE - len(order))
        for k, register in enumerate(registers):
            count = min(several, what.columns - k * several)
            if count <= 0:
                break
            packed = text.new(f"shufflevector {ONE} {register}, {ONE} poison, {_shuffle(order)}")
            spill = what.columns >= what.each and (over or k < len(registers) - 1)
            size = PIECE if spill else count * self.written
            self._store(packed, PIECE, size, text.at(target, k * several * self.written))

    def _store(self, register: str, wide: int, size: int, place: str) -> None:
        """Store the first bytes of a register."""
        text = self.text
        if size == wide:
            text.line(f"store <{wide} x i8> {register}, ptr {place}, align 1")
            return
        for offset, count in _parts(size):
            order = _shuffle(range(offset, offset + count))
            part = text.new(f"shufflevector <{wide} x i8> {register}, <{wide} x i8> poison, {order}")
            text.line(f"store <{count} x i8> {part}, ptr {text.at(place, offset)}, align 1")


def _parts(size: int) -> list[tuple[int, int]]:
    """Fewer than 16 bytes in pieces: where each begins, and its bytes."""
    found, offset = [], 0
    for piece in PIECES:
        if size & piece:
            found.append((offset, piece))
            offset += piece
    return found


def _shuffle(order: Sequence[int]) -> str:
    """The indices of a shuffle; those below 0 may be anything."""
    entries = ", ".join("i32 poison" if i < 0 else f"i32 {i}" for i in order)
    return f"<{len(order)} x i32> <{entries}>"
