"""Planted faults: each is caught, by replay and by relations, with a message that names the lanes and the values."""

from dataclasses import replace

import numpy as np
import pytest
from hand_made import (
    affine,
    aligned_conv,
    conv,
    flat,
    fused_conv,
    grouped_conv,
    instruction,
    loops,
    matmul,
    pooling,
    skewed_depthwise,
)

from intarsia.embed.check import check, packings, replay
from intarsia.embed.check_calls import all_calls, table_of
from intarsia.embed.check_replay import Replay
from intarsia.embed.check_view import ZERO
from intarsia.embed.embedding import Embedding, Loop
from intarsia.embed.layout import Dim, layouts
from intarsia.operators import parse_operator

BOTH = pytest.mark.parametrize("method", ["replay", "relations"])


def with_flat(embedding, axes, **change):
    flats = tuple(replace(f, **change) if f.axes == tuple(axes.split()) else f for f in embedding.flats)
    return replace(embedding, flats=flats)


def with_loop(embedding, name, **change):
    changed = tuple(replace(p, **change) if p.name == name else p for p in embedding.loops)
    return replace(embedding, loops=changed)


def only(violations, *words):
    """One violation has all the words."""
    found = [v for v in violations if all(w in v for w in words)]
    assert found, "\n".join(violations) or "no violation"
    return found[0]


def small_conv(stride=1):
    return aligned_conv(conv(c=18, oc=20, size=4, stride=stride))


def test_a_lane_swapped_between_two_calls():
    embedding = matmul(2, 20, 20)
    table = table_of(embedding, all_calls(embedding, 0, embedding.calls))
    for values in (*table.axes.values(), table.defined):
        values[[0, 4], 17] = values[[4, 0], 17]  # calls m.0=0 and m.0=1, lane n=1, k=1
    run = Replay(embedding, table, layouts(embedding))
    assert only(run.operands(), "operands: ") == (
        "operands: i[0, 1] of vector 0 is A[0, 1] for lane (b=0, n=0, k=1) of call (m.0=0, n.0=0, k.0=0) "
        "at iteration (m=0, n=0, k=1), "
        "but A[1, 1] for lane (b=0, n=1, k=1) of call (m.0=0, n.0=0, k.0=0) at iteration (m=1, n=1, k=1)"
    )
    assert only(run.one_home(), "result: o[0, 1] of vector 0 is C[0, 1]", "but C[1, 1] for lane (b=0, n=1, k=1)")
    assert only(run.packed(packings(embedding, layouts(embedding))), "layout: i[0, 1] of vector 0 holds A[0, 1]")


@BOTH
def test_an_axis_covered_twice(method):
    embedding = small_conv()
    twice = replace(embedding, loops=(Loop("again.0", 2), *embedding.loops))
    text = only(check(twice, method=method).violations, "cover: covered twice, by lane")
    assert "call (again.0=0, " in text
    assert "call (again.0=1, " in text


@BOTH
def test_an_axis_not_covered(method):
    short = with_loop(small_conv(), "kh.0", extent=2)
    assert only(check(short, method=method).violations, "cover: no lane of any call has iteration (n=0,", "kh=2")


@BOTH
def test_blocks_that_overlap(method):
    overlapping = with_flat(small_conv(), "oc", value=affine("12*oc.0+oc.1"))
    violations = check(overlapping, method=method).violations
    assert only(violations, "cover: covered twice, by lane (b=0, n=12,", "and by lane (b=0, n=0,")
    assert only(violations, "one home: O[0, 12,", "is accumulated in o[0, 12] of vector", "and in o[0, 0] of vector 16")


@BOTH
def test_a_wrong_stride_of_a_digit(method):
    gaps = with_flat(small_conv(), "oc", value=affine("17*oc.0+oc.1"))
    assert only(check(gaps, method=method).violations, "cover: no lane of any call has iteration (n=0, oc=16,")


@BOTH
def test_a_wrong_shift(method):
    wrong = with_flat(skewed_depthwise(), "kh kw", shifts=(affine("-oh.1"), affine("-2*ow.1")))
    assert only(check(wrong, method=method).violations, "operands: i[0, ", "of vector", "is I[0, ", "but I[0, ")


