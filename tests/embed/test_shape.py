"""From chains to loops: names, values, orders of the lanes."""

from __future__ import annotations

import random

import pytest
from small import conv1, elementwise, gemm_unit, matmul, random_instruction, random_operator

from intarsia.embed import EmbeddingProblem, enumerate_embeddings
from intarsia.embed.check import check
from intarsia.embed.constraints import Rules
from intarsia.embed.digits import Chain, Digit
from intarsia.embed.listing import shapes
from intarsia.embed.operands import assignments
from intarsia.embed.shape import Shape, build, complete, orders, places
from intarsia.embed.space import space_of

PROBLEM = EmbeddingProblem(matmul(4, 6, 5), gemm_unit(2, 4, 2))


def shape(*chains, problem=PROBLEM):
    return Shape(assignments(problem)[0], complete(problem, chains))


def test_axes_without_digits_are_completed_in_the_operators_order():
    made = complete(PROBLEM, [Chain(("k",), (5,), (Digit("k", 1, 2),))])
    assert [chain.axes for chain in made] == [("m",), ("n",), ("k",)]
    assert [chain.calls for chain in made] == [4, 6, 3]


def test_the_calls_of_a_shape_are_those_of_its_embedding():
    made = shape(Chain(("n",), (6,), (Digit("n", 2, 2),)))
    assert made.calls == 4 * (2 * 2) * 5 == build(PROBLEM, made).calls


def test_digits_are_named_from_the_top():
    embedding = build(
        PROBLEM, shape(Chain(("n",), (6,), (Digit("n", 1, 2),)), Chain(("m",), (4,), (Digit("b", 2, 2),)))
    )
    assert [(loop.name, loop.extent, loop.lane) for loop in embedding.loops] == [
        ("m.0", 1, ""),
        ("m.2", 2, ""),
        ("n.0", 3, ""),
        ("k.0", 5, ""),
        ("m.1", 2, "b"),
        ("n.1", 2, "n"),
    ]
    assert [str(flat.value) for flat in embedding.flats] == ["4*m.0+2*m.1+m.2", "2*n.0+n.1", "k.0"]


def test_a_flattened_group_has_one_value():
    problem = EmbeddingProblem(conv1(1, 2, 4, 3, 3), gemm_unit(1, 2, 4))
    chain = Chain(("c", "k"), (3, 3), (Digit("k", 1, 4),))
    embedding = build(problem, Shape(assignments(problem)[0], complete(problem, [chain])))
    flat = next(f for f in embedding.flats if len(f.axes) == 2)
    assert (flat.axes, flat.extents, str(flat.value)) == (("c", "k"), (3, 3), "4*c.k.0+c.k.1")
    assert check(embedding).good


def test_a_compensated_axis_is_shifted_into_its_range():
    problem = EmbeddingProblem(conv1(1, 1, 4, 1, 3), gemm_unit(1, 2, 1))
    chains = [Chain(("o",), (4,), (Digit("n", 1, 2, (("k", -1),)),)), Chain(("k",), (4,))]
    embedding = build(problem, Shape(assignments(problem)[0], complete(problem, chains)))
    flat = next(f for f in embedding.flats if f.axes == ("k",))
    assert [(str(s), e) for s, e in zip(flat.shifts, flat.extents, strict=True)] == [("-o.1", 4)]
    assert check(embedding).good


def test_the_standing_order_follows_the_tensor():
    problem = EmbeddingProblem(matmul(4, 4, 2), elementwise(4, 4), dtypes="ignore")
    chains = (Chain(("m",), (4,), (Digit("a", 1, 2),)), Chain(("n",), (4,), (Digit("a", 1, 2),)))
    assert places(problem, Shape((), complete(problem, chains))) == {"a": ((1, 0), (0, 0))}


def test_orders_leave_out_one_digit_written_as_two():
    two = Chain(("m",), (4,), (Digit("b", 1, 2), Digit("b", 2, 2)))
    assert list(orders(PROBLEM, shape(two))) == [(("b", ((0, 1), (0, 0))),)]
    apart = Chain(("m",), (8,), (Digit("b", 1, 2), Digit("b", 4, 2)))
    assert len(list(orders(PROBLEM, shape(apart)))) == 2


def test_without_digits_there_is_one_order():
    assert list(orders(PROBLEM, shape())) == [()]


@pytest.mark.parametrize("seed", range(4))
def test_no_embedding_is_listed_twice(seed):
    rng = random.Random(seed)
    problem = EmbeddingProblem(random_operator(rng, 16), random_instruction(rng, 6), rng.choice(("aligned", "fused")))
    listed = [(e.operands, e.loops, e.flats) for e in enumerate_embeddings(problem)]
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("seed", range(4))
def test_every_order_of_a_shape_is_right(seed):
    rng = random.Random(seed)
    problem = EmbeddingProblem(random_operator(rng, 16), random_instruction(rng, 8), "fused")
    rules = Rules(problem, assignments(problem)[0])
    listed = list(shapes(space_of(rules), merged=False))
    for made in rng.sample(listed, min(4, len(listed))):
        assert check(build(problem, made)).good
