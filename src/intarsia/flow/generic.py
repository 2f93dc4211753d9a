"""An operator on any instruction: the best embedding, its calls executed by the instruction's own meaning, compared."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.embed import Embedding, EmbeddingProblem, optimise
from intarsia.embed.check import check
from intarsia.flow.runs import Execution, RunAnswer
from intarsia.ground import QUIET, InputError, Trace
from intarsia.machines import Instruction
from intarsia.operators import Operator, evaluate, is_floating, random_inputs
from intarsia.solvers import Found, Infeasible, OutOfTime
from intarsia.targets.generic import run

RELATIVE, ABSOLUTE = 1e-2, 1e-2
"""How far sums of floating-point products may lie apart when they are taken in another order."""


def run_generic(operator: Operator, instruction: Instruction, *, seed: int = 0, trace: Trace = QUIET) -> RunAnswer:
    """Embed, run and compare.

    Raises:
        InputError: the instruction does not fit the operator.
    """
    started = time.perf_counter()
    with trace.step("embed"):
        embedding = best_embedding(operator, instruction)
    trace.text("embedding", embedding)
    inputs = random_inputs(operator, seed)
    with trace.step("run"):
        found = run(embedding, inputs)
    with trace.step("compare"):
        expected = evaluate(operator, inputs)
    name = operator.statements[embedding.statement].write.tensor
    same = _equal(found[name], expected[name], floating=is_floating(operator.tensor(name).dtype))
    chosen = Execution(str(embedding), correct=same, calls=embedding.calls, all_calls=embedding.calls)
    seconds = time.perf_counter() - started
    return RunAnswer(str(operator), "generic", str(instruction.name), seed, chosen, None, seconds)


def best_embedding(operator: Operator, instruction: Instruction) -> Embedding:
    """The fused embedding of fewest calls, then fewest duplicated bytes, checked.

    Raises:
        InputError: there is none, or the operator has several statements.
    """
    if len(operator.statements) > 1:
        raise InputError(
            "the generic target runs one statement",
            where=operator.name,
            value=f"{len(operator.statements)} statements",
            allowed="1",
        )
    match optimise(EmbeddingProblem(operator, instruction, "fused")):
        case Found(best) | OutOfTime(Embedding() as best):
            report = check(best)
            assert report.good, str(report)
            return best
        case Infeasible(because, relaxation):
            reason = "; ".join(because)
        case _:
            reason, relaxation = "no embedding was found in time", ""
    where = f"{operator.name} on {instruction.name}"
    raise InputError("the instruction does not fit the operator", where=where, value=reason, hint=relaxation)


def _equal(found: NDArray[Any], expected: NDArray[Any], *, floating: bool) -> bool:
    if not floating:
        return bool(np.array_equal(found, expected))
    return bool(np.allclose(found.astype(np.float64), expected.astype(np.float64), RELATIVE, ABSOLUTE))
