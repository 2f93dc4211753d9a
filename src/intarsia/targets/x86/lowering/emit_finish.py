"""What happens to accumulators before they are stored: scaled, rounded, and made bytes, by instructions of their size.

Registers of 512 bits use AVX-512, those of 256 bits AVX2. Both round by the processor's mode, halves to even, and pack
with saturation within pieces of 16 bytes.
"""

from __future__ import annotations

from intarsia.targets.x86.lowering.registers import Registers
from intarsia.targets.x86.lowering.store import Epilogue
from intarsia.targets.x86.lowering.text import Text

SIGNED = (-128, 127)
ELEMENTS = (("i32", "i32"), ("float", "f32"), ("i8", "i8"))
"""Types of LLVM that are stored, and how its intrinsics name them."""


def rounding(registers: Registers) -> str:
    """The conversion of floats to double words."""
    return "llvm.x86.avx512.mask.cvtps2dq.512" if registers.size == 64 else "llvm.x86.avx.cvt.ps2dq.256"


def packing(registers: Registers, kind: str) -> str:
    """The packing of two registers with saturation: double words (``int16``), or 16-bit integers to a type of bytes."""
    name = {"int16": "packssdw", "int8": "packsswb", "uint8": "packuswb"}[kind]
    return f"llvm.x86.avx512.{name}.512" if registers.size == 64 else f"llvm.x86.avx2.{name}"


NARROW = {"uint8": "llvm.x86.avx512.mask.pmovus.db.512", "int8": "llvm.x86.avx512.mask.pmovs.db.512"}
"""The conversion of a register of 512 bits to 16 bytes."""


def declared(registers: Registers) -> str:
    """The declarations of all that stores call."""
    lanes, words, floats, shorts, packed = (
        registers.lanes, registers.words, registers.floats, registers.shorts, registers.bytes,
    )  # fmt: skip
    wide = registers.size == 64
    mask = f"{words}, i16, i32"
    return "\n".join(
        [
            *(
                f"declare void @llvm.masked.{what}.v{lanes}{short}.{pointer}"
                f"(<{lanes} x {kind}>, {given}, i32, <{lanes} x i1>)"
                for kind, short in ELEMENTS
                for what, pointer, given in (("store", "p0", "ptr"), ("scatter", f"v{lanes}p0", f"<{lanes} x ptr>"))
            ),
            f"declare {words} @{rounding(registers)}({floats}{f', {mask}' if wide else ''})",
            f"declare {shorts} @{packing(registers, 'int16')}({words}, {words})",
            *(f"declare <16 x i8> @{name}({words}, <16 x i8>, i16)" for name in NARROW.values() if wide),
            *(f"declare {packed} @{packing(registers, kind)}({shorts}, {shorts})" for kind in ("uint8", "int8")),
            *(f"declare {words} @llvm.{n}.v{lanes}i32({words}, {words})" for n in ("smin", "smax")),
            *(
                f"declare {packed} @llvm.{n}.v{registers.size}i8({packed}, {packed})"
                for n in ("umin", "umax", "smin", "smax")
            ),
            f"declare {shorts} @llvm.sadd.sat.v{registers.size // 2}i16({shorts}, {shorts})",
            f"declare {floats} @llvm.maxnum.v{lanes}f32({floats}, {floats})",
            f"declare {floats} @llvm.minnum.v{lanes}f32({floats}, {floats})",
        ]
    )


def scaled(text: Text, registers: Registers, epilogue: Epilogue, value: str, scale: str) -> str:
    """The result as int32 (of a value to which the bias was added already), within the limits of its dtype.

    Args:
        text: the function.
        registers: of the value.
        epilogue: with a scale.
        value: double words.
        scale: a pointer to the scale of each lane.
    """
    words, floats = registers.words, registers.floats
    factor = text.new(f"load {floats}, ptr {scale}, align {registers.size}")
    real = text.new(f"sitofp {words} {value} to {floats}")
    real = text.new(f"fmul {floats} {real}, {factor}")
    for name, bound in (("maxnum", epilogue.low), ("minnum", epilogue.high)) if not epilogue.small else ():
        limit = same(registers, "float", float(bound - epilogue.zero))
        real = text.new(f"call {floats} @llvm.{name}.v{registers.lanes}f32({floats} {real}, {floats} {limit})")
    mask = f", {words} zeroinitializer, i16 -1, i32 4" if registers.size == 64 else ""
    return text.new(f"call {words} @{rounding(registers)}({floats} {real}{mask})")


