"""Which embeddings meet a requirement: each one alone, met without effort, met, and not met."""

from __future__ import annotations

import random

import pytest
import slow
from odd import greatest_lanes, odd_operator, pool, sliding_lanes
from small import conv1, gemm_unit, matmul, random_instruction, random_operator, raw_lanes

from intarsia.embed import EmbeddingProblem, Flat, count, enumerate_embeddings, fixed_embedding, gather, layout_of
from intarsia.embed.constraints import Rules
from intarsia.embed.operands import assignments
from intarsia.embed.problem import REQUIREMENTS
from intarsia.embed.requirements import (
    DEMANDS,
    ConstantOnly,
    Dense,
    InputsOnce,
    NoDuplication,
    NoPadding,
    lanes_agree,
    satisfied,
)
from intarsia.ground.errors import InputError


def made(operator, instruction, family="aligned", **factors):
    """The embedding with one digit of these factors on the instruction axes, none on the others."""
    for embedding in enumerate_embeddings(EmbeddingProblem(operator, instruction, family)):
        axes = [a.name for a in instruction.semantics.axes]
        if all([d.extent for d in embedding.lane_loops(a)] == ([factors[a]] if a in factors else []) for a in axes):
            return embedding
    raise AssertionError("no such embedding")


def test_dense_is_met_by_any_digits_of_one_lane():
    assert Dense().met(made(matmul(3, 3, 3), gemm_unit(1, 1, 1)))


def test_dense_is_met_where_every_lane_works():
    assert Dense().met(made(matmul(4, 4, 4), gemm_unit(2, 2, 2), b=2, n=2, k=2))


def test_dense_is_not_met_by_an_idle_lane_or_a_rounded_axis():
    assert not Dense().met(made(matmul(4, 4, 4), gemm_unit(2, 2, 2), b=2, n=2))
    assert not Dense().met(made(matmul(3, 4, 4), gemm_unit(2, 2, 2), b=2, n=2, k=2))


def test_no_padding_allows_idle_lanes():
    assert NoPadding().met(made(matmul(3, 3, 3), gemm_unit(2, 2, 2)))
    assert NoPadding().met(made(matmul(4, 3, 3), gemm_unit(2, 2, 2), b=2))


def test_no_padding_is_not_met_by_a_rounded_axis():
    assert not NoPadding().met(made(matmul(3, 3, 3), gemm_unit(2, 2, 2), b=2))


def test_no_padding_is_not_met_by_a_skewed_axis():
    found = enumerate_embeddings(EmbeddingProblem(conv1(1, 1, 2, 1, 2), gemm_unit(1, 2, 1), "skewed"))
    skewed = [e for e in found if any(shift.terms for flat in e.flats for shift in flat.shifts)]
    assert skewed
    assert not any(NoPadding().met(embedding) for embedding in skewed)


def test_no_duplication_is_met_by_a_product():
    assert NoDuplication().met(made(matmul(4, 4, 4), gemm_unit(2, 2, 2), b=2, n=2, k=2))


def test_no_duplication_is_not_met_by_a_window_on_lanes():
    embedding = made(conv1(1, 1, 4, 1, 3), raw_lanes(1, 3), j=3)
    assert not NoDuplication().met(embedding)
    assert NoDuplication().met(made(conv1(1, 1, 4, 1, 3, stride=3), raw_lanes(1, 3), j=3))


def test_inputs_once_lets_constants_repeat():
    """Each lane has weights of its own: output channels on one lane, places on the other."""
    embedding = made(conv1(1, 1, 4, 1, 1), raw_lanes(4, 1), l=4)
    assert InputsOnce().met(embedding)
    assert not NoDuplication().met(embedding)


def test_inputs_once_is_not_met_by_repeated_activations():
    assert not InputsOnce().met(made(conv1(1, 4, 1, 1, 1), raw_lanes(4, 1), l=4))


def test_constant_only_is_met_without_digits():
    assert ConstantOnly().met(made(matmul(3, 3, 3), gemm_unit(2, 2, 2)))


def test_constant_only_is_met_by_the_innermost_axis_on_lanes():
    assert ConstantOnly().met(made(matmul(4, 2, 4), gemm_unit(1, 2, 2), n=2, k=2))


def test_constant_only_is_not_met_by_blocks_of_an_outer_axis():
    assert not ConstantOnly().met(made(matmul(4, 4, 4), gemm_unit(2, 2, 2), b=2, n=2, k=2))


def rising(embedding):
    """Whether every tensor that is not constant names its elements once, in their order."""
    for meaning, access in embedding.pairs():
        if access is None or embedding.operator.tensor(access.tensor).constant:
            continue
        index, _ = gather(embedding, access, layout_of(embedding, meaning.tensor, access))
        elements = [e for e in index.ravel().tolist() if e >= 0]
        if elements != sorted(set(elements)):
            return False
    return True


