"""An instruction: an operator over its own small box, its operands living in memories of the machine."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from intarsia.operators import Operator


@dataclass(frozen=True, slots=True)
class Instruction:
    """What one call computes.

    Attributes:
        name: as typed on the command line, such as ``vta.gemm`` or ``x86.vpdpbusd``.
        semantics: the operator that one call executes; its written tensor accumulates over calls.
        memories: operand name to the memory that holds it, in the order of the semantics' tensors.
        cycles: reciprocal throughput of one call, cycles.
        read, write: bytes that memory delivers, and takes, in a cycle; 0 if that is not said.
        source: where the figures come from; several lines if there are several sources.
    """

    name: str
    semantics: Operator
    memories: tuple[tuple[str, str], ...] = ()
    cycles: int = 1
    source: str = ""
    read: int = 0
    write: int = 0

    @property
    def lanes(self) -> int:
        """Scalar operations of one call."""
        return prod(a.extent for a in self.semantics.axes)

    def __str__(self) -> str:
        memories = " ".join(f"{operand}={memory}" for operand, memory in self.memories)
        lines = [f"instruction {self.name}", str(self.semantics)]
        if memories:
            lines.append(f"memory {memories}")
        lines.append(f"cycles {self.cycles}")
        ports = " ".join(f"{name}={size}" for name, size in (("read", self.read), ("write", self.write)) if size)
        if ports:
            lines.append(f"ports {ports}")
        lines += [f"source {line}" for line in self.source.splitlines()]
        return "\n".join(lines)
