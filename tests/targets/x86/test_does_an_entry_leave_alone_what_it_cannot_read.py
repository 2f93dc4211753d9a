"""Machine code that looks at array objects runs only on those that it was made for, and touches nothing else."""

import numpy as np
import pytest

from intarsia.operators import parse_operator, random_inputs
from intarsia.operators.fast import evaluate
from intarsia.targets.x86 import host_features, usable
from intarsia.targets.x86.callable import compiled
from intarsia.targets.x86.callable.entry import fields_are_known

pytestmark = pytest.mark.skipif("x86.vpdpbusd" not in usable(host_features()), reason="no AVX512-VNNI")
OPERATOR = parse_operator(
    "product: m<3 n<20 ; k<9\n  O:int32[3, 20] A:uint8[3, 9] B:int8[9, 20] const\n  O[m, n] += A[m, k] * B[k, n]"
)
INPUTS = random_inputs(OPERATOR, 0)


class Other(np.ndarray):
    """A kind of array that may mean something else."""


@pytest.fixture(scope="module")
def entry(tmp_path_factory):
    function = compiled(OPERATOR, {"B": INPUTS["B"]}, store=tmp_path_factory.mktemp("plans") / "plans.sqlite")
    found = function._quick._entry
    assert found is not None
    return found


def test_the_fields_of_arrays_are_where_they_are_looked_for():
    assert fields_are_known()


def test_arrays_as_they_shall_be_are_read_and_written(entry):
    out = np.zeros((3, 20), np.int32)
    assert entry(INPUTS["A"], out)
    np.testing.assert_array_equal(out, evaluate(OPERATOR, INPUTS)["O"])


@pytest.mark.parametrize(
    "array",
    [
        INPUTS["A"].astype(np.int8),
        INPUTS["A"].astype(np.uint8)[:2],
        INPUTS["A"].reshape(9, 3),
        INPUTS["A"].reshape(27),
        np.asfortranarray(INPUTS["A"]),
        INPUTS["A"].view(Other),
        INPUTS["A"].tolist(),
        None,
        7,
    ],
    ids=["dtype", "size", "shape", "rank", "order", "class", "list", "none", "number"],
)
def test_other_arrays_are_left_alone(entry, array):
    out = np.full((3, 20), 77, np.int32)
    assert not entry(array, out)
    assert (out == 77).all()


def bytes_of(count):
    return np.zeros(count, np.uint8)


@pytest.mark.parametrize(
    "out",
    [
        np.full((3, 20), 77, np.uint32),
        np.full((3, 20), 77, np.int32).T,
        np.full((3, 40), 77, np.int32)[:, ::2],
        np.full((3, 20), 77, np.int32).view(Other),
        bytes_of(242)[1:241].view(np.int32).reshape(3, 20),
        "text",
    ],
    ids=["dtype", "shape", "order", "class", "alignment", "text"],
)
def test_other_results_are_left_alone(entry, out):
    assert not entry(INPUTS["A"], out)


def test_a_result_that_may_not_be_written_is_left_alone(entry):
    out = np.full((3, 20), 77, np.int32)
    out.flags.writeable = False
    assert not entry(INPUTS["A"], out)
    assert (out == 77).all()


@pytest.mark.parametrize("start", [0, 200, 239])
def test_a_result_over_what_is_read_is_left_alone(entry, start):
    memory = bytes_of(300)
    read = memory[start : start + 27].reshape(3, 9)
    assert not entry(read, memory[:240].view(np.int32).reshape(3, 20))
    assert not memory.any()


def test_neighbours_are_no_overlap(entry):
    memory = bytes_of(300)
    memory[240:267] = INPUTS["A"].reshape(-1)
    out = memory[:240].view(np.int32).reshape(3, 20)
    assert entry(memory[240:267].reshape(3, 9), out)
    np.testing.assert_array_equal(out, evaluate(OPERATOR, INPUTS)["O"])
