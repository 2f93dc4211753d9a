"""Is the best skewed embedding never above its bound's promise, and what it is proved to be?"""

from __future__ import annotations

import random

import pytest
from odd import odd_operator, sliding_lanes
from slow import best_of_listing
from small import conv1, depthwise, gemm_unit, random_instruction, random_operator

from intarsia.embed import EmbeddingProblem, enumerate_embeddings, optimise
from intarsia.embed.check import check
from intarsia.embed.constraints import Rules
from intarsia.embed.measures import value
from intarsia.embed.operands import assignments
from intarsia.embed.skew_space import acyclic, complete, steps
from intarsia.solvers import Found, Infeasible

LISTED = 500


def compare(problem):
    """Whether there are few enough to list; fails where a bound or a proof is wrong."""
    if sum(1 for _ in enumerate_embeddings(problem, LISTED + 1, distinct=True)) > LISTED:
        return False
    wanted = best_of_listing(problem, problem.objective, distinct=True)
    outcome = optimise(problem)
    text = f"{problem.operator}\n{problem.instruction}\n{problem.require} {problem.objective}"
    if wanted is None:
        assert isinstance(outcome, Infeasible), text
        return True
    assert isinstance(outcome, Found), text
    found = value(outcome.value, problem.objective)
    assert outcome.bound <= found, text
    assert outcome.bound <= wanted, text
    if outcome.bound == found:
        assert found <= wanted, text
    assert check(outcome.value).good, text
    return True


@pytest.mark.parametrize(
    "objective", [("calls",), ("padded", "duplicated"), ("calls", "duplicated"), ("moved",), ("duplicated",)]
)
def test_no_embedding_is_below_the_bound(objective):
    rng = random.Random(f"skewed {objective}")
    compared = 0
    while compared < 3:
        operator = rng.choice((odd_operator, random_operator))(rng, 16)
        compared += compare(EmbeddingProblem(operator, random_instruction(rng, 6), "skewed", objective=objective))


@pytest.mark.parametrize("require", ["dense", "no-padding", "no-duplication", "inputs-once", "constant-only"])
def test_no_embedding_that_meets_a_requirement_is_below_the_bound(require):
    rng = random.Random(f"skewed {require}")
    compared = 0
    while compared < 3:
        operator = rng.choice((odd_operator, random_operator))(rng, 16)
        objective = rng.choice((("calls",), ("calls", "duplicated"), ("moved", "calls")))
        problem = EmbeddingProblem(operator, random_instruction(rng, 6), "skewed", (require,), objective)
        compared += compare(problem)


def test_fewest_calls_are_proved_where_the_primitive_directions_suffice():
    rng = random.Random(9)
    proved = 0
    while proved < 8:
        problem = EmbeddingProblem(random_operator(rng, 16), random_instruction(rng, 6), "skewed", objective=("calls",))
        every = [Rules(problem, operands) for operands in assignments(problem)]
        if not all(complete(steps(rules)) for rules in every):
            continue
        outcome = optimise(problem)
        assert isinstance(outcome, Found)
        assert outcome.bound == (outcome.value.calls,)
        proved += 1


def test_registers_that_two_axes_address_take_no_skewed_digit():
    problem = EmbeddingProblem(conv1(1, 1, 4, 1, 3), sliding_lanes(2, 3), "skewed")
    assert compare(problem)
    assert not any(s.terms for e in enumerate_embeddings(problem) for flat in e.flats for s in flat.shifts)


@pytest.mark.parametrize(
    ("edges", "without"),
    [
        (set(), True),
        ({(0, 1)}, True),
        ({(0, 1), (1, 2)}, True),
        ({(0, 1), (1, 0)}, False),
        ({(0, 1), (1, 2), (2, 0)}, False),
    ],
)
def test_compensations_form_no_cycle(edges, without):
    assert acyclic(edges) == without


def test_a_window_slides_into_the_lanes():
    operator, instruction = depthwise(1, 1, 8, 1, 3), gemm_unit(2, 4, 6)
    calls = {}
    for family in ("fused", "skewed"):
        outcome = optimise(EmbeddingProblem(operator, instruction, family, objective=("calls",)))
        assert isinstance(outcome, Found)
        assert outcome.bound == (outcome.value.calls,)
        calls[family] = outcome.value.calls
    assert calls == {"fused": 2, "skewed": 1}
