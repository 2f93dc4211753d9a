"""Is every chain of digits a mixed radix system, and is every one listed once?"""

from __future__ import annotations

from itertools import combinations, product
from math import prod

import pytest

from intarsia.embed.digits import (
    Chain,
    Digit,
    best_chains,
    chains,
    chains_upto,
    mergeable,
    reaches,
    stacked,
)

CASES = [(1, {"a": 4}), (6, {"a": 4}), (7, {"a": 3, "b": 2}), (8, {"a": 4, "b": 4}), (12, {"a": 6}), (9, {})]


def every_chain(extent, room, *, exact):
    """All chains by trying all sets of digits: the definition in the docstring of ``digits.py``."""
    single = [Digit(a, s, f) for a, most in room.items() for f in range(2, most + 1) for s in range(1, extent)]
    found = {()}
    for size in (1, 2, 3):
        for digits in combinations(sorted(single, key=lambda d: d.stride), size):
            tops = [1, *(d.top for d in digits)]
            if any(d.stride % top for d, top in zip(digits, tops, strict=False)):
                continue
            if sum(d.stride * (d.factor - 1) for d in digits) >= extent or (
                exact and any(extent % d.top for d in digits)
            ):
                continue
            if all(prod(d.factor for d in digits if d.lane == a) <= most for a, most in room.items()):
                found.add(digits)
    return found


@pytest.mark.parametrize(("extent", "room"), CASES)
@pytest.mark.parametrize("exact", [False, True])
def test_the_listing_is_what_the_definition_says(extent, room, exact):
    listed = list(chains(extent, room, exact=exact, merged=False))
    assert len(listed) == len(set(listed))
    wanted = every_chain(extent, room, exact=exact)
    assert {c for c in listed if len(c) <= 3} == wanted
    merged = set(chains(extent, room, exact=exact, merged=True))
    assert merged == {c for c in listed if not any(map(mergeable, c, c[1:]))}


@pytest.mark.parametrize(("extent", "room"), CASES)
def test_every_value_is_one_combination_of_digits(extent, room):
    for digits in chains(extent, room, exact=False, merged=False):
        chain = Chain(("x",), (extent,), digits)
        strides = [1, *(d.top for d in digits)]
        loops = [(s, gap) for s, gap in zip(strides, chain.gaps, strict=True)]
        loops += [(d.stride, d.factor) for d in digits]
        values = sorted(
            sum(s * v for (s, _), v in zip(loops, at, strict=True)) for at in product(*(range(n) for _, n in loops))
        )
        assert values == list(range(len(values)))
        assert len(values) >= extent
        assert chain.calls * prod(d.factor for d in digits) == len(values)
        assert reaches(digits, extent)


def test_an_axis_of_one_value_has_no_digit():
    assert list(chains(1, {"a": 4}, exact=False, merged=True)) == [()]


def test_a_digit_beyond_the_extent_does_not_reach():
    assert not reaches((Digit("a", 3, 3),), 6)
    assert reaches((Digit("a", 3, 3),), 7)


def test_two_neighbours_are_one_digit_if_nothing_lies_between():
    low = Digit("a", 1, 2)
    assert mergeable(low, Digit("a", 2, 3))
    assert not mergeable(low, Digit("b", 2, 3))
    assert not mergeable(low, Digit("a", 4, 3))


def test_two_skewed_neighbours_are_one_digit_if_the_skew_goes_on():
    low = Digit("a", 1, 2, (("k", -1),))
    assert mergeable(low, Digit("a", 2, 2, (("k", -2),)))
    assert not mergeable(low, Digit("a", 2, 2, (("k", -1),)))


def test_a_chain_in_numbers():
    chain = Chain(("c", "k"), (3, 5), (Digit("a", 2, 2), Digit("b", 4, 2)))
    assert chain.extent == 15
    assert chain.gaps == (2, 1, 2)
    assert chain.calls == 4
    assert (chain.factor("a"), chain.factor("b"), chain.factor("z")) == (2, 2, 1)


def test_the_stacked_chain_makes_the_fewest_calls():
    for extent, factors in product(range(1, 20), product(range(1, 4), repeat=2)):
        digits = stacked((), (("a", factors[0]), ("b", factors[1])))
        assert Chain(("x",), (extent,), digits).calls == -(-extent // prod(factors))


@pytest.mark.parametrize(("extent", "room"), CASES)
@pytest.mark.parametrize("exact", [False, True])
def test_chains_up_to_some_calls(extent, room, exact):
    every = set(chains(extent, room, exact=exact, merged=True))
    for calls in range(1, extent + 2):
        wanted = {c for c in every if Chain(("x",), (extent,), c).calls <= calls}
        found = list(chains_upto(extent, room, calls, exact=exact))
        assert set(found) == wanted
        assert len(found) == len(wanted)


@pytest.mark.parametrize(("extent", "room"), CASES)
@pytest.mark.parametrize("exact", [False, True])
def test_chains_of_these_factors_and_calls(extent, room, exact):
    every = set(chains(extent, room, exact=exact, merged=True))
    for factors in product(*(range(1, most + 1) for most in room.values())):
        wanted = dict(zip(room, factors, strict=True))
        for calls in range(1, extent + 1):
            found = set(best_chains(extent, wanted, calls, exact=exact))
            assert found == {
                c
                for c in every
                if (chain := Chain(("x",), (extent,), c)).calls == calls
                and all(chain.factor(a) == f for a, f in wanted.items())
            }
