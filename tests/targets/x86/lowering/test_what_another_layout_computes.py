"""An operator with its channels moved behind its positions computes the same, however it is finished and shared."""

from math import prod
from random import Random

import int8_functions as f
import numpy as np
import pytest
import random_kernels as rk

from intarsia.operators import evaluate, evaluate_quantised, parse_operator, quantised, random_inputs, read_operator
from intarsia.targets.x86 import at_level
from intarsia.targets.x86.callable import build, compiled, forms
from intarsia.targets.x86.callable.relaid import channels_last, joined
from intarsia.targets.x86.lowering import choose

pytestmark = pytest.mark.skipif(not f.NATIVE, reason=f.REASON)


@pytest.fixture(scope="module", autouse=True)
def _own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _few_candidates(monkeypatch):
    monkeypatch.setattr(choose, "MOST_CANDIDATES", 40)


@pytest.fixture
def only_last(monkeypatch):
    """Operators are computed with channels last wherever they can be."""
    every = forms.forms_of
    monkeypatch.setattr(build, "forms_of", lambda *given: every(*given)[-1:])


def moved(tensor, array, cut):
    """An array as the rewritten operator has it."""
    if cut is not None:
        array = array.reshape(cut).transpose(0, 2, 1)
    return np.ascontiguousarray(array).reshape(tensor.shape)


def back(tensor, array, cut):
    """A result as the operator itself has it."""
    if cut is not None:
        array = array.reshape(cut[0], cut[2], cut[1]).transpose(0, 2, 1)
    return array.reshape(tensor.shape)


def same(operator, made):
    inputs = random_inputs(operator, 0)
    (written,), right = operator.outputs, evaluate(operator, inputs)
    given = {t.name: moved(t, inputs[t.name], made.moved.get(t.name)) for t in made.operator.inputs}
    found = evaluate(made.operator, given)[written.name]
    return np.array_equal(back(written, found, made.moved.get(written.name)), right[written.name])


def test_random_operators_in_other_layouts():
    random, looked, found = Random(0), 0, 0
    while found < 60:
        operator = rk.random_operator(random)
        looked += 1
        assert same(operator, joined(operator)), operator
        other = channels_last(operator)
        if other is not None:
            found += 1
            assert same(operator, other), operator
    assert found < looked  # those with channels last already are left alone


def test_positions_are_joined_where_they_lie_behind_each_other():
    last = channels_last(read_operator("conv2d:n=2,c=8,h=7,w=7,k=16,r=1,s=1"))
    assert [(a.name, a.extent) for a in last.operator.axes] == [("n_oh_ow", 98), ("oc", 16), ("c", 8)]
    first = joined(read_operator("conv2d:n=2,c=8,h=7,w=7,k=16,r=1,s=1"))
    assert {a.name for a in first.operator.axes} == {"n", "oc", "oh_ow", "c"}
    wide = joined(read_operator("conv2d:n=1,c=8,h=7,w=7,k=16,r=3,s=3,pad=1"))
    assert {"oh", "ow"} <= {a.name for a in wide.operator.axes}


