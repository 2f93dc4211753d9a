"""Does native code give the reference's bits for random operators, quantised or not, wherever their arrays lie?"""

from random import Random

import numpy as np
import pytest
from fuzz_operators import random_contraction
from fuzz_settings import fuzzed
from hypothesis import given
from hypothesis import strategies as st

from intarsia.operators import Quantised, evaluate, evaluate_quantised, numpy_dtype, quantised
from intarsia.targets.x86 import at_level, host_features
from intarsia.targets.x86.callable import compiled, kernels

BYTES = ("int8", "uint8")

pytestmark = pytest.mark.skipif(not host_features().has("avx2", "fma"), reason="the processor lacks AVX2")
VNNI = pytest.mark.skipif(not host_features().has("avx512vnni"), reason="the processor lacks AVX512-VNNI")
LEVELS = [pytest.param("avx512-vnni", marks=VNNI), "avx2"]


@pytest.fixture(autouse=True, scope="module")
def _own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(kernels, "GRAIN", 1)
        patch.setattr(kernels, "COPIED", 1)
        yield


@pytest.mark.parametrize("level", LEVELS)
@fuzzed(4)
@given(seed=st.integers(0, 2**48))
def test_random_operators_run_like_the_reference(level, seed):
    random = Random(seed)
    numbers = np.random.default_rng(seed)
    operator = random_contraction(random, (random.choice(BYTES), random.choice(BYTES), "int32"))
    subject = quantisation(random, operator) if random.random() < 0.7 else operator
    inputs = {t.name: drawn(numbers, t) for t in subject.inputs}
    factors = {read.tensor for read in operator.statements[0].reads}
    varying = {t.name for t in subject.inputs if t.name in factors and not t.constant}
    fixed = {name for name in inputs if name not in varying and random.random() < 0.7}
    threads = random.choice((1, 1, 2, 3))
    function = compiled(subject, {n: inputs[n] for n in fixed}, threads=threads, features=at_level(level))
    expected = (
        evaluate_quantised(subject, inputs)
        if isinstance(subject, Quantised)
        else evaluate(operator, inputs)[operator.outputs[0].name]
    )
    for _ in range(2):
        out = placed(random, np.zeros(expected.shape, expected.dtype))
        function(**{t.name: placed(random, inputs[t.name]) for t in function.inputs}, out=out)
        assert np.array_equal(out, expected), function.explain()
    assert not any("no plan" in note for note in function.notes), subject
    function.close()


def quantisation(random, operator):
    """With some of the parameters, each of one value or along some dimension."""
    result = operator.outputs[0]
    dtype = random.choice(("int32", "float32", *BYTES, *BYTES))
    one = (1,) * len(result.shape)
    along = random.randrange(len(one))
    each = tuple(n if i == along else 1 for i, n in enumerate(result.shape))

    def sometimes(shape, chance=0.5):
        return shape if random.random() < chance else None

    left, right = (operator.tensor(read.tensor) for read in operator.statements[0].reads)
    return quantised(
        operator,
        dtype,
        left_zero=sometimes((1,) * len(left.shape)),
        right_zero=sometimes((1,) * len(right.shape), 0.3),
        bias=sometimes(random.choice((one, each))),
        scale=None if dtype == "int32" else random.choice((one, each)),
        zero=sometimes(one) if dtype in BYTES else None,
        low=sometimes(3, 0.2),
        high=sometimes(90, 0.2),
    )


def drawn(numbers, tensor):
    """Over the whole range; scales that leave results within the range of a byte, mostly."""
    if tensor.dtype == "float32":
        return numbers.uniform(1e-4, 2e-2, tensor.shape).astype(np.float32)
    ends = np.iinfo(numpy_dtype(tensor.dtype))
    return numbers.integers(ends.min, ends.max, tensor.shape, dtype=tensor.dtype, endpoint=True)


def placed(random, array):
    """The same elements at some address, contiguous or not, with room around them that is not theirs."""
    way = random.randrange(3)
    if way == 0:
        return np.asfortranarray(array)
    if way == 1:
        wide = np.zeros(tuple(2 * n for n in array.shape), array.dtype)
        part = wide[tuple(slice(None, None, 2) for _ in array.shape)]
    else:
        memory = np.zeros(array.nbytes + 64, np.uint8)
        at = random.randrange(64)
        part = memory[at : at + array.nbytes].view(array.dtype).reshape(array.shape)
    part[...] = array
    return part
