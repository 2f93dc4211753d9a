from dataclasses import replace

import pytest
from hypothesis import given
from random_operators import operators, patient

from intarsia.ground.errors import InputError
from intarsia.operators import parse_operator

CONV = """conv: n<1 oc<64 oh<112 ow<112 ; c<3 kh<7 kw<7
  O:int32[1, 64, 112, 112] I:uint8[1, 3, 224, 224] W:int8[64, 3, 7, 7]
  O[n, oc, oh, ow] += I[n, c, 2*oh+kh-3, 2*ow+kw-3] * W[oc, c, kh, kw]"""


def with_writes_inside(op):
    """The operator with written tensors that are large enough, and writes that begin at 0."""
    shapes = {t.name: list(t.shape) for t in op.tensors}
    statements = []
    for statement in op.statements:
        subscripts = []
        for dimension, subscript in enumerate(statement.write.subscripts):
            spans = [c * (op.axis(name).extent - 1) for name, c in subscript.terms]
            low, high = sum(min(0, s) for s in spans), sum(max(0, s) for s in spans)
            subscripts.append(replace(subscript, constant=-low))
            shape = shapes[statement.write.tensor]
            shape[dimension] = max(shape[dimension], high - low + 1)
        statements.append(replace(statement, write=replace(statement.write, subscripts=tuple(subscripts))))
    tensors = tuple(replace(t, shape=tuple(shapes[t.name])) for t in op.tensors)
    return replace(op, tensors=tensors, statements=tuple(statements))


@patient
@given(operators())
def test_text_parses_back(op):
    op = with_writes_inside(op)
    assert parse_operator(str(op)) == op


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        (
            "g: m<3 ; k<5\n  O:int32[2] A:int8[3, 5]\n  O[m] += A[m, k]",
            "line 3, column 3: the write O[m] has index 2 in dimension 0 at m=2, outside 'O'; allowed: 0 to 1",
            3,
        ),
        ("g: m<3\nO:int32[3] A:int8[3]\nO[m-1] += A[m]", "has index -1 in dimension 0 at m=0", 1),
        ("g: m<3\nO:int32[4, 2] A:int8[3]\nO[m, 2] += A[m]", "has index 2 in dimension 1, outside 'O'", 1),
        ("g: y<4 a<2\nO:int32[5] A:int8[8]\nO[2*y+a] += A[2*y+a]", "has index 6 in dimension 0 at y=3", 1),
    ],
)
def test_a_write_outside_its_tensor_is_refused(text, message, column):
    with pytest.raises(InputError) as caught:
        parse_operator(text)
    assert message in str(caught.value)
    assert str(caught.value).splitlines()[2] == " " * (column + 1) + "^"


def test_the_last_phase_of_a_write_need_not_be_full():
    text = "g: y<4 a<2\n  O:int32[7] A:int8[8]\n  O[2*y+a] += A[2*y+a]"
    assert str(parse_operator(text)) == text


def test_text_is_printed_as_it_was_read():
    assert str(parse_operator(CONV)) == CONV


def test_white_space_comments_and_terms_are_free():
    text = """conv:n<1 oc<64 oh<112 ow<112;c<3 kh<7 kw<7  # first layer
    O:int32[1,64,112,112]
    I:uint8[1,3,224,224]
    W:int8[64,3,7,7]
    O[n,oc,oh,ow]+=I[n,c,oh*2 + 0*ow - 4 + kh + 1, ow+ow+kw-3]*W[oc,c,kh,kw]"""
    assert str(parse_operator(text)) == CONV


def test_pads_of_floats_may_be_infinite():
    op = parse_operator("p: i<4\n O:float32[4] I:float32[4] pad=-inf\n O[i] max= I[i+1]")
    assert op.tensor("I").pad == -float("inf")
    assert parse_operator(str(op)) == op


def matmul(*, axes="m<4 n<4 ; k<4", tensors="O:int32[4, 4] A:int8[4, 4] B:int8[4, 4]", body="A[m, k] * B[k, n]"):
    return f"mm: {axes}\n{tensors}\nO[m, n] += {body}"


