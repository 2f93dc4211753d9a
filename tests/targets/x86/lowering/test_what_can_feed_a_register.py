"""Feeds: what is read directly, what needs a copy, and what no feed may do."""

import pytest

from intarsia.embed import EmbeddingProblem
from intarsia.embed.digits import Chain, Digit
from intarsia.embed.operands import assignments
from intarsia.embed.shape import Shape, build, complete
from intarsia.ground import InputError
from intarsia.machines import find_instruction
from intarsia.operators import parse_operator
from intarsia.targets.x86.lowering import Nest, Subject, plan_of, plans
from intarsia.targets.x86.lowering.emit_store import contiguous_order
from intarsia.targets.x86.lowering.stages import Interleave, PadCopy, TableCopy

INSTRUCTION = find_instruction("x86.vpdpbusd")


def embedding(text, *chains):
    """An embedding of (axis, digits) chains, digits as (lane, stride, factor)."""
    operator = parse_operator(text)
    problem = EmbeddingProblem(operator, INSTRUCTION, "fused")
    made = [
        Chain(axes, tuple(operator.axis(a).extent for a in axes), tuple(Digit(*d) for d in digits))
        for axes, *digits in chains
    ]
    return build(problem, Shape(assignments(problem)[0], complete(problem, made)))


def gemm(k=8, constant=" const", m=4):
    return f"""gemm: m<{m} n<16 ; k<{k}
  O:int32[{m}, 16] A:uint8[{m}, {k}] B:int8[{k}, 16]{constant}
  O[m, n] += A[m, k] * B[k, n]"""


def conv(pad=0, c=64):
    edge = f"-{pad}" if pad else ""
    size = 6 - 2 * pad
    return f"""conv: n<1 g<{c} oh<4 ow<4 ; kh<3 kw<3
  O:int32[1, 4, 4, {c}] I:uint8[1, {size}, {size}, {c}] W:int8[{c}, 3, 3] const
  O[n, oh, ow, g] += I[n, oh+kh{edge}, ow+kw{edge}, g] * W[g, kh, kw]"""


def by(e, way, level=0, *, parallel=(), reduction=()):
    operands = [o for o, t in e.operands[1:] if not e.operator.tensor(t).constant]
    return plan_of(Subject(e), Nest(parallel, (), reduction), dict.fromkeys(operands, (way, level)))


def test_four_bytes_are_repeated_over_the_lanes():
    e = embedding(gemm(), (("n",), ("l", 1, 16)), (("k",), ("j", 1, 4)))
    plan = by(e, "direct", parallel=("m.0",), reduction=("k.0",))
    assert plan is not None
    feed = plan.factors[0]
    assert (feed.source, feed.form.width, dict(feed.terms)) == ("given", 4, {"m.0": 8, "k.0": 4})


def test_constants_lie_in_the_order_of_the_nest():
    e = embedding(gemm(), (("n",), ("l", 1, 16)), (("k",), ("j", 1, 4)))
    plan = by(e, "direct", parallel=("m.0",), reduction=("k.0",))
    assert plan is not None
    assert (plan.factors[1].source, dict(plan.factors[1].terms)) == ("constant", {"k.0": 64})


def test_a_register_that_would_reach_beyond_the_tensor_needs_a_copy():
    e = embedding(gemm(k=7), (("n",), ("l", 1, 16)), (("k",), ("j", 1, 4)))
    assert by(e, "direct", parallel=("m.0",), reduction=("k.0",)) is None
    plan = by(e, "padded", parallel=("m.0",), reduction=("k.0",))
    assert plan is not None
    (stage,) = plan.stages
    assert isinstance(stage, PadCopy)
    assert stage.box.after > 0


def test_padding_needs_a_factor_that_holds_zero():
    e = embedding(gemm(k=7, constant=""), (("n",), ("l", 1, 16)), (("k",), ("j", 1, 4)))
    nest = Nest(("m.0",), (), ("k.0",))
    assert plan_of(Subject(e), nest, {"a": ("padded", 0), "b": ("padded", 0)}) is None
    plan = plan_of(Subject(e), nest, {"a": ("padded", 0), "b": ("table", 0)})
    assert plan is not None
    assert [type(s) for s in plan.stages] == [PadCopy, TableCopy]


def test_lanes_that_no_digit_uses_are_padding_too():
    e = embedding(gemm(k=2, constant=""), (("n",), ("l", 1, 16)), (("k",), ("j", 1, 2)))
    assert plan_of(Subject(e), Nest(("m.0",), (), ()), {"a": ("padded", 0), "b": ("padded", 0)}) is None


