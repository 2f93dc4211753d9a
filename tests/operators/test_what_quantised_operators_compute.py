"""What a quantised operator means: the reference against plain loops over Python's integers, and cases by hand."""

from itertools import product
from math import floor
from random import Random

import numpy as np
import pytest

from intarsia.ground import InputError
from intarsia.operators import evaluate_quantised, finish, library, numpy_dtype, parse_operator, quantised

LIMITS = {"int8": (-128, 127), "uint8": (0, 255)}


def twin(q, inputs):
    """One iteration after the other, one element after the other, in Python's unbounded integers."""
    (statement,) = q.operator.statements
    sums = {}
    for values in product(*(range(a.extent) for a in q.operator.axes)):
        point = dict(zip((a.name for a in q.operator.axes), values, strict=True))

        def place(access, at=point):
            return tuple(s.constant + sum(c * at[a] for a, c in s.terms) for s in access.subscripts)

        term = 1
        for read, tensor, zero in zip(statement.reads, q.factors, (q.left_zero, q.right_zero), strict=True):
            index = place(read)
            inside = all(0 <= i < n for i, n in zip(index, tensor.shape, strict=True))
            term *= int(inputs[tensor.name][index]) - at_place(zero, inputs, index) if inside else 0
        sums[place(statement.write)] = sums.get(place(statement.write), 0) + term
    result = np.zeros(q.result.shape, numpy_dtype(q.result.dtype))
    for index, total in sums.items():
        result[index] = finished(q, inputs, index, total)
    return result


def at_place(parameter, inputs, index):
    """The element of a parameter that belongs to an index of its tensor."""
    if parameter is None:
        return 0
    return inputs[parameter.name][tuple(min(i, n - 1) for i, n in zip(index, parameter.shape, strict=True))].item()


def finished(q, inputs, index, total):
    total = (total + at_place(q.bias, inputs, index) + 2**31) % 2**32 - 2**31
    value = total
    if q.result.dtype != "int32":
        value = np.float32(total)
        if q.scale is not None:
            value = value * np.float32(at_place(q.scale, inputs, index))
    if q.result.dtype in LIMITS:
        low, high = LIMITS[q.result.dtype]
        value = min(max(half_to_even(float(value)) + at_place(q.zero, inputs, index), low), high)
    value = value if q.low is None else max(value, q.low)
    return value if q.high is None else min(value, q.high)


def half_to_even(value):
    below = floor(value)
    if value - below == 0.5:
        return below + below % 2
    return floor(value + 0.5)


OPERATORS = (
    """conv2d: n<2 oc<3 oh<4 ow<3 ; c<2 kh<3 kw<2
  O:int32[2, 3, 4, 3] I:{a}[2, 2, 5, 6] W:{b}[3, 2, 3, 2] const
  O[n, oc, oh, ow] += I[n, c, oh+kh-1, 2*ow+kw-1] * W[oc, c, kh, kw]""",
    """depthwise: g<4 ow<5 ; kw<3
  O:int32[4, 5] I:{a}[4, 5] pad=7 W:{b}[4, 3] const
  O[g, ow] += I[g, ow+2*kw-2] * W[g, kw]""",
    """matmul: m<3 n<4 ; k<9
  O:int32[3, 4] A:{a}[3, 9] B:{b}[9, 4] const
  O[m, n] += A[m, k] * B[k, n]""",
)


def random_case(random):
    op = parse_operator(random.choice(OPERATORS).format(a=random.choice(list(LIMITS)), b=random.choice(list(LIMITS))))
    dtype = random.choice(("int32", "float32", "int8", "uint8"))
    left, right = (op.tensor(r.tensor) for r in op.statements[0].reads)
    reduced = {a.name for a in op.axes if a.role == "reduction"}

    def shape(tensor, *, access=None):
        if random.random() < 0.25:
            return None
        free = [access is None or not any(s.coefficient(a) for a in reduced) for s in (access or tensor.shape)]
        return tuple(n if f and random.random() < 0.5 else 1 for n, f in zip(tensor.shape, free, strict=True))

    reads = [r.subscripts for r in op.statements[0].reads]
    stored = dtype in LIMITS
    low = random.choice((None, 0, 3, 40))
    q = quantised(
        op,
        dtype,
        left_zero=shape(left, access=reads[0]),
        right_zero=shape(right, access=reads[1]),
        bias=shape(op.outputs[0]),
        scale=None if dtype == "int32" else shape(op.outputs[0]),
        zero=shape(op.outputs[0]) if stored else None,
        low=low,
        high=random.choice((None, 60, 100)),
    )
    numbers = np.random.default_rng(random.getrandbits(32))
    return q, {t.name: drawn(t, numbers) for t in q.inputs}


