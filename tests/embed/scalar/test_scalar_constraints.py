"""Each family of constraints alone: trivial, feasible, infeasible; counted against all maps."""

from itertools import product

import numpy as np
import pytest
from scalar_twin import op

from intarsia.embed.scalar.constraints import (
    OneToOne,
    Operands,
    PaddedLanes,
    PaddingIsHarmless,
    Result,
    post_pigeonholes,
)
from intarsia.embed.scalar.problem import least_undefined, scalar_problem
from intarsia.embed.scalar.variables import Variables
from intarsia.machines import parse_instruction
from intarsia.solvers import Formula, Found, Limits, all_models


def pair(operator, instruction):
    text = "instruction x\n" + instruction.replace("|", "\n")
    operator, instruction = op(operator), parse_instruction(text)
    reads = len(operator.statements[0].reads)
    assignment = tuple(i if i < reads else None for i in range(len(instruction.semantics.statements[0].reads)))
    return scalar_problem(operator, instruction, assignment)


def maps(problem, *families):
    formula = Formula()
    variables = Variables.create(problem, formula)
    for family in families:
        family.build(problem, variables, formula)
    outcome = all_models(formula, variables.projected, Limits())
    models = outcome.value if isinstance(outcome, Found) else ()
    return {tuple(map(tuple, phi.tolist())) for phi in variables.extract(models, problem)}


def all_maps(problem):
    nothing = (-1,) * problem.points.shape[1]
    values = [nothing, *map(tuple, problem.points.tolist())]
    return {phi for phi in product(values, repeat=problem.lanes) if set(phi) != {nothing}}


COPY = "cp: i<3|O:int32[3] A:int8[3]|O[i] += A[i]"
SUM = "sm: i<2 ; k<2|O:int32[2] A:int8[2,2]|O[i] += A[i,k]"
LANES = "ln: l<2|c:int32[2] a:int8[2]|c[l] += a[l]"
DOT = "dt: ; k<2|c:int32[1] a:int8[2]|c[0] += a[k]"
SHARED = "sh: l<2|c:int32[2] a:int8[1]|c[l] += a[0]"
ONE = "on: l<1|c:int32[1] a:int8[1]|c[l] += a[0]"
NONE = (-1,)


def test_without_a_family_every_map_but_the_empty_one():
    problem = pair(COPY, LANES)
    assert maps(problem) == all_maps(problem)


def test_one_to_one_is_trivial_for_one_lane():
    problem = pair(COPY, ONE)
    assert maps(problem, OneToOne()) == all_maps(problem)


def test_one_to_one_forbids_a_second_lane_on_an_iteration():
    problem = pair(COPY, LANES)
    found = maps(problem, OneToOne())
    assert found == {phi for phi in all_maps(problem) if phi[0] != phi[1]}


def test_one_to_one_has_no_dense_map_of_more_lanes_than_iterations():
    problem = pair("cp: i<1|O:int32[1] A:int8[1]|O[i] += A[i]", LANES)
    assert not maps(problem, OneToOne(), PaddedLanes(0))


def test_operands_are_trivial_for_a_register_each():
    problem = pair(COPY, LANES)
    assert maps(problem, Operands()) == all_maps(problem)


def test_operands_let_a_register_hold_one_element():
    problem = pair("rp: i<3 j<2|O:int32[3,2] A:int8[3]|O[i,j] += A[i]", SHARED)
    found = maps(problem, Operands())
    assert found == {phi for phi in all_maps(problem) if (-1, -1) in phi or phi[0][0] == phi[1][0]}


def test_operands_forbid_two_elements_in_a_register():
    problem = pair(COPY, SHARED)
    assert maps(problem, Operands(), OneToOne(), PaddedLanes(0)) == set()


def test_operands_hold_the_constant_one_everywhere():
    problem = pair(COPY, "sc: l<2|c:int32[2] a:int8[2] b:int8[1]|c[l] += a[l]*b[0]")
    assert maps(problem, Operands()) == all_maps(problem)


def test_result_is_trivial_for_one_lane():
    problem = pair(SUM, ONE)
    assert maps(problem, Result()) == all_maps(problem)


