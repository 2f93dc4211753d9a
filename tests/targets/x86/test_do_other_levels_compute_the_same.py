"""AVX-VNNI and AVX2 give the bits that AVX512-VNNI gives: the reference's."""

import int8_functions as f
import native_levels as levels
import numpy as np
import pytest

from intarsia.operators import evaluate, evaluate_quantised, parse_operator, quantised, random_inputs
from intarsia.targets.x86.callable import compiled

SIGNS = [("uint8", "int8"), ("int8", "int8"), ("uint8", "uint8"), ("int8", "uint8")]


@pytest.fixture(scope="module", params=levels.params("avx-vnni", "avx2"))
def features(request, tmp_path_factory):
    """Those of a level; what this processor lacks of it is replaced in the code that is made."""
    engine = levels.way_of(request.param).engine
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setattr("intarsia.targets.x86.callable.make.Engine", lambda *_, **__: engine)
        yield engine.features


@pytest.mark.parametrize(("x", "w"), SIGNS)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_products_of_all_signs(features, x, w, dtype):
    q = f.requantised(f.product(x, w), dtype, **({} if dtype == "uint8" else {"zero": None}))
    assert f.agrees(q, f.arrays(q), features=features)


@pytest.mark.parametrize(("x", "w"), [("uint8", "uint8"), ("int8", "int8")])
def test_padding_counts_nothing_whatever_the_zero_point(features, x, w):
    q = f.requantised(f.convolution(x, w, c=3, k=9, size=5), right_zero=(1, 1, 1, 1))
    assert f.agrees(q, f.arrays(q), features=features)


def test_zero_points_of_weights_for_each_channel(features):
    """Their differences from the weights need nine bits: AVX2 has them, bytes do not."""
    q = f.requantised(f.convolution("int8", "int8", c=3, k=9, size=5), right_zero=(9, 1, 1, 1))
    inputs = f.arrays(q)
    constants, varying = f.parted(q, inputs)
    function = compiled(q, constants, features=features)
    assert np.array_equal(function(**varying), evaluate_quantised(q, inputs))
    assert function.native == (not features.has("avxvnni"))


def test_both_factors_change_with_every_call(features):
    q = f.requantised(f.product("int8", "uint8", constant=False), right_zero=(1, 1))
    assert f.agrees(q, f.arrays(q), features=features)


def test_large_scales_and_sums_that_wrap(features):
    q = quantised(f.product(k=33), "uint8", bias=(1, 35), scale=(1, 1), low=9, high=200)
    inputs = f.arrays(q)
    inputs["bias"][:] = np.iinfo(np.int32).max - 5
    assert f.agrees(q, inputs, features=features)


@pytest.mark.parametrize("size", [(1, 1, 1), (1, 9, 3), (5, 8, 4), (3, 31, 65)])
def test_small_and_odd_products(features, size):
    m, n, k = size
    q = f.requantised(f.product("int8", m=m, n=n, k=k))
    assert f.agrees(q, f.arrays(q), features=features)


def test_constants_of_a_call_are_packed_when_they_change(features):
    q = f.requantised(f.product("int8"))
    function = compiled(q, features=features)
    for seed in (1, 2):
        inputs = f.arrays(q, seed)
        assert np.array_equal(function(**inputs), evaluate_quantised(q, inputs))


def test_an_operator_pads_with_its_own_value(features):
    text = str(f.convolution("int8", c=3, k=9, size=5))
    operator = parse_operator(text.replace("I:int8[1, 5, 5, 3]", "I:int8[1, 5, 5, 3] pad=-3"))
    assert "pad=-3" in str(operator)
    inputs = random_inputs(operator, 1)
    found = compiled(operator, {"W": inputs["W"]}, features=features)(inputs["I"])
    assert np.array_equal(found, evaluate(operator, inputs)["O"])


def test_a_convolution_that_reads_backwards(features):
    """Where a coefficient of a loop that accumulates is negative, what leaves the tensor is another iteration."""
    operator = parse_operator(
        "deconv2d: n<1 oc<3 yh<9 yw<3 ; c<12 jh<4 jw<2\n"
        "  O:int32[1, 3, 9, 3] I:int8[1, 12, 6, 2] W:uint8[12, 3, 4, 2] const\n"
        "  O[n, oc, yh, yw] += I[n, c, yh-jh, yw-jw] * W[c, oc, jh, jw]"
    )
    inputs = random_inputs(operator, 0)
    function = compiled(operator, {"W": inputs["W"]}, features=features)
    assert np.array_equal(function(inputs["I"]), evaluate(operator, inputs)["O"])


def test_threads_give_the_same_bits(features, monkeypatch):
    f.split_everything(monkeypatch)
    for c, pad in ((8, 1), (3, 1), (16, 0)):
        q = f.requantised(f.convolution(c=c, k=16, size=6, pad=pad))
        for threads in (1, 3):
            assert f.agrees(q, f.arrays(q), threads=threads, features=features)


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_words_and_floats(features, dtype):
    operator = f.product(dtype, dtype, out="int32" if dtype == "int16" else dtype)
    inputs = random_inputs(operator, 1)
    if dtype == "int16":
        inputs["I"][:, :2] = inputs["W"][:2] = -32768  # their products' sum is the one that 32 bits cannot hold
    found = compiled(operator, {"W": inputs["W"]}, features=features)(inputs["I"])
    expected = evaluate(operator, inputs)["O"]
    assert np.array_equal(found, expected) if dtype == "int16" else np.allclose(found, expected, 1e-5, 1e-5)
