"""What is said when a program is wrong: the instruction, the rule that it breaks, the values."""

from __future__ import annotations

from intarsia.targets.vta.disassembler import describe
from intarsia.targets.vta.stream import Stream


class SimulationError(Exception):
    """A program does what the core, or a plain functional simulator of it, does not do as meant.

    Attributes:
        index: the instruction concerned, the length of the stream if it is one that is missing.
        instruction: its disassembly, empty if there is none.
        rule: the rule that is broken, in a short phrase.
        detail: the values.
    """

    def __init__(self, index: int, instruction: str, rule: str, detail: str) -> None:
        self.index = index
        self.instruction = instruction
        self.rule = rule
        self.detail = detail
        shown = f" ({instruction})" if instruction else ""
        super().__init__(f"instruction {index}{shown}: {rule}" + (f": {detail}" if detail else ""))


def wrong(stream: Stream, index: int, rule: str, detail: str = "") -> SimulationError:
    """The error of one instruction of a stream."""
    text = " ".join(describe(stream[index]).split()) if index < len(stream) else ""
    return SimulationError(index, text, rule, detail)
