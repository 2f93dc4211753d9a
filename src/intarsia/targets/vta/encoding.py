"""Streams and micro-operations to bytes and back, checked field by field."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from intarsia.ground import InputError
from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.isa import (
    COLUMN,
    COLUMNS,
    INSTRUCTION_BYTES,
    AluOp,
    Field,
    Memory,
    Opcode,
    instruction_fields,
    uop_fields,
)
from intarsia.targets.vta.stream import Stream

_OPCODES: Final = tuple(Opcode)
_CODES: Final[dict[str, tuple[IntEnum, ...]]] = {
    "opcode": _OPCODES,
    "memory": tuple(Memory),
    "alu_op": tuple(AluOp),
}
_HALF: Final = 64


def encode(stream: Stream, config: VtaConfig) -> bytes:
    """The binary program, 16 bytes an instruction, little endian.

    Raises:
        InputError: a value does not fit its field, or a column that the instruction does not have is not 0.
    """
    words = np.zeros((len(stream), 2), dtype=np.uint64)
    opcodes = stream.column("opcode")
    _refuse_codes(stream.table)
    for opcode in _OPCODES:
        rows = np.flatnonzero(opcodes == opcode)
        layout = {field.name: field for field in instruction_fields(opcode, config)}
        for column, name in enumerate(COLUMNS):
            field = layout.get(name, Field(name, 0, 0))
            values = stream.table[rows, column]
            _refuse_values(values, field, rows, f"{opcode.name} {name}")
            half, shift = divmod(field.start, _HALF)
            masked = values.astype(np.uint64) & np.uint64((1 << field.width) - 1)
            words[rows, half] |= masked << np.uint64(shift)
    return words.astype("<u8").tobytes()


def decode(program: bytes, config: VtaConfig) -> Stream:
    """The stream of a binary program; ``encode`` gives the same bytes back.

    Raises:
        InputError: the length is no multiple of 16, an opcode is unknown, or an unused bit is set.
    """
    if len(program) % INSTRUCTION_BYTES:
        raise InputError(
            "a program is a whole number of instructions",
            where="program",
            value=f"{len(program)} bytes",
            allowed=f"multiples of {INSTRUCTION_BYTES}",
        )
    words = np.frombuffer(program, dtype="<u8").reshape(-1, 2).astype(np.uint64)
    table = np.zeros((len(words), len(COLUMNS)), dtype=np.int64)
    opcodes = table[:, COLUMN["opcode"]] = (words[:, 0] & np.uint64(7)).astype(np.int64)
    _refuse_codes(table)
    for opcode in _OPCODES:
        rows = np.flatnonzero(opcodes == opcode)
        left = words[rows]
        for field in instruction_fields(opcode, config):
            half, shift = divmod(field.start, _HALF)
            mask = np.uint64((1 << field.width) - 1)
            values = (left[:, half] >> np.uint64(shift) & mask).astype(np.int64)
            left[:, half] &= ~(mask << np.uint64(shift))
            table[rows, COLUMN[field.name]] = np.where(values > field.high, values - (1 << field.width), values)
        _refuse_unused(left, rows, opcode)
    _refuse_codes(table)
    return Stream(table)


def encode_uops(dst: ArrayLike, src: ArrayLike, wgt: ArrayLike, config: VtaConfig) -> NDArray[np.uint32]:
    """Micro-operations, uint32 [count]; an ALU's ``wgt`` is 0 and its ``src`` an accumulator.

    Raises:
        InputError: an index does not fit its field.
    """
    columns = [np.asarray(values, dtype=np.int64).reshape(-1) for values in (dst, src, wgt)]
    count = max(len(column) for column in columns)
    uops = np.zeros(count, dtype=np.uint32)
    for field, values in zip(uop_fields(config), columns, strict=True):
        every = np.broadcast_to(values, count)
        _refuse_values(every, field, np.arange(count), field.name, noun="micro-operation")
        uops |= every.astype(np.uint32) << np.uint32(field.start)
    return uops


def decode_uops(uops: NDArray[np.uint32], config: VtaConfig) -> tuple[NDArray[np.int64], ...]:
    """(dst, src, wgt), each int64 [count]; bits above them are not looked at, nor are they by the core."""
    return tuple(
        (uops.astype(np.int64) >> field.start & (1 << field.width) - 1).astype(np.int64) for field in uop_fields(config)
    )


def _refuse_codes(table: NDArray[np.int64]) -> None:
    for name, codes in _CODES.items():
        values = table[:, COLUMN[name]]
        bad = np.flatnonzero((values < 0) | (values > max(codes)))
        if len(bad):
            allowed = ", ".join(f"{code.value} {code.name}" for code in codes)
            raise InputError(
                f"unknown {name}", where=f"instruction {bad[0]}", value=str(values[bad[0]]), allowed=allowed
            )


def _refuse_values(
    values: NDArray[np.int64],
    field: Field,
    rows: Sequence[int] | NDArray[np.int64],
    name: str,
    noun: str = "instruction",
) -> None:
    bad = np.flatnonzero((values < field.low) | (values > field.high))
    if len(bad):
        raise InputError(
            f"{name} does not fit its {field.width} bits" if field.width else f"{name} does not exist",
            where=f"{noun} {rows[bad[0]]}",
            value=str(values[bad[0]]),
            allowed=f"{field.low} to {field.high}" if field.width else "0",
        )


def _refuse_unused(left: NDArray[np.uint64], rows: NDArray[np.int64], opcode: Opcode) -> None:
    bad = np.flatnonzero(left.any(axis=1))
    if len(bad):
        low, high = (int(word) for word in left[bad[0]])
        raise InputError(
            f"unused bits of {opcode.name} are set",
            where=f"instruction {rows[bad[0]]}",
            value=f"{high << _HALF | low:#034x}",
            allowed="0",
        )
