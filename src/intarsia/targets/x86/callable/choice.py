"""The plan of an operator, chosen once: a choice is kept, and made into a plan again when the operator comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Any, cast

import msgspec

from intarsia.embed import Embedding, Flat, Loop
from intarsia.embed.check import check
from intarsia.ground import InputError
from intarsia.ground.store import Json, Store, default_store
from intarsia.machines import Instruction
from intarsia.operators import Operator
from intarsia.targets.x86.lowering import Epilogue, Nest, Plan, Speeds, Subject, Way, plan_of, plans
from intarsia.targets.x86.lowering.stages import Interleave, PadCopy, TableCopy

MORE, ALL = 8, 160
"""How many times as many plans are looked at where the first are not right, and how many where none of those is."""
OPEN = "not proved"
"""How a violation begins that is none: the prover's budget was too small."""


class _Kept(msgspec.Struct, frozen=True):
    """What makes a plan of an operator again."""

    operands: tuple[tuple[str, str | None], ...]
    loops: tuple[Loop, ...]
    flats: tuple[Flat, ...]
    nest: Nest
    ways: dict[str, tuple[Way, int]]
    cycles: float


@dataclass(frozen=True, slots=True)
class Choices:
    """Plans of one operator, the one that is predicted to be fastest first, and what a user should know.

    Attributes:
        plans: predicted cycles and plan.
        notes: why choices could not be kept.
    """

    plans: tuple[tuple[float, Plan], ...]
    notes: tuple[str, ...] = ()


def choices(
    operator: Operator,
    instruction: Instruction,
    epilogue: Epilogue | None,
    given: Mapping[str, str] | None = None,
    *,
    most: int = 1,
    store: Path | None = None,
    speeds: Speeds | None = None,
    below: float = inf,
) -> Choices:
    """The best plans of an operator, of different embeddings, each embedding checked.

    Args:
        operator: what is embedded.
        instruction: in what.
        epilogue: what happens to results.
        given: element types of tensors that are handed in narrower than the operator has them.
        most: how many plans.
        store: where choices are kept; the user's cache folder for None.
        speeds: by which plans are ranked; the shipped ones for None.
        below: cycles that plans must stay below; where this is given there may be none.

    Raises:
        InputError: if there is no plan.
    """
    given = given or {}
    question = _question(operator, instruction, epilogue, given, most, speeds, below)
    chosen: Choices | None = None
    try:
        with Store(store or default_store().with_name("plans.sqlite")) as kept:
            answer = kept.get(question)
            if answer is not None:
                again = _again(answer, operator, instruction, epilogue, given)
                if again is not None and len((proved := _proved(again, len(again))).plans) == len(again):
                    return proved
            chosen = _chosen(operator, instruction, epilogue, given, most, speeds, below)
            kept.put(question, cast("Json", msgspec.to_builtins([_kept(c, plan) for c, plan in chosen.plans])))
    except InputError as error:
        if "store of results" not in error.what:
            raise
        chosen = chosen or _chosen(operator, instruction, epilogue, given, most, speeds, below)
        return replace(chosen, notes=(f"chosen plans are not kept: {error}", *chosen.notes))
    return chosen


def repadded(
    plan: Plan, operator: Operator, epilogue: Epilogue | None, given: Mapping[str, str] | None = None
) -> Plan | None:
    """The same choices for the same operator with other pad values or another epilogue, None if they do not serve."""
    embedding = replace(plan.embedding, operator=operator)
    return plan_of(Subject(embedding, given), _nest(plan), _ways(plan), epilogue)


def _chosen(
    operator: Operator,
    instruction: Instruction,
    epilogue: Epilogue | None,
    given: Mapping[str, str],
    most: int,
    speeds: Speeds | None,
    below: float,
) -> Choices:
    """The best plans whose embeddings are proved; where a better one is not right, more are looked at.

    Raises:
        InputError: if there is no plan.
    """
    for count in (most, MORE * most, ALL):
        found = tuple(plans(operator, instruction, epilogue, speeds, most=count, given=given, below=below))
        proved = _proved(found, most)
        if len(proved.plans) >= (most if count == most else 1) or len(found) < count:
            break
    if not proved.plans and below == inf:
        raise InputError(f"no plan feeds {instruction.name}", where=operator.name, value=str(operator.statements[0]))
    return proved


def _proved(found: tuple[tuple[float, Plan], ...], most: int) -> Choices:
    """The first plans whose embedding is right; what the prover left open is said."""
    good: list[tuple[float, Plan]] = []
    notes: list[str] = []
    for cycles, plan in found:
        if len(good) == most:
            break
        violations = check(plan.embedding).violations
        if all(text.startswith(OPEN) for text in violations):
            good.append((cycles, plan))
            notes += [text for text in violations if text not in notes]
    return Choices(tuple(good), tuple(notes))


def _question(
    operator: Operator,
    instruction: Instruction,
    epilogue: Epilogue | None,
    given: Mapping[str, str],
    most: int,
    speeds: Speeds | None,
    below: float,
) -> dict[str, Json]:
    return {
        "below": None if below == inf else below,
        "speeds": cast("Json", msgspec.to_builtins(speeds)),
        "most": most,
        "plan": str(operator),
        "given": dict(given),
        "instruction": str(instruction),
        "epilogue": cast("Json", msgspec.to_builtins(epilogue)),
    }


def _kept(cycles: float, plan: Plan) -> _Kept:
    embedding = plan.embedding
    return _Kept(embedding.operands, embedding.loops, embedding.flats, _nest(plan), dict(_ways(plan)), cycles)


def _again(
    answer: Any, operator: Operator, instruction: Instruction, epilogue: Epilogue | None, given: Mapping[str, str]
) -> tuple[tuple[float, Plan], ...] | None:
    """The plans that were kept, None if some of them serves no longer."""
    found = []
    for kept in msgspec.convert(answer, list[_Kept]):
        embedding = Embedding(operator, 0, instruction, kept.operands, kept.loops, kept.flats)
        plan = plan_of(Subject(embedding, given), kept.nest, kept.ways, epilogue)
        if plan is None:
            return None
        found.append((kept.cycles, plan))
    return tuple(found)


def _nest(plan: Plan) -> Nest:
    return Nest(plan.parallel, plan.tile, plan.reduction, plan.unroll, plan.block)


def _ways(plan: Plan) -> Mapping[str, tuple[Way, int]]:
    """How each factor that is not constant is fed."""
    found: dict[str, tuple[Way, int]] = {
        f.operand: ("woven" if f.weave else "direct", 0) for f in plan.factors if f.source != "constant"
    }
    for stage in plan.stages:
        match stage:
            case PadCopy():
                found[stage.operand] = ("padded", stage.apart)
            case TableCopy():
                found[stage.operand] = ("table", 0)
            case Interleave():
                found[stage.operand] = ("interleave", stage.level)
    return found
