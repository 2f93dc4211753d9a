"""Why nothing fits, in words, and the smallest change that would help.

Conflicts are found by deletion: each constraint in turn is dropped, and stays dropped if there is still no embedding.
What remains is minimal: without any one of them something fits. Relaxations are tried by how much they change: one
requirement less, a wider family, an axis made longer, a tensor declared otherwise.
"""

from __future__ import annotations

import time
from dataclasses import replace
from math import prod

from intarsia.embed.embedding import Embedding
from intarsia.embed.problem import FAMILIES, REQUIREMENTS, EmbeddingProblem, Requirement
from intarsia.operators import Operator
from intarsia.solvers import Infeasible

QUIET = "explanation"
"""In ``dropped`` of the problems that are solved here: their own infeasibility needs no reason."""
SECONDS = 2.0
"""The limit of each of these searches, and of the search for a longer axis."""
LONGEST = 16
"""How much longer an axis is made at most, to find the extent at which it fits."""

WORDS = {
    "combine": "the instruction combines with {meaning}, the statement with {body}",
    "factors": "the statement multiplies {reads} tensors, the instruction {factors}",
    "dtype": "operands hold one dtype: {dtypes}",
    "operands": "lanes that read one register must read one element",
    "result": "lanes accumulate in one register exactly if they accumulate in one output element",
    "home": "an output element has one home across all calls",
    "padding": "lanes that are padding must not change a result",
}


def explain(problem: EmbeddingProblem) -> tuple[tuple[str, ...], str]:
    """A minimal conflicting set of constraint families and requirements, and the smallest relaxation, in words."""
    if QUIET in problem.dropped:
        return (), ""
    factors = _factors(problem)
    if factors:
        return (factors,), "split the statement, or take an instruction with more factors"
    conflict = _conflict(problem)
    because = tuple(_say(problem, name) for name in conflict)
    return because, _relaxation(problem, conflict)


def _factors(problem: EmbeddingProblem) -> str:
    body = problem.operator.statements[problem.statement]
    meaning = problem.instruction.semantics.statements[0]
    if len(body.reads) <= len(meaning.reads):
        return ""
    return WORDS["factors"].format(reads=len(body.reads), factors=len(meaning.reads))


def _conflict(problem: EmbeddingProblem) -> list[str]:
    """The constraints that are left when every one that is not needed for the conflict is dropped.

    Where something fits once all requirements are dropped, only requirements are in conflict: what an embedding is does
    not change.
    """
    families = [n for n in WORDS if n != "factors"]
    candidates = list(problem.require) if _fits(replace(problem, require=())) else families
    kept: list[str] = []
    current = problem if candidates is not families else replace(problem, require=())
    for name in candidates:
        without = _without(current, name)
        if _fits(without):
            kept.append(name)
        else:
            current = without
    return kept


def _without(problem: EmbeddingProblem, name: str) -> EmbeddingProblem:
    if name in REQUIREMENTS:
        return replace(problem, require=tuple(r for r in problem.require if r != name))
    return replace(problem, dropped=problem.dropped | {name})


def _fits(problem: EmbeddingProblem) -> bool:
    return _solution(problem) is not None


def _solution(problem: EmbeddingProblem) -> Embedding | None:
    """Some embedding, None if there is none or none was found in time."""
    from intarsia.embed.optimise import optimise

    asked = replace(
        problem, objective=("calls",), limit=min(SECONDS, problem.limit), dropped=problem.dropped | {QUIET}
    )
    outcome = optimise(asked)
    if isinstance(outcome, Infeasible):
        return None
    return getattr(outcome, "value", None) or getattr(outcome, "best", None)


def _say(problem: EmbeddingProblem, name: str) -> str:
    if name in REQUIREMENTS:
        rooms = f" ({_rooms(problem)})" if name == "dense" else ""
        return f"{name}: {REQUIREMENTS[_requirement(name)]}{rooms}"
    body = problem.operator.statements[problem.statement]
    semantics = problem.instruction.semantics
    meaning = semantics.statements[0]
    holds = ", ".join(f"{t.name} is {t.dtype}" for t in semantics.tensors)
    tensors = [problem.operator.tensor(a.tensor) for a in (body.write, *body.reads)]
    has = ", ".join(f"{t.name} is {t.dtype}" for t in tensors)
    text = WORDS[name].format(
        meaning=meaning.combine, body=body.combine, reads="", factors="", dtypes=f"{holds}; here {has}"
    )
    return f"{name}: {text}"


