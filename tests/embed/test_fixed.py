"""Is the fixed mapping what hand-written libraries do: channels in, channels out and batch in blocks?"""

from __future__ import annotations

import random

import pytest
from odd import greatest_lanes, pool, smeared
from small import conv2, depthwise, gemm_unit, matmul, random_instruction, random_operator

from intarsia.embed import EmbeddingProblem, fixed_embedding, optimise
from intarsia.embed.check import check
from intarsia.ground.errors import InputError
from intarsia.solvers import Found, Infeasible

UNIT = gemm_unit(2, 4, 4)


def digits(embedding):
    """Instruction axis -> the loop on it and its extent."""
    axes = (a.name for a in embedding.instruction.semantics.axes)
    return {a: [(loop.name.partition(".")[0], loop.extent) for loop in embedding.lane_loops(a)] for a in axes}


def test_a_convolution_lays_batch_and_channels_on_the_lanes():
    embedding = fixed_embedding(conv2(2, 8, 3, 3, 8, 3, 3), UNIT)
    assert digits(embedding) == {"b": [("n", 2)], "n": [("oc", 4)], "k": [("c", 4)]}
    assert embedding.calls == 2 * 3 * 3 * 2 * 3 * 3


def test_a_product_lays_its_own_axes_on_the_lanes():
    assert digits(fixed_embedding(matmul(4, 8, 8), UNIT)) == {"b": [("m", 2)], "n": [("n", 4)], "k": [("k", 4)]}


def test_few_channels_are_rounded_up():
    embedding = fixed_embedding(conv2(1, 6, 3, 3, 3, 3, 3), UNIT)
    assert digits(embedding) == {"b": [], "n": [("oc", 4)], "k": [("c", 3)]}
    assert embedding.padded_lanes > 0


def test_a_depthwise_convolution_uses_one_lane_for_its_window():
    assert digits(fixed_embedding(depthwise(8, 3, 3, 3, 3), UNIT))["k"] == []


@pytest.mark.parametrize("seed", range(5))
def test_it_is_right_and_never_better_than_the_best(seed):
    rng = random.Random(seed)
    for _ in range(6):
        operator, instruction = random_operator(rng, 32), random_instruction(rng, 8)
        embedding = fixed_embedding(operator, instruction)
        assert check(embedding).good
        best = optimise(EmbeddingProblem(operator, instruction, "aligned", objective=("calls",)))
        assert isinstance(best, Found)
        assert best.bound[0] <= embedding.calls


def test_it_is_the_answer_where_it_is_required():
    outcome = optimise(EmbeddingProblem(matmul(4, 8, 8), UNIT, require=("fixed",)))
    assert isinstance(outcome, Found)
    assert outcome.value == fixed_embedding(matmul(4, 8, 8), UNIT)
    assert outcome.bound == (outcome.value.calls, 0)


def test_there_is_none_if_another_requirement_forbids_it():
    outcome = optimise(EmbeddingProblem(matmul(3, 8, 8), UNIT, require=("fixed", "dense")))
    assert isinstance(outcome, Infeasible)
    assert any(reason.startswith("dense") for reason in outcome.because)


def test_axes_that_must_not_overflow_take_divisors():
    assert digits(fixed_embedding(pool(4, 4, 4), greatest_lanes(4, 3)))["j"] == []
    assert digits(fixed_embedding(smeared(4, 3), UNIT))["b"] == []


def test_nothing_fits_another_combine():
    with pytest.raises(InputError, match="cannot hold the operator's tensors"):
        fixed_embedding(matmul(2, 2, 2), greatest_lanes(2, 2))
