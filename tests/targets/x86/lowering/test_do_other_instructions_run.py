"""16-bit integers and 32-bit floats pass the same lowering as bytes; what is not there is not run."""

import numpy as np
import pytest

from intarsia.machines import find_instruction
from intarsia.operators import parse_operator, random_inputs
from intarsia.operators.fast import evaluate
from intarsia.targets.x86 import Engine, host_features, usable
from intarsia.targets.x86.lowering import Bound, Kernel, plans

ENGINE = Engine(keep=False)
DTYPES = {"x86.vpdpwssd": ("int16", "int32"), "x86.vfmadd231ps": ("float32", "float32")}


def operators(dtype, written):
    yield f"""gemm: m<17 n<24 ; k<15
  O:{written}[17, 24] A:{dtype}[17, 15] B:{dtype}[15, 24] const
  O[m, n] += A[m, k] * B[k, n]"""
    yield f"""conv: n<1 oc<20 oh<5 ow<6 ; c<5 kh<3 kw<3
  O:{written}[1, 5, 6, 20] I:{dtype}[1, 5, 6, 5] W:{dtype}[20, 5, 3, 3] const
  O[n, oh, ow, oc] += I[n, oh+kh-1, ow+kw-1, c] * W[oc, c, kh, kw]"""


@pytest.mark.parametrize("name", DTYPES)
def test_results_are_right(name):
    if name not in usable(host_features()):
        pytest.skip(f"the processor lacks {name}")
    for text in operators(*DTYPES[name]):
        operator = parse_operator(text)
        inputs = random_inputs(operator, 5)
        expected = evaluate(operator, inputs)["O"]
        for _, plan in plans(operator, find_instruction(name), most=2):
            out = np.full(expected.shape, 77, dtype=expected.dtype)
            Bound(Kernel(plan, ENGINE), inputs)(inputs, out)
            if expected.dtype == np.int32:
                np.testing.assert_array_equal(out, expected)
            else:
                np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-4)