def drawn(tensor, numbers):
    if tensor.dtype == "float32":
        return (2.0 ** numbers.integers(-9, -3, tensor.shape)).astype(np.float32)
    if tensor.dtype == "int32":
        return numbers.integers(-(2**16), 2**16, tensor.shape).astype(np.int32)
    return numbers.integers(*LIMITS[tensor.dtype], tensor.shape, endpoint=True).astype(tensor.dtype)


@pytest.mark.parametrize("seed", range(60))
def test_the_reference_agrees_with_plain_loops(seed):
    q, inputs = random_case(Random(seed))
    expected, found = twin(q, inputs), evaluate_quantised(q, inputs)
    assert (found.shape, str(found.dtype)) == (q.result.shape, q.result.dtype)
    assert np.array_equal(found, expected)


PRODUCT = "p: n<{n}\n  O:int32[{n}] A:uint8[1] B:int8[{n}]\n  O[n] += A[0] * B[n]"


def finished_sums(sums, dtype, scale=1.0, **more):
    """What `finish` makes of given sums."""
    sums = np.asarray(sums, np.int32)
    values = {"scale": np.array([scale], np.float32)} if dtype != "int32" else {}
    values |= {n: np.asarray([more.pop(n)], d) for n, d in (("zero", dtype), ("bias", np.int32)) if n in more}
    q = quantised(parse_operator(PRODUCT.format(n=sums.size)), dtype, **more, **dict.fromkeys(values, (1,)))
    return finish(q, sums, values).tolist()


def test_halves_are_rounded_to_even_before_the_zero_point_is_added():
    assert finished_sums([1, 3, 5, -1, -3, -5], "int8", 0.5) == [0, 2, 2, 0, -2, -2]
    assert finished_sums([1, 3, 5, -1, -3, -5], "int8", 0.5, zero=1) == [1, 3, 3, 1, -1, -1]


def test_results_saturate():
    assert finished_sums([-1, 0, 255, 256, 2**31 - 1, -(2**31)], "uint8") == [0, 0, 255, 255, 255, 0]
    assert finished_sums([-129, 127, 128], "int8") == [-128, 127, 127]
    assert finished_sums([2**31 - 1, -(2**31)], "int8", 3e38) == [127, -128]
    assert finished_sums([300, -300], "uint8", zero=200) == [255, 0]
    assert finished_sums([-300, 100], "int8", zero=127) == [-128, 127]


def test_the_product_is_one_of_float32():
    """2^24 + 1 is no float32, and 3 · float32(1/3) is exactly 1 only when it is rounded."""
    assert finished_sums([2**24 + 1], "float32") == [2.0**24]
    assert finished_sums([3], "float32", 1 / 3) == [1.0]


def test_sums_wrap_like_the_accumulators():
    assert finished_sums([2**31 - 1], "int32", bias=1) == [-(2**31)]


def test_bounds_are_a_fused_relu_or_clip():
    assert finished_sums([-9, 5, 300], "int8", zero=10, low=10) == [10, 15, 127]
    assert finished_sums([-9, 5, 300], "uint8", zero=10, low=10, high=96) == [10, 15, 96]
    assert finished_sums([-9, 5, 300], "int32", low=0) == [0, 5, 300]
    assert finished_sums([-9, 5, 300], "float32", 0.5, low=0, high=6.5) == [0, 2.5, 6.5]


def test_padding_counts_nothing_whatever_the_zero_point():
    op = library.conv2d(c=1, h=1, w=1, k=1, r=3, s=3, pad=1, dtypes=("uint8", "int8", "int32"))
    q = quantised(op, left_zero=(1, 1, 1, 1), right_zero=(1, 1, 1, 1))
    ones = np.full((1, 1, 3, 3), 11, np.int8)
    inputs = {"I": np.full((1, 1, 1, 1), 9, np.uint8), "W": ones}
    zeros = {"I_zero": np.full((1, 1, 1, 1), 5, np.uint8), "W_zero": np.full((1, 1, 1, 1), -2, np.int8)}
    assert evaluate_quantised(q, inputs | zeros).item() == (9 - 5) * (11 + 2)


