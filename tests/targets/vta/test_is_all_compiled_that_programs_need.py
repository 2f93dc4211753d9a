"""Does what is compiled before a suite begins suffice for its layers?"""

from __future__ import annotations

import subprocess
import sys

CODE = """
from intarsia.flow.vta import Options, run_vta
from intarsia.operators import read_operator
from intarsia.targets.vta import VtaConfig, kernels, timing_kernel, tokens
from intarsia.targets.vta.lowering import pipeline
from intarsia.targets.vta.ready import get_ready

functions = kernels.execute, timing_kernel._loop, tokens._run, pipeline._estimate
get_ready()
before = [list(function.signatures) for function in functions]
assert all(len(signatures) == 1 for signatures in before), before
answer = run_vta(read_operator("conv2d:n=1,c=17,h=9,w=9,k=40,r=3,s=3,pad=1"), Options(VtaConfig.default()))
assert answer.correct
assert [list(function.signatures) for function in functions] == before
"""


def test_a_layer_needs_nothing_more() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
