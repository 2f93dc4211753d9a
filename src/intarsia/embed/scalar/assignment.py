"""Which operator access each operand of the instruction holds: the outer enumeration of the scalar space."""

from __future__ import annotations

from itertools import permutations
from typing import Literal

from intarsia.machines import Instruction
from intarsia.operators import Operator

Dtypes = Literal["exact", "ignore"]
"""Whether an operator's tensor must have the element type of the operand that holds it."""

Assignment = tuple[int | None, ...]
"""For each read of the instruction, in its order: the index of the operator's read; None for the constant 1."""


def assignments(
    operator: Operator, instruction: Instruction, *, statement: int = 0, dtypes: Dtypes = "exact"
) -> tuple[Assignment, ...]:
    """Every assignment of the statement's reads to the instruction's operands, sorted; written goes to written.

    Each read of the operator is held by exactly one operand; operands left over hold the constant 1. Empty exactly if
    ``mismatch`` has something to say.
    """
    if _unlike_statements(operator, instruction, statement, dtypes):
        return ()
    held, holding = _read_dtypes(operator, instruction, statement)
    values = (*range(len(held)), *(None for _ in range(len(holding) - len(held))))
    found = {
        order
        for order in permutations(values)
        if dtypes == "ignore" or all(i is None or held[i] == u for i, u in zip(order, holding, strict=True))
    }
    return tuple(sorted(found, key=lambda order: tuple(len(held) if i is None else i for i in order)))


def mismatch(
    operator: Operator, instruction: Instruction, *, statement: int = 0, dtypes: Dtypes = "exact"
) -> tuple[str, ...]:
    """Why no assignment exists, in words; empty if there is one."""
    reasons = _unlike_statements(operator, instruction, statement, dtypes)
    if reasons or assignments(operator, instruction, statement=statement, dtypes=dtypes):
        return reasons
    held, holding = _read_dtypes(operator, instruction, statement)
    return (f"element types: the operator multiplies {' * '.join(held)}, the instruction {' * '.join(holding)}",)


def named(
    operator: Operator, instruction: Instruction, assignment: Assignment, *, statement: int = 0
) -> tuple[tuple[str, str | None], ...]:
    """The assignment as (instruction operand, operator tensor or None), the written one first."""
    body, meaning = operator.statements[statement], instruction.semantics.statements[0]
    reads = tuple(
        (operand.tensor, None if index is None else body.reads[index].tensor)
        for operand, index in zip(meaning.reads, assignment, strict=True)
    )
    return ((meaning.write.tensor, body.write.tensor), *reads)


def _unlike_statements(operator: Operator, instruction: Instruction, statement: int, dtypes: Dtypes) -> tuple[str, ...]:
    """What no order of the reads can mend."""
    body, meaning = operator.statements[statement], instruction.semantics.statements[0]
    reasons: tuple[str, ...] = ()
    if body.combine != meaning.combine:
        reasons += (f"combining: the operator has {body.combine}, the instruction {meaning.combine}",)
    if len(body.reads) > len(meaning.reads):
        reasons += (f"factors: the operator multiplies {len(body.reads)}, the instruction {len(meaning.reads)}",)
    written, accumulator = operator.tensor(body.write.tensor), instruction.semantics.tensor(meaning.write.tensor)
    if dtypes == "exact" and written.dtype != accumulator.dtype:
        reasons += (
            f"element types: the operator accumulates in {written.dtype}, the instruction in {accumulator.dtype}",
        )
    return reasons


def _read_dtypes(
    operator: Operator, instruction: Instruction, statement: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    body, semantics = operator.statements[statement], instruction.semantics
    return (
        tuple(operator.tensor(read.tensor).dtype for read in body.reads),
        tuple(semantics.tensor(read.tensor).dtype for read in semantics.statements[0].reads),
    )
