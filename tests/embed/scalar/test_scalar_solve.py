"""The best call: the fewest padded lanes of all maps of all assignments, checked, or the reason why there is none."""

import numpy as np
import pytest
from scalar_twin import OPERATORS, op

from intarsia.embed.scalar import assignments, check_call, enumerate_scalar, mismatch, named, solve_scalar
from intarsia.ground.errors import InputError
from intarsia.machines import find_instruction, parse_instruction
from intarsia.solvers import Found, Infeasible, Limits, OutOfTime

MATMUL = op("mm: m<2 n<3 ; k<4|O:int32[2,3] A:int8[2,4] B:int8[3,4]|O[m,n] += A[m,k]*B[n,k]")
CONV = op("cv: o<8 ; k<3 c<3|O:int32[8] A:int8[10,3] B:int8[3,3]|O[o] += A[o+k,c]*B[k,c]")


@pytest.mark.parametrize("o", ["matmul", "outer", "conv", "strided", "sum", "square", "pool", "least"])
@pytest.mark.parametrize("i", ["dot:3", "outer:2x2", "matvec:2x2", "vta.alu.max:1x3", "vta.alu.min:2x1"])
def test_as_good_as_the_best_of_all_maps(o, i):
    operator, instruction = OPERATORS[o], find_instruction(i)
    outcome = solve_scalar(operator, instruction)
    options = assignments(operator, instruction)
    if not options:
        assert isinstance(outcome, Infeasible)
        assert outcome.because == mismatch(operator, instruction)
        return
    every = [phi for a in options for phi in enumerate_scalar(operator, instruction, a).value]
    fewest = min(int((phi == -1).all(axis=1).sum()) for phi in every)
    assert isinstance(outcome, Found)
    assert outcome.bound == (outcome.value.undefined,) == (fewest,)
    assert any((phi == outcome.value.phi).all() for phi in every)


def test_a_later_assignment_may_be_better():
    instruction = find_instruction("vta.gemm:1x4x4")
    outcome = solve_scalar(CONV, instruction)
    assert outcome.bound == (0,)
    assert outcome.value.assignment == (1, 0)


def test_larger_than_can_be_enumerated():
    operator = op("mm: m<4 n<4 ; k<4|O:int32[4,4] A:int8[4,4] B:int8[4,4]|O[m,n] += A[m,k]*B[n,k]")
    outcome = solve_scalar(operator, find_instruction("arm.smmla"))
    assert outcome.bound == (16,)
    assert not check_call(operator, find_instruction("arm.smmla"), outcome.value.assignment, outcome.value.phi)


def test_dense_or_why_not():
    outcome = solve_scalar(MATMUL, find_instruction("outer:2x3"), dense=True)
    assert outcome.bound == (0,)
    outcome = solve_scalar(MATMUL, find_instruction("dot:5"), dense=True)
    assert isinstance(outcome, Infeasible)
    assert outcome.because == (
        "one to one: no iteration is computed by two lanes",
        "result: one register accumulates one element, and one element accumulates in one register",
        "density: at most 0 lanes are undefined",
    )
    assert outcome.relaxation == "allow 1 of 5 lanes to be padding"


def test_combining_spreads_an_element_over_registers():
    operator = op("sm: ; k<4|O:int32[1] A:int8[4]|O[0] += A[k]")
    instruction = parse_instruction("instruction x\nln: l<4\n c:int32[4] a:int8[4]\n c[l] += a[l]")
    assert solve_scalar(operator, instruction).bound == (3,)
    assert solve_scalar(operator, instruction, combining=True).bound == (0,)


@pytest.mark.parametrize(
    ("operator", "spec", "because"),
    [
        (
            MATMUL,
            "x86.vpdpbusd",
            ("element types: the operator multiplies int8 * int8, the instruction uint8 * int8",),
        ),
        (
            MATMUL,
            "nvidia.mma.m16n8k16",
            ("element types: the operator accumulates in int32, the instruction in float32",),
        ),
        (
            MATMUL,
            "vta.alu.max",
            (
                "combining: the operator has +=, the instruction max=",
                "factors: the operator multiplies 2, the instruction 1",
            ),
        ),
    ],
)
def test_no_assignment_is_explained(operator, spec, because):
    outcome = solve_scalar(operator, find_instruction(spec))
    assert isinstance(outcome, Infeasible)
    assert outcome.because == because


def test_element_types_may_be_ignored():
    assert solve_scalar(MATMUL, find_instruction("arm.sdot"), dtypes="ignore").bound == (0,)
    small = op("sm: i<2 ; k<2|O:int32[2] A:int16[2,2]|O[i] += A[i,k]")
    assert isinstance(solve_scalar(small, find_instruction("matvec:2x2")), Infeasible)
    assert isinstance(solve_scalar(small, find_instruction("matvec:2x2"), dtypes="ignore"), Found)


