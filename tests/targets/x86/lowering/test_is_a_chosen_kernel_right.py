"""What is chosen for layers of networks is exact, stays in registers, and reads as a plan."""

import native_levels as levels
import numpy as np
import pytest
from random_kernels import requantised

from intarsia.embed import EmbeddingProblem
from intarsia.embed.digits import Chain, Digit
from intarsia.embed.operands import assignments
from intarsia.embed.shape import Shape, build, complete
from intarsia.machines import find_instruction
from intarsia.operators import parse_operator, random_inputs
from intarsia.operators.fast import evaluate
from intarsia.targets.x86 import Engine, host_features, usable
from intarsia.targets.x86.lowering import Bound, Epilogue, Kernel, Nest, Subject, plan_of, plans

NAME = "x86.vpdpbusd"
INSTRUCTION = find_instruction(NAME)
ENGINE = Engine(keep=False)
wide = pytest.mark.skipif(NAME not in usable(host_features()), reason="the processor lacks AVX512-VNNI")
LAYERS = {
    "dense": """conv: n<1 oc<64 oh<6 ow<6 ; c<64 kh<3 kw<3
  O:int32[1, 6, 6, 64] I:uint8[1, 6, 6, 64] W:int8[64, 64, 3, 3] const
  O[n, oh, ow, oc] += I[n, oh+kh-1, ow+kw-1, c] * W[oc, c, kh, kw]""",
    "first": """conv: n<1 oc<32 oh<7 ow<7 ; c<3 kh<7 kw<7
  O:int32[1, 7, 7, 32] I:uint8[1, 14, 14, 3] pad=9 W:int8[32, 3, 7, 7] const
  O[n, oh, ow, oc] += I[n, 2*oh+kh-3, 2*ow+kw-3, c] * W[oc, c, kh, kw]""",
    "odd": """conv: n<1 oc<17 oh<5 ow<6 ; c<17 kh<3 kw<3
  O:int32[1, 5, 6, 17] I:uint8[1, 5, 6, 17] W:int8[17, 17, 3, 3] const
  O[n, oh, ow, oc] += I[n, oh+kh-1, ow+kw-1, c] * W[oc, c, kh, kw]""",
    "depthwise": """depthwise: n<1 g<96 oh<8 ow<8 ; kh<3 kw<3
  O:int32[1, 8, 8, 96] I:uint8[1, 8, 8, 96] pad=5 W:int8[96, 3, 3] const
  O[n, oh, ow, g] += I[n, oh+kh-1, ow+kw-1, g] * W[g, kh, kw]""",
    "strided": """depthwise: n<1 g<64 oh<5 ow<5 ; kh<3 kw<3
  O:int32[1, 5, 5, 64] I:uint8[1, 9, 9, 64] W:int8[64, 3, 3] const
  O[n, oh, ow, g] += I[n, 2*oh+kh-1, 2*ow+kw-1, g] * W[g, kh, kw]""",
    "grouped": """grouped: n<1 g<16 oc<8 oh<5 ow<6 ; c<8 kh<3 kw<3
  O:int32[1, 5, 6, 128] I:uint8[1, 5, 6, 128] W:int8[128, 8, 3, 3] const
  O[n, oh, ow, 8*g+oc] += I[n, oh+kh-1, ow+kw-1, 8*g+c] * W[8*g+oc, c, kh, kw]""",
    "few channels": """conv: n<1 oc<3 oh<5 ow<9 ; c<32 kh<3 kw<3
  O:int32[1, 5, 9, 3] I:uint8[1, 5, 9, 32] W:int8[3, 32, 3, 3] const
  O[n, oh, ow, oc] += I[n, oh+kh-1, ow+kw-1, c] * W[oc, c, kh, kw]""",
    "channels first": """conv: n<1 oc<32 oh<6 ow<16 ; c<16 kh<3 kw<3
  O:int32[1, 32, 6, 16] I:uint8[1, 16, 6, 16] W:int8[32, 16, 3, 3] const
  O[n, oc, oh, ow] += I[n, c, oh+kh-1, ow+kw-1] * W[oc, c, kh, kw]""",
    "product of two that are not constant": """product: b<2 m<9 n<24 ; k<20
  O:int32[2, 9, 24] A:uint8[2, 9, 20] B:int8[2, 20, 24]
  O[b, m, n] += A[b, m, k] * B[b, k, n]""",
}


OTHERS = ("dense", "first", "odd", "depthwise", "grouped")
"""Layers that are looked at on narrower registers."""
CASES = [
    pytest.param(*p.values, layer, dtype, id=f"{p.id}-{layer}-{dtype}", marks=p.marks)
    for p in levels.params("avx512-vnni", "avx-vnni", "avx2")
    for layer in (LAYERS if p.id == "avx512-vnni" else OTHERS)
    for dtype in (("int32", "uint8") if p.id == "avx512-vnni" else ("uint8",))
]


