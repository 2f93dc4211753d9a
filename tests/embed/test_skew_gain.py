"""Does sliding fill lanes that no aligned or fused embedding can fill, proved and run?"""

from __future__ import annotations

import numpy as np
import pytest

from intarsia.embed import EmbeddingProblem, Requirement, optimise
from intarsia.embed.check import check
from intarsia.embed.requirements import DEMANDS
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


@pytest.mark.parametrize(
    ("spec", "require", "gain"),
    [
        ("depthwise:n=1,c=4,h=16,w=16,r=3,s=3,pad=1", "inputs-once", 36),
        ("conv2d:n=1,c=1,h=16,w=16,k=1,r=5,s=5,pad=2", "inputs-once", 100),
        ("conv2d:n=1,c=1,h=16,w=16,k=4,r=3,s=3,pad=1", "inputs-once", 9),
        ("conv2d:n=1,c=1,h=18,w=16,k=1,r=3,s=3", "constant-only", 42),
        ("conv1d:n=1,c=1,w=512,k=1,s=9,pad=4", "constant-only", 72),
    ],
)
def test_on_one_row_skew_gains_where_activations_may_not_be_packed_twice(
    spec: str, require: Requirement, gain: int
) -> None:
    """A patch of outputs on n, a block of its window on k, and the weights, which are constant, as a banded matrix."""
    operator, unit = read_operator(spec), find_instruction("vta.gemm")
    others, skewed = [
        optimise(EmbeddingProblem(operator, unit, family, (require,), limit=60)) for family in ("fused", "skewed")
    ]
    assert isinstance(others, Found)
    assert isinstance(skewed, Found)
    assert others.bound[0] == others.value.calls >= gain * skewed.value.calls
    assert DEMANDS[require].met(skewed.value)
    report = check(skewed.value, method="relations")
    assert report.good, str(report)
    inputs = random_inputs(operator, 0)
    name = operator.outputs[0].name
    assert np.array_equal(generic.run(skewed.value, inputs)[name], interpret(operator, inputs)[name])


def test_on_one_row_skew_gains_nothing_where_weights_may_not_be_packed_twice_either() -> None:
    operator, unit = read_operator("depthwise:n=1,c=2,h=8,w=8,r=3,s=3,pad=1"), find_instruction("vta.gemm")
    calls = {}
    for family in ("fused", "skewed"):
        outcome = optimise(EmbeddingProblem(operator, unit, family, ("no-duplication",), limit=60))
        assert isinstance(outcome, Found)
        calls[family] = outcome.value.calls
    assert calls["fused"] == calls["skewed"]