@pytest.mark.parametrize("pad", [0, 1])
def test_rows_are_woven_straight_from_the_tensor(pad):
    e = embedding(conv(pad), (("g",), ("l", 1, 4), ("l", 16, 4)), (("kh",), ("j", 1, 3)))
    plan = by(e, "interleave", 1, parallel=("oh.0", "ow.0", "g.2"), reduction=("kw.0",))
    assert plan is not None
    (stage,) = plan.stages
    assert isinstance(stage, Interleave)
    assert (stage.level, stage.quarters, stage.rows[3]) == (1, (0, 16, 32, 48), None)
    assert stage.borders is not None
    assert bool(stage.borders.rows) == bool(pad)
    assert (stage.borders.column >= 0) == bool(pad)


def test_the_lanes_of_a_stage_must_be_neighbours_or_quarters():
    e = embedding(conv(), (("ow",), ("l", 1, 4)), (("kh",), ("j", 1, 3)))
    assert by(e, "interleave", 0, parallel=("g.0", "oh.0"), reduction=("kw.0",)) is None


def test_a_tiled_loop_cannot_be_outside_a_stage():
    e = embedding(conv(), (("g",), ("l", 1, 16)), (("kh",), ("j", 1, 3)))
    nest = Nest(("oh.0", "ow.0", "g.0"), (("oh.0", 2),), ("kw.0",))
    assert plan_of(Subject(e), nest, {"a": ("interleave", 1)}) is None


def test_lanes_are_stored_together_if_they_are_neighbours_in_any_order():
    reverse = tuple(4 * (15 - i) for i in range(16))
    assert contiguous_order(reverse, (True,) * 16, 4) == tuple(reversed(range(16)))
    assert contiguous_order(tuple(8 * i for i in range(16)), (True,) * 16, 4) is None
    unused = (True,) * 3 + (False,) * 13
    assert contiguous_order((0, 4, 8) + (0,) * 13, unused, 4) == (0, 1, 2) + (-1,) * 13


def test_only_sums_of_two_factors_become_kernels():
    pool = parse_operator("""pool: n<1 oh<2 ; kh<2
  O:uint8[1, 2] I:uint8[1, 4]
  O[n, oh] max= I[n, 2*oh+kh]""")
    with pytest.raises(InputError, match="sums of products of two tensors"):
        plans(pool, INSTRUCTION)


def test_tensors_of_other_dtypes_have_no_plan():
    assert plans(parse_operator(gemm().replace("uint8", "int8")), INSTRUCTION) == []


@pytest.mark.parametrize(("turned", "way", "kind"), [(0, "padded", PadCopy), (1, "interleave", Interleave)])
def test_bytes_are_widened_on_their_way(turned, way, kind):
    """The factor that changes is repeated over the lanes, or lies on them."""
    shapes = ("A:int16[4, 8] B:int16[8, 16] const", "A:int16[4, 8] const B:int16[8, 16]")
    operator = parse_operator(f"""gemm: m<4 n<16 ; k<8
  O:int32[4, 16] {shapes[turned]}
  O[m, n] += A[m, k] * B[k, n]""")
    problem = EmbeddingProblem(operator, find_instruction("x86.vpmaddwd.ymm"))
    chains = [Chain(("n",), (16,), (Digit("l", 1, 8),)), Chain(("k",), (8,), (Digit("j", 1, 2),))]
    e = build(problem, Shape(assignments(problem)[0], complete(problem, chains)))
    operand = next(o for o, t in e.operands if t == "AB"[turned])
    subject, nest = Subject(e, {"AB"[turned]: "int8"}), Nest(("m.0", "n.0"), (), ("k.0",))
    assert plan_of(subject, nest, {operand: ("direct", 0)}) is None
    plan = plan_of(subject, nest, {operand: (way, 0)})
    assert plan is not None
    (stage,) = plan.stages
    assert isinstance(stage, kind)
    assert stage.given == "int8"
    table = plan_of(subject, nest, {operand: ("table", 0)})
    assert table is not None
    assert [stage.given for stage in table.stages] == ["int8"]
    if isinstance(stage, Interleave):
        assert stage.rows == (0, 16)


def test_elements_far_apart_are_loaded_beside_zeros():
    """Eight neighbours of 16 bits, each in a double word of its own: one instruction of AVX2 and no shuffle more."""
    operator = parse_operator(conv().replace("uint8", "int16").replace("int8", "int16"))
    problem = EmbeddingProblem(operator, find_instruction("x86.vpmaddwd.ymm"))
    e = build(problem, Shape(assignments(problem)[0], complete(problem, (Chain(("g",), (64,), (Digit("l", 1, 8),)),))))
    plan = by(e, "direct", parallel=("oh.0", "ow.0", "g.0"), reduction=("kh.0", "kw.0"))
    assert plan is not None
    feed = plan.factors[0]
    assert (feed.form.width, feed.form.spread) == (16, True)
