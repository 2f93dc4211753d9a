"""Does sliding fill lanes that no aligned or fused embedding can fill, proved and run?"""

from __future__ import annotations

import numpy as np
import pytest

from intarsia.embed import EmbeddingProblem, optimise
from intarsia.embed.check import check
from intarsia.machines import find_instruction
from intarsia.operators import interpret, random_inputs, read_operator
from intarsia.solvers import Found
from intarsia.targets import generic

DEPTHWISE = "depthwise:n=1,c=4,h=28,w=28,r=3,s=3,pad=1"
ONE_CHANNEL = "conv2d:n=1,c=1,h=30,w=30,k=1,r=3,s=3,pad=1"


@pytest.mark.parametrize("spec", [DEPTHWISE, ONE_CHANNEL])
@pytest.mark.parametrize(("instruction", "dtype"), [("vta.gemm:16x16x16", "int8"), ("nvidia.mma.m16n8k16", "float16")])
def test_skewed_needs_a_third_of_the_calls(spec: str, instruction: str, dtype: str) -> None:
    operator = read_operator(f"{spec},dtype={dtype}")
    unit = find_instruction(instruction)
    calls = {}
    for family in ("fused", "skewed"):
        outcome = optimise(EmbeddingProblem(operator, unit, family, limit=60))
        assert isinstance(outcome, Found)
        assert outcome.bound[0] == outcome.value.calls
        report = check(outcome.value)
        assert report.good, str(report)
        inputs = random_inputs(operator, 0)
        name = operator.outputs[0].name
        made, wanted = generic.run(outcome.value, inputs)[name], interpret(operator, inputs)[name]
        assert np.allclose(made, wanted, rtol=1e-3, atol=1e-3) if dtype == "float16" else np.array_equal(made, wanted)
        calls[family] = outcome.value.calls
    assert calls["fused"] >= 3 * calls["skewed"], calls
