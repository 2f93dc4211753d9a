"""From an operator and an instruction to the calls of the scalar space: the best one, or all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from time import perf_counter
from typing import assert_never

from intarsia.embed.scalar.assignment import Assignment, Dtypes, assignments, mismatch
from intarsia.embed.scalar.call import Call
from intarsia.embed.scalar.check import check_call
from intarsia.embed.scalar.constraints import (
    Family,
    OneToOne,
    Operands,
    PaddedLanes,
    PaddingIsHarmless,
    Result,
    post_pigeonholes,
)
from intarsia.embed.scalar.problem import Ints, ScalarProblem, least_undefined, scalar_problem
from intarsia.embed.scalar.variables import Variables
from intarsia.machines import Instruction
from intarsia.operators import Operator
from intarsia.solvers import (
    Effort,
    Formula,
    Found,
    Infeasible,
    Limits,
    Outcome,
    OutOfTime,
    all_models,
    best_model,
    minimal_conflict,
)

DEFAULT_LIMITS = Limits()


def enumerate_scalar(
    operator: Operator,
    instruction: Instruction,
    assignment: Assignment,
    *,
    statement: int = 0,
    dense: bool = False,
    max_undefined: int | None = None,
    combining: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> Outcome[list[Ints]]:
    """Every call of one operand assignment, complete.

    Args:
        operator: a small box, up to some 64 iterations.
        instruction: a small one, up to some 16 lanes.
        assignment: one of ``assignments(operator, instruction)``.
        statement: the index of the operator's statement.
        dense: no lane may be padding.
        max_undefined: how many lanes may be padding, if not dense; all but one if None.
        combining: whether one output element may be spread over registers.
        limits: seconds, and the number of maps.

    Returns:
        Found with all maps φ, [lanes, d] each, undefined lanes as rows of -1, in lexicographic order of the lanes'
        images; the bound is their number. OutOfTime with a part of them, Infeasible if there are none.
    """
    problem = scalar_problem(operator, instruction, assignment, statement=statement)
    families = _families(problem, 0 if dense else max_undefined, combining=combining)
    formula, variables = _formula(problem, families)
    outcome = all_models(formula, variables.projected, limits)
    match outcome:
        case Infeasible(effort=effort):
            return Infeasible(tuple(map(str, families)), "", effort)
        case OutOfTime(best, bound, effort):
            return OutOfTime(variables.extract(best or (), problem), bound, effort)
        case Found(models, bound, effort):
            return Found(variables.extract(models, problem), bound, effort)
        case _:
            assert_never(outcome)


def solve_scalar(
    operator: Operator,
    instruction: Instruction,
    *,
    statement: int = 0,
    dtypes: Dtypes = "exact",
    dense: bool = False,
    max_undefined: int | None = None,
    combining: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> Outcome[Call]:
    """A call with the fewest padded lanes over all operand assignments, checked before it leaves.

    Args:
        operator: what is embedded; lanes times iterations up to some 100 thousand.
        instruction: what it is embedded in.
        statement: the index of the operator's statement.
        dtypes: whether element types must agree.
        dense: no lane may be padding.
        max_undefined: how many lanes may be padding, if not dense; all but one if None.
        combining: whether one output element may be spread over registers.
        limits: seconds, workers and seed of the search.

    Returns:
        Found with the bound (fewest padded lanes,); Infeasible with a minimal set of constraints that conflict and the
        smallest number of padded lanes that would do; OutOfTime with the best call so far, if any.
    """
    start = perf_counter()
    options = assignments(operator, instruction, statement=statement, dtypes=dtypes)
    if not options:
        reasons = mismatch(operator, instruction, statement=statement, dtypes=dtypes)
        return Infeasible(reasons, "", Effort(0.0, workers=limits.workers, seed=limits.seed))
    most = 0 if dense else max_undefined
    problems = {option: scalar_problem(operator, instruction, option, statement=statement) for option in options}
    outcome = _fewest(problems, most, combining=combining, limits=limits, start=start)
    match outcome:
        case Infeasible():
            return _explained(problems, most, combining=combining, limits=limits, start=start)
        case OutOfTime(best, bound, effort):
            known = None if best is None else Call(operator, statement, instruction, *best)
            return OutOfTime(known and _checked(known, combining=combining), bound, effort)
        case Found(best, bound, effort):
            call = Call(operator, statement, instruction, *best)
            return Found(_checked(call, combining=combining), bound, effort)
        case _:
            assert_never(outcome)


def _families(problem: ScalarProblem, most: int | None, *, combining: bool) -> tuple[Family, ...]:
    fixed: tuple[Family, ...] = (OneToOne(), Operands(), Result(combining=combining), PaddingIsHarmless())
    return fixed if most is None else (*fixed, PaddedLanes(min(most, problem.lanes)))


def _formula(problem: ScalarProblem, families: Iterable[Family]) -> tuple[Formula, Variables]:
    formula = Formula()
    variables = Variables.create(problem, formula)
    for family in families:
        family.build(problem, variables, formula)
    return formula, variables


def _fewest(
    problems: dict[Assignment, ScalarProblem], most: int | None, *, combining: bool, limits: Limits, start: float
) -> Outcome[tuple[Assignment, Ints]]:
    """The best map over the assignments; each one after the first has to be better than what is known."""
    best: tuple[Assignment, Ints] | None = None
    bounds: list[int] = []
    nodes, late = 0, False
    least = min(map(least_undefined, problems.values()))
    for option, problem in problems.items():
        if _remaining(limits, start).seconds <= 0:
            late = True
            bounds.append(least_undefined(problem))
            continue
        formula, variables = _formula(problem, _families(problem, most, combining=combining))
        post_pigeonholes(problem, variables, formula)
        outcome = best_model(
            formula,
            variables.undefined.tolist(),
            _remaining(limits, start),
            at_least=least_undefined(problem),
            order=variables.images.reshape(-1).tolist(),
        )
        nodes += outcome.effort.nodes
        match outcome:
            case Found(model, (fewest,), _):
                best, most = (option, variables.extract([model], problem)[0]), fewest - 1
                bounds.append(fewest)
            case OutOfTime(model, bound, _):
                late = True
                bounds.append(bound[0])
                if model is not None:
                    best = (option, variables.extract([model], problem)[0])
                    most = int((best[1] == -1).all(axis=1).sum()) - 1
            case _:
                continue
        if most is not None and most < least:
            break
    effort = Effort(perf_counter() - start, nodes, limits.workers, limits.seed)
    if late and (best is None or min(bounds) <= (most or 0)):
        return OutOfTime(best, (min(bounds),), effort)
    return Infeasible((), "", effort) if best is None else Found(best, (min(bounds),), effort)


def _explained(
    problems: dict[Assignment, ScalarProblem], most: int | None, *, combining: bool, limits: Limits, start: float
) -> Infeasible:
    """The conflict of the first operand assignment, and what padding would do for the best one."""
    problem = next(iter(problems.values()))

    def is_infeasible(families: tuple[Family, ...]) -> bool:
        if _remaining(limits, start).seconds <= 0:
            return False
        formula, _ = _formula(problem, families)
        return isinstance(best_model(formula, (), _remaining(limits, start)), Infeasible)

    conflict = minimal_conflict(_families(problem, most, combining=combining), is_infeasible)
    relaxed = None if most is None else _fewest(problems, None, combining=combining, limits=limits, start=start)
    relaxation = ""
    if isinstance(relaxed, Found):
        relaxation = f"allow {relaxed.bound[0]} of {problem.lanes} lanes to be padding"
    effort = Effort(perf_counter() - start, workers=limits.workers, seed=limits.seed)
    return Infeasible(tuple(map(str, conflict)), relaxation, effort)


def _remaining(limits: Limits, start: float) -> Limits:
    return replace(limits, seconds=max(0.0, limits.seconds - (perf_counter() - start)))


def _checked(call: Call, *, combining: bool) -> Call:
    violated = check_call(
        call.operator, call.instruction, call.assignment, call.phi, statement=call.statement, combining=combining
    )
    assert not violated, "\n".join(violated)
    return call
