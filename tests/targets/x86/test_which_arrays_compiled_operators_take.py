"""Arrays that code cannot read or write where they are go by way of a copy; those that are wrong are refused."""

import int8_functions as f
import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

from intarsia.ground import InputError
from intarsia.operators import evaluate, random_inputs
from intarsia.targets.x86.callable import compiled

pytestmark = pytest.mark.skipif(not f.NATIVE, reason=f.REASON)

OPERATOR = f.product(m=16, n=16, k=64)
INPUTS = random_inputs(OPERATOR, 3)
EXPECTED = evaluate(OPERATOR, INPUTS)["O"]


@pytest.fixture(scope="module")
def function(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        return compiled(OPERATOR, {"W": INPUTS["W"]})


def shifted(array, by):
    """The same elements, beginning that many bytes behind a multiple of 64."""
    memory = np.empty(array.nbytes + 128, np.uint8)
    start = -memory.ctypes.data % 64 + by
    place = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    place[...] = array
    return place


@pytest.mark.parametrize("by", [0, 1, 3, 4, 63])
def test_arrays_may_begin_anywhere(function, by):
    out = shifted(np.zeros_like(EXPECTED), by)
    assert function(shifted(INPUTS["I"], by), out=out) is out
    assert np.array_equal(out, EXPECTED)


def test_arrays_may_have_any_strides(function):
    wide = np.zeros((32, 128), np.uint8)
    wide[::2, ::2] = INPUTS["I"]
    for x in (wide[::2, ::2], np.asfortranarray(INPUTS["I"]), INPUTS["I"][::-1, ::-1].copy()[::-1, ::-1]):
        room = np.full((32, 40), -5, np.int32)
        function(x, out=room[::2, 3:19])
        assert np.array_equal(room[::2, 3:19], EXPECTED)
        room[::2, 3:19] = -5
        assert (room == -5).all()


def test_memory_beside_the_result_is_not_touched(function):
    room = np.full(16 * 16 + 64, -5, np.int32)
    function(INPUTS["I"], out=room[32:288].reshape(16, 16))
    assert np.array_equal(room[32:288].reshape(16, 16), EXPECTED)
    assert (room[:32] == -5).all()
    assert (room[288:] == -5).all()


@pytest.mark.parametrize("at", [0, 1, 512])
def test_the_result_may_overlap_what_is_read(function, at):
    memory = np.zeros(2048, np.uint8)
    x = memory[at : at + 1024].reshape(16, 64)
    x[...] = INPUTS["I"]
    out = memory[:1024].view(np.int32).reshape(16, 16)
    assert np.array_equal(function(x, out=out), EXPECTED)


def test_inputs_may_be_read_only(function):
    x = INPUTS["I"].copy()
    x.flags.writeable = False
    assert np.array_equal(function(x), EXPECTED)


X = INPUTS["I"]
NAMES = {"I": X, "J": X}


@pytest.mark.parametrize(
    ("arrays", "named", "message"),
    [
        ((), {}, "product: missing input: I; allowed: I:uint8[16, 64]"),
        ((X, X), {}, "product: too many arrays: 2; allowed: I"),
        ((X,), {"I": X}, "product: an input is given twice: I"),
        ((), {"J": X}, "product: unknown input: J; allowed: I"),
        ((X.tolist(),), {}, "product, input I: no NumPy array: list; try: numpy.asarray"),
        ((X.astype(np.int8),), {}, "product, input I: wrong dtype: int8; allowed: uint8"),
        ((X[:15],), {}, "product, input I: wrong shape: (15, 64); allowed: (16, 64)"),
        ((X.reshape(64, 16),), {}, "product, input I: wrong shape: (64, 16); allowed: (16, 64)"),
        ((X,), {"out": [1]}, "product, out: no NumPy array: list; try: numpy.asarray"),
        ((X,), {"out": np.zeros((16, 16))}, "product, out: wrong dtype: float64; allowed: int32"),
        ((X,), {"out": np.zeros((16, 16), ">i4")}, "product, out: wrong dtype: >i4; allowed: int32"),
        ((X,), {"out": np.zeros(256, np.int32)}, "product, out: wrong shape: (256,); allowed: (16, 16)"),
        (
            (X,),
            {"out": np.broadcast_to(np.zeros((1, 16), np.int32), (16, 16))},
            "product, out: it is read-only",
        ),
        (
            (X,),
            {"out": as_strided(np.zeros(31, np.int32), (16, 16), (4, 4))},
            "product, out: its elements share memory: strides (4, 4)",
        ),
        (
            (X,),
            {"out": as_strided(np.zeros(16, np.int32), (16, 16), (0, 4))},
            "product, out: its elements share memory: strides (0, 4)",
        ),
    ],
)
def test_what_is_refused(function, arrays, named, message):
    with pytest.raises(InputError) as caught:
        function(*arrays, **named)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("constants", "message"),
    [
        ({"I": X}, "product: no constant of this name: I; allowed: W"),
        ({"W": X}, "product, constant W: wrong dtype: uint8; allowed: int8"),
        ({"W": INPUTS["W"].T}, "product, constant W: wrong shape: (16, 64); allowed: (64, 16)"),
    ],
)
def test_which_constants_are_refused(constants, message):
    with pytest.raises(InputError) as caught:
        compiled(OPERATOR, constants)
    assert str(caught.value) == message


def test_a_scale_must_be_finite():
    q = f.requantised(OPERATOR)
    constants, _ = f.parted(q, f.arrays(q))
    constants["scale"][0, 3] = np.nan
    with pytest.raises(InputError, match="product, input scale: not finite"):
        compiled(q, constants)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threads": 0}, "threads is too small: 0; allowed: 1 or more"),
        ({"threads": 5000}, "threads is too large: 5000; allowed: 1 to 4095"),
        ({"measure": -1}, "measure is too small: -1; allowed: 0 or more"),
    ],
)
def test_numbers_that_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        compiled(OPERATOR, **options)


def test_large_results_begin_on_a_cache_line(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    large = compiled(f.product(m=96, n=128, k=4), {"W": np.ones((4, 128), np.int8)})
    for given in (np.ones((96, 4), np.uint8), np.ones((4, 96), np.uint8).T):
        results = [large(given) for _ in range(3)]
        assert all(r.ctypes.data % 64 == 0 and r.flags.c_contiguous and (r == 4).all() for r in results)
        assert not np.may_share_memory(results[0], results[1])
