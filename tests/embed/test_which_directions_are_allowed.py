"""Which direction of the operator may lie on an instruction axis: OPERANDS and RESULT, each alone, then together."""

from __future__ import annotations

import random
from itertools import product

import pytest
from odd import greatest_lanes, odd_operator, pool, sliding_lanes
from small import conv1, depthwise, gemm_unit, matmul, random_instruction, random_operator

from intarsia.embed import EmbeddingProblem
from intarsia.embed.constraints import OperandsKept, ResultKept, Rules, moved
from intarsia.embed.directions import all_directions, kernel, primitive, rows, skewed_directions, within
from intarsia.embed.operands import assignments
from intarsia.operators import Access, Affine


def rules_of(operator, instruction, **options):
    problem = EmbeddingProblem(operator, instruction, **options)
    return Rules(problem, assignments(problem)[0])


MATMUL = rules_of(matmul(4, 4, 4), gemm_unit(2, 2, 2))
CONV = rules_of(conv1(1, 3, 4, 3, 3), gemm_unit(2, 2, 2))


def test_an_access_is_moved_where_a_subscript_changes():
    access = Access("I", (Affine((("o", 2), ("k", 1))), Affine((("c", 1),))))
    assert moved(access, {"o": 1})
    assert moved(access, {"c": 1, "o": 1, "k": -2})
    assert not moved(access, {"o": 1, "k": -2})
    assert not moved(access, {"n": 1})
    assert not moved(access, {})


def test_operands_are_trivial_where_an_axis_moves_every_register():
    rules = rules_of(matmul(4, 4, 4), gemm_unit(1, 1, 2))
    family = OperandsKept(rules.pairs)
    assert all(family.allows("k", {name: 1}) for name in "mnk")


@pytest.mark.parametrize(("axis", "good", "bad"), [("b", "m", "nk"), ("n", "n", "mk")])
def test_operands_ask_that_a_register_in_place_keeps_its_element(axis, good, bad):
    family = OperandsKept(MATMUL.pairs)
    assert family.allows(axis, {good: 1})
    assert not any(family.allows(axis, {name: 1}) for name in bad)


def test_operands_allow_a_direction_whose_moves_cancel():
    family = OperandsKept(CONV.pairs)
    assert family.allows("n", {"o": 1, "k": -1})
    assert not family.allows("n", {"o": 1, "k": 1})
    assert not family.allows("b", {"o": 1, "k": -1}), "the weights would change in place"


def test_operands_ignore_a_factor_that_holds_the_constant():
    rules = rules_of(matmul(2, 2, 1), gemm_unit(2, 2, 2), dropped=frozenset({"arity"}))
    pairs = (*rules.pairs[:2], (rules.pairs[2][0], None))
    assert not OperandsKept(rules.pairs).allows("b", {"n": 1})
    assert OperandsKept(pairs).allows("b", {"n": 1})


def test_the_result_is_trivial_for_a_direction_that_does_nothing_on_a_reduction():
    assert ResultKept(MATMUL.pairs).allows("k", {})


def test_the_result_moves_exactly_with_its_register():
    family = ResultKept(MATMUL.pairs)
    assert family.allows("b", {"m": 1})
    assert family.allows("b", {"n": 1}), "which of the operands this breaks is not asked here"
    assert family.allows("k", {"k": 1})
    assert not family.allows("k", {"m": 1})
    assert not family.allows("b", {"k": 1})


def test_the_result_of_a_maximum_is_kept_too():
    family = ResultKept(rules_of(pool(4, 3), greatest_lanes(2, 2)).pairs)
    assert family.allows("j", {"k": 1})
    assert not family.allows("j", {"o": 1})
    assert not family.allows("l", {"k": 1})


def test_together_they_are_both():
    for lane, name in product("bnk", "mnk"):
        one, other = OperandsKept(MATMUL.pairs), ResultKept(MATMUL.pairs)
        both = one.allows(lane, {name: 1}) and other.allows(lane, {name: 1})
        assert MATMUL.allows(lane, {name: 1}) == both
    assert {lane: MATMUL.serves(name) for lane, name in zip("bnk", "mnk", strict=True)} == {
        "b": ("b",),
        "n": ("n",),
        "k": ("k",),
    }


