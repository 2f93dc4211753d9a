"""Digits of maps: built and recognised again, refused where there are none, and unique."""

from itertools import product
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scalar_twin import OPERATORS

from intarsia.embed.scalar import as_digits, enumerate_scalar, family, translate_free
from intarsia.machines import find_instruction

BASE = 100


def build(digits, extents, counts=None, base=BASE):
    """The map of some digits, one lane after the other."""
    d = next(len(v) for axis in digits for v, _ in axis)
    rows = []
    for lane in product(*map(range, extents)):
        image, defined = [base] * d, True
        for a, axis in enumerate(digits):
            rest = lane[a]
            defined &= counts is None or rest < counts[a]
            for v, f in axis:
                image = [x + rest % f * y for x, y in zip(image, v, strict=True)]
                rest //= f
            defined &= rest == 0
        rows.append(image if defined else [-1] * d)
    return np.array(rows)


def canonical(axis):
    """Neighbours merged."""
    merged = []
    for v, f in axis:
        if merged and v == tuple(merged[-1][1] * x for x in merged[-1][0]):
            merged[-1] = (merged[-1][0], merged[-1][1] * f)
        else:
            merged.append((v, f))
    return tuple(merged)


DIRECTION = st.tuples(st.integers(-3, 3), st.integers(-3, 3))
AXIS = st.lists(st.tuples(DIRECTION, st.integers(2, 3)), max_size=3)
CASES = st.lists(AXIS, min_size=1, max_size=3).filter(any)


@settings(max_examples=200, deadline=None)
@given(CASES, st.integers(0, 2))
def test_digits_are_found_again(digits, spare):
    extents = [prod(f for _, f in axis) + spare for axis in digits]
    assert as_digits(build(digits, extents), extents) == tuple(map(canonical, digits))


@settings(max_examples=200, deadline=None)
@given(CASES, st.integers(0, 1000))
def test_partial_digits_are_found_again(digits, cut):
    full = [prod(f for _, f in axis) for axis in digits]
    counts = [1 + cut % n for n in full]
    phi = build(digits, full, counts)
    found = as_digits(phi, full, partial=True)
    assert found is not None
    assert np.array_equal(build_like(found, full, counts), phi)
    if counts == full:
        assert found == as_digits(phi, full)


def build_like(digits, extents, counts):
    return (
        build(digits, extents, counts) if any(digits) else build([*digits, [((0, 0), 2)]], [*extents, 1], [*counts, 1])
    )


def test_a_cut_map_has_digits_only_if_asked():
    digits, extents = [[((0, 1), 3), ((1, 0), 6)]], [16]
    phi = build(digits, extents, [16])
    assert as_digits(phi, extents) is None
    assert as_digits(phi, extents, partial=True) == ((((0, 1), 3), ((1, 0), 6)),)
    assert family(phi, extents) is None
    assert family(phi, extents, partial=True) == "aligned"


def test_neighbours_are_one_digit():
    phi = build([[((0, 2), 2), ((0, 4), 3)]], [6])
    assert as_digits(phi, [6]) == ((((0, 2), 6),),)


def test_one_lane_has_no_digits():
    phi = np.array([[3, 4], [-1, -1]])
    assert as_digits(phi, [2]) == ((),)
    assert family(phi, [2]) == "aligned"


@pytest.mark.parametrize(
    "rows",
    [
        [[-1], [0], [1], [2]],
        [[0], [-1], [2], [3]],
        [[0], [1], [2], [-1]],
        [[0], [1], [3], [5]],
        [[0], [1], [1], [3]],
        [[-1]] * 4,
    ],
)
def test_irregular_maps_have_none(rows):
    phi = np.array(rows)
    assert as_digits(phi, [2, 2]) is None
    assert family(phi, [2, 2]) is None


def test_a_run_that_is_cut_is_not_a_digit():
    assert as_digits(np.array([[0], [1], [4]]), [3]) is None
    assert as_digits(np.array([[0], [1], [4], [6]]), [4]) is None
    assert as_digits(np.array([[0], [1], [4], [5]]), [4]) == ((((1,), 2), ((4,), 2)),)


@pytest.mark.parametrize(
    ("v", "name"),
    [((0, 1), "aligned"), ((2, 0), "aligned"), ((0, -1), "skewed"), ((1, -1), "skewed"), ((1, 1), "skewed")],
)
def test_family_of_a_direction(v, name):
    assert family(build([[(v, 3)], []], [3, 2]), [3, 2]) == name


def test_translations_are_removed():
    digits, extents = [[((1, -1), 3)], [((0, 1), 2)]], [4, 2]
    here, there = build(digits, extents, base=50), build(digits, extents, base=7)
    assert np.array_equal(translate_free(here), translate_free(there))
    free = translate_free(here)
    assert np.array_equal(translate_free(free), free)
    assert ((free == -1).all(axis=1) == (here == -1).all(axis=1)).all()
    assert free[0].tolist() == [0, 0]


def test_translation_keeps_different_maps_apart():
    assert not np.array_equal(translate_free(np.array([[1], [2]])), translate_free(np.array([[2], [1]])))


def test_a_map_without_lanes_is_its_own_translation():
    assert np.array_equal(translate_free(np.full((2, 3), -1)), np.full((2, 3), -1))


def test_an_enumeration_holds_the_aligned_maps_of_a_matmul():
    """m<1 n<2 k<3 in 2 x 2: n or nothing on the first axis, k in steps of 1 or 2 (or nothing) on the second."""
    operator, instruction = OPERATORS["matmul"], find_instruction("matvec:2x2")
    maps = enumerate_scalar(operator, instruction, (1, 0)).value
    aligned = {as_digits(phi, [2, 2]) for phi in maps if family(phi, [2, 2]) == "aligned"}
    n, k, k2 = ((0, 1, 0), 2), ((0, 0, 1), 2), ((0, 0, 2), 2)
    assert aligned == {(a, b) for a in ((), (n,)) for b in ((), (k,), (k2,))}
