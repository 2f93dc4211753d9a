"""The epilogue: bias, scale, rounding of halves to even, zero point, clipping, and lanes that are not results."""

from functools import partial

import native_levels as levels
import numpy as np
import pytest

from intarsia.embed import EmbeddingProblem
from intarsia.embed.digits import Chain, Digit
from intarsia.embed.operands import assignments
from intarsia.embed.shape import Shape, build, complete
from intarsia.operators import parse_operator
from intarsia.targets.x86.lowering import Bound, Epilogue, Kernel, Nest, Subject, plan_of


@pytest.fixture(params=levels.params("avx512-vnni", "avx-vnni", "avx2"))
def finished(request):
    """``finish`` by one way to multiply."""
    return partial(finish, levels.way_of(request.param))


def finish(way, sums, epilogue, bias, scale, *, tile=()):
    """What becomes of sums [rows, columns], each of them one product by 1, with bias and scale by column."""
    rows, columns = sums.shape
    given = parse_operator(f"""gemm: m<{rows} n<{columns} ; k<2
  O:int32[{rows}, {columns}] A:uint8[{rows}, 2] B:int8[2, {columns}] const
  O[m, n] += A[m, k] * B[k, n]""")
    problem = EmbeddingProblem(way.embedded(given), way.instruction)
    lanes = way.instruction.semantics.axis("l").extent
    chains = [Chain(("n",), (columns,), (Digit("l", 1, lanes),)), Chain(("k",), (2,), (Digit("j", 1, 2),))]
    embedding = build(problem, Shape(assignments(problem)[0], complete(problem, chains)))
    parallel = tuple(loop.name for loop in embedding.outer if loop.extent > 1)
    subject = Subject(embedding, way.given(given))
    plan = plan_of(subject, Nest(parallel, tile, ()), {"a": ("padded", 0)}, epilogue)
    assert plan is not None
    weights = np.stack([np.ones(columns), np.zeros(columns)]).astype(np.int8)
    arrays = {"A": np.stack([sums[:, 0], sums[:, 0]], axis=1).astype(np.uint8), "B": weights}
    out = np.full(sums.shape, 77, dtype=epilogue.dtype)
    size = np.ones(columns)
    Bound(Kernel(plan, way.engine), arrays, ((bias * size).astype(np.int32), (scale * size).astype(np.float32)))(
        arrays, out
    )
    return out


def rows_of(values, columns=16):
    return np.repeat(np.array(values)[:, None], columns, axis=1)


@pytest.mark.parametrize("small", [False, True])
def test_halves_are_rounded_to_even(finished, small):
    got = finished(rows_of([1, 3, 5, 7, 9]), Epilogue("uint8", 1, small=small), 0, 0.5)
    assert got[:, 0].tolist() == [0, 2, 2, 4, 4]


@pytest.mark.parametrize("small", [False, True])
def test_bias_comes_before_the_scale_and_the_zero_point_after(finished, small):
    got = finished(rows_of([10, 20]), Epilogue("int8", 1, zero=-100, low=-128, high=127, small=small), -16, 2.0)
    assert got[:, 3].tolist() == [-112, -92]


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize(("dtype", "low", "high"), [("uint8", 0, 255), ("int8", -128, 127), ("uint8", 10, 200)])
def test_results_are_clipped(finished, dtype, low, high, small):
    epilogue = Epilogue(dtype, 1, zero=10, low=low, high=high, small=small)
    got = finished(rows_of([0, 255]), epilogue, -100, 100.0)
    assert got[:, 0].tolist() == [low, high]


def test_large_sums_are_clipped_before_they_become_integers(finished):
    got = finished(rows_of([255]), Epilogue("uint8", 1), 2**30, 1e6)
    assert got[0].tolist() == [255] * 16


@pytest.mark.parametrize("columns", [1, 15, 17, 18, 31, 33])
def test_lanes_that_are_no_results_are_not_written(finished, columns):
    """With 17 columns one lane of the second register is a result: LLVM 22 once stored four bytes for it."""
    got = finished(rows_of([7, 8, 9], columns), Epilogue("uint8", 1), 0, 1.0)
    np.testing.assert_array_equal(got, rows_of([7, 8, 9], columns))


def test_four_registers_are_stored_together(finished):
    for columns in (32, 64):  # of which one is four registers
        got = finished(rows_of([3, 250], columns), Epilogue("uint8", 1, zero=2, high=240), 0, 1.0, tile=(("n.0", 4),))
        np.testing.assert_array_equal(got, rows_of([5, 240], columns))


def test_each_column_has_its_own_bias_and_scale(finished):
    bias, scale = np.arange(33) * 3, np.linspace(0.1, 1, 33)
    got = finished(rows_of([50], 33), Epilogue("uint8", 1), bias, scale)
    expected = np.rint((50 + bias).astype(np.float32) * scale.astype(np.float32))
    np.testing.assert_array_equal(got[0], np.clip(expected, 0, 255))
