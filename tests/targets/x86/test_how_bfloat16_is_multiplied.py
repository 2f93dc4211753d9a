"""vdpbf16ps, which adds the products of pairs of bfloat16: its kernels, and what the instruction rounds.

Where the processor lacks it, a sequence takes its place that computes what Intel's manual says of it.
"""

from fractions import Fraction

import native_levels as levels
import native_modules
import numpy as np
import pytest

from intarsia.ground import InputError
from intarsia.machines import find_instruction
from intarsia.operators import evaluate, interpret, numpy_dtype, parse_operator, random_inputs
from intarsia.targets.x86 import host_features
from intarsia.targets.x86.callable import compiled, is_right
from intarsia.targets.x86.lowering import Bound, Kernel, plans

pytestmark = pytest.mark.skipif(not levels.HAS_ZMM, reason="the processor lacks AVX-512")

NAME = "x86.vdpbf16ps"
MEANING = find_instruction(NAME).semantics
BFLOAT = numpy_dtype("bfloat16")
LEAST = np.float32(2.0**-126)
"""The least normal number."""
TEXTS = (
    """gemm: m<17 n<24 ; k<15
  O:float32[17, 24] A:bfloat16[17, 15] B:bfloat16[15, 24] const
  O[m, n] += A[m, k] * B[k, n]""",
    """conv: n<1 oc<20 oh<5 ow<6 ; c<5 kh<3 kw<3
  O:float32[1, 5, 6, 20] I:bfloat16[1, 5, 6, 5] W:bfloat16[20, 5, 3, 3] const
  O[n, oh, ow, oc] += I[n, oh+kh-1, ow+kw-1, c] * W[oc, c, kh, kw]""",
)


@pytest.fixture(scope="module")
def engine():
    return levels.bfloat_engine()


def called(engine, c, a, b):
    """One call."""
    found = c.copy()
    native_modules.call(engine.compile(native_modules.multiply(NAME, engine.features)), found, a, b)
    return found


def nearest(exact):
    """The float32 that is nearest to a number, of two the one whose last bit is 0."""
    middle = np.float32(float(exact))
    near = (np.nextafter(middle, np.float32(-np.inf)), middle, np.nextafter(middle, np.float32(np.inf)))
    return min(near, key=lambda f: (abs(Fraction(float(f)) - exact), int(f.view(np.uint32)) & 1))


def flushed(value):
    return value if abs(value) >= LEAST else np.float32(0)


def manual(c, a, b):
    """The instruction as the manual has it, in exact arithmetic: odd elements of pairs before even ones."""
    total = flushed(c)
    for j in (1, 0):
        x, y = flushed(np.float32(a[j])), flushed(np.float32(b[j]))
        exact = Fraction(float(x)) * Fraction(float(y)) + Fraction(float(total))
        total = flushed(nearest(exact))
    return total


@pytest.mark.parametrize("scale", [0, -60, -66, -126])
def test_a_call_rounds_as_the_manual_says(engine, scale):
    """With exponents around the least one denormals are read and made."""
    random = np.random.default_rng(scale % 7)
    a, b = (
        (random.standard_normal((16, 2)) * 2.0 ** random.integers(-9 + scale, 9 + scale, (16, 2))).astype(BFLOAT)
        for _ in range(2)
    )
    c = (random.standard_normal(16) * 2.0 ** random.integers(max(-149, 2 * scale - 9), 9 + scale, 16)).astype(
        np.float32
    )
    found = called(engine, c, a, b)
    expected = np.array([manual(*lane) for lane in zip(c, a, b, strict=True)])
    np.testing.assert_array_equal(found, expected)
    assert scale > -126 or (found == 0).any()


def test_a_call_is_near_the_catalogues_meaning(engine):
    inputs = random_inputs(MEANING, 3)
    found = called(engine, np.zeros(16, np.float32), inputs["a"], inputs["b"])
    np.testing.assert_allclose(found, interpret(MEANING, inputs)["c"], rtol=1e-6, atol=1e-7)
    whole = {name: np.rint(4 * array.astype(np.float32)).astype(BFLOAT) for name, array in inputs.items()}
    found = called(engine, np.zeros(16, np.float32), whole["a"], whole["b"])
    np.testing.assert_array_equal(found, interpret(MEANING, whole)["c"])


@pytest.mark.parametrize("text", TEXTS, ids=["gemm", "conv"])
def test_kernels_are_right(engine, text):
    """Sums of small integers are exact, whatever their order; others are within their error bound."""
    operator = parse_operator(text)
    inputs = random_inputs(operator, 5)
    whole = {name: np.rint(4 * array.astype(np.float32)).astype(BFLOAT) for name, array in inputs.items()}
    found = plans(operator, find_instruction(NAME), most=2)
    assert found
    for _, plan in found:
        kernel, out = Kernel(plan, engine), np.full(operator.outputs[0].shape, 77, np.float32)
        Bound(kernel, whole)(whole, out)
        np.testing.assert_array_equal(out, evaluate(operator, whole)["O"], err_msg=str(plan))
        Bound(kernel, inputs)(inputs, out)
        assert is_right(operator, inputs, out)


def test_operators_are_compiled(engine, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("intarsia.targets.x86.callable.make.Engine", lambda *_, **__: engine)
    operator = parse_operator(TEXTS[0])
    inputs = random_inputs(operator, 1)
    function = compiled(operator, {"B": inputs["B"]}, features=engine.features)
    assert is_right(operator, inputs, function(inputs["A"]))
    assert function.embedding.instruction.name == NAME


def test_code_has_the_instruction():
    way = levels.Way(find_instruction(NAME), levels.Engine(levels.plus(host_features(), "avx512bf16"), keep=False))
    ((_, plan),) = plans(parse_operator(TEXTS[0]), way.instruction, most=1)
    asm = way.asm(plan)
    run = asm[asm.index("\nrun:") : asm.index("\nfinish:")]
    assert "vdpbf16ps" in run
    assert "vfmadd" not in run
    if not host_features().has("avx512bf16"):
        with pytest.raises(InputError, match="this processor cannot run code that may use: avx512bf16"):
            Kernel(plan, way.engine)
