"""Is the number of embeddings the length of their listing, in total and modulo symmetry?"""

from __future__ import annotations

import random

import numpy as np
import pytest
import slow
from odd import greatest_lanes, odd_operator, pool, sliding_lanes, smeared
from small import conv1, elementwise, gemm_unit, matmul, random_instruction, random_operator

from intarsia.embed import EmbeddingProblem, count, enumerate_embeddings
from intarsia.embed.operands import representatives
from intarsia.embed.problem import REQUIREMENTS
from intarsia.embed.signed import moebius, spread

LISTED = 800


def compare(problem):
    """False if there are too many to list."""
    total = sum(1 for _ in enumerate_embeddings(problem, LISTED + 1))
    if total > LISTED:
        return False
    found = count(problem)
    distinct = sum(1 for _ in enumerate_embeddings(problem, distinct=True))
    assert (found.total, found.distinct) == (total, distinct), f"{problem.operator}\n{problem.instruction}"
    assert found.distinct <= found.total
    return True


@pytest.mark.parametrize("family", ["aligned", "fused"])
@pytest.mark.parametrize("require", [(), *((name,) for name in REQUIREMENTS), ("dense", "inputs-once")])
def test_the_count_is_the_length_of_the_listing(family, require):
    rng = random.Random(f"count {family} {require}")
    compared = 0
    while compared < 4:
        operator = rng.choice((odd_operator, random_operator))(rng, 24)
        compared += compare(EmbeddingProblem(operator, random_instruction(rng, 8), family, require))


@pytest.mark.parametrize("family", ["aligned", "fused"])
@pytest.mark.parametrize(
    ("operator", "instruction"),
    [
        (matmul(4, 4, 4), gemm_unit(2, 2, 2)),
        (matmul(6, 5, 4), gemm_unit(1, 4, 4)),
        (conv1(1, 1, 4, 1, 3), sliding_lanes(2, 3)),
        (conv1(2, 1, 4, 2, 1), elementwise(3, 2)),
        (pool(4, 4), greatest_lanes(2, 2)),
        (pool(4, 3), greatest_lanes(2, 2)),
        (smeared(4, 3), gemm_unit(2, 2, 2)),
    ],
)
def test_the_count_of_odd_ones(operator, instruction, family):
    assert compare(EmbeddingProblem(operator, instruction, family))


def lanes_of(embedding):
    """What a permutation of the lanes within an instruction axis leaves as it is, in terms of iterations."""
    calls = []
    for outer in slow.calls(embedding):
        images = [(place, slow.image(embedding, {**outer, **digits})) for place, digits in slow.lanes(embedding)]
        calls.append([(place, tuple(sorted(found.items()))) for place, (found, wrong) in images if not wrong])
    slices = []
    for axis in embedding.instruction.semantics.axes:
        at = [frozenset(found for place, found in calls[0] if place[axis.name] == p) for p in range(axis.extent)]
        slices.append(frozenset(at))
    every = frozenset(frozenset(found for _, found in call) for call in calls)
    return embedding.operands, every, tuple(slices)


@pytest.mark.parametrize("family", ["aligned", "fused", "skewed"])
def test_modulo_symmetry_there_is_one_for_each_set_of_lanes(family):
    rng = random.Random(f"symmetry {family}")
    compared = 0
    while compared < 4:
        problem = EmbeddingProblem(random_operator(rng, 16), random_instruction(rng, 8), family)
        every = list(enumerate_embeddings(problem, LISTED + 1))
        if len(every) > LISTED:
            continue
        compared += 1
        kept = set(representatives(problem))
        distinct = [lanes_of(e) for e in enumerate_embeddings(problem, distinct=True)]
        if family == "aligned":  # flattened and skewed ones may make the same calls with another layout
            assert len(distinct) == len(set(distinct))
        assert set(distinct) == {lanes_of(e) for e in every if e.operands in kept}


def test_a_set_of_digits_has_as_many_orders_as_permutations():
    """Digits of 4 columns: none, 2 (1, 2 or 3 apart), 3, 4, and 2 * 2 with the greater first, which is 4 again."""
    problem = EmbeddingProblem(matmul(1, 4, 1), gemm_unit(1, 4, 1), "aligned")
    total = sum(1 for _ in enumerate_embeddings(problem))
    distinct = sum(1 for _ in enumerate_embeddings(problem, distinct=True))
    assert (total, distinct) == (7 + 1, 6 + 1), "and none of the rows, with the operands exchanged"


def test_an_operator_without_a_fit_has_none():
    assert count(EmbeddingProblem(matmul(2, 2, 2), greatest_lanes(2, 2))).total == 0


def test_a_large_count_takes_no_listing():
    found = count(EmbeddingProblem(conv1(4, 64, 56, 64, 9), gemm_unit(16, 16, 16), "fused"))
    assert found.method == "closed form"
    assert found.total > found.distinct > 10**6


def test_moebius_is_the_inverse_of_one():
    for number in range(1, 200):
        assert sum(moebius(d) for d in range(1, number + 1) if number % d == 0) == (number == 1)


def test_reaches_are_spread_over_their_gaps():
    reaches, weights = np.array([7, 12, 30]), np.array([1, 2, 5])
    values, times = spread(reaches, weights)
    found = dict(zip(values.tolist(), times.tolist(), strict=True))
    wanted: dict[int, int] = {}
    for reach, weight in zip(reaches.tolist(), weights.tolist(), strict=True):
        for gap in range(1, reach + 1):
            wanted[reach // gap] = wanted.get(reach // gap, 0) + weight
    assert found == wanted
