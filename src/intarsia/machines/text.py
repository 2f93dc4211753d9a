"""Reads the text of an instruction back into an ``Instruction``; every error points at its line and column.

A file is the name, the operator that one call executes, and what the machine adds to it; lines may be blank, ``#``
begins a comment outside ``source`` lines::

    instruction my.dot4
    dot4: l<16 ; j<4
      c:int32[16] a:uint8[16, 4] b:int8[16, 4]
      c[l] += a[l, j] * b[l, j]
    memory c=zmm a=zmm b=zmm        (optional: operand=memory)
    cycles 1                        (optional: reciprocal throughput, 1 if absent)
    ports read=128 write=64         (optional: bytes that memory delivers and takes in a cycle)
    source a manual, section 3      (optional, any number of lines)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from intarsia.ground.errors import InputError, at_column
from intarsia.machines.instruction import Instruction
from intarsia.operators import Access, Operator, parse_operator

KEYWORD = re.compile(r"(?P<word>instruction|memory|cycles|ports|source)(?P<gap>[ \t]++(?![:\[<])|$)(?P<rest>.*)")
UNKNOWN = re.compile(r"[ \t]*(?!(?:const|pad)\b)(?P<word>[A-Za-z_][\w.]*+)(?:[ \t]*$|[ \t]+[\w.])")
"""A name alone on its line, or with another one or a number after it."""
NAME = re.compile(r"[A-Za-z_][\w.]*(:[\w.,]+)?")
CYCLES = re.compile(r"[1-9]\d{0,8}")


@dataclass(frozen=True, slots=True)
class _Line:
    """A keyword line: the rest after the keyword, without its comment; columns count from 1."""

    word: str
    rest: str
    number: int
    column: int


def parse_instruction(text: str, where: str = "") -> Instruction:
    """The instruction that a text describes; ``str`` of the result parses back to an equal instruction.

    Args:
        text: the instruction's text.
        where: what the text is (a file name), put in front of every error.

    Raises:
        InputError: with line, column and a caret, for anything that is not an instruction.
    """
    try:
        return _parse(text)
    except InputError as error:
        if where:
            error.args = (f"{where}: {error.args[0]}",)
            error.where = f"{where}: {error.where}"
        raise


def _parse(text: str) -> Instruction:
    lines, operator_text = _split(text)
    name = _name(text, lines)
    _refuse_unknown(text, operator_text)
    semantics = parse_operator(operator_text)
    _single(text, semantics)
    return Instruction(
        name,
        semantics,
        _memories(text, lines, semantics),
        _cycles(text, lines),
        "\n".join(line.rest for line in lines if line.word == "source"),
        **_ports(text, lines),
    )


def _split(text: str) -> tuple[list[_Line], str]:
    """The keyword lines, and the operator's text on its own line numbers."""
    found: list[_Line] = []
    kept: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        start = len(line) - len(line.lstrip())
        match = KEYWORD.match(line, start)
        kept.append("" if match else line)
        if match:
            raw = match["rest"]
            rest = raw if match["word"] == "source" else raw.split("#")[0]
            found.append(_Line(match["word"], rest.strip(), number, match.start("rest") + 1))
    while kept and not kept[-1].split("#")[0].strip():
        kept.pop()
    return found, "\n".join(kept)


def _refuse_unknown(text: str, operator_text: str) -> None:
    """Refuse a line that is neither a keyword's nor can be of the operator, and a file without an operator."""
    lines = [line.split("#")[0] for line in operator_text.splitlines()]
    for number, line in enumerate(lines, start=1):
        match = UNKNOWN.match(line)
        if match:
            raise at_column(
                f"unknown line {match['word']!r}",
                source=text,
                line=number,
                column=match.start("word") + 1,
                allowed="instruction, memory, cycles, ports, source, or the operator: axes, tensors, a statement",
            )
    if not any(line.strip() for line in lines):
        last = max(1, len(text.splitlines()))
        hint = "dot: l<16 ; j<4, then c:int32[16] a:int8[16, 4] b:int8[16, 4], then c[l] += a[l, j] * b[l, j]"
        what = "the operator that one call executes is missing: axes, tensors and a statement"
        raise at_column(what, source=text, line=last, column=1, hint=hint)


def _only(text: str, lines: list[_Line], word: str) -> _Line | None:
    found = [line for line in lines if line.word == word]
    if len(found) > 1:
        raise at_column(f"a second {word!r} line", source=text, line=found[1].number, column=1)
    return found[0] if found else None