def _rooms(problem: EmbeddingProblem) -> str:
    """The lanes of each instruction axis and the operator axes that may serve it."""
    from intarsia.embed.constraints import Rules
    from intarsia.embed.operands import representatives

    texts: list[str] = []
    for operands in representatives(problem):
        rules = Rules(problem, operands)
        for lane, room in rules.capacities.items():
            serving = [a for a in problem.operator.axes if a.extent > 1 and lane in rules.serves(a.name)]
            names = ", ".join(f"{a.name}<{a.extent}" for a in serving) or "no axis"
            held = ", ".join(f"{o}={t or 1}" for o, t in operands)
            texts.append(f"with {held}: {room} lanes of {lane} for {names}")
    return "; ".join(texts)


def _requirement(name: str) -> Requirement:
    return next(r for r in REQUIREMENTS if r == name)


def _relaxation(problem: EmbeddingProblem, conflict: list[str]) -> str:
    """The first change, in the order of how much is given up, that gives a solution."""
    if "dtype" in conflict and _fits(_without(problem, "dtype")):
        return f"declare the tensors as the operands are: {_say(problem, 'dtype').partition(': ')[2]}"
    longer = _longer(problem)
    if longer:
        return longer
    for family in FAMILIES[FAMILIES.index(problem.family) + 1 :]:
        if _fits(replace(problem, family=family)):
            return f"allow the {family} family"
    for name in (n for n in conflict if n in REQUIREMENTS):
        found = _solution(_without(problem, name))
        if found is not None:
            return f"{_allow(name, found)} ({found.calls} calls)"
    if "combine" in conflict:
        return "take an instruction that combines as the statement does"
    return "drop the requirements " + ", ".join(problem.require) if problem.require else "take another instruction"


def _allow(name: str, found: Embedding) -> str:
    match name:
        case "no-duplication":
            from intarsia.embed.duplication import count_layout

            return f"allow duplication, {count_layout(found)} bytes"
        case "dense" | "no-padding":
            padded = _padded(found)
            return f"allow padding{', ' + padded if padded else f', {found.padded_lanes} lanes'}"
        case "constant-only":
            return "allow other than constant tensors to be rearranged"
    return f"drop {name}"


def _padded(embedding: Embedding) -> str:
    """The axes that an embedding rounds up, and to what."""
    extent = {loop.name: loop.extent for loop in embedding.loops}
    texts = []
    for flat in embedding.flats:
        total = prod(extent[name] for name, _ in flat.value.terms)
        if total > prod(flat.extents):
            texts.append(f"{'.'.join(flat.axes)} from {prod(flat.extents)} to {total}")
    return ", ".join(texts)


def _longer(problem: EmbeddingProblem) -> str:
    """The axis that has to be made longer by the least part of it, where that alone makes the question feasible."""
    if not {"dense", "no-padding"} & set(problem.require):
        return ""
    best: tuple[float, str] | None = None
    started = time.monotonic()
    for axis in problem.operator.axes:
        for extent in range(axis.extent + 1, axis.extent + LONGEST):
            late = time.monotonic() - started > SECONDS
            if late or (best is not None and extent / axis.extent >= best[0]):
                break
            if _fits(replace(problem, operator=_with_extent(problem.operator, axis.name, extent))):
                best = (extent / axis.extent, f"pad {axis.name} from {axis.extent} to {extent}")
                break
    return best[1] if best is not None else ""


def _with_extent(operator: Operator, name: str, extent: int) -> Operator:
    """The operator with one axis longer; what it then reads outside its tensors is their pad value."""
    axes = tuple(replace(a, extent=extent) if a.name == name else a for a in operator.axes)
    return replace(operator, axes=axes)
