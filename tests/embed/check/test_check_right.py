"""Right embeddings are found right, by both methods, at any size; and both methods agree on spoilt ones."""

import random
from dataclasses import replace
from itertools import islice

import hand_made
import pytest
from hand_made import (
    affine,
    aligned_conv,
    conv,
    depthwise,
    flat,
    float_matmul,
    fused_conv,
    grouped_conv,
    instruction,
    loops,
    matmul,
    pooling,
    skewed_depthwise,
)
from mutations import spoil

from intarsia.embed.check import check, replay
from intarsia.embed.check_relations import relations
from intarsia.embed.check_structure import structure
from intarsia.embed.embedding import Embedding
from intarsia.embed.layout import layouts
from intarsia.operators import parse_operator

SMALL = (
    lambda: aligned_conv(conv(c=3, oc=18, size=3)),
    lambda: aligned_conv(conv(c=18, oc=3, size=4, stride=2)),
    lambda: fused_conv(conv(c=3, oc=3, size=4, stride=2)),
    lambda: fused_conv(conv(c=2, oc=3, size=4, pad=0)),
    lambda: skewed_depthwise(depthwise(5, 1)),
    lambda: matmul(2, 18, 20),
    grouped_conv,
    float_matmul,
    pooling,
)


@pytest.mark.parametrize("method", ["replay", "relations"])
@pytest.mark.parametrize("name", hand_made.ALL)
def test_hand_made_embeddings_are_right(name, method):
    report = check(hand_made.ALL[name](), method=method)
    assert report.violations == ()
    assert report.good
    assert {how for _, how in report.proved} == {method}


def big_conv(n, c, h, w, k, r, s, stride=1, pad=0):
    oh, ow = (h + 2 * pad - r) // stride + 1, (w + 2 * pad - s) // stride + 1
    return parse_operator(f"""conv: n<{n} oc<{k} oh<{oh} ow<{ow} ; c<{c} kh<{r} kw<{s}
  O:int32[{n}, {k}, {oh}, {ow}] I:int8[{n}, {c}, {h}, {w}] W:int8[{k}, {c}, {r}, {s}] const
  O[n, oc, oh, ow] += I[n, c, {stride}*oh+kh-{pad}, {stride}*ow+kw-{pad}] * W[oc, c, kh, kw]""")


def im2col_outputs_too(operator):
    """n, oh, ow flattened on the batch axis of a 16x16x16 core, kh, kw, c on k."""
    e = {a.name: a.extent for a in operator.axes}
    m, k = e["n"] * e["oh"] * e["ow"], e["kh"] * e["kw"] * e["c"]
    return Embedding(
        operator,
        0,
        instruction("vta.gemm:16x16x16"),
        (("o", "O"), ("i", "I"), ("w", "W")),
        loops(f"m.0:{-(-m // 16)} oc.0:{-(-e['oc'] // 16)} f.0:{-(-k // 16)}", b="m.1:16", n="oc.1:16", k="f.1:16"),
        (
            flat("n oh ow", [e["n"], e["oh"], e["ow"]], "16*m.0+m.1"),
            flat("oc", [e["oc"]], "16*oc.0+oc.1"),
            flat("kh kw c", [e["kh"], e["kw"], e["c"]], "16*f.0+f.1"),
        ),
    )


def patches(operator):
    """Two by two outputs and four channels on n, their window flattened with c on k."""
    e = {a.name: a.extent for a in operator.axes}
    window = (e["kh"] + 1, e["kw"] + 1, e["c"])
    k = window[0] * window[1] * window[2]
    return Embedding(
        operator,
        0,
        instruction("vta.gemm"),
        (("o", "O"), ("i", "I"), ("w", "W")),
        loops(
            f"n.0:{e['n']} oc.0:{-(-e['oc'] // 4)} oh.0:{-(-e['oh'] // 2)} ow.0:{-(-e['ow'] // 2)} f.0:{-(-k // 16)}",
            n="oh.1:2 ow.1:2 oc.1:4",
            k="f.1:16",
        ),
        (
            flat("n", [e["n"]], "n.0"),
            flat("oc", [e["oc"]], "4*oc.0+oc.1"),
            flat("oh", [e["oh"]], "2*oh.0+oh.1"),
            flat("ow", [e["ow"]], "2*ow.0+ow.1"),
            flat("kh kw c", window, "16*f.0+f.1", ["-oh.1", "-ow.1", ""]),
        ),
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: matmul(8448, 6000, 2816),
        lambda: im2col_outputs_too(big_conv(1, 64, 350, 80, 128, 5, 5)),
        lambda: patches(big_conv(1, 64, 350, 80, 128, 5, 5)),
        lambda: im2col_outputs_too(big_conv(4, 3, 224, 224, 64, 7, 7, stride=2, pad=3)),
        lambda: patches(big_conv(8, 512, 7, 7, 512, 3, 3, pad=1)),
    ],
)
def test_the_largest_layers_are_proved_without_being_enumerated(make):
    report = check(make())
    assert report.violations == ()
    assert dict(report.proved)["cover"] == "relations"


def test_one_wrong_place_value_in_a_large_layer_is_found():
    right = im2col_outputs_too(big_conv(1, 64, 350, 80, 128, 5, 5))
    wrong = replace(right, flats=(*right.flats[:2], replace(right.flats[2], value=affine("16*f.0+f.1+1"))))
    assert check(wrong).violations == (
        "cover: no lane of any call has iteration (n=0, oc=0, oh=0, ow=0, c=0, kh=0, kw=0)",
    )


def test_a_spent_budget_is_reported_and_replayed():
    report = check(matmul(), method="relations", max_operations=1)
    assert report.violations == ()
    assert {how for _, how in report.proved} == {"replay"}
    assert report.notes[0].startswith("relations left open ")
    assert "cover (more than 1 operations)" in report.notes[0]
    assert report.notes[0].endswith(": replayed instead")


def test_a_spent_budget_without_a_replay_is_no_proof():
    report = check(matmul(8448, 6000, 2816), max_operations=1)
    assert not report.good
    assert report.violations[-1].startswith("not proved: relations left open ")
    assert report.violations[-1].endswith(" lanes are too many for a replay (allowed: 8388608)")
    assert dict(report.proved)["cover"] == "not proved"


def spoilt_embeddings(seed):
    """Well formed, small enough to replay."""
    chance = random.Random(seed)
    while True:
        spoilt = spoil(chance.choice(SMALL)(), chance)
        if not structure(spoilt) and spoilt.calls * spoilt.instruction.lanes <= 1 << 17:
            yield spoilt


@pytest.mark.parametrize("seed", range(20))
def test_relations_agree_with_replay_on_spoilt_embeddings(seed):
    for spoilt in islice(spoilt_embeddings(seed), 4):
        asked = layouts(spoilt)
        proofs = relations(spoilt, asked, 20_000_000)
        wrong = replay(spoilt, asked)
        if proofs.left_open:
            assert spoilt.body.combine == "max="
        else:
            assert bool(proofs.violations) == bool(wrong), (str(spoilt), proofs.violations, wrong)
