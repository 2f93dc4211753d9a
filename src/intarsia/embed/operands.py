"""Which tensor each operand of the instruction holds."""

from __future__ import annotations

from itertools import permutations
from typing import TypeAlias

from intarsia.embed.problem import EmbeddingProblem
from intarsia.operators import Operator

Operands: TypeAlias = tuple[tuple[str, str | None], ...]


def assignments(problem: EmbeddingProblem) -> tuple[Operands, ...]:
    """Every assignment of the statement's reads to the instruction's factors, in the order of the text.

    The combining operators must agree, the instruction's write holds the statement's write, each read takes one
    factor of its own, and a factor without a read holds the constant 1. With ``dtypes="exact"`` dtypes must agree.
    """
    body = problem.operator.statements[problem.statement]
    meaning = problem.instruction.semantics.statements[0]
    if body.combine != meaning.combine and "combine" not in problem.dropped:
        return ()
    if not _same(problem, meaning.write.tensor, body.write.tensor):
        return ()
    factors = [read.tensor for read in meaning.reads]
    found: dict[Operands, None] = {}
    missing = len(factors) - len(body.reads)
    if missing < 0 and "arity" not in problem.dropped:
        return ()
    reads = [*(read.tensor for read in body.reads), *[None] * missing][: len(factors)]
    for order in permutations(range(len(factors))):
        held = tuple(reads[i] for i in order)
        if all(t is None or _same(problem, f, t) for f, t in zip(factors, held, strict=True)):
            found[((meaning.write.tensor, body.write.tensor), *zip(factors, held, strict=True))] = None
    return tuple(found)


def _same(problem: EmbeddingProblem, operand: str, tensor: str) -> bool:
    if problem.dtypes == "ignore" or "dtype" in problem.dropped:
        return True
    return problem.instruction.semantics.tensor(operand).dtype == problem.operator.tensor(tensor).dtype


def exchanges(semantics: Operator, *, exact: bool = True) -> tuple[dict[str, str], ...]:
    """The exchanges of factors that leave the instruction's meaning as it is, once its axes are renamed to suit.

    ``o[b, n] += i[b, k] * w[n, k]`` with 16x16x16 lanes: i and w may be exchanged, with b and n.
    """
    statement = semantics.statements[0]
    factors = [read.tensor for read in statement.reads]
    axes = semantics.axes
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for axis_order in permutations(axes):
        rename = {a.name: b.name for a, b in zip(axes, axis_order, strict=True)}
        if any(a.extent != b.extent for a, b in zip(axes, axis_order, strict=True)):
            continue
        for order in permutations(factors):
            swap = dict(zip(factors, order, strict=True))
            if _invariant(semantics, rename, swap, exact=exact):
                found.setdefault(order, swap)
    return tuple(found.values())


def _invariant(semantics: Operator, rename: dict[str, str], swap: dict[str, str], *, exact: bool) -> bool:
    statement = semantics.statements[0]
    accesses = {a.tensor: a for a in (statement.write, *statement.reads)}
    for access in accesses.values():
        other = accesses[swap.get(access.tensor, access.tensor)]
        if exact and semantics.tensor(access.tensor).dtype != semantics.tensor(other.tensor).dtype:
            return False
        mine = {(frozenset((rename[n], c) for n, c in s.terms), s.constant) for s in access.subscripts}
        yours = {(frozenset(s.terms), s.constant) for s in other.subscripts}
        if mine != yours or len(access.subscripts) != len(other.subscripts):
            return False
    return True


def representatives(problem: EmbeddingProblem) -> tuple[Operands, ...]:
    """One assignment out of each class of assignments that an exchange of interchangeable operands connects."""
    swaps = exchanges(problem.instruction.semantics, exact=problem.dtypes == "exact")
    seen: set[Operands] = set()
    kept: list[Operands] = []
    for operands in assignments(problem):
        if operands in seen:
            continue
        kept.append(operands)
        held = dict(operands)
        for swap in swaps:
            seen.add(tuple((o, held[swap.get(o, o)]) for o, _ in operands))
    return tuple(kept)
