"""The reference's own mapping, as a baseline: one operator axis to an instruction axis, blocks of its extent."""

from __future__ import annotations

import time

from intarsia.embed.constraints import Rules, moved
from intarsia.embed.digits import Chain, Digit
from intarsia.embed.embedding import Embedding
from intarsia.embed.measures import value
from intarsia.embed.operands import assignments
from intarsia.embed.problem import Dtypes, EmbeddingProblem
from intarsia.embed.requirements import satisfied
from intarsia.embed.shape import Shape, build, complete
from intarsia.ground.errors import InputError
from intarsia.machines import Instruction
from intarsia.operators import Operator
from intarsia.solvers import Effort, Found, Infeasible, Outcome


def fixed_embedding(
    operator: Operator, instruction: Instruction, *, statement: int = 0, dtypes: Dtypes = "exact"
) -> Embedding:
    """The mapping that hand-written libraries fix: channels in, channels out and batch in blocks, all else outside.

    Each instruction axis takes the first operator axis (those of constant tensors going first, else in the operator's
    order) that may serve it and that stands alone, with coefficient 1, in every subscript it occurs in: for
    ``vta.gemm`` batch on b, output channels on n, input channels on k; for a matrix product its own m, n and k. A
    channel count that is no multiple is rounded up. Operators without such an axis (depthwise: no reduction over
    channels) use one lane of that instruction axis.

    Raises:
        InputError: if no assignment of operands exists.
    """
    problem = EmbeddingProblem(operator, instruction, "aligned", statement=statement, dtypes=dtypes)
    options = [_blocks(problem, Rules(problem, operands)) for operands in assignments(problem)]
    if not options:
        raise InputError(
            "the instruction's operands cannot hold the operator's tensors",
            where=f"{operator.name} on {instruction.name}",
            allowed="the same combining operator, at least as many factors, the same dtypes",
        )
    best = max(options, key=lambda shape: sum(len(chain.digits) for chain in shape.chains))
    return build(problem, best)


def fixed_outcome(problem: EmbeddingProblem) -> Outcome[Embedding]:
    """The fixed mapping as the only candidate of a problem that requires it."""
    started = time.monotonic()
    rules = [Rules(problem, operands) for operands in assignments(problem)]
    if rules:
        embedding = fixed_embedding(
            problem.operator, problem.instruction, statement=problem.statement, dtypes=problem.dtypes
        )
        if satisfied(rules[0], embedding):
            return Found(embedding, value(embedding, problem.objective), Effort(time.monotonic() - started, 1))
    return Infeasible((), "", Effort(time.monotonic() - started, 1))


def _blocks(problem: EmbeddingProblem, rules: Rules) -> Shape:
    chains: dict[str, Chain] = {}
    for lane, room in rules.capacities.items():
        for name in sorted(rules.live, key=lambda n: not _constant(rules, n)):
            if name in chains or lane not in rules.serves(name) or not _stands_alone(rules, name):
                continue
            extent = problem.operator.axis(name).extent
            factor = min(room, extent)
            if not rules.guarded((name,)):
                factor = max(f for f in range(1, factor + 1) if extent % f == 0)
            if factor > 1:
                chains[name] = Chain((name,), (extent,), (Digit(lane, 1, factor),))
                break
    return Shape(rules.operands, complete(problem, list(chains.values())))


def _constant(rules: Rules, name: str) -> bool:
    """Whether a constant tensor contains the axis: it is a channel, not an image or a place."""
    operator = rules.problem.operator
    return any(operator.tensor(read.tensor).constant and moved(read, {name: 1}) for read in rules.body.reads)


def _stands_alone(rules: Rules, name: str) -> bool:
    accesses = (rules.body.write, *rules.body.reads)
    containing = [s for a in accesses for s in a.subscripts if s.coefficient(name)]
    return all(s.terms == ((name, 1),) for s in containing)
