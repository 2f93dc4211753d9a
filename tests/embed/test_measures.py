"""Are the measures what a count of every lane of every call says?"""

from __future__ import annotations

import random

import pytest
import slow
from odd import greatest_lanes, odd_operator, pool, sliding_lanes
from small import conv1, gemm_unit, matmul, random_instruction, random_operator, raw_lanes

from intarsia.embed import EmbeddingProblem, enumerate_embeddings, layouts
from intarsia.embed.measures import by_calls, least, measure, value


def compare(embedding):
    """Whether every vector of every layout is read, in which case all measures are compared."""
    assert slow.padded(embedding) == measure(embedding, "padded")
    assert len(list(slow.calls(embedding))) == measure(embedding, "calls")
    assert slow.needed(embedding) == measure(embedding, "needed")
    held = [access for _, access in embedding.pairs() if access is not None]
    pairs = zip(held, layouts(embedding), strict=True)
    if any(slow.vectors(embedding, access) != layout.vectors for access, layout in pairs):
        assert slow.duplicated(embedding) <= measure(embedding, "duplicated"), "an idle vector may repeat elements"
        assert slow.moved(embedding) < measure(embedding, "moved")
        return False
    assert slow.duplicated(embedding) == measure(embedding, "duplicated")
    assert slow.moved(embedding) == measure(embedding, "moved")
    return True


@pytest.mark.parametrize("family", ["aligned", "fused", "skewed"])
def test_measures_are_those_of_the_iterations(family):
    rng = random.Random(f"measures {family}")
    whole = 0
    for _ in range(16):
        operator = rng.choice((odd_operator, random_operator))(rng, 18)
        problem = EmbeddingProblem(operator, random_instruction(rng, 6), family)
        listed = list(enumerate_embeddings(problem, 60))
        whole += sum(compare(embedding) for embedding in rng.sample(listed, min(4, len(listed))))
    assert whole > 20


def test_measures_where_registers_are_shared():
    problem = EmbeddingProblem(conv1(1, 1, 4, 1, 3), sliding_lanes(2, 3), "aligned")
    assert {compare(embedding) for embedding in enumerate_embeddings(problem)} == {True}


def test_measures_of_a_maximum():
    problem = EmbeddingProblem(pool(3, 4, 2), greatest_lanes(2, 2))
    assert True in {compare(embedding) for embedding in enumerate_embeddings(problem)}


def only(problem, **factors):
    """The embedding with one digit of stride 1 on each of these instruction axes."""
    for embedding in enumerate_embeddings(problem):
        found = {
            a.name: [loop.extent for loop in embedding.lane_loops(a.name)] for a in problem.instruction.semantics.axes
        }
        if all(found[axis] == ([factor] if factor > 1 else []) for axis, factor in factors.items()):
            return embedding
    raise AssertionError("no such embedding")


def test_measures_by_hand():
    """5 columns in blocks of 4 on 2 x 4 x 2 lanes: 2 * 2 calls of 16 lanes, 40 iterations."""
    embedding = only(EmbeddingProblem(matmul(2, 5, 4), gemm_unit(2, 4, 2), "aligned"), b=2, n=4, k=2)
    assert measure(embedding, "calls") == 4
    assert measure(embedding, "padded") == 4 * 16 - 40
    assert measure(embedding, "duplicated") == 0
    outputs, inputs, weights = 2 * (2 * 4) * 4, 2 * (2 * 2), 4 * (4 * 2)
    assert measure(embedding, "moved") == outputs + inputs + weights


def test_a_window_on_the_lanes_repeats_its_image():
    """Taps 0 1 2 of 4 outputs on 3 lanes: 12 registers for 6 elements, where no tap stands outside."""
    embedding = only(EmbeddingProblem(conv1(1, 1, 4, 1, 3), raw_lanes(1, 3), "aligned"), j=3)
    assert measure(embedding, "duplicated") == 4 * 3 - 6


def test_a_value_is_in_the_order_of_the_objective():
    embedding = next(enumerate_embeddings(EmbeddingProblem(matmul(2, 2, 2), gemm_unit(1, 2, 2))))
    assert value(embedding, ("moved", "calls")) == (measure(embedding, "moved"), measure(embedding, "calls"))


@pytest.mark.parametrize("seed", range(4))
def test_no_embedding_is_below_the_bound_of_its_calls(seed):
    rng = random.Random(seed)
    objective = ("calls", "padded", "duplicated", "moved")
    problem = EmbeddingProblem(odd_operator(rng, 24), random_instruction(rng, 8), "fused", objective=objective)
    for embedding in enumerate_embeddings(problem, 200):
        bound = least(problem, objective, embedding.calls)
        assert all(b <= v for b, v in zip(bound, value(embedding, objective), strict=True))
        assert least(problem, objective, embedding.calls - 1) <= bound


def test_which_objectives_fewest_calls_answer():
    assert by_calls(("calls",))
    assert by_calls(("padded", "calls", "duplicated"))
    assert not by_calls(("duplicated",))
    assert not by_calls(("duplicated", "calls"))
    assert not by_calls(("calls", "moved"))


def test_measures_do_not_depend_on_the_order_of_the_digits():
    objective = ("calls", "padded", "duplicated", "moved")
    operator, instruction = matmul(4, 2, 4), gemm_unit(4, 2, 4)
    problem = EmbeddingProblem(operator, instruction, "aligned")
    every = {value(e, objective) for e in enumerate_embeddings(problem)}
    assert every == {value(e, objective) for e in enumerate_embeddings(problem, distinct=True)}
