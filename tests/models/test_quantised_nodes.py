"""Does an int8 node of ONNX mean what ONNX's own cases, its reference evaluator and ONNX Runtime compute?"""

import os
from collections import Counter
from dataclasses import replace
from importlib import import_module
from random import Random

import numpy as np
import onnx
import pytest
from int8_nodes import KINDS, random_case
from onnx import numpy_helper
from onnx.backend.test.case import node as node_cases
from onnx.reference import ReferenceEvaluator

from intarsia.models.onnx_file import with_shapes
from intarsia.models.onnx_node import nodes_of
from intarsia.models.onnx_quantised import quantised_node
from intarsia.operators import evaluate_quantised

NUMBER = int(os.environ.get("FUZZ_EXAMPLES", "200"))
"""Random nodes of each type."""
REFUSED = (
    "Non per-tensor quantization is not supported now",
    "Dilation not supported for AutoPadType::SAME_UPPER or AutoPadType::SAME_LOWER",
    "Could not find an implementation for QLinear",
)
"""What ONNX Runtime says of nodes that it does not execute: nothing to compare with."""


def read(model):
    (node,) = nodes_of(with_shapes(model))
    return quantised_node(node)


def result(found):
    """What we compute for a case."""
    node = read(found.model)
    return evaluate_quantised(node.quantised, node.inputs(found.inputs))


def backend_cases():
    """ONNX's cases of the four types; importing a module of them makes them."""
    for kind in KINDS:
        import_module(f"onnx.backend.test.case.node.{kind.lower()}")
    return [c for c in node_cases._NodeTestCases if any(n.op_type in KINDS for n in c.model.graph.node)]


@pytest.mark.parametrize("found", backend_cases(), ids=lambda c: c.name)
def test_onnx_own_cases(found):
    """Their scales and zero points are inputs of the graph; here they are made constants."""
    (inputs, (expected,)) = found.data_sets[0]
    model = onnx.ModelProto()
    model.CopyFrom(found.model)
    names = [i.name for i in model.graph.input]
    fixed = {n: a for n, a in zip(names, inputs, strict=True) if n not in {"x", "a", "A"}}
    model.graph.initializer.extend(numpy_helper.from_array(a, n) for n, a in fixed.items())
    given = [i for i in model.graph.input if i.name not in fixed]
    del model.graph.input[:]
    model.graph.input.extend(given)
    node = read(model)
    values = {n: a for n, a in zip(names, inputs, strict=True) if n not in fixed}
    computed = evaluate_quantised(node.quantised, node.inputs(values))
    assert computed.dtype == expected.dtype
    assert np.array_equal(computed, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_random_nodes_agree_with_the_reference_evaluator(kind):
    """Equal wherever the evaluator follows its specification, but for results next to a tie.

    The evaluator multiplies in float64 and adds the zero point before it rounds, so that a tie goes to the other side
    of it where the zero point is odd.
    """
    compared = 0
    for i in range(NUMBER):
        found = random_case(Random(f"reference {kind} {i}"), kind)
        if not evaluator_is_right(found):
            continue
        (expected,) = ReferenceEvaluator(found.model).run(None, found.inputs)
        computed = result(found)
        assert (computed.shape, computed.dtype) == (expected.shape, expected.dtype)
        differ = computed != expected
        if differ.any():
            assert kind.startswith("QLinear"), f"case {i}"
            assert np.abs(computed.astype(int) - expected)[differ].max() == 1, f"case {i}"
            assert near_tie(found)[differ].all(), f"case {i}"
        compared += 1
    assert compared > NUMBER // 3


def evaluator_is_right(found):
    """Whether ONNX's evaluator broadcasts as its specification says: not for channels of images that are not 2-D."""
    if "Conv" in found.kind:
        vectors = [n for n in ("w_scale", "w_zero_point") if n in found.arrays and found.arrays[n].ndim]
        return found.arrays["x"].ndim == 4 or not vectors
    a, scale = found.arrays.get("a"), found.arrays.get("b_scale")
    return a is None or a.ndim > 1 or scale.ndim < 2


def near_tie(found):
    """Where the scaled sum lies within float32's rounding errors (four of them) of the middle between integers."""
    node = read(found.model)
    q = node.quantised
    inputs = node.inputs(found.inputs)
    plain = {n: a for n, a in inputs.items() if n not in {"scale", "zero"}}
    sums = evaluate_quantised(replace(q, result=replace(q.result, dtype="int32"), scale=None, zero=None), plain).astype(
        float
    )
    values = sums * inputs["scale"].astype(float)
    return np.abs(np.abs(values - np.rint(values)) - 0.5) <= np.abs(values) * 4 * 2.0**-24


@pytest.mark.parametrize("kind", KINDS)
def test_random_nodes_agree_with_onnx_runtime(kind):
    """Bit for bit, ties included."""
    pytest.importorskip("onnxruntime", reason="the extra `libraries` is not installed")
    outcomes = Counter()
    for i in range(NUMBER):
        found = random_case(Random(f"runtime {kind} {i}"), kind)
        expected, reason = executed(found)
        if expected is None:
            assert any(known in reason for known in REFUSED), f"case {i}: {reason}"
            continue
        computed = result(found)
        assert (computed.shape, computed.dtype) == (expected.shape, expected.dtype), f"case {i}"
        assert np.array_equal(computed, expected), f"case {i}"
        outcomes["equal"] += 1
        outcomes["ties"] += int(near_tie(found).sum()) if kind.startswith("QLinear") else 1
    assert outcomes["equal"] > NUMBER // 3
    assert outcomes["ties"] > NUMBER // 20


def executed(found):
    """What ONNX Runtime computes, or None and why it refuses the node."""
    import onnxruntime as runtime
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    options = runtime.SessionOptions()
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        model = found.model.SerializeToString()
        session = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        (expected,) = session.run(None, found.inputs)
    except (state.Fail, state.InvalidArgument, state.NotImplemented, state.RuntimeException) as error:
        return None, str(error)
    return expected, ""
