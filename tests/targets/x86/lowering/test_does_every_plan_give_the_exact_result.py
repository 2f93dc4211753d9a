"""Random operators, embeddings, orders, tiles, feeds and epilogues give exactly what the reference evaluator gives."""

import random
import subprocess
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

import native_levels as levels
import numpy as np
import pytest
import random_kernels as rk
from threads_in_turn import InTurn

from intarsia.operators import random_inputs
from intarsia.operators.fast import evaluate
from intarsia.targets.x86.callable import kernels
from intarsia.targets.x86.lowering import Bound, Kernel


def cases(way, seed, count):
    """(plan, inputs, bias and scale, expected) of some random operators."""
    r = random.Random(seed)
    for _ in range(count):
        operator = rk.random_operator(r)
        inputs = random_inputs(operator, r.randrange(10**6))
        sums = evaluate(operator, inputs)[operator.outputs[0].name]
        for embedding in rk.random_embeddings(r, way.embedded(operator), way.instruction, 2):
            epilogue = rk.random_epilogue(r, operator)
            finish, expected = None, sums
            if epilogue is not None:
                size = sums.shape[epilogue.dim]
                bias = np.array([r.randint(-1000, 1000) for _ in range(size)], dtype=np.int32)
                finish = bias, np.array([r.random() / 50 for _ in range(size)], dtype=np.float32)
                expected = rk.requantised(epilogue, sums, *finish)
            for _, plan in rk.random_plans(r, embedding, epilogue, way.given(operator)):
                yield plan, inputs, finish, expected


@pytest.mark.parametrize(
    ("name", "seed"),
    [
        pytest.param(*p.values, seed, id=f"{p.id}-{seed}", marks=p.marks)
        for p in levels.params("avx512-vnni", "ymm", "avx-vnni", "avx2")
        for seed in range(6 if p.id == "avx512-vnni" else 3)
    ],
)
def test_results_are_exact(name, seed):
    tried, way = 0, levels.way_of(name)
    for plan, inputs, finish, expected in cases(way, seed, 2):
        out = np.full(expected.shape, 77, dtype=expected.dtype)
        Bound(Kernel(plan, way.engine), inputs, finish)(inputs, out)
        np.testing.assert_array_equal(out, expected, err_msg=str(plan))
        tried += 1
    assert tried


@pytest.mark.parametrize(
    ("name", "seed"),
    [
        pytest.param(*p.values, seed, id=f"{p.id}-{seed}", marks=p.marks)
        for p in levels.params("avx512-vnni", "ymm", "avx-vnni", "avx2")
        for seed in range(100, 104 if p.id == "avx512-vnni" else 102)
    ],
)
def test_any_unit_may_be_done_at_any_time(monkeypatch, name, seed):
    """Whoever does which ranges in which order; memory that is left of other inputs does not help."""
    for constant in ("GRAIN", "COPIED"):
        monkeypatch.setattr(kernels, constant, 1)
    shared, way = 0, levels.way_of(name)
    for plan, inputs, finish, expected in cases(way, seed, 2):
        ready = kernels.Ready(Kernel(plan, way.engine), inputs, finish)
        given = {f.tensor for f in plan.factors if f.source != "constant"}
        others = {n: ~array if n in given else array for n, array in inputs.items()}
        for order in range(3):
            pool = InTurn(2 + order, order)
            for arrays in (others, inputs):
                out = np.full(expected.shape, 77, dtype=expected.dtype)
                ready.run(arrays, out, pool)
            np.testing.assert_array_equal(out, expected, err_msg=str(plan))
            shared += len(pool.took_part) > 1
    assert shared


@pytest.mark.parametrize("name", levels.params("avx512-vnni", "avx-vnni", "avx2"))
def test_nothing_outside_an_array_is_touched(name):
    """Arrays lie between pages that end the process when they are read or written: in one of its own."""
    done = subprocess.run([sys.executable, __file__, name, "100", "6"], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert int(done.stdout.split()[-1]) > 20


def run_guarded(name, seed, count):
    """Kernels on guarded arrays, each printed before it runs; ends with how many ran."""
    ran, way = 0, levels.way_of(name)
    for plan, inputs, finish, expected in cases(way, seed, count):
        for high in (False, True):
            arrays = {name: rk.guarded(array, high=high) for name, array in inputs.items()}
            out = rk.guarded(np.full(expected.shape, 77, dtype=expected.dtype), high=high)
            print(plan.embedding.operator, plan, flush=True)
            Bound(Kernel(plan, way.engine), arrays, finish)(arrays, out)
            np.testing.assert_array_equal(out, expected)
            ran += 1
    print(ran)


if __name__ == "__main__":
    run_guarded(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
