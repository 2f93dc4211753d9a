"""Is the epilogue the reference's, for every accumulator and every bias?"""

import numpy as np
import pytest

from intarsia.operators import library, parse_operator
from intarsia.targets.vta.lowering.bias import bias_shape, channel_dims, spread
from intarsia.targets.vta.lowering.epilogue import (
    BIAS_SEEDED,
    Epilogue,
    apply_epilogue,
    bias_weights,
    constant_factor,
    reach,
)


@pytest.mark.parametrize("lanes", [1, 2, 3, 4, 8, 16, 32])
def test_digits_are_exact_for_every_reachable_bias(lanes):
    """Every one where there are few, all near the ends and around every carry where there are many."""
    top = reach(lanes)
    if top < 70_000:
        values = np.arange(-top, top + 1)
    else:
        near = np.arange(-300, 301)
        carries = 127 * np.arange(-127 * (lanes - 1), 127 * (lanes - 1) + 1, 31)
        values = (carries[:, None] + near[None, ::13]).reshape(-1)
        values = np.concatenate([values, near, top + near, near - top, np.arange(-BIAS_SEEDED, BIAS_SEEDED + 1)])
        values = values[np.abs(values) <= top]
    digits = bias_weights(values, lanes)
    assert digits.dtype == np.int8
    assert digits.shape == (*values.shape, lanes)
    sums = digits.astype(np.int64) @ constant_factor(1, lanes)[0].astype(np.int64)
    assert np.array_equal(sums, values)


def test_the_reach_covers_seeded_biases_on_the_default_core():
    assert reach(16) == 127 + 127 * 127 * 15
    assert reach(16) >= BIAS_SEEDED
    assert reach(1) == 127


@pytest.mark.parametrize(("bias", "lanes"), [(128, 1), (-128, 1), (127 + 127 * 127 + 1, 2), (-(2**31), 16)])
def test_a_bias_out_of_reach(bias, lanes):
    with pytest.raises(ValueError, match=f"a bias of magnitude {abs(bias)} is beyond {reach(lanes)}"):
        bias_weights(np.array([0, bias]), lanes)


def test_no_bias_at_all():
    assert bias_weights(np.zeros((3, 0), dtype=np.int64), 4).shape == (3, 0, 4)


def test_the_constant_is_the_same_in_every_row():
    assert constant_factor(3, 4).tolist() == [[1, 127, 127, 127]] * 3


def plain(acc, bias, shift, low=0, high=127):
    """Python's integers, modulo 2**32."""
    total = (acc >> shift) + bias
    wrapped = (total + 2**31) % 2**32 - 2**31
    return min(max(wrapped, low), high)


EDGES = [0, 1, -1, 127, 128, 255, 256, -256, -257, 2**14, 2**31 - 1, -(2**31), 2**31 - 256, -(2**31) + 255]


@pytest.mark.parametrize("shift", range(32))
def test_the_epilogue_equals_pythons_integers(shift):
    acc = np.array(EDGES * len(EDGES), dtype=np.int32)
    bias = np.repeat(EDGES, len(EDGES)).astype(np.int32)
    found = apply_epilogue(acc, bias, Epilogue(shift=shift))
    assert found.dtype == np.int8
    assert found.tolist() == [plain(a, b, shift) for a, b in zip(acc.tolist(), bias.tolist(), strict=True)]


def test_the_epilogue_without_a_bias_and_with_other_bounds():
    acc = np.array(EDGES, dtype=np.int32)
    found = apply_epilogue(acc, None, Epilogue(shift=3, low=-128, high=100, bias="none"))
    assert found.tolist() == [plain(a, 0, 3, -128, 100) for a in EDGES]


SIZES = {"h": 5, "w": 5, "r": 3, "s": 3}


@pytest.mark.parametrize(
    ("operator", "dims", "shape"),
    [
        (library.conv2d(n=2, c=3, k=7, **SIZES), (1,), (7,)),
        (library.conv2d(c=4, k=6, groups=2, **SIZES), (1,), (6,)),
        (library.depthwise(c=4, m=2, **SIZES), (1,), (8,)),
        (library.deconv2d(c=3, k=7, stride=2, **SIZES), (1,), (7,)),
        (library.conv3d(c=3, k=7, d=4, t=2, **SIZES), (1,), (7,)),
        (library.gemm(m=5, n=6, k=7), (0,), (5,)),
        (library.matmul(m=5, n=6, k=7), (1,), (6,)),
        (library.matmul(m=5, n=6, k=7, batch=(2, 3)), (3,), (6,)),
        (library.scores(heads=2, q=5, k=6, d=7), (3,), (6,)),
        (library.einsum("ij,jk->ik", [[2, 3], [3, 4]]), (1,), (4,)),
        (library.einsum("ij,jk->ki", [[2, 3], [3, 4]], constant=("B",)), (0,), (4,)),
        (library.einsum("ij,kjl->ikl", [[2, 3], [4, 3, 5]], constant=("B",)), (1, 2), (4, 5)),
    ],
    ids=str,
)
def test_a_bias_belongs_to_the_output_channels(operator, dims, shape):
    assert channel_dims(operator, 0) == dims
    assert bias_shape(operator, 0) == shape
    bias = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    full = np.broadcast_to(spread(bias, operator, 0), operator.outputs[0].shape)
    for index in np.ndindex(operator.outputs[0].shape):
        assert full[index] == bias[tuple(index[d] for d in dims)]


def test_a_dim_that_only_a_constant_subscript_gives_is_no_channel():
    operator = parse_operator("""one: oc<4 ; c<2
  O:int32[1, 4] I:int8[2] W:int8[4, 2] const
  O[0, oc] += I[c] * W[oc, c]""")
    assert channel_dims(operator, 0) == (1,)
