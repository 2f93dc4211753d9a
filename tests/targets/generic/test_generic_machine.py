"""Embeddings run on the instruction's own semantics give what the operator's interpreter gives."""

import random
from dataclasses import replace

import hand_made
import numpy as np
import pytest
from hand_made import affine, conv, flat, fused_conv, loops, matmul, pooling, skewed_depthwise
from mutations import spoil

from intarsia.embed.check import check
from intarsia.embed.embedding import Embedding
from intarsia.ground.errors import InputError
from intarsia.machines import parse_instruction
from intarsia.operators import interpret, parse_operator, random_inputs
from intarsia.targets.generic import run


def same(embedding, seed=7):
    inputs = random_inputs(embedding.operator, seed)
    ours, right = run(embedding, inputs), interpret(embedding.operator, inputs)
    return all(np.array_equal(ours[name], right[name]) and ours[name].dtype == right[name].dtype for name in right)


@pytest.mark.parametrize("name", [n for n in hand_made.ALL if "float" not in n])
def test_hand_made_embeddings_run(name):
    assert same(hand_made.ALL[name]())


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_floating_point_accumulates_in_the_result(dtype):
    embedding = hand_made.float_matmul(dtype)
    inputs = random_inputs(embedding.operator, 3)
    ours, right = run(embedding, inputs)["C"], interpret(embedding.operator, inputs)["C"]
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, right, rtol=1e-5, atol=1e-5)


def test_integers_wrap_in_the_result():
    text = "narrow: m<4 ; k<4\n  d:int16[4] a:int16[4, 4] b:int16[4]\n  d[m] += a[m, k] * b[k]\n"
    operator = parse_operator("mv: m<6 ; k<9\n  y:int16[6] A:int16[6, 9] x:int16[9]\n  y[m] += A[m, k] * x[k]")
    embedding = Embedding(
        operator,
        0,
        parse_instruction("instruction mine\n" + text),
        (("d", "y"), ("a", "A"), ("b", "x")),
        loops("m.0:2 k.0:3", m="m.1:4", k="k.1:4"),
        (flat("m", [6], "4*m.0+m.1"), flat("k", [9], "4*k.0+k.1")),
    )
    assert check(embedding).good
    assert same(embedding)


def test_padding_with_another_value_than_zero():
    embedding = fused_conv()
    padded = parse_operator(str(embedding.operator).replace("I:int8[1, 3, 6, 6]", "I:int8[1, 3, 6, 6] pad=5"))
    padded = replace(embedding, operator=padded)
    assert check(padded).good
    assert same(padded)


def test_a_factor_that_is_the_constant_one():
    operator = parse_operator("rows: m<5 ; k<20\n  y:int32[5] A:int8[5, 20]\n  y[m] += A[m, k]")
    embedding = Embedding(
        operator,
        0,
        hand_made.instruction("vta.gemm"),
        (("o", "y"), ("i", None), ("w", "A")),
        loops("k.0:2", n="m.1:5", k="k.1:16"),
        (flat("m", [5], "m.1"), flat("k", [20], "16*k.0+k.1")),
    )
    assert check(embedding).good
    assert same(embedding)


@pytest.mark.parametrize("wrong", [lambda: pooling(taps=4), lambda: skewed_depthwise(extents=(6, 5))])
def test_a_wrong_embedding_gives_a_wrong_output(wrong):
    assert not same(wrong())


def test_a_place_value_off_by_one_gives_a_wrong_output():
    right = matmul()
    flats = tuple(replace(f, value=affine("16*k.0+k.1+1")) if f.axes == ("k",) else f for f in right.flats)
    assert not same(replace(right, flats=flats))


@pytest.mark.parametrize("seed", range(40))
def test_what_the_check_lets_through_runs(seed):
    chance = random.Random(1000 + seed)
    makers = (lambda: fused_conv(conv(c=3, oc=3, size=4)), skewed_depthwise, lambda: matmul(3, 18, 20), pooling)
    spoilt = spoil(chance.choice(makers)(), chance)
    if check(spoilt).good:
        assert same(spoilt)


def test_inputs_are_checked():
    with pytest.raises(InputError):
        run(matmul(), {})