def test_result_keeps_elements_and_registers_together():
    problem = pair(SUM, DOT)
    found = maps(problem, Result())
    assert found == {phi for phi in all_maps(problem) if (-1, -1) in phi or phi[0][0] == phi[1][0]}


def test_result_keeps_an_element_in_one_register():
    problem = pair(SUM, LANES)
    found = maps(problem, Result())
    assert found == {phi for phi in all_maps(problem) if (-1, -1) in phi or phi[0][0] != phi[1][0]}
    assert maps(problem, Result(combining=True)) == all_maps(problem)


def test_result_forbids_two_elements_in_a_register():
    problem = pair(COPY, DOT)
    assert maps(problem, Result(), OneToOne(), PaddedLanes(0)) == set()


def test_padding_is_trivial_without_common_registers():
    problem = pair(COPY, LANES)
    assert maps(problem, PaddingIsHarmless()) == all_maps(problem)


def test_padding_needs_a_register_that_can_be_zero():
    problem = pair(SUM, "br: ; k<2|c:int32[1] a:int8[1]|c[0] += a[0]")
    assert all((-1, -1) not in phi for phi in maps(problem, PaddingIsHarmless()))


def test_padding_of_a_sum_uses_either_factor():
    problem = pair(SUM, "ei: ; k<2|c:int32[1] a:int8[1] b:int8[2]|c[0] += a[0]*b[k]")
    assert maps(problem, PaddingIsHarmless()) == all_maps(problem)


POOL = "po: i<2 ; k<2|O:int32[2] A:int32[3]|O[i] max= A[i+k]"


def test_padding_of_a_maximum_may_copy_a_live_lane():
    problem = pair(POOL, "br: ; k<2|c:int32[1] a:int32[1]|c[0] max= a[0]")
    assert maps(problem, PaddingIsHarmless()) == all_maps(problem)


def test_padding_of_a_maximum_may_not_bring_a_foreign_element():
    problem = pair(POOL, "al: l<2 ; k<2|c:int32[2] a:int32[2]|c[l] max= a[k]")
    found = maps(problem, PaddingIsHarmless())
    foreign, copy, apart = ((0, 0), (-1, -1), (-1, -1), (0, 1)), ((0, 0), (-1, -1), (1, 0), (0, 1)), ((0, 0),)
    assert foreign not in found
    assert copy not in found
    assert apart + ((-1, -1),) * 3 in found


def test_padding_of_a_maximum_with_two_factors_cannot_be_an_identity():
    operator = "pr: i<2 ; k<2|O:int32[2] A:int32[3] B:int32[2]|O[i] max= A[i+k]*B[k]"
    problem = pair(operator, "pm: ; k<2|c:int32[1] a:int32[2] b:int32[2]|c[0] max= a[k]*b[k]")
    assert maps(problem, PaddingIsHarmless()) == {phi for phi in all_maps(problem) if (-1, -1) not in phi}


@pytest.mark.parametrize("most", [0, 1, 2, 3])
def test_padded_lanes_are_counted(most):
    problem = pair(COPY, LANES)
    assert maps(problem, PaddedLanes(most)) == {phi for phi in all_maps(problem) if phi.count(NONE) <= most}


PIGEONS = [(COPY, LANES), (COPY, DOT), (SUM, DOT), (SUM, SHARED), (COPY, "l4: l<4|c:int32[4] a:int8[4]|c[l] += a[l]")]


@pytest.mark.parametrize(("operator", "instruction"), PIGEONS)
def test_pigeonholes_are_implied(operator, instruction):
    class Pigeonholes:
        build = staticmethod(post_pigeonholes)

    problem = pair(operator, instruction)
    families = (OneToOne(), Operands(), Result(), PaddingIsHarmless())
    found = maps(problem, *families)
    assert maps(problem, *families, Pigeonholes()) == found
    nothing = (-1,) * problem.points.shape[1]
    assert least_undefined(problem) <= min(phi.count(nothing) for phi in found)


def test_elements_in_the_padding_are_told_apart():
    problem = pair("pd: i<3|O:int32[3] A:int8[1]|O[i] += A[i-1]", SHARED)
    assert np.unique(problem.factors[0].elements).size == 3