def test_it_prints():
    op = library.matmul(m=2, n=3, k=4, dtypes=("uint8", "int8", "int32"))
    q = quantised(op, "uint8", left_zero=(1, 1), bias=(1, 3), scale=(1, 3), zero=(1, 1), low=3, varying=["A_zero"])
    assert str(q) == (
        "matmul: m<2 n<3 ; k<4\n"
        "  O:int32[2, 3] A:uint8[2, 4] B:int8[4, 3] const\n"
        "  O[m, n] += A[m, k] * B[k, n]\n"
        "  result O:uint8[2, 3] >= 3 A_zero:uint8[1, 1] bias:int32[1, 3] const scale:float32[1, 3] const "
        "zero:uint8[1, 1] const"
    )


MATMUL = library.matmul(m=2, n=3, k=4, dtypes=("uint8", "int8", "int32"))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"dtype": "int16"}, "matmul: no such result: int16; allowed: int32, float32, int8, uint8"),
        ({"scale": (1, 1)}, "matmul: an int32 result has no scale; try: float32, int8 or uint8"),
        ({"dtype": "float32", "zero": (1, 1)}, "matmul: a float32 result has no zero point; try: int8 or uint8"),
        (
            {"bias": (3,)},
            "matmul, bias: the shape does not broadcast: (3,); allowed: (2, 3), or 1 instead of an extent",
        ),
        (
            {"bias": (1, 2)},
            "matmul, bias: the shape does not broadcast: (1, 2); allowed: (2, 3), or 1 instead of an extent",
        ),
        ({"left_zero": (1, 4)}, "matmul, A_zero: it varies along a summed dimension: (1, 4); allowed: 1 there"),
        ({"dtype": "uint8", "low": -1}, "matmul: no bound of a uint8 result: -1"),
        ({"dtype": "uint8", "high": 1.5}, "matmul: no bound of a uint8 result: 1.5"),
        ({"low": 5, "high": 4}, "matmul: the bounds leave nothing: 5 to 4"),
    ],
)
def test_what_makes_no_sense_is_refused(asked, message):
    with pytest.raises(InputError) as refused:
        quantised(MATMUL, **asked)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    "text",
    [
        "it: n<2\n  O:int32[2] A:int8[2]\n  O[n] += A[n]",
        "it: n<2\n  O:int32[2] A:int8[2] B:int8[2]\n  O[n] max= A[n] * B[n]",
        "it: n<2\n  O:int16[2] A:int8[2] B:int8[2]\n  O[n] += A[n] * B[n]",
        "it: n<2\n  O:int32[2] A:int16[2] B:int8[2]\n  O[n] += A[n] * B[n]",
    ],
)
def test_another_form_of_operator_is_refused(text):
    with pytest.raises(InputError, match=r"it: it cannot be quantised: .*; allowed: one statement that adds products"):
        quantised(parse_operator(text))


def test_a_name_that_a_parameter_has_is_refused():
    op = parse_operator("it: n<2\n  O:int32[2] scale:int8[2] B:int8[2]\n  O[n] += scale[n] * B[n]")
    with pytest.raises(InputError, match="it: a tensor has the name of a parameter: scale"):
        quantised(op)
    square = parse_operator("it: n<2\n  O:int32[2] A:int8[2]\n  O[n] += A[n] * A[n]")
    with pytest.raises(InputError, match="it: both factors are one tensor"):
        quantised(square)


def test_inputs_are_checked():
    q = quantised(MATMUL, "uint8", scale=(1, 3))
    inputs = {"A": np.zeros((2, 4), np.uint8), "B": np.zeros((4, 3), np.int8), "scale": np.ones((1, 3), np.float32)}
    with pytest.raises(InputError, match=r"missing input: scale; allowed: scale:float32\[1, 3\] const"):
        evaluate_quantised(q, {n: a for n, a in inputs.items() if n != "scale"})
    with pytest.raises(InputError, match="input scale: wrong dtype: float64; allowed: float32"):
        evaluate_quantised(q, inputs | {"scale": np.ones((1, 3))})
    with pytest.raises(InputError, match="matmul, input scale: not finite"):
        evaluate_quantised(q, inputs | {"scale": np.full((1, 3), np.nan, np.float32)})
    with pytest.raises(InputError, match="unknown input: bias"):
        evaluate_quantised(q, inputs | {"bias": np.zeros((1, 3), np.int32)})