def _name(text: str, lines: list[_Line]) -> str:
    line = _only(text, lines, "instruction")
    if line is None:
        raise at_column("expected a line 'instruction NAME'", source=text, line=1, column=1)
    if not NAME.fullmatch(line.rest):
        what = f"{line.rest!r} is not an instruction's name" if line.rest else "expected the instruction's name"
        allowed = "letters, digits, '_' and '.'"
        raise at_column(what, source=text, line=line.number, column=line.column, allowed=allowed)
    return line.rest


def _cycles(text: str, lines: list[_Line]) -> int:
    line = _only(text, lines, "cycles")
    if line is None:
        return 1
    if not CYCLES.fullmatch(line.rest):
        what = f"cycles is {line.rest or 'empty'}"
        raise at_column(what, source=text, line=line.number, column=line.column, allowed="integers from 1 to 999999999")
    return int(line.rest)


def _ports(text: str, lines: list[_Line]) -> dict[str, int]:
    line = _only(text, lines, "ports")
    found: dict[str, int] = {}
    for match in re.finditer(r"\S+", line.rest if line else ""):
        assert line is not None
        name, _, size = match.group().partition("=")
        if name not in ("read", "write") or name in found or not CYCLES.fullmatch(size):
            what = f"expected read=BYTES or write=BYTES, found {match.group()!r}"
            column = line.column + match.start()
            raise at_column(what, source=text, line=line.number, column=column, allowed="each once, 1 to 999999999")
        found[name] = int(size)
    if line is not None and not found:
        raise at_column("ports is empty", source=text, line=line.number, column=1, allowed="read=BYTES write=BYTES")
    return found


def _memories(text: str, lines: list[_Line], semantics: Operator) -> tuple[tuple[str, str], ...]:
    line = _only(text, lines, "memory")
    if line is None:
        return ()
    operands = [t.name for t in semantics.tensors]
    memories: dict[str, str] = {}
    for match in re.finditer(r"\S+", line.rest):
        column = line.column + match.start()
        operand, equals, memory = match.group().partition("=")
        if not equals or not NAME.fullmatch(memory):
            what = f"expected operand=memory, found {match.group()!r}"
            raise at_column(what, source=text, line=line.number, column=column)
        if operand not in operands or operand in memories:
            again = operand in memories
            what = f"operand {operand!r} has a memory already" if again else f"unknown operand {operand!r}"
            raise at_column(what, source=text, line=line.number, column=column, allowed=", ".join(operands))
        memories[operand] = memory
    return tuple((operand, memories[operand]) for operand in operands if operand in memories)


def _single(text: str, semantics: Operator) -> None:
    """Refuse what a call cannot be: several statements, registers that are not read, accesses outside a register."""
    if len(semantics.statements) > 1:
        line, column = _position(text, str(semantics.statements[1].write.tensor), last=True)
        what = f"an instruction is one statement, this has {len(semantics.statements)}"
        raise at_column(what, source=text, line=line, column=column)
    statement = semantics.statements[0]
    accesses = (statement.write, *statement.reads)
    for tensor in semantics.tensors:
        uses = sum(access.tensor == tensor.name for access in accesses)
        if uses != 1:
            line, column = _position(text, tensor.name)
            what = f"operand {tensor.name!r} is used {uses} times in {statement}"
            raise at_column(what, source=text, line=line, column=column, allowed="every operand exactly once")
    for access in accesses:
        _inside(text, semantics, access)


def _inside(text: str, semantics: Operator, access: Access) -> None:
    for dimension, (subscript, extent) in enumerate(
        zip(access.subscripts, semantics.tensor(access.tensor).shape, strict=True)
    ):
        steps = [c * (semantics.axis(axis).extent - 1) for axis, c in subscript.terms]
        low = subscript.constant + sum(s for s in steps if s < 0)
        high = subscript.constant + sum(s for s in steps if s > 0)
        if low < 0 or high >= extent:
            line, column = _position(text, access.tensor, last=True)
            what = f"dimension {dimension} of {access} runs from {low} to {high}"
            raise at_column(what, source=text, line=line, column=column, allowed=f"0 to {extent - 1}")


def _position(text: str, name: str, *, last: bool = False) -> tuple[int, int]:
    """Line and column of the first or last time that a name is followed by its dtype or its subscripts."""
    found = (1, 1)
    for number, line in enumerate(text.splitlines(), start=1):
        if KEYWORD.match(line.lstrip()):
            continue
        for match in re.finditer(rf"(?<![\w.]){re.escape(name)}(?=[ \t]*[:\[])", line):
            found = (number, match.start() + 1)
            if not last:
                return found
    return found
