"""Which axes may overflow: PADDING IS HARMLESS alone."""

from __future__ import annotations

import pytest
from odd import greatest_lanes, pool, smeared
from small import conv1, conv2, elementwise, gemm_unit, matmul

from intarsia.embed import EmbeddingProblem, enumerate_embeddings, optimise
from intarsia.embed.check import check
from intarsia.embed.constraints import IdleHarmless, PaddingHarmless, Rules
from intarsia.embed.operands import assignments
from intarsia.embed.space import space_of
from intarsia.machines import parse_instruction
from intarsia.operators import parse_operator
from intarsia.solvers import Infeasible


def family(operator):
    return PaddingHarmless(operator, operator.statements[0])


def test_every_axis_of_a_product_may_be_rounded_up():
    assert all(family(matmul(2, 2, 2)).guarded((name,)) for name in "mnk")
    assert all(family(conv2(1, 2, 3, 3, 2, 2, 2)).guarded((name,)) for name in ("oh", "ow", "kh", "kw"))


def test_a_parallel_axis_in_a_sum_may_not():
    assert not family(smeared(4, 3)).guarded(("o",))


def test_a_reduction_that_no_factor_sees_alone_may_not():
    operator = parse_operator("s: i<3 ; j<3 k<2\n O:int32[3] A:int8[3, 4] B:int8[3]\n O[i] += A[i, j+k] * B[j]")
    assert family(operator).guarded(("j",))
    assert not family(operator).guarded(("k",)), "A would bring an element, and B is not zero"


def test_a_reduction_of_a_maximum_may_not():
    operator = pool(4, 3, channels=2)
    assert not family(operator).guarded(("k",))
    assert family(operator).guarded(("o",))
    assert family(operator).guarded(("c",))


def test_flattened_reductions_are_guarded_by_any_factor():
    operator = parse_operator("s: i<3 ; j<3 k<2 l<2\n O:int32[3] A:int8[3, 6] B:int8[3]\n O[i] += A[i, j+k+l] * B[i]")
    assert not any(family(operator).guarded((name,)) for name in "jkl")
    assert family(operator).guarded(("j", "k"))


def test_flattened_parallel_axes_are_guarded_if_each_is():
    operator = parse_operator("s: i<3 j<2 k<2\n O:int32[3, 3] A:int8[3]\n O[i, j+2*k] += A[i]")
    assert family(operator).guarded(("i",))
    assert not family(operator).guarded(("i", "j"))
    assert not family(operator).guarded(("j", "k"))


def test_nothing_guards_axes_flattened_in_a_maximum():
    operator = parse_operator("s: i<3 ; j<3 k<2\n O:int8[3] A:int8[3, 3, 2]\n O[i] max= A[i, j, k]")
    assert not family(operator).guarded(("j", "k"))


def test_an_unguarded_axis_takes_divisors_only():
    operator = pool(4, 3)
    instruction = greatest_lanes(2, 2)
    factors = {
        loop.extent
        for embedding in enumerate_embeddings(EmbeddingProblem(operator, instruction))
        for loop in embedding.lane_loops("j")
    }
    assert factors == set()
    wider = {
        loop.extent
        for embedding in enumerate_embeddings(EmbeddingProblem(pool(4, 4), instruction))
        for loop in embedding.lane_loops("j")
    }
    assert wider == {2}


@pytest.mark.parametrize(("require", "exact"), [((), False), (("dense",), True), (("no-padding",), True)])
def test_requirements_make_every_axis_exact(require, exact):
    problem = EmbeddingProblem(matmul(3, 3, 3), gemm_unit(2, 2, 2), require=require)
    space = space_of(Rules(problem, assignments(problem)[0]))
    assert all(space.exact((name,)) == exact for name in "mnk")


@pytest.mark.parametrize(
    ("operator", "instruction"),
    [(pool(4, 3), greatest_lanes(1, 2)), (pool(3, 5, 2), greatest_lanes(2, 2)), (smeared(3, 3), elementwise(2, 1))],
)
def test_what_is_not_guarded_is_wrong_when_it_overflows(operator, instruction):
    kept = list(enumerate_embeddings(EmbeddingProblem(operator, instruction, "aligned")))
    dropped = frozenset({"padding", "home"}) if operator.name == "smeared" else frozenset({"padding"})
    more = list(enumerate_embeddings(EmbeddingProblem(operator, instruction, "aligned", dropped=dropped)))
    assert all(check(embedding).good for embedding in kept)
    extra = [embedding for embedding in more if embedding not in kept]
    assert extra
    assert not any(check(embedding).good for embedding in extra)


def test_a_dilated_window_is_guarded_by_its_weights():
    operator = conv1(1, 2, 3, 2, 3, dilation=2)
    assert family(operator).guarded(("k",))
    assert family(operator).guarded(("c", "k"))
    weightless = parse_operator("s: o<3 ; k<3\n O:int32[3] I:int8[7] W:int8[1]\n O[o] += I[o+2*k] * W[0]")
    assert not family(weightless).guarded(("k",))


def idle(operator, instruction):
    """The instruction axes whose lanes may idle, by the rule alone."""
    rules = Rules(problem := EmbeddingProblem(operator, instruction, dtypes="ignore"), assignments(problem)[0])
    rule = IdleHarmless(operator, operator.statements[0].combine, rules.pairs)
    return [axis.name for axis in instruction.semantics.axes if rule.allows(axis.name)]


def test_idle_lanes_of_a_sum_read_a_zero():
    assert idle(matmul(2, 2, 2), gemm_unit(2, 2, 2)) == ["b", "n", "k"]


def test_idle_lanes_of_a_sum_need_a_factor_that_holds_a_tensor():
    operator = parse_operator("copy: i<4\n O:int32[4] A:int8[4]\n O[i] += A[i]")
    broadcast = parse_instruction(
        "instruction x\nx: l<2 ; j<2\n  c:int32[2] a:int8[2] b:int8[2]\n  c[l] += a[l] * b[j]\n"
        "memory c=a a=b b=c\ncycles 1\nsource test"
    )
    assert idle(operator, broadcast) == ["l"], "b holds ones on every lane"
    held = {e.operands for e in enumerate_embeddings(EmbeddingProblem(operator, broadcast))}
    assert held == {(("c", "O"), ("a", None), ("b", "A"))}, "b holds one element and a zero"


def test_idle_lanes_of_a_maximum_read_a_zero_too_which_may_be_the_greatest():
    assert idle(pool(4, 4), greatest_lanes(2, 2)) == ["l"]
    unsigned = parse_operator("pool: o<4 ; k<2\n O:uint8[4] I:uint8[5]\n O[o] max= I[o+k]")
    assert idle(unsigned, greatest_lanes(2, 2)) == ["l", "j"]


def test_a_maximum_that_cannot_fill_its_lanes_says_so():
    outcome = optimise(EmbeddingProblem(pool(4, 3), greatest_lanes(1, 2)))
    assert isinstance(outcome, Infeasible)
    assert any("beyond the end of k, lane axis j" in reason for reason in outcome.because)
