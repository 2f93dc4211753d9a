"""Random operators, embeddings, orders, tiles, feeds and epilogues give exactly what the reference evaluator gives."""

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import random_kernels as rk

from intarsia.machines import find_instruction
from intarsia.operators import random_inputs
from intarsia.operators.fast import evaluate
from intarsia.targets.x86 import Engine, host_features, usable
from intarsia.targets.x86.lowering import Bound, Kernel

NAME = "x86.vpdpbusd"
pytestmark = pytest.mark.skipif(NAME not in usable(host_features()), reason="the processor lacks AVX512-VNNI")
INSTRUCTION = find_instruction(NAME)
ENGINE = Engine(keep=False)


def cases(seed, count):
    """(plan, inputs, bias and scale, expected) of some random operators."""
    r = random.Random(seed)
    for _ in range(count):
        operator = rk.random_operator(r)
        inputs = random_inputs(operator, r.randrange(10**6))
        sums = evaluate(operator, inputs)[operator.outputs[0].name]
        for embedding in rk.random_embeddings(r, operator, INSTRUCTION, 2):
            epilogue = rk.random_epilogue(r, operator)
            finish, expected = None, sums
            if epilogue is not None:
                size = sums.shape[epilogue.dim]
                bias = np.array([r.randint(-1000, 1000) for _ in range(size)], dtype=np.int32)
                finish = bias, np.array([r.random() / 50 for _ in range(size)], dtype=np.float32)
                expected = rk.requantised(epilogue, sums, *finish)
            for _, plan in rk.random_plans(r, embedding, epilogue):
                yield plan, inputs, finish, expected


@pytest.mark.parametrize("seed", range(6))
def test_results_are_exact(seed):
    tried = 0
    for plan, inputs, finish, expected in cases(seed, 2):
        out = np.full(expected.shape, 77, dtype=expected.dtype)
        Bound(Kernel(plan, ENGINE), inputs, finish)(inputs, out)
        np.testing.assert_array_equal(out, expected, err_msg=str(plan))
        tried += 1
    assert tried


def test_nothing_outside_an_array_is_touched():
    """Arrays lie between pages that end the process when they are read or written: in one of its own."""
    done = subprocess.run([sys.executable, __file__, "100", "6"], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert int(done.stdout.split()[-1]) > 20


def run_guarded(seed, count):
    """Kernels on guarded arrays, each printed before it runs; ends with how many ran."""
    ran = 0
    for plan, inputs, finish, expected in cases(seed, count):
        for high in (False, True):
            arrays = {name: rk.guarded(array, high=high) for name, array in inputs.items()}
            out = rk.guarded(np.full(expected.shape, 77, dtype=expected.dtype), high=high)
            print(plan.embedding.operator, plan, flush=True)
            Bound(Kernel(plan, ENGINE), arrays, finish)(arrays, out)
            np.testing.assert_array_equal(out, expected)
            ran += 1
    print(ran)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    run_guarded(int(sys.argv[1]), int(sys.argv[2]))
