"""A transposed copy has every element in its place and touches nothing else, in any order of its units of work."""

from itertools import pairwise
from random import Random

import int8_functions as f
import numpy as np
import pytest
from random_kernels import guarded
from threads_in_turn import InTurn

from intarsia.targets.x86 import Engine, at_level, host_features
from intarsia.targets.x86.threads import Pool
from intarsia.targets.x86.transposing import TransposingKernel, Transposition, widest_of
from intarsia.targets.x86.transposing import kernel as kernels

pytestmark = pytest.mark.skipif(not f.NATIVE, reason=f.REASON)

SIDES = (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 49, 63, 64, 65, 130)
KINDS = {1: np.uint8, 2: np.uint16, 4: np.uint32}


@pytest.fixture(params=["all", "avx2"])
def engine(request):
    return Engine(None if request.param == "all" else at_level("avx2"), keep=False)


def expected(read, flipped):
    turned = np.ascontiguousarray(read.transpose(0, 2, 1))
    return turned ^ np.uint8(128) if flipped else turned


def some(random, widest):
    item = random.choice([1, 1, 2, 4])
    rows, columns = (random.choice([random.choice(SIDES), random.randint(1, 140)]) for _ in range(2))
    return Transposition(
        random.choice([1, 1, 3]), rows, columns, item, widest, flipped=item == 1 and random.random() < 0.4
    )


@pytest.mark.parametrize("seed", range(3))
def test_random_extents_between_forbidden_pages(engine, seed):
    random = Random(seed)
    for _ in range(12):
        what = some(random, widest_of(engine.features))
        copy = TransposingKernel(what, engine)
        read = np.random.default_rng(seed).integers(0, 256, (what.batch, what.rows, what.columns), KINDS[what.item])
        right = expected(read, what.flipped)
        cuts = sorted({0, what.units, random.randint(0, what.units)})
        ranges = list(pairwise(cuts))
        random.shuffle(ranges)
        for high in (True, False):
            source, target = guarded(read, high=high), guarded(np.zeros_like(right), high=high)
            for first, last in ranges:
                copy.part(source.ctypes.data, target.ctypes.data, first, last)
            assert np.array_equal(target, right), what


@pytest.mark.parametrize("rows", [3, 12])
def test_short_rows_in_several_units_of_work(engine, rows):
    what = Transposition(2, rows, 2100, 1, widest_of(engine.features))
    copy = TransposingKernel(what, engine)
    assert what.shares > 1
    read = np.random.default_rng(0).integers(0, 256, (2, rows, 2100), np.uint8)
    source, target = guarded(read, high=True), guarded(np.zeros((2, 2100, rows), np.uint8), high=True)
    for unit in reversed(range(what.units)):
        copy.part(source.ctypes.data, target.ctypes.data, unit, unit + 1)
    assert np.array_equal(target, expected(read, flipped=False))


def test_slack_behind_what_is_read_is_not_written(engine):
    what = Transposition(1, 40, 5, 1, widest_of(engine.features), slack=True)
    read = np.random.default_rng(0).integers(0, 256, 40 * 5 + 16, np.uint8)
    target = np.zeros((5, 40), np.uint8)
    TransposingKernel(what, engine).at(read.ctypes.data, target.ctypes.data)
    assert np.array_equal(target, read[:200].reshape(40, 5).T)


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_share_the_work(engine, monkeypatch, threads):
    monkeypatch.setattr(kernels, "GRAIN", 1)
    what = Transposition(1, 65, 333, 1, widest_of(engine.features))
    read = np.random.default_rng(0).integers(0, 256, (1, 65, 333), np.uint8)
    target = np.zeros((1, 333, 65), np.uint8)
    kernel = TransposingKernel(what, engine)
    for pool in (Pool(threads, engine), *(InTurn(threads, seed) for seed in range(5))):
        target[:] = 0
        kernel.at(read.ctypes.data, target.ctypes.data, pool)
        pool.close()
        assert np.array_equal(target, expected(read, flipped=False))


def test_the_widest_register_is_the_features():
    assert widest_of(at_level("avx2")) == 32
    assert widest_of(host_features()) in {32, 64}