def test_a_dropped_family_allows_what_it_forbade():
    operator, instruction = matmul(4, 4, 4), gemm_unit(2, 2, 2)
    assert not MATMUL.allows("b", {"n": 1})
    assert rules_of(operator, instruction, dropped=frozenset({"operands"})).allows("b", {"n": 1})
    assert not MATMUL.allows("k", {"m": 1})
    assert rules_of(operator, instruction, dropped=frozenset({"operands", "result"})).allows("k", {"m": 1})


def test_registers_that_two_axes_address_are_not_plain():
    operator = conv1(1, 1, 4, 1, 3)
    assert not rules_of(operator, sliding_lanes(2, 2)).plain
    assert CONV.plain


def lanes_agree(rules, lane, direction):
    """Two lanes one step apart on an instruction axis, at every base inside the box, element by element."""
    operator = rules.problem.operator
    boxes = [range(a.extent) for a in operator.axes]
    for base in product(*boxes):
        low = dict(zip((a.name for a in operator.axes), base, strict=True))
        high = {name: low[name] + direction.get(name, 0) for name in low}
        if not all(0 <= high[a.name] < a.extent for a in operator.axes):
            continue
        for number, (meaning, access) in enumerate(rules.pairs):
            same_register = not any(s.coefficient(lane) for s in meaning.subscripts)
            elements = [
                tuple(sum(c * at[n] for n, c in s.terms) + s.constant for s in access.subscripts) for at in (low, high)
            ]
            same_element = elements[0] == elements[1]
            if (same_register and not same_element) or (number == 0 and same_element and not same_register):
                return False
    return True


@pytest.mark.parametrize("seed", range(6))
def test_a_direction_is_allowed_exactly_if_two_lanes_agree_everywhere(seed):
    rng = random.Random(seed)
    for _ in range(6):
        operator = rng.choice((odd_operator, random_operator))(rng, 24)
        problem = EmbeddingProblem(operator, random_instruction(rng, 12))
        rules = Rules(problem, rng.choice(assignments(problem)))
        for lane in rules.capacities:
            reach = [range(-a.extent + 1, a.extent) for a in operator.axes]
            vectors = [v for v in product(*reach) if any(v)]
            for v in rng.sample(vectors, min(20, len(vectors))):
                direction = dict(zip((a.name for a in operator.axes), v, strict=True))
                assert rules.allows(lane, direction) == lanes_agree(rules, lane, direction)


def test_the_kernel_is_trivial_without_forms():
    assert kernel([], 2) == [(1, 0), (0, 1)]


def test_the_kernel_of_enough_forms_is_empty():
    assert kernel([(1, 2), (0, 1)], 2) == []


@pytest.mark.parametrize("seed", range(20))
def test_the_primitive_vectors_are_the_smallest_of_the_kernel(seed):
    rng = random.Random(seed)
    size = rng.randint(2, 4)
    forms = [tuple(rng.choice((0, 0, 1, 1, 2, -1)) for _ in range(size)) for _ in range(rng.randint(1, 2))]
    every = [v for v in product(range(-4, 5), repeat=size) if any(v)]
    inside = [v for v in every if all(sum(a * b for a, b in zip(f, v, strict=True)) == 0 for f in forms)]
    smallest = {v for v in inside if not any(w != v and within(w, v) for w in inside)}
    assert {v for v in primitive(kernel(forms, size)) if max(map(abs, v)) <= 4} == smallest


def test_a_window_slides_against_its_image():
    rules = rules_of(depthwise(1, 3, 3, 2, 2), gemm_unit(1, 2, 2))
    assert rules.live == ("oh", "ow", "kh", "kw")
    assert set(skewed_directions(rules, "n")) == {(1, 0, -1, 0), (-1, 0, 1, 0), (0, 1, 0, -1), (0, -1, 0, 1)}
    assert set(skewed_directions(rules, "n")) < set(all_directions(rules, "n"))
    assert rows(rules, "k") == [(1, 0, 0, 0), (0, 1, 0, 0)]
