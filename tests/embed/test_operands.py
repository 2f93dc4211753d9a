"""Which tensor may each operand hold, and which operands may be exchanged?"""

from __future__ import annotations

from odd import greatest_lanes, pool
from small import elementwise, gemm_unit, matmul, raw_lanes

from intarsia.embed import EmbeddingProblem
from intarsia.embed.operands import assignments, exchanges, representatives
from intarsia.machines import parse_instruction
from intarsia.operators import parse_operator

PRODUCT = EmbeddingProblem(matmul(2, 2, 2), gemm_unit(2, 2, 2))


def asked(operator, instruction, **options):
    return EmbeddingProblem(operator, instruction, **options)


def test_a_product_may_be_written_either_way():
    assert assignments(PRODUCT) == (
        (("o", "O"), ("i", "A"), ("w", "B")),
        (("o", "O"), ("i", "B"), ("w", "A")),
    )


def test_a_missing_factor_is_the_constant_one():
    operator = parse_operator("copy: i<4\n O:int32[4] A:int8[4]\n O[i] += A[i]")
    held = [dict(operands) for operands in assignments(asked(operator, elementwise(2, 2)))]
    assert {(h["i"], h["w"]) for h in held} == {("A", None), (None, "A")}


def test_one_factor_too_many_fits_nowhere():
    operator = parse_operator("three: i<4\n O:int32[4] A:int8[4] B:int8[4] C:int8[4]\n O[i] += A[i] * B[i] * C[i]")
    assert assignments(asked(operator, elementwise(2, 2))) == ()


def test_combines_must_agree():
    assert assignments(asked(pool(2, 2), elementwise(2, 2), dtypes="ignore")) == ()
    assert assignments(asked(pool(2, 2), greatest_lanes(2, 2)))


def test_dtypes_must_agree_unless_they_are_ignored():
    operator = parse_operator("mm: m<2 ; k<2\n O:int32[2] A:uint8[2, 2] B:int8[2]\n O[m] += A[m, k] * B[k]")
    assert assignments(asked(operator, gemm_unit(2, 2, 2))) == ()
    assert len(assignments(asked(operator, gemm_unit(2, 2, 2), dtypes="ignore"))) == 2


def test_operands_are_exchanged_with_the_axes_that_they_have_alone():
    assert exchanges(gemm_unit(2, 2, 2).semantics) == ({"i": "i", "w": "w"}, {"i": "w", "w": "i"})
    assert exchanges(raw_lanes(4, 2).semantics) == ({"a": "a", "b": "b"}, {"a": "b", "b": "a"})


def test_operands_are_not_exchanged_where_the_axes_differ():
    assert exchanges(gemm_unit(1, 2, 2).semantics) == ({"i": "i", "w": "w"},)


def test_operands_are_not_exchanged_where_the_dtypes_differ():
    mixed = parse_instruction(
        "instruction mixed\nmixed: l<2\n  c:int32[2] a:uint8[2] b:int8[2]\n  c[l] += a[l] * b[l]\n"
        "memory c=a a=b b=c\ncycles 1\nsource test"
    )
    assert len(exchanges(mixed.semantics)) == 1
    assert len(exchanges(mixed.semantics, exact=False)) == 2


def test_one_assignment_stands_for_those_that_an_exchange_gives():
    assert len(representatives(PRODUCT)) == 1
    assert len(representatives(asked(matmul(2, 2, 2), gemm_unit(1, 2, 2)))) == 2
