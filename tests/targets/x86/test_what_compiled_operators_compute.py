"""A compiled operator gives the reference's bits: signed or not, with zero points, in every form of result."""

from concurrent.futures import ThreadPoolExecutor

import int8_functions as f
import numpy as np
import pytest
from threads_in_turn import InTurn

import intarsia
from intarsia.ground import InputError
from intarsia.operators import evaluate, evaluate_quantised, parse_operator, quantised, random_inputs
from intarsia.targets.x86 import host_features
from intarsia.targets.x86.callable import compiled, kernels

pytestmark = pytest.mark.skipif(not f.NATIVE, reason=f.REASON)

SIGNS = [("uint8", "int8"), ("int8", "int8"), ("uint8", "uint8"), ("int8", "uint8")]


@pytest.fixture(scope="module", autouse=True)
def _own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.mark.parametrize(("x", "w"), SIGNS)
@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32", "float32"])
def test_products_of_all_signs_in_all_forms(x, w, dtype):
    more = {"zero": None} if dtype in {"int32", "float32"} else {}
    more |= {"scale": None} if dtype == "int32" else {}
    q = f.requantised(f.product(x, w), dtype, **more)
    assert f.agrees(q, f.arrays(q))


@pytest.mark.parametrize(("x", "w"), SIGNS)
def test_padding_counts_nothing_whatever_the_zero_point(x, w):
    q = f.requantised(f.convolution(x, w), right_zero=(1, 1, 1, 1))
    assert f.agrees(q, f.arrays(q))


def test_zero_points_of_weights_for_each_channel():
    q = f.requantised(f.convolution("int8", "int8"), right_zero=(18, 1, 1, 1))
    inputs = f.arrays(q)
    assert f.agrees(q, inputs)  # differences that do not fit a byte
    inputs["W"] //= 2
    inputs["W_zero"] //= 2
    constants, varying = f.parted(q, inputs)
    function = compiled(q, constants)
    assert function.native
    assert np.array_equal(function(**varying), evaluate_quantised(q, inputs))


def test_both_factors_change_with_every_call():
    q = f.requantised(f.product("int8", "int8", constant=False), right_zero=(1, 1))
    assert f.agrees(q, f.arrays(q))


@pytest.mark.parametrize("bounds", [{"low": 0}, {"high": 9}, {"low": -7, "high": 7}])
def test_bounds(bounds):
    for dtype in ("int8", "int32"):
        more = {} if dtype == "int8" else {"zero": None, "scale": None}
        q = f.requantised(f.product("int8"), dtype, **more, **bounds)
        assert f.agrees(q, f.arrays(q))


def test_sums_wrap():
    q = quantised(f.product(k=33), "uint8", bias=(1, 35), scale=(1, 1))
    inputs = f.arrays(q)
    inputs["bias"][:] = np.iinfo(np.int32).max - 5
    assert f.agrees(q, inputs)
    assert f.agrees(quantised(f.product(k=33), bias=(1, 35)), {n: a for n, a in inputs.items() if n != "scale"})


def test_a_scale_for_each_row_and_column():
    q = quantised(f.product(), "int8", scale=(7, 35))
    assert f.agrees(q, f.arrays(q))


def test_an_operator_pads_with_its_own_value():
    operator = parse_operator(str(f.convolution("int8")).replace("I:int8[1, 7, 7, 5]", "I:int8[1, 7, 7, 5] pad=-3"))
    inputs = random_inputs(operator, 1)
    found = compiled(operator, {"W": inputs["W"]})(inputs["I"])
    assert np.array_equal(found, evaluate(operator, inputs)["O"])


def test_words_and_floats():
    for dtype, out in (("int16", "int32"), ("float32", "float32")):
        text = str(f.product()).replace("uint8", dtype).replace("int8", dtype).replace("O:int32", f"O:{out}")
        operator = parse_operator(text)
        inputs = random_inputs(operator, 1)
        found = compiled(operator, {"W": inputs["W"]})(inputs["I"])
        expected = evaluate(operator, inputs)["O"]
        assert np.array_equal(found, expected) if out == "int32" else np.allclose(found, expected, 1e-5, 1e-5)


def test_constants_of_a_call_are_packed_when_they_change():
    q = f.requantised(f.convolution("int8", "int8"))
    function = compiled(q)
    assert [t.name for t in function.inputs] == ["I", "W", "I_zero", "bias", "scale", "zero"]
    with pytest.raises(InputError, match="conv: not compiled yet: W, I_zero, bias, scale, zero missing"):
        _ = function.embedding
    for seed in (1, 2):  # other zero points, so that padding differs too
        inputs = f.arrays(q, seed)
        assert np.array_equal(function(**inputs), evaluate_quantised(q, inputs))
    inputs["W"][0, 0, 0, 0] ^= 1  # the same array, changed where it lies
    assert np.array_equal(function(**inputs), evaluate_quantised(q, inputs))


def test_threads_give_the_same_bits(monkeypatch):
    f.split_everything(monkeypatch)
    for kind in ({"c": 16}, {"c": 3}, {"c": 5, "pad": 0, "stride": 2}, {"c": 16, "kernel": 1, "pad": 0}):
        q = f.requantised(f.convolution(**{"size": 12, **kind}))
        for threads in (1, 2, 3, 5):
            assert f.agrees(q, f.arrays(q), threads=threads)
    for m, n, k in ((7, 35, 21), (64, 80, 33), (1, 40, 64)):
        q = f.requantised(f.product(m=m, n=n, k=k))
        assert f.agrees(q, f.arrays(q), threads=4)
    operator = f.product(m=1, n=40)
    inputs = random_inputs(operator, 0)
    function = compiled(operator, {"W": inputs["W"]}, threads=3)
    assert np.array_equal(function(inputs["I"]), evaluate(operator, inputs)["O"])
    function.close()


