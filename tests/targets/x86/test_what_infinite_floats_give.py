"""Infinite floats, those that are no numbers, and sums that overflow give what the reference interpreter gives."""

import int8_functions as f
import numpy as np
import pytest

from intarsia.operators import evaluate, parse_operator, random_inputs
from intarsia.targets.x86 import at_level
from intarsia.targets.x86.callable import compiled, is_right
from intarsia.targets.x86.lowering import choose

pytestmark = [
    pytest.mark.skipif(not f.NATIVE, reason=f.REASON),
]

PRODUCT = """product: m<7 n<35 ; k<21
  O:float32[7, 35] I:float32[7, 21] W:float32[21, 35] const
  O[m, n] += I[m, k] * W[k, n]"""
BORDERS = """conv: n<1 oc<20 oh<9 ow<9 ; c<5 kh<3 kw<3
  O:float32[1, 9, 9, 20] I:float32[1, 9, 9, 5] W:float32[20, 5, 3, 3] const
  O[n, oh, ow, oc] += I[n, oh+kh-1, ow+kw-1, c] * W[oc, c, kh, kw]"""
DEPTHWISE = """depthwise: n<1 g<32 oh<6 ow<7 ; kh<3 kw<3
  O:float32[1, 6, 7, 32] I:float32[1, 6, 7, 32] W:float32[32, 3, 3] const
  O[n, oh, ow, g] += I[n, oh+kh-1, ow+kw-1, g] * W[g, kh, kw]"""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(choose, "MOST_CANDIDATES", 40)


@pytest.mark.parametrize("text", [PRODUCT, BORDERS, DEPTHWISE])
@pytest.mark.parametrize("level", [None, "avx2"])
def test_floats_that_are_not_finite(text, level):
    operator = parse_operator(text)
    inputs = random_inputs(operator, 1)
    random = np.random.default_rng(0)
    for array in inputs.values():
        some = random.random(array.shape) < 0.02
        array[some] = random.choice([np.inf, -np.inf, np.nan], some.sum())
    found = compiled(operator, {"W": inputs["W"]}, features=None if level is None else at_level(level))(inputs["I"])
    right = evaluate(operator, inputs)["O"]
    assert not np.isfinite(right).all()
    np.testing.assert_allclose(found, right, 1e-4, 1e-4)


def test_sums_that_overflow():
    operator = parse_operator(PRODUCT)
    inputs = {name: array * np.float32(1e19) for name, array in random_inputs(operator, 1).items()}
    inputs["I"][0] *= np.float32(1e10)
    inputs["I"][1] /= np.float32(1e19)
    found = compiled(operator, {"W": inputs["W"]})(inputs["I"])
    right = evaluate(operator, inputs)["O"]
    assert not np.isfinite(right[0]).any()
    np.testing.assert_allclose(found[1], right[1], 1e-4, 1e15)


@pytest.mark.parametrize(("wrong", "at"), [(0.0, np.nan), (np.inf, np.nan), (np.nan, 1.0), (-np.inf, np.inf)])
def test_what_is_not_finite_is_compared(wrong, at):
    operator = parse_operator(PRODUCT)
    inputs = random_inputs(operator, 1)
    inputs["I"][0] = at
    inputs["W"][:] = np.abs(inputs["W"]) + 1
    right = evaluate(operator, inputs)["O"]
    assert is_right(operator, inputs, right)
    found = right.copy()
    found[0, 0] = wrong
    assert not is_right(operator, inputs, found)