HUGE = "tensor 'A' has 4295032832 bytes, beyond 32-bit addresses; allowed: at most 4294967296 bytes"
BAD = {
    "unknown axis": (
        matmul(body="A[m, q] * B[k, n]"),
        "line 3, column 17: unknown axis 'q'; allowed: k, m, n\n  O[m, n] += A[m, q] * B[k, n]\n                  ^",
    ),
    "product of axes": (
        matmul(body="A[m*k, k] * B[k, n]"),
        "line 3, column 14: the subscript is not affine; allowed: sums of integer*axis and integers",
    ),
    "quotient": (matmul(body="A[m/2, k] * B[k, n]"), "line 3, column 15: the subscript is not affine"),
    "remainder": (matmul(body="A[m, k%2] * B[k, n]"), "line 3, column 18: the subscript is not affine"),
    "zero extent": (
        matmul(axes="m<0 n<4 ; k<4"),
        "line 1, column 7: extent of axis 'm' is 0; allowed: integers from 1 to 2147483647",
    ),
    "negative extent": (matmul(axes="m<-4 n<4 ; k<4"), "line 1, column 7: extent of axis 'm' is -4; allowed"),
    "fraction": (matmul(axes="m<4.5 n<4 ; k<4"), "line 1, column 7: extent of axis 'm' is 4.5; allowed"),
    "long number": (matmul(axes=f"m<{'9' * 5000} n<4 ; k<4"), "line 1, column 7: the number is too long"),
    "zero dimension": (
        matmul(tensors="O:int32[4, 4] A:int8[4, 0] B:int8[4, 4]"),
        "line 2, column 25: dimension 1 of tensor 'A' is 0; allowed: integers from 1",
    ),
    "unknown dtype": (
        matmul(tensors="O:int32[4, 4] A:int7[4, 4] B:int8[4, 4]"),
        "line 2, column 17: unknown dtype 'int7'; allowed: int8, uint8, int16, int32, float16, bfloat16, float32",
    ),
    "rank": (
        matmul(body="A[m] * B[k, n]"),
        "line 3, column 12: tensor 'A' has rank 2, the access has 1 subscripts",
    ),
    "axis twice": (matmul(axes="m<4 m<4 ; k<4"), "line 1, column 9: axis 'm' is declared twice"),
    "axis twice in both roles": (matmul(axes="m<4 n<4 ; m<4"), "line 1, column 15: axis 'm' is declared twice"),
    "tensor twice": (
        matmul(tensors="O:int32[4, 4] A:int8[4, 4] A:int8[4, 4]"),
        "line 2, column 28: tensor 'A' is declared twice",
    ),
    "dtype mismatch": (
        matmul(tensors="O:int32[4, 4] A:int8[4, 4] B:float32[4, 4]"),
        "line 3, column 22: dtype mismatch: 'B' is float32, 'O' is int32; allowed: integers with integers, floating",
    ),
    "too large": (matmul(tensors="O:int32[4, 4] A:int8[65537, 65536] B:int8[4, 4]"), f"line 2, column 17: {HUGE}"),
    "far subscript": (
        matmul(body="A[m, 2147483647*k] * B[k, n]"),
        "line 3, column 17: the subscript 2147483647*k reaches from 0 to 6442450941",
    ),
    "unknown tensor": (matmul(body="A[m, k] * C[k, n]"), "line 3, column 22: unknown tensor 'C'; allowed: O, A, B"),
    "unused tensor": (matmul(body="A[m, k]"), "line 2, column 28: tensor 'B' is never used"),
    "read and written": (matmul(body="A[m, k] * O[k, n]"), "tensor 'O' is both read and written"),
    "reduction moves the write": (
        matmul(axes="m<4 ; n<4 k<4"),
        "line 3, column 1: reduction axis 'n' moves the write O[m, n]; try: declare it before the semicolon",
    ),
    "parallel axis does not": (
        matmul(axes="m<4 n<4 k<4"),
        "line 3, column 1: parallel axis 'k' does not move the write O[m, n]; try: declare it after the semicolon",
    ),
    "two combines": (
        "x: i<4\nO:int8[4] A:int8[4]\nO[i] += A[i]\nO[i] max= A[i]",
        "line 2, column 1: tensor 'O' is combined in several ways; allowed: one of +=, max=, min= per tensor",
    ),
    "unknown combine": ("x: i<4\nO:int8[4] A:int8[4]\nO[i] *= A[i]", "expected a combining operator, found '*'"),
    "no combine": ("x: i<4\nO:int8[4] A:int8[4]\nO[i]", "line 3, column 5: expected a combining operator, found ''"),
    "pad": (
        "x: i<4\nO:int8[4] A:int8[4] pad=200\nO[i] += A[i]",
        "line 2, column 25: pad value 200 is not of dtype int8; allowed: -128 to 127",
    ),
    "infinite integer": ("x: i<4\nO:int8[4] A:int8[4] pad=inf\nO[i] += A[i]", "expected a pad value, found 'inf'"),
    "no statement": ("x: i<4\nO:int8[4]", "line 2, column 10: expected a statement such as O[i] += A[i, k] * B[k]"),
    "no tensor": ("x: i<4", "line 1, column 7: expected a tensor declaration such as I:int8[1, 3, 224, 224]"),
    "character": ("x: i<4 $", "line 1, column 8: unexpected character '$'\n  x: i<4 $\n         ^"),
    "open bracket": ("x: i<4\nO:int8[4] A:int8[4]\nO[i] += A[i", "line 3, column 12: expected ']'"),
    "empty subscript": ("x: i<4\nO:int8[4] A:int8[4]\nO[i] += A[i+", "expected an axis or an integer"),
    "empty": ("", "line 1, column 1: expected the operator's name"),
}


@pytest.mark.parametrize("case", BAD)
def test_errors_say_what_and_where(case):
    text, message = BAD[case]
    with pytest.raises(InputError) as caught:
        parse_operator(text)
    assert message in str(caught.value)


def test_errors_show_the_line_and_a_caret():
    with pytest.raises(InputError) as caught:
        parse_operator("x: i<4 j<-1\n")
    assert str(caught.value).splitlines()[1:] == ["  x: i<4 j<-1", "           ^"]
