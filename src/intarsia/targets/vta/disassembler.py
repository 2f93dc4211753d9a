"""A program as text, one line an instruction; the same program always gives the same text.

``16  load.inp    sram 0 dram 256 rows 3x4 stride 12 pad y 1,1 x 1,1  [pop compute] [push compute]``
"""

from __future__ import annotations

from typing import assert_never

from intarsia.targets.vta.isa import Alu, Finish, Gemm, Instruction, Load, Memory, Store, Unit
from intarsia.targets.vta.stream import Stream

_UNIT_NAMES = {Unit.LOAD: "load", Unit.COMPUTE: "compute", Unit.STORE: "store"}


def disassemble(stream: Stream) -> str:
    """The whole program, a line an instruction, each ended by a newline."""
    digits = len(str(max(len(stream) - 1, 0)))
    lines = (f"{index:>{digits}}  {describe(instruction)}\n" for index, instruction in enumerate(stream))
    return "".join(lines)


def describe(instruction: Instruction) -> str:
    """One instruction as text, with the tokens it takes and gives."""
    match instruction:
        case Store():
            name, body = "store", _rows(instruction)
        case Load():
            name, body = f"load.{instruction.memory.name.lower()}", _rows(instruction)
        case Gemm():
            name = "reset" if instruction.reset else "gemm"
            body = f"{_loops(instruction)} wgt {instruction.wgt_out},{instruction.wgt_in}"
        case Alu():
            name = f"alu.{instruction.alu_op.name.lower()}"
            body = f"{_loops(instruction)} {f'imm {instruction.imm}' if instruction.use_imm else 'by acc'}"
        case Finish():
            name, body = "finish", ""
        case _:
            assert_never(instruction)
    return f"{name:<10} {body}{_tokens(instruction)}".rstrip()


def unit_of(instruction: Instruction) -> Unit:
    """The unit that runs an instruction."""
    match instruction:
        case Store():
            return Unit.STORE
        case Load(memory=Memory.INP | Memory.WGT):
            return Unit.LOAD
        case _:
            return Unit.COMPUTE


def _rows(instruction: Load | Store) -> str:
    if instruction.x_size == 0:
        return "tokens only"
    text = f"sram {instruction.sram_base} dram {instruction.dram_base} rows {instruction.y_size}x{instruction.x_size}"
    text += f" stride {instruction.x_stride}"
    pads = (instruction.y_pad_0, instruction.y_pad_1, instruction.x_pad_0, instruction.x_pad_1)
    return text + f" pad y {pads[0]},{pads[1]} x {pads[2]},{pads[3]}" if any(pads) else text


def _loops(instruction: Gemm | Alu) -> str:
    return (
        f"uop {instruction.uop_begin}:{instruction.uop_end} loop {instruction.iter_out}x{instruction.iter_in}"
        f" dst {instruction.dst_out},{instruction.dst_in} src {instruction.src_out},{instruction.src_in}"
    )


def _tokens(instruction: Instruction) -> str:
    unit = unit_of(instruction)
    neighbours = {"prev": unit - 1, "next": unit + 1}
    text = ""
    for verb in ("pop", "push"):
        for side, other in neighbours.items():
            if getattr(instruction, f"{verb}_{side}"):
                name = _UNIT_NAMES[Unit(other)] if 0 <= other <= Unit.STORE else "nobody"
                text += f" [{verb} {name}]"
    return f" {text}" if text else ""