def test_assignments_by_type_and_by_name():
    mixed = op("mx: i<2 ; k<2|O:int32[2] A:uint8[2,2] B:int8[2]|O[i] += B[k]*A[i,k]")
    vnni = find_instruction("x86.vpdpbusd")
    assert assignments(mixed, vnni) == ((1, 0),)
    assert named(mixed, vnni, (1, 0)) == (("c", "O"), ("a", "A"), ("b", "B"))
    assert assignments(mixed, vnni, dtypes="ignore") == ((0, 1), (1, 0))


def test_a_missing_factor_is_the_constant_one():
    matvec = find_instruction("matvec:2x2")
    assert assignments(OPERATORS["sum"], matvec) == ((0, None), (None, 0))
    assert named(OPERATORS["sum"], matvec, (0, None)) == (("o", "O"), ("a", "A"), ("x", None))


def test_out_of_time_is_not_infeasible():
    assert isinstance(solve_scalar(CONV, find_instruction("vta.gemm:1x4x4"), limits=Limits(seconds=0)), OutOfTime)


def test_too_large_is_refused():
    operator = op("mm: m<64 n<64 ; k<64|O:int32[64,64] A:int8[64,64] B:int8[64,64]|O[m,n] += A[m,k]*B[n,k]")
    with pytest.raises(InputError) as error:
        solve_scalar(operator, find_instruction("vta.gemm"))
    assert str(error.value) == (
        "mm in vta.gemm: too large for the scalar space: 256 lanes × 262144 iterations; allowed: a product up to 131072"
    )


def test_an_operator_without_axes_is_refused():
    with pytest.raises(InputError, match="no in dot:2: an operator without axes has no scalar embedding"):
        solve_scalar(op("no:|O:int32[1] A:int8[1]|O[0] += A[0]"), find_instruction("dot:2"))


def test_a_call_prints_its_map():
    operator = op("sm: i<1 ; k<2|O:int32[1] A:int8[1,2]|O[i] += A[i,k]")
    outcome = enumerate_scalar(operator, find_instruction("dot:3"), (0, None), max_undefined=1)
    assert len(outcome.value) == 6
    text = str(solve_scalar(operator, find_instruction("dot:3")).value)
    assert text.splitlines()[0] in {"sm in dot:3: o=O a=A b=1", "sm in dot:3: o=O a=1 b=A"}
    assert sorted(line.split("-> ")[1] for line in text.splitlines()[1:]) == ["(0, 0)", "(0, 1)", "padding"]


WRONG = [
    ([[0, 0, 0], [0, 0, 0], [-1] * 3, [-1] * 3], "lanes (0, 0) and (0, 1) both compute (0, 0, 0)"),
    ([[0, 0, 0], [0, 0, 4], [-1] * 3, [-1] * 3], "lane (0, 1) computes (0, 0, 4), outside the operator's box"),
    ([[0, 0, 0], [-1] * 3, [0, 1, 1], [-1] * 3], "lanes (0, 0) and (1, 0) read x[0] but need A[0, 0] and A[0, 1]"),
    (
        [[0, 0, 0], [0, 1, 1], [-1] * 3, [-1] * 3],
        "lanes (0, 0) and (0, 1) accumulate in o[0] but belong to O[0, 0] and O[0, 1]",
    ),
    ([[0, 0, 0], [-1] * 3, [-1] * 3, [0, 0, 1]], "lanes (0, 0) and (1, 1) accumulate O[0, 0] in o[0] and o[1]"),
    ([[-1] * 3] * 4, "no lane is defined"),
    ([[0, 0, 0]] * 3, "the map has shape (3, 3), expected (4, 3)"),
]


@pytest.mark.parametrize(("phi", "message"), WRONG)
def test_check_says_what_is_wrong(phi, message):
    violated = check_call(MATMUL, find_instruction("matvec:2x2"), (1, 0), np.array(phi))
    assert message in violated


def test_check_sees_padding_that_disturbs():
    instruction = parse_instruction("instruction x\nbr: ; k<2\n c:int32[1] a:int8[1] b:int8[1]\n c[0] += a[0]*b[0]")
    violated = check_call(MATMUL, instruction, (0, 1), np.array([[0, 0, 0], [-1, -1, -1]]))
    assert violated == ("undefined lane (1,) disturbs c[0], where lane (0,) accumulates",)


def test_check_sees_a_wrong_assignment():
    phi = np.full((4, 3), -1)
    violated = check_call(MATMUL, find_instruction("matvec:2x2"), (0, None), phi)
    assert violated[0] == "assignment (0, None) does not hold each of the operator's 2 reads once"
    violated = check_call(OPERATORS["pool"], find_instruction("matvec:2x2"), (0,), phi)
    assert violated[0] == "the operator combines by max=, the instruction by +="
    assert violated[1] == "1 operands are assigned, the instruction reads 2"
