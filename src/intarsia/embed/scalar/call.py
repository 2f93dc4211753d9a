"""A call of the scalar space: an operand assignment and a map from lanes to iterations."""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.embed.scalar.assignment import Assignment, named
from intarsia.embed.scalar.problem import Ints, box
from intarsia.machines import Instruction
from intarsia.operators import Operator


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One call.

    Attributes:
        operator, statement, instruction: what is embedded in what.
        assignment: which read of the operator each read of the instruction holds.
        phi: the iteration of each lane, lanes and axes in lexicographic order, [lanes, d]; rows of -1 are undefined.
    """

    operator: Operator
    statement: int
    instruction: Instruction
    assignment: Assignment
    phi: Ints

    @property
    def undefined(self) -> int:
        """Padded lanes."""
        return int((self.phi == -1).all(axis=1).sum())

    def __str__(self) -> str:
        operands = named(self.operator, self.instruction, self.assignment, statement=self.statement)
        head = f"{self.operator.name} in {self.instruction.name}: "
        head += " ".join(f"{operand}={tensor or 1}" for operand, tensor in operands)
        lanes = zip(box(self.instruction.semantics).tolist(), self.phi.tolist(), strict=True)
        rows = (f"  {tuple(q)} -> {'padding' if max(p) < 0 else tuple(p)}" for q, p in lanes)
        return "\n".join([head, *rows])
