"""Why nothing fits, in words, and the smallest change that would help."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, product
from math import prod

from intarsia.embed.constraints import Rules
from intarsia.embed.operands import assignments
from intarsia.embed.problem import REQUIREMENTS, EmbeddingProblem, Requirement
from intarsia.embed.space import space_of
from intarsia.embed.ties import Ties
from intarsia.operators import Operator
from intarsia.solvers import Infeasible, minimal_conflict

CONSTRAINTS = ("combine", "arity", "dtype", "operands", "result", "home", "padding")
SECONDS = 2.0
"""Limit of each search that decides whether a set of constraints is infeasible."""
PATIENCE = 5.0
"""Seconds after which no further padding is tried."""
PADDED_AXES = 3
"""Axes that a relaxation pads at most."""
TRIED = 400
"""Paddings that are tried, the fewest iterations first."""


def explain(problem: EmbeddingProblem) -> tuple[tuple[str, ...], str]:
    """A minimal conflicting set of constraint families and requirements, and the smallest relaxation.

    The set is found by deletion: a name is left out for good if what remains is still infeasible. Leaving any one of
    the names out makes the problem feasible, or at least not provably infeasible. Where something fits once all
    requirements are dropped, only requirements are in conflict: what an embedding is does not change.
    """
    if infeasible(replace(problem, require=())):
        kept = minimal_conflict(CONSTRAINTS, lambda subset: infeasible(only(problem, subset)))
    else:
        kept = minimal_conflict(problem.require, lambda subset: infeasible(_requiring(problem, subset)))
    return tuple(in_words(problem, name) for name in kept), relaxation(problem, kept)


def _requiring(problem: EmbeddingProblem, names: tuple[str, ...]) -> EmbeddingProblem:
    return replace(problem, require=tuple(name for name in problem.require if name in names))


def only(problem: EmbeddingProblem, names: tuple[str, ...]) -> EmbeddingProblem:
    """The problem with these constraint families and no requirements, the others dropped."""
    dropped = frozenset(name for name in CONSTRAINTS if name not in names)
    return replace(problem, require=(), dropped=dropped)


def infeasible(problem: EmbeddingProblem) -> bool:
    """Whether a problem was proved to have no solution."""
    every = assignments(problem)
    if not every:
        return True
    rules = [Rules(problem, operands) for operands in every]
    plain = all(own.plain for own in rules)
    if plain and not problem.require and not any(own.filled for own in rules):
        return False
    if plain and problem.require and set(problem.require) <= {"dense", "no-padding"}:
        # a divisor of a flattened extent is a product of divisors of its axes: flattening makes nothing exact
        problem = replace(problem, family="aligned")
        return not any(Ties(space_of(Rules(problem, operands))).feasible for operands in every)
    from intarsia.embed.optimise import search

    return isinstance(search(replace(problem, limit=SECONDS)), Infeasible)


def in_words(problem: EmbeddingProblem, name: str) -> str:
    """What a constraint family or requirement asks, with the values concerned."""
    semantics = problem.instruction.semantics
    body, meaning = problem.operator.statements[problem.statement], semantics.statements[0]
    match name:
        case "combine":
            return f"combine: the operator combines with {body.combine}, the instruction with {meaning.combine}"
        case "arity":
            return f"arity: the operator multiplies {len(body.reads)} tensors, the instruction {len(meaning.reads)}"
        case "dtype":
            tensors = [problem.operator.tensor(a.tensor) for a in (body.write, *body.reads)]
            operands = [semantics.tensor(a.tensor) for a in (meaning.write, *meaning.reads)]
            have = ", ".join(f"{t.name} is {t.dtype}" for t in tensors)
            want = ", ".join(f"{t.name} is {t.dtype}" for t in operands)
            return f"dtype: {have}, but {want}"
        case "operands":
            return "operands: lanes that read one register must read one element"
        case "result":
            return "result: lanes accumulate in one register exactly if they accumulate in one element"
        case "home":
            return "home: an output element must live in one lane of one register in all calls"
        case "padding":
            axes = [a.name for a in problem.operator.axes if not _guarded(problem, a.name)]
            beyond = [*axes, *_filled(problem)]
            return (
                f"padding: no factor is zero, and no result dead, beyond the end of {', '.join(beyond) or 'some axis'}"
            )
        case "dense":
            sizes = " x ".join(f"{a.name}<{a.extent}" for a in semantics.axes)
            return f"dense: every lane of {sizes} must work in every call"
        case _:
            return f"{name}: {REQUIREMENTS.get(_requirement(problem, name), name)}"


def _requirement(problem: EmbeddingProblem, name: str) -> Requirement:
    return next(r for r in problem.require if r == name)


def _guarded(problem: EmbeddingProblem, axis: str) -> bool:
    return all(Rules(problem, operands).guarded((axis,)) for operands in assignments(problem)[:1])


def _filled(problem: EmbeddingProblem) -> list[str]:
    every = {axis for operands in assignments(problem) for axis in Rules(problem, operands).filled}
    return [f"lane axis {axis}" for axis in sorted(every)]


def relaxation(problem: EmbeddingProblem, conflict: tuple[str, ...]) -> str:
    """The first of these that gives a solution: a larger family, axes padded, a requirement dropped, other dtypes."""
    if problem.family == "aligned" and not infeasible(replace(problem, family="fused")):
        return "allow family fused"
    if "dense" in problem.require or "no-padding" in problem.require:
        padded = _padded(problem)
        if padded:
            return padded
    for name in conflict:
        if name in problem.require and not infeasible(
            replace(problem, require=tuple(r for r in problem.require if r != name))
        ):
            return f"drop the requirement {name}"
    if "dtype" in conflict and not infeasible(replace(problem, dtypes="ignore")):
        return f"declare {_other_dtypes(problem)}"
    return "another instruction"


def _other_dtypes(problem: EmbeddingProblem) -> str:
    """The fewest tensors whose dtype would have to change."""
    best: list[str] | None = None
    for operands in assignments(replace(problem, dtypes="ignore")):
        changed = []
        for operand, tensor in operands:
            if tensor is None:
                continue
            want, have = problem.instruction.semantics.tensor(operand).dtype, problem.operator.tensor(tensor).dtype
            if want != have:
                changed.append(f"{tensor} as {want} instead of {have}")
        best = changed if best is None or len(changed) < len(best) else best
    return " and ".join(best or ["other dtypes"])


def _padded(problem: EmbeddingProblem) -> str:
    """The padding of operator axes that adds the fewest iterations, empty if none of those tried helps."""
    tried = sorted(_paddings(problem), key=lambda new: prod(new.values()))
    started = time.monotonic()
    for number, extents in enumerate(tried):
        if number == TRIED or time.monotonic() - started > PATIENCE:
            return ""
        if not infeasible(replace(problem, operator=_resized(problem.operator, extents))):
            before = {a.name: a.extent for a in problem.operator.axes}
            return " and ".join(f"pad {n} from {before[n]} to {e}" for n, e in extents.items() if e != before[n])
    return ""


def _paddings(problem: EmbeddingProblem) -> Iterator[dict[str, int]]:
    """New extents of up to three axes, rounded up to multiples that can matter: the divisors of the lanes' extents."""
    rooms = [a.extent for a in problem.instruction.semantics.axes if a.extent > 1]
    steps = sorted({d for room in rooms for d in range(2, room + 1) if room % d == 0})
    extents = {a.name: a.extent for a in problem.operator.axes}
    larger = {n: sorted({-(-e // d) * d for d in steps} - {e}) for n, e in extents.items()}
    for size in range(1, PADDED_AXES + 1):
        for axes in combinations([n for n in extents if larger[n]], size):
            for chosen in product(*(larger[n] for n in axes)):
                yield {**extents, **dict(zip(axes, chosen, strict=True))}


def _resized(operator: Operator, extents: dict[str, int]) -> Operator:
    """The operator with other extents; its tensors are not looked at."""
    return replace(operator, axes=tuple(replace(a, extent=extents[a.name]) for a in operator.axes))
