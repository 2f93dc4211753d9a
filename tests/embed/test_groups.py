"""Which axes are flattened together, and when is that more than another way to write it?"""

from __future__ import annotations

from itertools import permutations
from math import prod

import pytest

from intarsia.embed.digits import Chain, chains
from intarsia.embed.groups import boundaries, crosses, genuine, groupings, groups_with


def test_borders_lie_between_axes():
    assert boundaries((5,)) == ()
    assert boundaries((2, 3, 4)) == (12, 4)


@pytest.mark.parametrize(
    ("stride", "factor", "border", "crossing"),
    [(1, 2, 4, False), (4, 2, 4, False), (2, 4, 4, False), (1, 3, 4, True), (3, 2, 4, True), (2, 3, 4, True)],
)
def test_a_digit_crosses_a_border_that_it_neither_divides_nor_reaches(stride, factor, border, crossing):
    assert crosses(stride, factor, border) == crossing


def lanes_of(extents, digits):
    """Which index of the axes each lane adds, as a set of tuples of positions; None where a digit carries over."""
    found = {}
    positions = [()]
    for digit in digits:
        positions = [(*p, v) for p in positions for v in range(digit.factor)]
    for at in positions:
        value = sum(d.stride * v for d, v in zip(digits, at, strict=True))
        index = []
        for extent in reversed(extents[1:]):
            value, rest = divmod(value, extent)
            index.append(rest)
        found[at] = (value, *reversed(index))
    return found


def is_product(extents, digits):
    """Whether every lane's index is the sum of what its digits do alone."""
    lanes = lanes_of(extents, digits)
    zero = (0,) * len(digits)
    for at, index in lanes.items():
        total = [0] * len(extents)
        for place, v in enumerate(at):
            alone = lanes[(*zero[:place], v, *zero[place + 1 :])]
            total = [a + b for a, b in zip(total, alone, strict=True)]
        if tuple(total) != index:
            return False
    return True


@pytest.mark.parametrize("extents", [(2, 3), (3, 2), (3, 4), (2, 2, 3)])
def test_what_is_not_genuine_splits_into_its_axes(extents):
    for digits in chains(prod(extents), {"a": 4, "b": 2}, exact=False, merged=True):
        if digits and not any(crosses(d.stride, d.factor, p) for d in digits for p in boundaries(extents)):
            assert not genuine(extents, digits)
            assert is_product(extents, digits)


def test_a_single_axis_is_always_genuine():
    assert all(genuine((6,), digits) for digits in chains(6, {"a": 4}, exact=False, merged=True))


def test_no_digits_are_not_genuine():
    assert not genuine((2, 3), ())


def test_every_border_must_be_crossed():
    listed = list(chains(12, {"a": 8}, exact=False, merged=True))
    found = [digits for digits in listed if genuine((2, 2, 3), digits)]
    assert found
    assert all(any(crosses(d.stride, d.factor, p) for d in digits) for digits in found for p in (6, 3))


def test_groupings_of_three_axes_are_all_ordered_partitions():
    found = list(groupings("abc", lambda _: True))
    assert found[0] == (("a",), ("b",), ("c",))
    assert len(found) == len(set(found)) == 1 + 3 * 2 + 6
    assert all(sorted(n for group in groups for n in group) == ["a", "b", "c"] for groups in found)


def test_groups_that_are_not_allowed_are_cut():
    found = set(groupings("abc", lambda group: "c" not in group))
    assert found == {(("a",), ("b",), ("c",)), (("a", "b"), ("c",)), (("b", "a"), ("c",))}


def test_groups_with_the_first_axis():
    found = list(groups_with(tuple("abc"), lambda _: True))
    assert found[0] == ("a",)
    assert set(found) == {("a",), *permutations("ab"), *permutations("ac"), *permutations("abc")}


def test_a_chain_counts_the_flattened_index():
    assert Chain(("a", "b"), (2, 3)).extent == 6
    assert Chain(("a", "b"), (2, 3)).calls == 6
