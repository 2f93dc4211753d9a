"""The enumeration is exactly the set of maps that the definition allows, and exactly those that compute the result."""

import numpy as np
import pytest
from scalar_twin import OPERATORS, Tables, as_tuple, computes, every_map, is_call, op

from intarsia.embed.scalar import assignments, check_call, enumerate_scalar
from intarsia.machines import find_instruction, parse_instruction
from intarsia.solvers import Found, Infeasible, Limits, OutOfTime


def instr(text):
    return parse_instruction("instruction x\n" + text.replace("|", "\n"))


INSTRUCTIONS = {
    "dot": find_instruction("dot:3"),
    "outer": find_instruction("outer:2x2"),
    "matvec": find_instruction("matvec:2x2"),
    "lanes": instr("ln: l<3|c:int32[3] a:int8[3] b:int8[3]|c[l] += a[l]*b[l]"),
    "broadcast": instr("bc: ; k<3|c:int32[1] a:int8[1] b:int8[3]|c[0] += a[0]*b[k]"),
    "window": instr("wi: l<2 ; k<2|c:int32[2] a:int8[3] b:int8[2]|c[l] += a[l+k]*b[k]"),
    "useless": instr("us: ; k<2|c:int32[1] a:int8[1] b:int8[1]|c[0] += a[0]*b[0]"),
    "alu max": instr("am: l<3|c:int32[3] a:int32[3]|c[l] max= a[l]"),
    "fold max": instr("fm: ; k<3|c:int32[1] a:int32[3]|c[0] max= a[k]"),
    "all max": instr("al: l<2 ; k<2|c:int32[2] a:int32[2]|c[l] max= a[k]"),
    "window max": instr("wm: l<2 ; k<2|c:int32[2] a:int32[3]|c[l] max= a[l+k]"),
    "window min": instr("wn: l<2 ; k<2|c:int32[2] a:int32[3]|c[l] min= a[l+k]"),
    "product max": instr("pm: l<2 ; k<2|c:int32[2] a:int32[2] b:int32[2]|c[l] max= a[k]*b[l]"),
}

PAIRS = [
    (o, i, a)
    for o, operator in OPERATORS.items()
    for i, instruction in INSTRUCTIONS.items()
    for a in assignments(operator, instruction)
]


def test_the_pairs_are_many():
    assert len(PAIRS) > 60
    assert {o for o, _, _ in PAIRS} == set(OPERATORS)
    assert {i for _, i, _ in PAIRS} == set(INSTRUCTIONS)


def rows(maps):
    return [tuple(map(tuple, phi.tolist())) for phi in maps]


@pytest.mark.parametrize(("o", "i", "assignment"), PAIRS)
def test_every_map_and_no_other(o, i, assignment):
    operator, instruction = OPERATORS[o], INSTRUCTIONS[i]
    tables = Tables(operator, instruction, assignment)
    outcome = enumerate_scalar(operator, instruction, assignment)
    found = rows(outcome.value) if isinstance(outcome, Found) else []
    expected = [as_tuple(phi) for phi in every_map(operator, instruction) if is_call(tables, phi)]
    assert len(found) == len(set(found))
    assert set(found) == set(expected)
    assert isinstance(outcome, Found if expected else Infeasible)


@pytest.mark.parametrize("combining", [False, True])
@pytest.mark.parametrize(("o", "i"), [("conv", "outer"), ("pool", "window max"), ("sum", "matvec"), ("outer", "dot")])
def test_check_says_the_same(o, i, combining):
    operator, instruction = OPERATORS[o], INSTRUCTIONS[i]
    assignment = assignments(operator, instruction)[0]
    tables = Tables(operator, instruction, assignment)
    for phi in every_map(operator, instruction):
        violated = check_call(operator, instruction, assignment, np.array(as_tuple(phi)), combining=combining)
        assert (not violated) == is_call(tables, phi, combining=combining)


@pytest.mark.parametrize(("o", "i"), [("conv", "outer"), ("sum", "dot")])
def test_combining_adds_maps(o, i):
    operator, instruction = OPERATORS[o], INSTRUCTIONS[i]
    assignment = assignments(operator, instruction)[0]
    tables = Tables(operator, instruction, assignment)
    found = set(rows(enumerate_scalar(operator, instruction, assignment, combining=True).value))
    assert found == {as_tuple(m) for m in every_map(operator, instruction) if is_call(tables, m, combining=True)}
    assert found >= set(rows(enumerate_scalar(operator, instruction, assignment).value))


COMPUTED = [("matmul", "matvec"), ("conv", "outer"), ("sum", "matvec"), ("square", "dot"), ("strided", "window")]
COMPUTED += [("pool", "all max"), ("pool", "window max"), ("least", "window min"), ("pool", "fold max")]


@pytest.mark.parametrize(("o", "i"), COMPUTED)
def test_a_map_is_a_call_exactly_if_it_computes_the_results(o, i):
    operator, instruction = OPERATORS[o], INSTRUCTIONS[i]
    assignment = assignments(operator, instruction)[0]
    tables = Tables(operator, instruction, assignment)
    rng = np.random.default_rng(3)
    draws = 3 if tables.combine == "+=" else 40
    for phi in every_map(operator, instruction):
        right = all(computes(tables, phi, rng) for _ in range(draws))
        assert right == is_call(tables, phi), phi


def test_dense_maps_are_those_without_padding():
    operator, instruction = OPERATORS["matmul"], INSTRUCTIONS["matvec"]
    assignment = assignments(operator, instruction)[1]
    everything = rows(enumerate_scalar(operator, instruction, assignment).value)
    dense = rows(enumerate_scalar(operator, instruction, assignment, dense=True).value)
    assert dense == [phi for phi in everything if (-1, -1, -1) not in phi]
    almost = rows(enumerate_scalar(operator, instruction, assignment, max_undefined=1).value)
    assert set(almost) == {phi for phi in everything if phi.count((-1, -1, -1)) <= 1}


def test_the_second_statement_is_embedded_by_itself():
    two = op("two: i<2 ; k<2|O:int32[2] A:int8[2,2] B:int8[2]|O[i] += A[i,k]|O[i] += A[i,k]*B[k]")
    one = op("one: i<2 ; k<2|O:int32[2] A:int8[2,2] B:int8[2]|O[i] += A[i,k]*B[k]")
    for assignment in assignments(two, INSTRUCTIONS["matvec"], statement=1):
        second = enumerate_scalar(two, INSTRUCTIONS["matvec"], assignment, statement=1).value
        assert rows(second) == rows(enumerate_scalar(one, INSTRUCTIONS["matvec"], assignment).value)


def test_nothing_is_infeasible():
    operator, instruction = OPERATORS["matmul"], INSTRUCTIONS["useless"]
    outcome = enumerate_scalar(operator, instruction, (0, 1))
    assert isinstance(outcome, Infeasible)
    assert outcome.because[0] == "one to one: no iteration is computed by two lanes"


def test_a_limit_is_out_of_time():
    outcome = enumerate_scalar(OPERATORS["matmul"], INSTRUCTIONS["dot"], (0, 1), limits=Limits(solutions=7))
    assert isinstance(outcome, OutOfTime)
    assert len(outcome.best) == 7


def test_the_count_is_the_bound():
    outcome = enumerate_scalar(OPERATORS["matmul"], INSTRUCTIONS["dot"], (0, 1))
    assert isinstance(outcome, Found)
    assert outcome.bound == (len(outcome.value),)