@BOTH
def test_a_shift_of_the_wrong_sign(method):
    wrong = with_flat(skewed_depthwise(), "kh kw", shifts=(affine("-oh.1"), affine("ow.1")))
    assert only(check(wrong, method=method).violations, "operands: i[0, ", "the pad value of I for lane", "but I[0, ")


@BOTH
def test_a_window_too_narrow_for_its_patch(method):
    wrong = skewed_depthwise(extents=(6, 5))
    assert only(
        check(wrong, method=method).violations, "cover: no lane of any call has iteration (c=0,", "ow=3", "kw=2"
    )


@BOTH
def test_an_overflow_that_no_zero_guards(method):
    """A maximum reads beside its window."""
    report = check(pooling(taps=4), method=method)
    (text,) = report.violations
    assert text == (
        "padding: lane (b=0, n=0) of call (c.0=0, oh.0=0, ow.0=0, kh.0=3, kw.0=0) is undefined and adds to d[0, 0] of "
        "vector 0, which is used; it reads I[0, 3, 0] in s[0, 0] of vector 21; 360 such lanes"
    )
    assert not report.notes or "padding (lanes beside the window may copy live ones)" in report.notes[0]


@BOTH
def test_a_sum_over_a_window_whose_overflow_meets_the_constant_one(method):
    operator = parse_operator("""sums: c<16 oh<3 ; kh<3
  O:int32[16, 3] I:int8[16, 7]
  O[c, oh] += I[c, 2*oh+kh]""")
    inst = instruction("vta.gemm")
    embedding = Embedding(
        operator,
        0,
        inst,
        (("o", "O"), ("i", "I"), ("w", None)),
        loops("c.0:16 oh.0:3", k="kh.1:4"),
        (flat("c", [16], "c.0"), flat("oh", [3], "oh.0"), flat("kh", [3], "kh.1")),
    )
    text = only(check(embedding, method=method).violations, "padding: lane (b=0, n=0, k=3) of call", "is undefined")
    assert "it reads I[0, 3] in i[0, 3]" in text or "no factor that it reads is zero" in text


@BOTH
def test_a_result_spread_over_lanes(method):
    """Partial sums on the lanes, without a combining step."""
    embedding = matmul(4, 20, 37)
    axes = loops("m.0:4 n.0:20 k.0:3", n="k.1:16")
    spread = replace(embedding, loops=axes)
    spread = with_flat(spread, "n", value=affine("n.0"))
    text = only(check(spread, method=method).violations, "result: C[")
    assert "is accumulated in o[0, 0] of vector" in text
    assert "and in o[0, 1] of vector" in text


@BOTH
def test_two_lanes_with_one_iteration(method):
    embedding = matmul(4, 16, 16)
    doubled = replace(embedding, loops=loops("m.0:4 n.0:1", n="n.1:8 idle.1:2", k="k.1:16"))
    doubled = with_flat(with_flat(doubled, "n", value=affine("8*n.0+n.1"), extents=(16,)), "k", value=affine("k.1"))
    violations = check(doubled, method=method).violations
    assert only(violations, "one to one: lane (b=0, n=", "has the same iteration as lane (b=0, n=")


@BOTH
def test_an_operand_that_ignores_a_stride(method):
    embedding = small_conv(stride=2)
    output, image, weights = layouts(embedding)
    assert "2*oh.0+kh.0<5" in str(image)
    dims = tuple(replace(d, value=affine("oh.0+kh.0")) if "oh.0" in d.name else d for d in image.dims)
    violations = check(embedding, method=method, packed_as=(output, replace(image, dims=dims), weights)).violations
    text = only(violations, "operands: i[0, ", "of vector", "is I[0, ", "but I[0, ")
    assert "oh.0=0" in text
    assert "oh.0=1" in text


@BOTH
def test_an_output_element_with_two_homes(method):
    embedding = matmul()
    output, *factors = layouts(embedding)
    split = replace(output, dims=(*output.dims, Dim("k.0", affine("k.0"), 0, 1, 3)))
    violations = check(embedding, method=method, packed_as=(split, *factors)).violations
    text = only(violations, "one home: C[", "is accumulated in o[0, ", " and in o[0, ")
    assert "k.0=0" in text


@BOTH
def test_a_layout_too_short_for_its_calls(method):
    embedding = matmul()
    output, image, weights = layouts(embedding)
    short = replace(image, dims=tuple(replace(d, extent=d.extent - 1) if d.name == "m.0" else d for d in image.dims))
    violations = check(embedding, method=method, packed_as=(output, short, weights)).violations
    assert only(violations, "layout: A -> i[m.0<4, ", "has no vector for call (m.0=4, ")


