"""From a question to an answer: search, count, check, explain."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import assert_never, cast

from intarsia.embed import (
    Embedding,
    EmbeddingProblem,
    Family,
    Measure,
    Requirement,
    count,
    enumerate_embeddings,
    optimise,
)
from intarsia.embed.check import check
from intarsia.embed.constraints import OneHome, OperandsKept, ResultKept, Rules, moved
from intarsia.embed.count import CLOSED, COUNTING
from intarsia.embed.measures import measure
from intarsia.embed.operands import Operands, representatives
from intarsia.embed.printing import operator_nest
from intarsia.embed.problem import FAMILIES, MEASURES
from intarsia.embed.scalar import Call, assignments, enumerate_scalar, named, solve_scalar
from intarsia.flow.answers import Assigned, Counts, EmbedAnswer, Explanation, Fit, Question, Service
from intarsia.ground import InputError, Trace
from intarsia.solvers import Found, Infeasible, Limits, Outcome, OutOfTime

SCALAR_REQUIREMENTS = ("dense",)
LISTED_SCALAR = 1_000_000
LOOKED_AT = 5_000
"""Embeddings that are looked at one by one only to be counted."""
MEASURED: tuple[Measure, ...] = tuple(MEASURES)


def answer(question: Question, *, listed: bool, trace: Trace) -> EmbedAnswer:
    """Search and count.

    Args:
        question: what is asked.
        listed: whether every solution is to be in the answer.
        trace: what is told meanwhile.

    Raises:
        InputError: for a space, a requirement, a preference or a limit that does not exist.
    """
    if question.limit <= 0:
        raise InputError("the limit is not positive", value=str(question.limit), allowed="seconds, more than 0")
    if question.space == "scalar":
        return _scalar(question, listed=listed, trace=trace)
    if question.space not in FAMILIES:
        raise InputError("unknown space", value=question.space, allowed=", ".join((*FAMILIES, "scalar")))
    problem = problem_of(question)
    with trace.step("search"):
        outcome = optimise(problem)
    best = _best(outcome)
    if best is not None:
        with trace.step("check"):
            report = check(best)
        assert report.good, f"the search made a wrong embedding:\n{best}\n{report}"
        trace.text("embedding", best)
    with trace.step("count"):
        counts = None if isinstance(outcome, Infeasible) else _counts(problem)
    every = tuple(_within(lambda: enumerate_embeddings(problem, distinct=True), problem.limit)[0]) if listed else ()
    measures = () if best is None else tuple((name, measure(best, name)) for name in MEASURED)
    return EmbedAnswer(question, cast("Outcome[Fit]", outcome), counts, measures, every)


def problem_of(question: Question) -> EmbeddingProblem:
    """The question as the search takes it, which refuses unknown names."""
    return EmbeddingProblem(
        question.operator,
        question.instruction,
        cast("Family", question.space),
        cast("tuple[Requirement, ...]", question.require),
        cast("tuple[Measure, ...]", question.prefer),
        question.limit,
    )


def _best(outcome: Outcome[Embedding]) -> Embedding | None:
    match outcome:
        case Found(value):
            return value
        case OutOfTime(best):
            return best
        case Infeasible():
            return None


def _counts(problem: EmbeddingProblem) -> Counts | None:
    """In closed form where there is one; by listing where few embeddings are to be looked at; else not at all.

    The skewed family has no closed form: where its count takes too long, there are at least so many.
    """
    if "fixed" in problem.require:
        return Counts(1, 1)
    problem = replace(problem, limit=min(problem.limit, COUNTING))
    wider = count(replace(problem, require=tuple(r for r in problem.require if r in CLOSED)))
    if set(problem.require) <= CLOSED:
        return Counts(wider.total, wider.distinct, wider.complete)
    if wider.total > LOOKED_AT:
        return None
    found = count(problem)
    return Counts(found.total, found.distinct, found.complete)


def _within(listing: Callable[[], Iterator[Embedding]], seconds: float) -> tuple[list[Embedding], bool]:
    """What a listing yields within some seconds, and whether that is all."""
    started = time.monotonic()
    found: list[Embedding] = []
    for embedding in listing():
        found.append(embedding)
        if time.monotonic() - started > seconds:
            return found, False
    return found, True


def _scalar(question: Question, *, listed: bool, trace: Trace) -> EmbedAnswer:
    """One call of the scalar space, with the fewest padded lanes."""
    for name in question.require:
        if name not in SCALAR_REQUIREMENTS:
            allowed = ", ".join(SCALAR_REQUIREMENTS)
            raise InputError("not a requirement of the scalar space", value=name, allowed=allowed)
    started = time.monotonic()
    dense = "dense" in question.require
    limits = Limits(question.limit, LISTED_SCALAR)
    operator, instruction = question.operator, question.instruction
    with trace.step("search"):
        outcome = solve_scalar(operator, instruction, dense=dense, limits=limits)
    calls: list[Fit] = []
    complete = True
    ends = (time.monotonic() if listed else started) + question.limit
    with trace.step("count"):
        for assignment in assignments(operator, instruction):
            left = ends - time.monotonic()
            if left <= 0:
                complete = False
                break
            limits = Limits(left, LISTED_SCALAR)
            every = enumerate_scalar(operator, instruction, assignment, dense=dense, limits=limits)
            match every:
                case Found(maps) | OutOfTime(maps):
                    calls += [Call(operator, 0, instruction, assignment, phi) for phi in maps or ()]
                    complete &= isinstance(every, Found)
                case Infeasible():
                    pass
    best = outcome.value if isinstance(outcome, Found) else outcome.best if isinstance(outcome, OutOfTime) else None
    measures = () if best is None else (("padded", best.undefined),)
    counts = Counts(len(calls), None, complete)
    return EmbedAnswer(question, cast("Outcome[Fit]", outcome), counts, measures, tuple(calls) if listed else ())


def explanation(question: Question, trace: Trace) -> Explanation:
    """The answer, and which operator axis may lie on which instruction axis, with the constraint that forbids it."""
    found = answer(question, listed=False, trace=trace)
    problem = problem_of(question) if question.space != "scalar" else problem_of(_fused(question))
    best = None if isinstance(found.outcome, Infeasible) else _fit(found.outcome)
    options: tuple[Operands, ...]
    match best:
        case Embedding():
            options = (best.operands,)
        case Call():
            options = (named(question.operator, question.instruction, best.assignment),)
        case None:
            options = representatives(problem)
        case _:
            assert_never(best)
    return Explanation(found, tuple(_assigned(problem, o) for o in options), operator_nest(question.operator))


def _assigned(problem: EmbeddingProblem, operands: Operands) -> Assigned:
    rules = Rules(problem, operands)
    services = tuple(
        Service(axis, lane, _why_not(rules, axis, lane)) for axis in rules.live for lane in rules.capacities
    )
    return Assigned(operands, services, tuple(a for a in rules.live if rules.guarded((a,))))


def _fused(question: Question) -> Question:
    return Question(question.operator, question.instruction)


def _fit(outcome: Found[Fit] | OutOfTime[Fit]) -> Fit | None:
    return outcome.value if isinstance(outcome, Found) else outcome.best


def _why_not(rules: Rules, axis: str, lane: str) -> str:
    """The constraint that keeps an operator axis off an instruction axis, in words; empty if none does."""
    step = {axis: 1}
    written = rules.pairs[0][0].tensor
    if not ResultKept(rules.pairs).allows(lane, step):
        if moved(rules.pairs[0][0], {lane: 1}):
            return f"result: {lane} moves the register of {written}, {axis} is summed over"
        return f"result: {axis} moves the output, {lane} does not move the register of {written}"
    for meaning, access in rules.pairs[1:]:
        if access is not None and not OperandsKept(((meaning, None), (meaning, access))).allows(lane, step):
            return f"operands: {lane} does not move {meaning.tensor}, {axis} moves {access}"
    parallel = rules.problem.operator.axis(axis).role == "parallel"
    if parallel and not OneHome(rules.problem.operator, rules.body).allows(axis):
        return f"one home: elements of {rules.body.write} would live in several lanes"
    return ""