@pytest.mark.parametrize("n", [4, 8, 12, 16])
def test_columns_that_are_packed_in_every_call(monkeypatch, n):
    """Few columns: what packs them writes more than it needs to, which only what comes later puts right."""
    f.split_everything(monkeypatch)
    operator = f.product(m=40, n=n, k=320, constant=False)
    function, body = compiled(operator, threads=3), None
    for seed in range(20):
        inputs = random_inputs(operator, seed)
        expected, out = evaluate(operator, inputs)["O"], np.zeros((40, n), np.int32)
        assert np.array_equal(function(**inputs), expected)
        body = body or function._built({}).body
        body.run(inputs, out, InTurn(3, seed))
        assert np.array_equal(out, expected)


@pytest.mark.parametrize("threads", [1, 3])
def test_several_threads_may_call_at_once(monkeypatch, threads):
    f.split_everything(monkeypatch)
    q = f.requantised(f.convolution("int8", c=16, size=12))
    many = [f.arrays(q, seed) for seed in range(8)]
    constants, _ = f.parted(q, many[0])
    function = compiled(q, constants, threads=threads)
    expected = [evaluate_quantised(q, {**inputs, **constants}) for inputs in many]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda i: function(many[i % 8]["I"]), range(200)))
    assert all(np.array_equal(found[i], expected[i % 8]) for i in range(200))


def test_the_fastest_of_the_measured_plans_is_taken():
    operator = f.convolution()
    inputs = random_inputs(operator, 1)
    function = compiled(operator, {"W": inputs["W"]}, measure=3)
    assert len(function.measured) == 3
    assert function.predicted == min(function.measured, key=lambda pair: pair[1])[0]
    assert np.array_equal(function(inputs["I"]), evaluate(operator, inputs)["O"])


def test_a_plan_is_chosen_once(tmp_path, monkeypatch):
    operator = f.product()
    inputs = random_inputs(operator, 1)
    first = compiled(operator, {"W": inputs["W"]})
    monkeypatch.setattr("intarsia.targets.x86.callable.choice.plans", None)
    again = compiled(operator, {"W": inputs["W"]})
    assert str(again.plan) == str(first.plan)
    assert np.array_equal(again(inputs["I"]), first(inputs["I"]))
    monkeypatch.undo()
    file = tmp_path / "a file"
    file.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    without = compiled(operator, {"W": inputs["W"]})
    assert any(note.startswith("chosen plans are not kept: ") for note in without.notes)
    assert np.array_equal(without(inputs["I"]), first(inputs["I"]))


def test_the_package_compiles_a_shorthand():
    function = intarsia.compile("gemm:m=8,n=20,k=12,x=uint8")
    inputs = random_inputs(intarsia.flow.read_operators("gemm:m=8,n=20,k=12,x=uint8").qualifying[0].operator, 0)
    a, b = inputs["A"], inputs["B"]
    assert np.array_equal(function(a, b), a.astype(np.int32) @ b.astype(np.int32))
    name = function.embedding.instruction.name
    assert ("vpmaddwd" if name == "x86.vpmaddwd.ymm" else "vpdpbusd") in function.asm()
    assert set(function.layout) == {"A", "B"}
    text = function.explain()
    assert f"{name}, lanes l: " in text
    assert "cycles predicted" in text
    with pytest.raises(InputError, match="unknown target: vax; allowed: x86"):
        intarsia.compile("gemm:m=8,n=20,k=12", "vax")


def test_a_processor_without_the_instructions_is_told():
    with pytest.raises(InputError, match=r"none of the instructions .*; allowed: AVX512-VNNI, AVX-VNNI or AVX2 with F"):
        compiled(f.product(), {"W": np.zeros((21, 35), np.int8)}, features=host_features().without("avx", "fma"))


@pytest.mark.parametrize("quantity", ["int8", "float32"])
def test_code_that_differs_from_the_reference_is_not_given_out(quantity: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = kernels.Ready.run

    def wrong(self: kernels.Ready, arrays: object, out: np.ndarray, pool: object = None) -> None:
        real(self, arrays, out, pool)
        out.reshape(-1)[-1] += 1

    monkeypatch.setattr(kernels.Ready, "run", wrong)
    x, w, y = ("uint8", "int8", "int32") if quantity == "int8" else ("float32",) * 3
    operator = parse_operator(
        f"p: m<3 n<16 ; k<8\n  Y:{y}[3, 16] X:{x}[3, 8] W:{w}[8, 16]\n  Y[m, n] += X[m, k] * W[k, n]"
    )
    with pytest.raises(AssertionError, match="differs from the reference"):
        compiled(operator)


def test_results_that_are_cut_off_do_not_hide_wrong_code(monkeypatch: pytest.MonkeyPatch) -> None:
    real = kernels.Ready.run
    cut: list[bool] = []

    def wrong(self: kernels.Ready, arrays: object, out: np.ndarray, pool: object = None) -> None:
        real(self, arrays, out, pool)
        between = (out > 0) & (out < 255)
        cut.append(not between.any())
        out[between] -= 1

    monkeypatch.setattr(kernels.Ready, "run", wrong)
    q = f.requantised(f.product(m=1, n=16), "uint8", scale=(1, 1), bias=None, zero=None)
    inputs = f.arrays(q) | {"scale": np.full((1, 1), 4, np.float32)}
    with pytest.raises(AssertionError, match="differs from the reference"):
        compiled(q, f.parted(q, inputs)[0])
    assert cut[0]
    assert not cut[-1]
