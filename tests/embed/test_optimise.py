"""Is the best aligned or fused embedding the best of all, for every objective and requirement, and proved?"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import pytest
from odd import greatest_lanes, odd_operator, pool, sliding_lanes, smeared
from slow import best_of_layouts, best_of_listing, needed
from small import conv1, conv2, elementwise, gemm_unit, matmul, random_instruction, random_operator, raw_lanes

from intarsia.embed import (
    EmbeddingProblem,
    enumerate_embeddings,
    fewest_needed,
    fixed_embedding,
    layouts,
    optimise,
)
from intarsia.embed.check import check
from intarsia.embed.embedding import Embedding
from intarsia.embed.measures import measure, value
from intarsia.embed.problem import REQUIREMENTS
from intarsia.machines import find_instruction
from intarsia.models.spec import read_spec
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
    ("needed",),
    ("cycles",),
    ("calls", "needed"),
    ("needed", "moved"),
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
@pytest.mark.parametrize("objective", [*OBJECTIVES[:6], ("needed",), ("cycles", "calls")])
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


@pytest.mark.parametrize(
    ("text", "instruction"),
    [
        ("conv2d:n=1,c=3,h=8,w=8,k=64,r=3,s=3,pad=1", "vta.gemm"),
        ("conv2d:n=2,c=20,h=14,w=9,k=30,r=3,s=5,pad=2,stride=2", "vta.gemm:16x16x16"),
        ("gemm:m=30,n=70,k=100", "x86.vpdpbusd"),
        ("conv1d:n=1,c=4,w=40,k=20,s=5,pad=2", "x86.vpdpbusd"),
    ],
)
@pytest.mark.parametrize("objective", [("moved",), ("moved", "calls"), ("duplicated",), ("duplicated", "calls")])
def test_real_sizes_are_proved_for_bytes_as_well(text, instruction, objective):
    operator, core = read_spec(text), find_instruction(instruction)
    outcome = optimise(EmbeddingProblem(operator, core, objective=objective, dtypes="ignore"))
    assert isinstance(outcome, Found)
    assert outcome.bound == value(outcome.value, objective)


def test_cycles_are_bound_by_calls_or_by_a_port():
    operator = conv1(1, 4, 8, 4, 3, pad=1)
    slow, fast = (replace(gemm_unit(1, 4, 4), read=size) for size in (1, 1000))
    embedding = fixed_embedding(operator, fast)
    assert measure(embedding, "cycles") == measure(embedding, "needed") == 3 * 8 - 2
    read = sum(layout.bytes for layout in layouts(embedding)[1:])
    assert measure(fixed_embedding(operator, slow), "cycles") == read > 22


@pytest.mark.parametrize("family", ["aligned", "fused"])
def test_no_embedding_needs_fewer_calls_than_the_bound(family):
    rng = random.Random(f"needed {family}")
    compared = 0
    while compared < 60:
        operator, instruction = random_operator(rng, 24), random_instruction(rng, 8)
        problem = EmbeddingProblem(operator, instruction, family)
        listed = [needed(e) for e in enumerate_embeddings(problem, LISTED, distinct=True)]
        if listed:
            assert fewest_needed(operator, instruction) <= min(listed), f"{operator}\n{instruction}"
            compared += 1


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
