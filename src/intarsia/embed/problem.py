"""What is asked: a statement, an instruction, a family of embeddings, requirements, an objective, a limit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from intarsia.embed.embedding import Embedding
from intarsia.ground.errors import InputError
from intarsia.machines import Instruction
from intarsia.operators import Operator

Family = Literal["aligned", "fused", "skewed"]
Requirement = Literal["dense", "no-padding", "no-duplication", "inputs-once", "constant-only", "fixed"]
Measure = Literal["calls", "padded", "duplicated", "moved", "needed", "cycles"]
Dtypes = Literal["exact", "ignore"]

FAMILIES: tuple[Family, ...] = ("aligned", "fused", "skewed")
REQUIREMENTS: dict[Requirement, str] = {
    "dense": "no lane of any call is padding",
    "no-padding": "no operator axis is rounded up: every digit divides what it is taken from",
    "no-duplication": "no element of an input is packed twice",
    "inputs-once": "no element of an input that is not constant is packed twice",
    "constant-only": "only constant tensors are rearranged: the others are packed in row-major order",
    "fixed": "the reference's own mapping",
}
MEASURES: dict[Measure, str] = {
    "calls": "calls, those that read only padding included",
    "padded": "lanes of all calls that do no work",
    "duplicated": "bytes of inputs that are packed more than once",
    "moved": "bytes of all packed tensors, the output's included",
    "needed": "calls in which some lane works: those that read only padding left out",
    "cycles": "predicted: needed calls, or packed bytes through the instruction's ports, whichever take longer",
}


class Price(Protocol):
    """A handed-in objective: predicted cycles, say.

    ``least(calls)`` must not exceed the price of any embedding of at least so many calls, and must not fall when calls
    grow; it is what turns a search in the order of calls into a proof.
    """

    name: str

    def __call__(self, embedding: Embedding) -> int:
        """The price, an integer that is the less the better."""

    def least(self, calls: int) -> int:
        """A lower bound on the price of every embedding with at least this many calls."""


Objective: TypeAlias = tuple[Measure | Price, ...]


@dataclass(frozen=True, slots=True)
class EmbeddingProblem:
    """One question.

    Attributes:
        operator, statement: what is embedded.
        instruction: what it is embedded in.
        family: aligned, fused (which contains aligned) or skewed (which contains both).
        require: requirements that every embedding must meet.
        objective: measures to minimise, the first one first.
        limit: seconds of wall time for a search.
        dtypes: "exact" asks that operands and tensors have one dtype, "ignore" does not look at it.
        dropped: constraint families left out, for explanations only.
    """

    operator: Operator
    instruction: Instruction
    family: Family = "fused"
    require: tuple[Requirement, ...] = ()
    objective: Objective = ("calls", "duplicated")
    limit: float = 60.0
    statement: int = 0
    dtypes: Dtypes = "exact"
    dropped: frozenset[str] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        if not 0 <= self.statement < len(self.operator.statements):
            raise InputError(
                "no such statement",
                where=self.operator.name,
                value=str(self.statement),
                allowed=f"0 to {len(self.operator.statements) - 1}",
            )
        if self.family not in FAMILIES:
            raise InputError("unknown family of embeddings", value=str(self.family), allowed=", ".join(FAMILIES))
        for name in self.require:
            if name not in REQUIREMENTS:
                raise InputError("unknown requirement", value=str(name), allowed=", ".join(REQUIREMENTS))
        for measure in self.objective:
            if isinstance(measure, str) and measure not in MEASURES:
                raise InputError("unknown objective", value=measure, allowed=", ".join(MEASURES))
        if len(self.instruction.semantics.statements) != 1:
            raise InputError(
                "the instruction has several statements", where=self.instruction.name, allowed="one statement"
            )