MEANING = {
    "dense": lambda e: slow.padded(e) == 0,
    "no-padding": lambda e: all(
        len([v for v in values_of(e, f) if v >= f.extents[0] or v < 0]) == 0 for f in e.flats if len(f.axes) == 1
    ),
    "no-duplication": lambda e: slow.duplicated(e) == 0,
    "inputs-once": lambda e: slow.duplicated(e, constants=False) == 0,
    "constant-only": rising,
}


def values_of(embedding, flat: Flat):
    """What the loops of a flat give."""
    names = {name for name, _ in flat.value.terms}
    found = set()
    for outer in slow.calls(embedding):
        for _, digits in slow.lanes(embedding):
            found.add(slow.at(flat.value, {n: v for n, v in {**outer, **digits}.items() if n in names}))
    return found


@pytest.mark.parametrize("name", [name for name in REQUIREMENTS if name != "fixed"])
def test_a_requirement_keeps_exactly_what_has_its_meaning(name):
    rng = random.Random(f"requirement {name}")
    seen = set()
    for _ in range(14):
        operator = rng.choice((matmul(2, 2, 4), random_operator(rng, 16), random_operator(rng, 16)))
        problem = EmbeddingProblem(operator, random_instruction(rng, 8), "aligned")
        every = list(enumerate_embeddings(problem, 80))
        for embedding in rng.sample(every, min(8, len(every))):
            met = DEMANDS[name].met(embedding)
            idle = name.endswith(("duplication", "once")) and not whole(embedding)
            assert met == MEANING[name](embedding) or idle, str(embedding)
            seen.add(met)
    assert seen == {True, False}


def whole(embedding):
    """Whether every vector of every layout is read."""
    held = [(m, a) for m, a in embedding.pairs() if a is not None]
    return all(slow.vectors(embedding, a) == layout_of(embedding, m.tensor, a).vectors for m, a in held)


@pytest.mark.parametrize("name", [name for name in REQUIREMENTS if name != "fixed"])
@pytest.mark.parametrize("family", ["aligned", "fused", "skewed"])
def test_a_listing_with_a_requirement_is_the_part_that_meets_it(name, family):
    rng = random.Random(f"listing {name} {family}")
    for _ in range(3):
        operator, instruction = odd_operator(rng, 12), random_instruction(rng, 5)
        every = list(enumerate_embeddings(EmbeddingProblem(operator, instruction, family), 3000))
        kept = list(enumerate_embeddings(EmbeddingProblem(operator, instruction, family, (name,)), 3000))
        if len(every) < 3000:
            assert {str(e) for e in kept} == {str(e) for e in every if DEMANDS[name].met(e)}


def test_fixed_leaves_one_embedding():
    operator, instruction = matmul(4, 4, 4), gemm_unit(2, 2, 2)
    problem = EmbeddingProblem(operator, instruction, require=("fixed",))
    assert list(enumerate_embeddings(problem)) == [fixed_embedding(operator, instruction)]
    assert (count(problem).total, count(problem).distinct) == (1, 1)
    dense = EmbeddingProblem(matmul(3, 4, 4), instruction, require=("fixed", "dense"))
    assert list(enumerate_embeddings(dense)) == []


def test_lanes_agree_is_trivial_for_plain_registers():
    assert all(lanes_agree(e) for e in enumerate_embeddings(EmbeddingProblem(matmul(2, 2, 2), gemm_unit(2, 2, 2))))


def test_lanes_agree_where_two_axes_address_a_register():
    operator, instruction = conv1(1, 1, 4, 1, 3), sliding_lanes(2, 3)
    assert lanes_agree(made(operator, instruction, l=2, j=3))
    strided = conv1(1, 1, 4, 1, 3, stride=2)
    problem = EmbeddingProblem(strided, instruction)
    rules = Rules(problem, assignments(problem)[0])
    assert all(satisfied(rules, e) for e in enumerate_embeddings(problem))
    factors = {tuple(tuple(d.extent for d in e.lane_loops(a)) for a in "lj") for e in enumerate_embeddings(problem)}
    assert ((2,), (2,)) in factors, "taps 0 and 2 slide as two outputs do"
    assert ((2,), (3,)) not in factors


def test_a_maximum_fills_the_axis_that_it_is_taken_over():
    problem = EmbeddingProblem(pool(4, 4), greatest_lanes(3, 2))
    assert Rules(problem, assignments(problem)[0]).filled == ("j",)
    listed = list(enumerate_embeddings(problem))
    assert listed
    assert all([d.extent for d in e.lane_loops("j")] == [2] for e in listed)


def test_an_unknown_requirement_is_refused():
    with pytest.raises(InputError, match="unknown requirement"):
        EmbeddingProblem(matmul(2, 2, 2), gemm_unit(1, 1, 1), require=("thick",))
