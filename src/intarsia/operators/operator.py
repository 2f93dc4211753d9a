"""An operator as scalar dataflow: axes, tensors with affine accesses, statements.

An instruction's meaning is an operator too, so one text form, one interpreter and one check serve both.

Meaning: every written tensor starts as the identity of its combining operator (0 for ``+=``, the least value for
``max=``, the greatest for ``min=``). Every statement runs once for each point of the box of axes, in any order:
``write ⊕= product of reads``, in the arithmetic of the written tensor's dtype (integers wrap). A read outside a
tensor is that tensor's pad value. A write outside a tensor, in a phase of a sum of axes that is not full, is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Literal

Role = Literal["parallel", "reduction"]
Combine = Literal["+=", "max=", "min="]

DTYPES: dict[str, int] = {
    "int8": 1,
    "uint8": 1,
    "int16": 2,
    "int32": 4,
    "float16": 2,
    "bfloat16": 2,
    "float32": 4,
}
"""Element types and their bytes."""

COMBINES: tuple[Combine, ...] = ("+=", "max=", "min=")


@dataclass(frozen=True, slots=True)
class Axis:
    """A named loop of ``extent`` iterations; parallel if it moves every write, else a reduction."""

    name: str
    extent: int
    role: Role


@dataclass(frozen=True, slots=True)
class Affine:
    """``sum(coefficient * axis) + constant``; terms in the order of the text, no zero coefficient, no axis twice."""

    terms: tuple[tuple[str, int], ...]
    constant: int = 0

    def coefficient(self, axis: str) -> int:
        """The coefficient of an axis, 0 if absent."""
        return next((c for name, c in self.terms if name == axis), 0)

    def __str__(self) -> str:
        text = ""
        for name, c in self.terms:
            sign = "-" if c < 0 else "+" if text else ""
            text += f"{sign}{name}" if abs(c) == 1 else f"{sign}{abs(c)}*{name}"
        if self.constant or not text:
            sign = "-" if self.constant < 0 else "+" if text else ""
            text += f"{sign}{abs(self.constant)}"
        return text


@dataclass(frozen=True, slots=True)
class Access:
    """``tensor[subscript, ...]``, one affine subscript per dimension."""

    tensor: str
    subscripts: tuple[Affine, ...]

    def __str__(self) -> str:
        return f"{self.tensor}[{', '.join(map(str, self.subscripts))}]"


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor. ``pad`` is what reads outside it see; ``constant`` says that it is known before the run (weights)."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    pad: int | float = 0
    constant: bool = False

    @property
    def bytes(self) -> int:
        """Bytes of the dense tensor."""
        return prod(self.shape) * DTYPES[self.dtype]

    def __str__(self) -> str:
        const = " const" if self.constant else ""
        pad = f" pad={self.pad}" if self.pad else ""
        return f"{self.name}:{self.dtype}[{', '.join(map(str, self.shape))}]{const}{pad}"


@dataclass(frozen=True, slots=True)
class Statement:
    """``write combine reads[0] * reads[1] * ...``."""

    write: Access
    combine: Combine
    reads: tuple[Access, ...]

    def __str__(self) -> str:
        return f"{self.write} {self.combine} {' * '.join(map(str, self.reads))}"


@dataclass(frozen=True, slots=True)
class Operator:
    """A box of axes, its tensors (outputs first as the text has them) and its statements."""

    name: str
    axes: tuple[Axis, ...]
    tensors: tuple[Tensor, ...]
    statements: tuple[Statement, ...]

    def axis(self, name: str) -> Axis:
        """The axis of this name (KeyError if there is none: names were validated by the parser)."""
        return next(a for a in self.axes if a.name == name)

    def tensor(self, name: str) -> Tensor:
        """The tensor of this name."""
        return next(t for t in self.tensors if t.name == name)

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """The written tensors, in the order of declaration."""
        written = {s.write.tensor for s in self.statements}
        return tuple(t for t in self.tensors if t.name in written)

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """The tensors that are only read, in the order of declaration."""
        written = {s.write.tensor for s in self.statements}
        return tuple(t for t in self.tensors if t.name not in written)

    @property
    def iterations(self) -> int:
        """Points of the box."""
        return prod(a.extent for a in self.axes)

    def __str__(self) -> str:
        parallel = " ".join(f"{a.name}<{a.extent}" for a in self.axes if a.role == "parallel")
        reduction = " ".join(f"{a.name}<{a.extent}" for a in self.axes if a.role == "reduction")
        head = f"{self.name}:" + (f" {parallel}" if parallel else "") + (f" ; {reduction}" if reduction else "")
        lines = [head, "  " + " ".join(map(str, self.tensors))]
        lines += [f"  {s}" for s in self.statements]
        return "\n".join(lines)
