import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_operators import INTEGERS, operators, patient

from intarsia.ground.errors import InputError
from intarsia.operators import evaluate, interpret, interpret_scalar, parse_operator, random_inputs
from intarsia.operators import fast as fast_module
from intarsia.operators.library import conv2d, gemm


def equal(a, b):
    def same(x, y):
        return x.dtype == y.dtype and np.array_equal(x.astype(np.float64), y.astype(np.float64), equal_nan=True)

    return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)


@patient
@given(operators(), st.integers(0, 2**32))
def test_interpreter_and_its_scalar_twin_agree(op, seed):
    inputs = random_inputs(op, seed)
    assert equal(interpret(op, inputs), interpret_scalar(op, inputs))


def test_sums_wrap():
    op = parse_operator("s: ; k<3\nO:int8[] A:int8[3]\nO[] += A[k]")
    assert interpret(op, {"A": np.array([100, 100, 100], np.int8)})["O"] == 44


def test_a_read_wraps_to_the_output_first():
    op = parse_operator("m: i<1\nO:int8[1] A:int32[1]\nO[i] max= A[i]")
    assert interpret(op, {"A": np.array([200], np.int32)})["O"].tolist() == [-56]


def test_reads_outside_see_the_pad_and_writes_of_a_phase_that_is_not_full_are_dropped():
    op = parse_operator("m: i<2 a<2\nO:int32[3] A:int8[2] pad=7\nO[2*i+a] += A[2*i+a]")
    assert interpret(op, {"A": np.array([1, 2], np.int8)})["O"].tolist() == [1, 2, 7]


def test_what_is_never_written_is_the_identity():
    op = parse_operator("m: i<1\nO:int16[3] P:uint8[2] Q:float32[2] A:int16[1] F:float32[1]\n"
                        "O[i] max= A[i]\nP[i] min= A[i]\nQ[i] max= F[i]")  # fmt: skip
    out = interpret(op, {"A": np.array([5], np.int16), "F": np.array([1], np.float32)})
    assert out["O"].tolist() == [5, -32768, -32768]
    assert out["P"].tolist() == [5, 255]
    assert out["Q"].tolist() == [1, -np.inf]


def test_half_precision_rounds_at_each_step():
    op = parse_operator("s: ; k<3\nO:float16[] A:float16[3]\nO[] += A[k]")
    assert interpret(op, {"A": np.array([2048, 1, 1], np.float16)})["O"] == 2048


def test_colliding_writes_all_count():
    op = parse_operator("s: i<3 j<3\nO:int32[5] A:int8[3] B:int8[3]\nO[i+j] += A[i] * B[j]")
    a, b = np.array([1, 2, 3], np.int8), np.array([4, 5, 6], np.int8)
    assert interpret(op, {"A": a, "B": b})["O"].tolist() == np.convolve(a, b).tolist()


INPUTS = {"A": np.zeros((2, 4), np.int8), "B": np.zeros((4, 3), np.int8)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"B": None}, "gemm: missing input: B; allowed: B:int8[4, 3]"),
        ({"C": np.zeros(1)}, "gemm: unknown input: C; allowed: A, B"),
        ({"A": np.zeros((4, 2), np.int8)}, "gemm, input A: wrong shape: (4, 2); allowed: (2, 4)"),
        ({"A": np.zeros((2, 4), np.uint8)}, "gemm, input A: wrong dtype: uint8; allowed: int8"),
    ],
)
def test_wrong_inputs_are_refused(change, message):
    inputs = {name: array for name, array in (INPUTS | change).items() if array is not None}
    for run in (interpret, interpret_scalar, evaluate):
        with pytest.raises(InputError) as caught:
            run(gemm(m=2, n=3, k=4), inputs)
        assert str(caught.value) == message


def test_random_inputs_have_the_whole_range_and_are_seeded():
    op = parse_operator("m: i<9999\nO:int32[9999] A:int8[9999] B:uint8[9999]\nO[0*i+i] += A[i] * B[i]")
    inputs = random_inputs(op, 3)
    assert (inputs["A"].min(), inputs["A"].max()) == (-128, 127)
    assert (inputs["B"].min(), inputs["B"].max()) == (0, 255)
    assert np.array_equal(inputs["A"], random_inputs(op, 3)["A"])
    assert not np.array_equal(inputs["A"], random_inputs(op, 4)["A"])


@patient
@given(operators(kinds=[INTEGERS], combines=["+="], longest=5), st.integers(0, 2**32), st.integers(1, 40))
def test_fast_evaluation_equals_the_interpreter(op, seed, widest):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast_module, "LEAST_WORK", 0)
        patch.setattr(fast_module, "WIDEST", widest)
        inputs = random_inputs(op, seed)
        assert equal(evaluate(op, inputs), interpret(op, inputs))


@patient
@given(operators(), st.integers(0, 2**32))
def test_fast_evaluation_takes_any_operator(op, seed):
    inputs = random_inputs(op, seed)
    assert equal(evaluate(op, inputs), interpret(op, inputs))


@pytest.mark.parametrize("x", ["int8", "uint8", "int16", "int32"])
@pytest.mark.parametrize("value", ["least", "greatest"])
def test_fast_evaluation_is_exact_at_the_ends_of_the_range(x, value):
    op = gemm(m=3, n=2, k=5000, dtypes=(x, x, "int32"))
    info = np.iinfo(x)
    fill = info.min if value == "least" else info.max
    inputs = {t.name: np.full(t.shape, fill, x) for t in op.inputs}
    inputs["A"][:, ::7] -= 1 if value == "greatest" else 0
    exact = inputs["A"].astype(object) @ inputs["B"].astype(object) % 2**32
    assert np.array_equal(evaluate(op, inputs)["O"].view(np.uint32), exact.astype(np.uint32))


def test_fast_evaluation_of_a_convolution():
    op = conv2d(n=2, c=16, h=20, w=31, k=24, r=5, s=3, stride=(2, 1), pad=(2, 1, 0, 3), dilation=(1, 2), groups=2)
    inputs = random_inputs(op, 0)
    assert equal(evaluate(op, inputs), interpret(op, inputs))
