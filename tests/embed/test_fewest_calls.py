"""Are the fewest calls those of the listing, and do the ties contain every embedding that attains them?"""

from __future__ import annotations

import random

import pytest
from odd import odd_operator
from small import conv2, gemm_unit, matmul, random_instruction, random_operator

from intarsia.embed import EmbeddingProblem
from intarsia.embed.calls import Allocation, least_calls, options
from intarsia.embed.constraints import Rules
from intarsia.embed.duplication import count_layout
from intarsia.embed.listing import shapes, shapes_between
from intarsia.embed.operands import assignments
from intarsia.embed.shape import build
from intarsia.embed.space import space_of
from intarsia.embed.ties import Ties


def space(operator, instruction, family="aligned", require=()):
    problem = EmbeddingProblem(operator, instruction, family, require)
    return space_of(Rules(problem, assignments(problem)[0]))


@pytest.mark.parametrize("family", ["aligned", "fused"])
@pytest.mark.parametrize("require", [(), ("dense",), ("no-padding",)])
def test_the_fewest_calls_and_the_least_duplication_of_the_ties(family, require):
    rng = random.Random(f"ties {family} {require}")
    for _ in range(10):
        operator = rng.choice((odd_operator, random_operator))(rng, 24)
        own = space(operator, random_instruction(rng, 8), family, require)
        listed = list(shapes(own, merged=True))
        ties = Ties(own)
        assert ties.feasible == bool(listed)
        if not listed:
            continue
        calls = min(shape.calls for shape in listed)
        assert ties.calls == calls
        problem = own.rules.problem
        wanted = min(count_layout(build(problem, shape)) for shape in listed if shape.calls == calls)
        found = list(ties.candidates())
        for duplicated, chains in found:
            embedding = ties.shape(chains)
            assert (embedding.calls, count_layout(embedding)) == (calls, duplicated)
        least = min(duplicated for duplicated, _ in found)
        assert least == wanted or (family == "fused" and least < wanted)


@pytest.mark.parametrize("family", ["aligned", "fused"])
def test_shapes_between_two_numbers_of_calls(family):
    rng = random.Random(f"between {family}")
    for _ in range(10):
        own = space(odd_operator(rng, 16), random_instruction(rng, 6), family)
        problem = own.rules.problem
        listed = list(shapes(own, merged=True))
        low = rng.randint(0, 8)
        high = low + rng.randint(1, 8)
        wanted = {build(problem, s) for s in listed if low < s.calls <= high}
        found = [build(problem, s) for s in shapes_between(own, low, high, lambda: True)]
        assert wanted <= set(found)
        assert all(low < e.calls <= high for e in found)
        assert family == "fused" or len(found) == len(wanted)


def test_the_factors_of_an_axis_and_their_calls():
    own = space(matmul(3, 5, 2), gemm_unit(1, 4, 1))
    part = own.parts[0]
    assert (part.axes, part.lanes) == (("n",), ("n",))
    assert options(own, part, ("n",)) == {(1,): 5, (2,): 3, (3,): 2, (4,): 2}
    calls, kept = least_calls(own, part)
    assert calls == 2
    assert [list(a.attaining(2)) for a in kept] == [[((4,),), ((3,),)]]


def test_exact_axes_take_divisors():
    own = space(matmul(3, 6, 2), gemm_unit(1, 4, 1), require=("no-padding",))
    assert options(own, own.parts[0], ("n",)) == {(1,): 6, (2,): 3, (3,): 2}


def test_a_dense_call_that_cannot_be_filled():
    own = space(matmul(3, 5, 2), gemm_unit(1, 4, 1), require=("dense",))
    assert Allocation(own, own.parts[0], (("n",),)).calls == 0
    assert not Ties(own).feasible


def test_parts_do_not_share_an_instruction_axis():
    own = space(conv2(2, 3, 2, 2, 3, 2, 2), gemm_unit(2, 2, 2))
    assert {(part.axes, part.lanes) for part in own.parts} == {
        (("oc",), ("n",)),
        (("n", "oh", "ow"), ("b",)),
        (("c", "kh", "kw"), ("k",)),
    }


def test_axes_in_no_part_are_run_outside():
    own = space(matmul(3, 5, 2), gemm_unit(1, 4, 1))
    assert own.outside == 3 * 2


def test_axes_of_one_part_may_be_flattened_where_they_serve_one_lane():
    own = space(conv2(2, 3, 2, 2, 3, 2, 2), gemm_unit(2, 2, 2), "fused")
    assert own.fusable(("kh", "kw"))
    assert not own.fusable(("oc", "c"))
    assert not space(conv2(2, 3, 2, 2, 3, 2, 2), gemm_unit(2, 2, 2)).fusable(("kh", "kw"))
