"""Is the closed form of duplicated bytes what the layouts say, and what bounds it?"""

from __future__ import annotations

import random

import pytest
from odd import odd_operator
from small import conv1, conv2, gemm_unit, matmul, random_instruction, random_operator, raw_lanes

from intarsia.embed import EmbeddingProblem, optimise
from intarsia.embed.constraints import Rules
from intarsia.embed.digits import Chain, Digit
from intarsia.embed.duplication import Duplication, components, count_layout
from intarsia.embed.listing import shapes
from intarsia.embed.operands import assignments
from intarsia.embed.shape import build, complete
from intarsia.embed.space import space_of
from intarsia.operators import parse_operator
from intarsia.solvers import Found


def measured(rules, chains):
    """(closed form, every input's slots and elements by component), None where there is no closed form."""
    duplication = Duplication(rules)
    parts = components(rules, tuple(chain.axes for chain in chains))
    of = {chain.axes: chain for chain in chains}
    held = [duplication.held(tuple(of[group] for group in part)) for part in parts]
    return None if any(h is None for h in held) else (duplication.total(held), held)


@pytest.mark.parametrize("family", ["aligned", "fused"])
@pytest.mark.parametrize("seed", range(3))
def test_the_closed_form_is_the_count_on_the_layouts(family, seed):
    rng = random.Random(f"closed form {family} {seed}")
    compared = 0
    while compared < 50:
        operator = rng.choice((odd_operator, random_operator))(rng, 48)
        problem = EmbeddingProblem(operator, random_instruction(rng, 12), family)
        rules = Rules(problem, rng.choice(assignments(problem)))
        listed = list(shapes(space_of(rules), merged=True))
        for shape in rng.sample(listed, min(12, len(listed))):
            found = measured(rules, shape.chains)
            if found is None:
                continue
            compared += 1
            total, held = found
            assert total == count_layout(build(problem, shape)), f"{operator}\n{shape}"
            assert total >= 0
            assert all(h.slots >= h.distinct for part in held for h in part)


def test_a_product_repeats_nothing():
    problem = EmbeddingProblem(matmul(4, 4, 4), gemm_unit(2, 2, 2))
    rules = Rules(problem, assignments(problem)[0])
    assert {measured(rules, shape.chains)[0] for shape in shapes(space_of(rules), merged=True)} == {0}


def test_a_window_on_the_lanes_in_numbers():
    """Three taps of 4 outputs: 12 registers hold 6 elements."""
    problem = EmbeddingProblem(conv1(1, 1, 4, 1, 3), raw_lanes(1, 3))
    rules = Rules(problem, assignments(problem)[0])
    chains = complete(problem, [Chain(("k",), (3,), (Digit("j", 1, 3),))])
    total, held = measured(rules, chains)
    assert total == 12 - 6
    assert [(p[0].slots, p[0].distinct) for p in held if p[0].slots > 1] == [(12, 6)]


def test_subscripts_that_share_an_axis_have_no_closed_form():
    diagonal = parse_operator("d: i<3 ; k<2\n O:int32[3] A:int8[4, 4] B:int8[2]\n O[i] += A[i+k, i] * B[k]")
    problem = EmbeddingProblem(diagonal, gemm_unit(1, 1, 2))
    assert measured(Rules(problem, assignments(problem)[0]), complete(problem, [])) is None


def test_components_are_what_a_subscript_joins():
    problem = EmbeddingProblem(conv2(1, 2, 3, 3, 2, 2, 2), gemm_unit(1, 2, 2))
    rules = Rules(problem, assignments(problem)[0])
    names = [(a.name,) for a in problem.operator.axes]
    assert set(components(rules, tuple(names))) == {
        (("n",),),
        (("oc",),),
        (("oh",), ("kh",)),
        (("ow",), ("kw",)),
        (("c",),),
    }
    fused = components(rules, (("n",), ("oc",), ("oh",), ("ow",), ("c",), ("kh", "kw")))
    assert (("oh",), ("ow",), ("kh", "kw")) in fused


@pytest.mark.parametrize("seed", range(6))
def test_a_constant_repeats_at_no_price_where_only_others_are_counted(seed):
    rng = random.Random(seed)
    problem = EmbeddingProblem(random_operator(rng, 24), random_instruction(rng, 8), "aligned")
    rules = Rules(problem, assignments(problem)[0])
    for shape in list(shapes(space_of(rules), merged=True))[:20]:
        embedding = build(problem, shape)
        assert 0 <= count_layout(embedding, constants=False) <= count_layout(embedding)


def test_the_least_duplication_is_found_among_the_fewest_calls():
    outcome = optimise(EmbeddingProblem(conv1(1, 4, 6, 3, 3), gemm_unit(1, 4, 4), "fused"))
    assert isinstance(outcome, Found)
    assert outcome.bound == (outcome.value.calls, count_layout(outcome.value))