def convolution(x="uint8", w="int8", *, n=1, c=6, k=18, size=(6, 7), kernel=3, groups=1, stride=1):
    """A convolution with the channels first, in one to three dimensions."""
    names, pad = "dhw"[-len(size) :], kernel // 2
    outs = [(s - 1) // stride + 1 for s in size]
    each, of = c // groups, k // groups
    o, i = (f"{of}*g+oc", f"{each}*g+c") if groups > 1 else ("oc", "c")
    parallel = [f"n<{n}", *([f"g<{groups}"] if groups > 1 else []), f"oc<{of}"]
    parallel += [f"o{a}<{s}" for a, s in zip(names, outs, strict=True)]
    reduction = [f"c<{each}", *(f"k{a}<{kernel}" for a in names)]
    places = ", ".join(f"{stride}*o{a}+k{a}-{pad}" for a in names)
    taps, results = ", ".join(f"k{a}" for a in names), ", ".join(f"o{a}" for a in names)
    return parse_operator(
        f"conv: {' '.join(parallel)} ; {' '.join(reduction)}\n"
        f"  O:int32{[n, k, *outs]} I:{x}{[n, c, *size]} W:{w}{[k, each, *[kernel] * len(size)]} const\n"
        f"  O[n, {o}, {results}] += I[n, {i}, {places}] * W[{o}, c, {taps}]"
    )


def finished(operator, dtype="uint8", **more):
    """With a zero point of activations, a bias and a scale for each channel."""
    shape = operator.outputs[0].shape
    one, channels = (1,) * len(shape), (1, shape[1], *(1,) * (len(shape) - 2))
    settings = {"left_zero": one, "bias": channels}
    settings |= {"scale": channels} if dtype != "int32" else {}
    settings |= {"zero": one} if dtype in {"uint8", "int8"} else {}
    return quantised(operator, dtype, **settings | more)


KINDS = {
    "3x3": {},
    "1x1": {"kernel": 1, "c": 20},
    "batch": {"n": 3, "kernel": 1},
    "stride": {"stride": 2, "n": 2},
    "grouped": {"groups": 3, "k": 12},
    "depthwise": {"groups": 17, "c": 17, "k": 17},
    "one dimension": {"size": (23,)},
    "three dimensions": {"size": (3, 4, 5), "n": 2},
    "one channel of results": {"k": 1},
    "three channels": {"c": 3, "size": (9, 20)},
}


@pytest.mark.usefixtures("only_last")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("level", ["all", "avx2"])
def test_convolutions_with_channels_last(kind, level):
    q = finished(convolution("int8", **KINDS[kind]))
    features = at_level("avx2") if level == "avx2" else None
    inputs = f.arrays(q)
    constants, varying = f.parted(q, inputs)
    function = compiled(q, constants, features=features)
    right = evaluate_quantised(q, inputs)
    assert function.native
    assert np.array_equal(function(**varying), right)
    high = rk.guarded(varying["I"], high=True)
    assert np.array_equal(function(high, out=rk.guarded(np.zeros_like(right), high=True)), right)
    low = rk.guarded(varying["I"], high=False)
    assert np.array_equal(function(low, out=rk.guarded(np.zeros_like(right), high=False)), right)
    assert any("channels last" in note for note in function.notes) == (kind != "one channel of results")


@pytest.mark.usefixtures("only_last")
@pytest.mark.parametrize(("x", "w"), [("uint8", "int8"), ("int8", "int8"), ("int8", "uint8")])
@pytest.mark.parametrize("dtype", ["int8", "int32", "float32"])
def test_all_forms_of_results_and_signs(x, w, dtype):
    q = finished(convolution(x, w), dtype, right_zero=(1, 1, 1, 1))
    assert f.agrees(q, f.arrays(q))


@pytest.mark.usefixtures("only_last")
def test_signs_are_turned_in_the_copy():
    q = finished(convolution("int8"))
    constants, _ = f.parted(q, f.arrays(q))
    function = compiled(q, constants)
    size = prod(function.inputs[0].shape) + prod(q.result.shape)
    assert function.notes == (f"computed with channels last: I and O copied in every run, {size:,} bytes",)
    assert "channels last" in function.explain()


@pytest.mark.usefixtures("only_last")
@pytest.mark.parametrize("threads", [2, 3])
def test_any_number_of_threads_gives_the_same_bits(monkeypatch, threads):
    f.split_everything(monkeypatch)
    for kind in ("3x3", "depthwise", "batch"):
        q = finished(convolution("int8", **KINDS[kind]))
        assert f.agrees(q, f.arrays(q), threads=threads)


@pytest.mark.usefixtures("only_last")
def test_other_zero_points_use_the_same_choice():
    q = finished(convolution("int8"))
    inputs = f.arrays(q)
    fixed = {"W": inputs["W"]}
    function = compiled(q, fixed)
    for zero in (3, -100):
        inputs["I_zero"] = np.full((1, 1, 1, 1), zero, np.int8)
        rest = {name: a for name, a in inputs.items() if name != "W"}
        assert np.array_equal(function(**rest), evaluate_quantised(q, inputs))


def test_both_layouts_are_measured():
    q = finished(convolution("uint8", c=32, k=32, size=(8, 8), kernel=1))
    constants, varying = f.parted(q, f.arrays(q))
    function = compiled(q, constants, measure=2)
    assert len(function.measured) == 2
    assert np.array_equal(function(**varying), evaluate_quantised(q, {**constants, **varying}))


def test_the_layout_that_is_predicted_to_be_faster_is_taken_again(tmp_path):
    q = finished(convolution("uint8", c=64, k=64, size=(7, 7)))
    constants, _ = f.parted(q, f.arrays(q))
    first, again = (compiled(q, constants, store=tmp_path / "plans.sqlite") for _ in range(2))
    assert any("channels last" in note for note in first.notes)
    assert first.notes == again.notes
    assert first.plan == again.plan
    assert first.predicted == again.predicted


def test_floats_may_be_moved_too(only_last):  # noqa: ARG001 (a fixture that changes the layout)
    operator = parse_operator(
        "conv: n<1 oc<20 oh<5 ow<6 ; c<7\n"
        "  O:float32[1, 20, 5, 6] I:float32[1, 7, 5, 6] W:float32[20, 7] const\n"
        "  O[n, oc, oh, ow] += I[n, c, oh, ow] * W[oc, c]"
    )
    inputs = random_inputs(operator, 0)
    function = compiled(operator, {"W": inputs["W"]})
    assert np.allclose(function(inputs["I"]), evaluate(operator, inputs)["O"], 1e-5, 1e-5)
    assert any("channels last" in note for note in function.notes)