@pytest.mark.parametrize(("name", "layer", "dtype"), CASES)
def test_the_best_plans_are_exact(name, layer, dtype):
    way = levels.way_of(name)
    operator = parse_operator(LAYERS[layer])
    out = operator.outputs[0]
    dim = operator.statements[0].write.subscripts.index(
        next(s for s in operator.statements[0].write.subscripts if any(n in {"oc", "g", "n"} for n, _ in s.terms))
    )
    epilogue = Epilogue("uint8", dim, zero=3, low=0, high=255, small=True) if dtype == "uint8" else None
    inputs = random_inputs(operator, 1)
    expected = evaluate(operator, inputs)[out.name]
    bias = np.arange(out.shape[dim], dtype=np.int32) * 7
    scale = np.linspace(0.0001, 0.01, out.shape[dim], dtype=np.float32)
    if epilogue is not None:
        expected = requantised(epilogue, expected, bias, scale)
    found = plans(way.embedded(operator), way.instruction, epilogue, most=2, given=way.given(operator))
    assert found
    for _, plan in found:
        result = np.full(out.shape, 77, dtype=expected.dtype)
        Bound(Kernel(plan, way.engine), inputs, (bias, scale) if epilogue else None)(inputs, result)
        np.testing.assert_array_equal(result, expected, err_msg=str(plan))


@pytest.mark.parametrize("name", levels.params("avx512-vnni", "avx-vnni", "avx2"))
def test_accumulators_stay_in_registers(name):
    way, operator = levels.way_of(name), parse_operator(LAYERS["dense"])
    ((_, plan),) = plans(way.embedded(operator), way.instruction, most=1, given=way.given(operator))
    assert plan.accumulators >= (10 if plan.registers.size == 64 else 8)
    asm = way.asm(plan)
    run = asm[asm.index("\nrun:") : asm.index("\nfinish:")]
    assert ("vpmaddwd" if way.widened else "vpdpbusd") in run
    assert not [line for line in run.splitlines() if "mm" in line and "(%rsp)" in line]


@wide
@pytest.mark.parametrize("layer", ["depthwise", "strided"])
def test_a_depthwise_layer_is_woven_where_it_is_used(layer):
    operator = parse_operator(LAYERS[layer])
    ((_, plan),) = plans(operator, INSTRUCTION, Epilogue("uint8", 3), most=1)
    assert plan.stages == ()
    assert "rows, woven" in str(plan)


@wide
def test_iterations_over_the_border_are_left_out():
    operator = parse_operator(LAYERS["dense"])
    ((_, plan),) = plans(operator, INSTRUCTION, most=1)
    assert [skip.loop for skip in plan.skips] == ["kh.0"]


@wide
def test_threads_may_share_the_outermost_loop():
    operator = parse_operator(LAYERS["dense"])
    ((_, plan),) = plans(operator, INSTRUCTION, most=1)
    inputs = random_inputs(operator, 2)
    bound = Bound(Kernel(plan, ENGINE), inputs)
    out = np.zeros(operator.outputs[0].shape, dtype=np.int32)
    pointers = bound.pointers(inputs, out)
    bound.kernel.prepare(*pointers, 0, 0)
    for first in reversed(range(bound.count)):
        bound.kernel.run(*pointers, first, first + 1)
    bound.kernel.finish(*pointers, 0, 0)
    np.testing.assert_array_equal(out, evaluate(operator, inputs)["O"])


@wide
def test_lanes_without_an_affine_address_are_moved_by_tables():
    operator = parse_operator(LAYERS["odd"])
    problem = EmbeddingProblem(operator, INSTRUCTION, "fused")
    chains = [Chain(("oc", "ow"), (17, 6), (Digit("l", 1, 16),)), Chain(("c",), (17,), (Digit("j", 1, 4),))]
    embedding = build(problem, Shape(assignments(problem)[0], complete(problem, chains)))
    nest = Nest(("oc.ow.0", "oh.0"), (), ("kh.0", "kw.0", "c.0"))
    plan = plan_of(Subject(embedding), nest, {"a": ("table", 0)})
    assert plan is not None
    assert plan.store.address is None
    inputs = random_inputs(operator, 3)
    out = np.full(operator.outputs[0].shape, 77, dtype=np.int32)
    Bound(Kernel(plan, ENGINE), inputs)(inputs, out)
    np.testing.assert_array_equal(out, evaluate(operator, inputs)["O"])
    assert plan_of(Subject(embedding), nest, {"a": ("table", 0)}, Epilogue("uint8", 3)) is None
