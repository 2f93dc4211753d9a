"""Are preferences switches: met where they can be, in the order in which they are named?"""

from __future__ import annotations

import pytest
from odd import greatest_lanes
from small import conv1, gemm_unit, matmul, raw_lanes
from test_optimise import Cycles

from intarsia.embed import count, embed, fixed_embedding
from intarsia.embed.measures import measure
from intarsia.embed.requirements import DEMANDS
from intarsia.ground.errors import InputError
from intarsia.solvers import Infeasible

WINDOW = conv1(1, 4, 6, 3, 3)


@pytest.mark.parametrize("wish", ["dense", "no-padding", "no-duplication", "inputs-once", "constant-only"])
@pytest.mark.parametrize("family", ["aligned", "fused"])
def test_a_preference_is_met_if_it_can_be(wish, family):
    result = embed(WINDOW, gemm_unit(1, 4, 3), family=family, prefer=(wish,))
    assert result.problem.require == (wish,)
    assert DEMANDS[wish].met(result.best)
    assert result.bound == result.measures


def test_a_preference_that_cannot_be_met_is_left_out():
    result = embed(matmul(3, 5, 7), gemm_unit(2, 4, 4), prefer=("dense",))
    assert result.problem.require == ()
    assert result.best is not None
    assert result.best.padded_lanes > 0


def test_a_requirement_that_cannot_be_met_leaves_nothing():
    result = embed(matmul(3, 5, 7), gemm_unit(2, 4, 4), require=("dense",))
    assert isinstance(result.outcome, Infeasible)
    assert (result.best, result.measures, result.bound) == (None, (), ())
    assert (result.counts.total, result.counts.distinct) == (0, 0)


def test_what_is_named_first_goes_first():
    """Taps on three lanes: full lanes repeat the image, and what repeats nothing leaves lanes idle."""
    instruction = raw_lanes(1, 3)
    operator = conv1(1, 1, 4, 1, 3)
    dense = embed(operator, instruction, prefer=("dense", "no-duplication"))
    once = embed(operator, instruction, prefer=("no-duplication", "dense"))
    assert dense.problem.require == ("dense",)
    assert once.problem.require == ("no-duplication",)
    assert dense.best.padded_lanes == 0 < measure(dense.best, "duplicated")
    assert measure(once.best, "duplicated") == 0 < once.best.padded_lanes


def test_two_preferences_that_agree_are_both_met():
    result = embed(matmul(4, 4, 4), gemm_unit(2, 2, 2), prefer=("no-duplication", "dense"))
    assert result.problem.require == ("no-duplication", "dense")


def test_fixed_is_a_preference_too():
    result = embed(matmul(4, 5, 7), gemm_unit(2, 4, 4), prefer=("fixed",))
    assert result.best == fixed_embedding(matmul(4, 5, 7), gemm_unit(2, 4, 4))


def test_measures_and_switches_may_be_mixed():
    result = embed(WINDOW, gemm_unit(1, 4, 3), prefer=("moved", "no-padding", "calls"))
    assert result.problem.objective == ("moved", "calls")
    assert result.problem.require == ("no-padding",)
    assert result.measures == (measure(result.best, "moved"), result.best.calls)


def test_a_price_is_handed_in():
    result = embed(WINDOW, gemm_unit(1, 4, 3), prefer=(Cycles(),))
    assert result.measures == (Cycles()(result.best),) == result.bound


def test_without_a_measure_calls_and_duplicated_bytes_are_minimised():
    assert embed(WINDOW, gemm_unit(1, 4, 3), prefer=("no-padding",)).problem.objective == ("calls", "duplicated")


def test_an_unknown_preference_is_refused():
    with pytest.raises(InputError, match="unknown preference"):
        embed(WINDOW, gemm_unit(1, 4, 3), prefer=("nice",))


def test_the_counts_are_those_of_what_was_asked():
    result = embed(matmul(4, 4, 4), gemm_unit(2, 2, 2), family="aligned", prefer=("dense",))
    assert result.counts == count(result.problem)
    assert embed(matmul(4, 4, 4), gemm_unit(2, 2, 2), prefer=("no-duplication",)).counts is None


def test_nothing_is_found_for_another_combine():
    assert embed(matmul(2, 2, 2), greatest_lanes(2, 2)).best is None