def narrowed(text: Text, registers: Registers, epilogue: Epilogue, value: str) -> str:
    """A rounded register as as many bytes: zero point added, clipped.

    Not by ``trunc``: LLVM 22 turns a masked store of truncated lanes, all but one off, into one of four bytes.
    """
    words = registers.words
    value = text.new(f"add {words} {value}, {same(registers, 'i32', epilogue.zero)}") if epilogue.zero else value
    bounds = [("smax", epilogue.low)] if epilogue.dtype == "uint8" or epilogue.low > SIGNED[0] else []
    bounds += [("smin", epilogue.high)] if epilogue.high < (255 if epilogue.dtype == "uint8" else SIGNED[1]) else []
    for name, bound in bounds:
        limit = same(registers, "i32", bound)
        value = text.new(f"call {words} @llvm.{name}.v{registers.lanes}i32({words} {value}, {words} {limit})")
    if registers.size == 64:
        name = NARROW[epilogue.dtype]
        return text.new(f"call <16 x i8> @{name}({words} {value}, <16 x i8> zeroinitializer, i16 -1)")
    pair = _pair(text, registers, value, value)
    whole = _bytes(text, registers, epilogue, pair, pair)
    mask = ", ".join(f"i32 {place_in_pack(registers, lane)}" for lane in range(registers.lanes))
    count, kind = registers.lanes, registers.bytes
    return text.new(f"shufflevector {kind} {whole}, {kind} poison, <{count} x i32> <{mask}>")


def packed(text: Text, registers: Registers, epilogue: Epilogue, values: list[str]) -> str:
    """Four rounded registers as one of bytes, piece by piece of 16 bytes: zero point added, clipped."""
    pairs, shorts, count = [], registers.shorts, registers.size // 2
    for i in (0, 2):
        pair = _pair(text, registers, values[i], values[i + 1])
        if epilogue.zero:
            zero = "<" + ", ".join([f"i16 {epilogue.zero}"] * count) + ">"
            pair = text.new(f"call {shorts} @llvm.sadd.sat.v{count}i16({shorts} {pair}, {shorts} {zero})")
        pairs.append(pair)
    whole = _bytes(text, registers, epilogue, pairs[0], pairs[1])
    letter, range_of = ("u", (0, 255)) if epilogue.dtype == "uint8" else ("s", SIGNED)
    kind, size = registers.bytes, registers.size
    for name, bound, natural in (("max", epilogue.low, range_of[0]), ("min", epilogue.high, range_of[1])):
        if bound != natural:
            limit = "<" + ", ".join([f"i8 {bound}"] * size) + ">"
            whole = text.new(f"call {kind} @llvm.{letter}{name}.v{size}i8({kind} {whole}, {kind} {limit})")
    return whole


def place_in_pack(registers: Registers, index: int) -> int:
    """Where packs put a lane of four registers, counted one after the other: within each piece, by register."""
    accumulator, lane = divmod(index, registers.lanes)
    return 16 * (lane // 4) + 4 * accumulator + lane % 4


def same(registers: Registers, kind: str, value: float) -> str:
    """A number in every lane."""
    return "<" + ", ".join([f"{kind} {value}"] * registers.lanes) + ">"


def _pair(text: Text, registers: Registers, left: str, right: str) -> str:
    words, name = registers.words, packing(registers, "int16")
    return text.new(f"call {registers.shorts} @{name}({words} {left}, {words} {right})")


def _bytes(text: Text, registers: Registers, epilogue: Epilogue, left: str, right: str) -> str:
    shorts, name = registers.shorts, packing(registers, epilogue.dtype)
    return text.new(f"call {registers.bytes} @{name}({shorts} {left}, {shorts} {right})")
