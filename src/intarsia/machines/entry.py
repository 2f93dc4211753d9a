"""What a file of the catalogue declares: a name, its sizes, and the instruction they make."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from intarsia.ground.errors import InputError
from intarsia.machines.instruction import Instruction
from intarsia.machines.text import parse_instruction

INTEGER = re.compile(r"[0-9]{1,9}")
LARGEST_SIZE = 4096
LARGEST_LANES = 2**24

ACCUMULATORS = {
    "int8": "int32",
    "uint8": "int32",
    "int16": "int32",
    "float16": "float32",
    "bfloat16": "float32",
    "float32": "float32",
}
"""The element types that a sized unit may multiply, and what it accumulates them in."""


@dataclass(frozen=True, slots=True)
class Size:
    """A parameter of an instruction: an integer from 1 to ``largest``, a multiple of ``step``."""

    name: str
    default: int | None = None
    largest: int = LARGEST_SIZE
    step: int = 1

    def __str__(self) -> str:
        multiples = f", multiples of {self.step}" if self.step > 1 else ""
        return f"{self.name} from {self.step} to {self.largest}{multiples}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One instruction of the catalogue, or a family of them by size.

    Attributes:
        name: as typed, before the colon.
        summary: one line for listings.
        text: the text of the instruction below its first line, given the sizes and, if there is one, the dtype.
        sizes: the parameters, typed after the colon as ``AxBxC``; all have a default or none has.
        dtype: the default element type of the factors if it is a parameter (typed after a comma), else empty.
    """

    name: str
    summary: str
    text: Callable[..., str]
    sizes: tuple[Size, ...] = ()
    dtype: str = ""

    @property
    def form(self) -> str:
        """How it is typed, such as ``vta.gemm[:BATCHxBLOCK_INxBLOCK_OUT]``."""
        parameters = ":" + "x".join(s.name for s in self.sizes) if self.sizes else ""
        parameters += f"[,{self.dtype}]" if self.dtype else ""
        optional = self.sizes and self.sizes[0].default is not None
        return f"{self.name}[{parameters}]" if optional else f"{self.name}{parameters}"

    def instruction(self, parameters: str = "") -> Instruction:
        """The instruction of these parameters (``1x16x16`` or ``64,int8``; empty for the defaults).

        Its name leaves out what is default, and finds it again.

        Raises:
            InputError: for parameters that the entry does not take.
        """
        head, comma, dtype = parameters.partition(",")
        if comma and (not self.dtype or dtype not in ACCUMULATORS):
            allowed = ", ".join(ACCUMULATORS) if self.dtype else self.form
            raise InputError(f"{self.name} has no such element type", value=parameters, allowed=allowed)
        sizes = self._sizes(head)
        dtype = dtype or self.dtype
        defaults = tuple(s.default for s in self.sizes)
        shown = "" if sizes == defaults else ":" + "x".join(map(str, sizes))
        shown += f",{dtype}" if dtype != self.dtype else ""
        body = self.text(*sizes, dtype) if self.dtype else self.text(*sizes)
        return parse_instruction(f"instruction {self.name}{shown}\n{body}", where=self.name)

    def _sizes(self, typed: str) -> tuple[int, ...]:
        defaults = tuple(s.default for s in self.sizes if s.default is not None)
        if not typed and len(defaults) == len(self.sizes):
            return defaults
        words = typed.split("x") if typed else []
        if len(words) != len(self.sizes) or not all(INTEGER.fullmatch(w) for w in words):
            what = f"{self.name} takes {len(self.sizes) or 'no'} size{'s' * (len(self.sizes) != 1)}"
            raise InputError(what, value=typed or "none given", allowed=self.form)
        values = tuple(map(int, words))
        lanes = 1
        for size, value in zip(self.sizes, values, strict=True):
            lanes *= value
            if not 1 <= value <= size.largest or value % size.step:
                raise InputError(f"size {size.name} of {self.name} is {value}", allowed=str(size))
        if lanes > LARGEST_LANES:
            raise InputError(f"{self.name}:{typed} has {lanes} lanes", allowed=f"up to {LARGEST_LANES}")
        return values