def test_padding_that_is_not_zero():
    """Weights beyond the last tap hold a copy of the first element instead of zero."""
    embedding = fused_conv()
    packed = packings(embedding, layouts(embedding))
    dirty = packed | {"w": np.where(packed["w"] == ZERO, 0, packed["w"]), "i": np.where(packed["i"] == ZERO, 0, 1)}
    text = only(replay(embedding, layouts(embedding), dirty), "padding: lane (b=0, n=0, k=11) of call")
    assert "is undefined and adds to o[0, 0] of vector 0, which is used; it reads I[0, 0, 0, 0] in i[0, 11]" in text
    assert "W[0, 0, 0, 0] in w[0, 11]" in text


def test_weights_swapped_between_two_vectors():
    embedding = fused_conv()
    packed = packings(embedding, layouts(embedding))
    weights = packed["w"].copy()
    weights[[0, 1], 0] = weights[[1, 0], 0]
    text = only(replay(embedding, layouts(embedding), packed | {"w": weights}), "layout: w[0, 0] of vector 0 holds W[")
    assert "asks for W[0, 0, 0, 0]" in text


def test_a_result_unpacked_from_a_second_register():
    embedding = matmul(2, 20, 16)
    packed = packings(embedding, layouts(embedding))
    results = packed["o"].copy()
    results[1, 15] = 0
    violations = replay(embedding, layouts(embedding), packed | {"o": results})
    assert violations == (
        "one home: C[0, 0] is accumulated in o[0, 0] of vector 0, the layout has it in o[0, 15] of vector 1 too",
    )


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"flats": (flat("m", [5], "m.0"), flat("n", [20], "16*n.0+n.1"))},
            "structure: axis k of matmul is given by 0 flats instead of one",
        ),
        (
            {"loops": loops("m.0:5 n.0:2 k.0:3", n="n.1:17", k="k.1:16")},
            "structure: the digits on axis n of vta.gemm count to 17, its extent is 16",
        ),
        (
            {"loops": loops("m.0:5 n.0:2", n="n.1:16", k="k.1:16")},
            "structure: flat k counts with loop k.0, which does not exist",
        ),
        (
            {"operands": (("o", "C"), ("i", "A"), ("w", "A"))},
            "operands: matmul reads A, B, the factors hold A, A",
        ),
        (
            {"instruction": instruction("x86.vpdpbusd"), "loops": loops("m.0:5 n.0:2 k.0:3 n.1:16 k.1:16")},
            "operands: x86.vpdpbusd has operands c, a, b, assigned are o, i, w",
        ),
        (
            {
                "flats": (
                    flat("m", [5], "m.0", ["n.0"]),
                    flat("n", [20], "16*n.0+n.1"),
                    flat("k", [37], "16*k.0+k.1"),
                )
            },
            "structure: flat m is shifted by outer loop n.0; only lane digits skew",
        ),
    ],
)
def test_what_is_not_even_an_embedding(change, text):
    report = check(replace(matmul(), **change))
    assert text in report.violations
    assert {how for _, how in report.proved} == {"structure"}


def test_dtypes_that_do_not_hold_the_tensor():
    embedding = matmul()
    unsigned = parse_operator(str(embedding.operator).replace("A:int8", "A:uint8"))
    wrong = replace(embedding, operator=unsigned)
    assert check(wrong).violations == ("operands: A is uint8, i of vta.gemm is int8: it cannot hold every uint8",)
    assert check(wrong, ignore_dtypes=True).good


def test_a_report_prints():
    assert str(check(matmul())).splitlines()[:2] == ["one to one: replay", "operands: replay"]
    assert str(check(with_loop(matmul(), "m.0", extent=4))).startswith("violated cover: no lane of any call has")


@BOTH
def test_garbage_in_an_element_that_no_iteration_writes(method):
    """Five groups of six: the sixth group's lanes would add to channels that stay zero."""
    embedding = grouped_conv()
    groups, *others = embedding.operator.axes
    fewer = replace(embedding.operator, axes=(replace(groups, extent=5), *others))
    text = only(check(replace(embedding, operator=fewer), method=method).violations, "padding: lane (l=4, j=0) of call")
    assert "is undefined" in text
