"""Is the best aligned or fused embedding the best of all, for every objective and requirement, and proved?"""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest
from odd import greatest_lanes, odd_operator, pool, sliding_lanes, smeared
from slow import best_of_layouts, best_of_listing
from small import conv1, conv2, elementwise, gemm_unit, matmul, random_instruction, random_operator, raw_lanes

from intarsia.embed import EmbeddingProblem, enumerate_embeddings, optimise
from intarsia.embed.check import check
from intarsia.embed.embedding import Embedding
from intarsia.embed.measures import measure, value
from intarsia.embed.problem import REQUIREMENTS
from intarsia.operators import parse_operator
from intarsia.solvers import Found, Infeasible, OutOfTime

LISTED = 600
OBJECTIVES = [
    ("calls",),
    ("padded",),
    ("duplicated",),
    ("moved",),
    ("calls", "duplicated"),
    ("padded", "duplicated"),
    ("duplicated", "calls"),
    ("calls", "moved"),
    ("moved", "duplicated", "padded"),
]


@dataclass(frozen=True)
class Cycles:
    """A price: a call costs 3, and 1 for each loop that is needed."""

    name: str = "cycles"

    def __call__(self, embedding: Embedding) -> int:
        return 3 * embedding.calls + len(embedding.outer)

    def least(self, calls: int) -> int:
        return 3 * calls


def compare(problem):
    """Whether there are few enough to list; fails where the search says anything else than the listing."""
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
    assert outcome.bound == found, text
    if found != wanted:  # a layout of axes flattened without need, which a listing of calls leaves out
        assert problem.family == "fused", text
        assert found == best_of_layouts(problem, problem.objective) < wanted, text
    assert check(outcome.value).good, text
    return True


def sample(name, family, require, objectives, number):
    rng = random.Random(name)
    compared = 0
    while compared < number:
        operator = rng.choice((odd_operator, random_operator))(rng, 20)
        instruction = random_instruction(rng, 8)
        compared += compare(EmbeddingProblem(operator, instruction, family, require, rng.choice(objectives)))


@pytest.mark.parametrize("family", ["aligned", "fused"])
@pytest.mark.parametrize("objective", [*OBJECTIVES, (Cycles(),), (Cycles(), "moved")])
def test_the_best_is_the_least_of_the_listing(family, objective):
    sample(f"{family} {objective}", family, (), [objective], 5)


@pytest.mark.parametrize("family", ["aligned", "fused"])
@pytest.mark.parametrize(
    "require",
    [*((name,) for name in REQUIREMENTS if name != "fixed"), ("inputs-once", "no-padding"), ("dense", "inputs-once")],
)
def test_the_best_that_meets_a_requirement_is_the_least_of_those_listed(family, require):
    sample(f"{family} {require}", family, require, OBJECTIVES, 5)


@pytest.mark.parametrize("family", ["aligned", "fused"])
@pytest.mark.parametrize("objective", OBJECTIVES[:6])
@pytest.mark.parametrize(
    ("operator", "instruction"),
    [
        (conv1(1, 1, 4, 1, 3), sliding_lanes(2, 3)),
        (conv1(1, 2, 3, 1, 3, stride=2, pad=1), raw_lanes(4, 3)),
        (conv1(1, 1, 4, 2, 3, dilation=2), elementwise(3, 2)),
        (conv2(1, 1, 2, 2, 1, 3, 2, stride=2), gemm_unit(2, 1, 4)),
        (pool(4, 4), greatest_lanes(3, 2)),
        (pool(3, 3, 2), greatest_lanes(3, 2)),
        (smeared(4, 3), gemm_unit(2, 2, 2)),
    ],
)
def test_the_best_of_windows_and_strides(operator, instruction, objective, family):
    assert compare(EmbeddingProblem(operator, instruction, family, objective=objective))


def test_an_unread_input_cannot_be_packed_twice():
    operator = parse_operator("u: p<4 ; q<1\n O:int32[4] A:int8[1] B:int8[2] const\n O[p] += A[q-1] * B[q]")
    assert compare(EmbeddingProblem(operator, elementwise(4, 1), require=("inputs-once",), objective=("calls",)))


def test_the_objective_decides():
    """Fewest calls repeat the image; repeating nothing takes more calls."""
    operator, instruction = conv1(1, 1, 6, 1, 3), raw_lanes(4, 3)
    found = {}
    for first in ("calls", "duplicated"):
        outcome = optimise(EmbeddingProblem(operator, instruction, objective=(first, "calls", "duplicated")))
        assert isinstance(outcome, Found)
        found[first] = (measure(outcome.value, "calls"), measure(outcome.value, "duplicated"))
    assert found["calls"][0] < found["duplicated"][0]
    assert found["calls"][1] > found["duplicated"][1] == 0


def test_a_larger_family_is_never_worse():
    rng = random.Random(5)
    for _ in range(20):
        operator, instruction = odd_operator(rng, 24), random_instruction(rng, 8)
        values = []
        for family in ("aligned", "fused"):
            outcome = optimise(EmbeddingProblem(operator, instruction, family))
            assert isinstance(outcome, Found)
            values.append(outcome.bound)
        assert values[1] <= values[0]


@pytest.mark.parametrize("require", [(), ("no-duplication",), ("constant-only",)])
@pytest.mark.parametrize("objective", [("calls", "duplicated"), ("moved",)])
def test_out_of_time_is_no_proof(objective, require):
    problem = EmbeddingProblem(
        conv2(1, 64, 30, 30, 32, 3, 3), gemm_unit(1, 16, 16), "fused", require, objective, limit=0
    )
    outcome = optimise(problem)
    assert not isinstance(outcome, Infeasible)
    if isinstance(outcome, OutOfTime) and outcome.best is not None:
        assert outcome.bound <= value(outcome.best, objective)


def test_nothing_fits_another_combine():
    assert isinstance(optimise(EmbeddingProblem(matmul(2, 2, 2), greatest_lanes(2, 2))), Infeasible)
