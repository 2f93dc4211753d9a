"""Results may lie where a copy of activations lay only when no thread reads that copy any more."""

import int8_functions as f
import native_levels as levels
import numpy as np
import pytest
from threads_in_turn import InTurn

from intarsia.operators import evaluate, parse_operator, random_inputs
from intarsia.targets.x86.callable import kernels
from intarsia.targets.x86.callable.forms import forms_of
from intarsia.targets.x86.callable.turned import Turned
from intarsia.targets.x86.lowering import Kernel, Nest, Subject, plan_of
from intarsia.targets.x86.lowering.candidates import candidates
from intarsia.targets.x86.lowering.movement import movement
from intarsia.targets.x86.lowering.stages import Interleave, PadCopy
from intarsia.targets.x86.lowering.subject import factors_of, is_constant
from intarsia.targets.x86.transposing import TransposingKernel, widest_of

pytestmark = pytest.mark.skipif(not f.NATIVE, reason=f.REASON)

DEPTHWISE = """depthwise: n<1 g<32 oh<6 ow<8 ; kh<3 kw<3
  O:int32[1, 32, 6, 8] I:uint8[1, 32, 6, 8] W:int8[32, 3, 3] const
  O[n, g, oh, ow] += I[n, g, oh+kh-1, ow+kw-1] * W[g, kh, kw]"""


def late_plan(operator, instruction):
    """A plan that makes a copy with a border, and weaves rows of it within the outermost loop."""
    for embedding in candidates(operator, instruction, 400):
        moves, subject = movement(embedding), Subject(embedding)
        parallel = (*moves.first, *moves.second, *moves.both, *moves.neither)
        runtime = [o for o in factors_of(embedding) if not is_constant(embedding, o)]
        nest = Nest(parallel, (), moves.reduction)
        plan = plan_of(subject, nest, dict.fromkeys(runtime, ("interleave", 1)))
        kinds = [type(stage) for stage in plan.stages] if plan is not None else []
        if kinds == [PadCopy, Interleave] and plan.extents[parallel[0]] > 1:
            return plan
    raise AssertionError("no such plan")


@pytest.mark.parametrize("name", levels.params("avx512-vnni", "avx-vnni"))
def test_a_thread_that_begins_late_reads_what_others_have_not_written_over(monkeypatch, name):
    """One thread writes results before the other one copies activations."""
    monkeypatch.setattr(kernels, "GRAIN", 1)
    operator, way = parse_operator(DEPTHWISE), levels.way_of(name)
    form = forms_of(operator, None, {}, frozenset(), widest_of(way.engine.features))[-1]
    kernel = Kernel(late_plan(form.operator, way.instruction), way.engine)
    inputs = random_inputs(operator, 0)
    before = {name: TransposingKernel(copy, way.engine) for name, copy in form.before.items()}
    ready = kernels.Ready(kernel, inputs)
    assert ready.own
    turned = Turned(ready, ("I",), before, TransposingKernel(form.after, way.engine))
    for seed in range(20):
        pool, out = InTurn(2, seed), np.zeros((1, 32, 6, 8), np.int32)
        turned.run({"I": inputs["I"]}, out, pool)
        assert np.array_equal(out, evaluate(operator, inputs)["O"])
