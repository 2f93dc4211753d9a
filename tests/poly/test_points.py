from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intarsia.poly import (
    Conditions,
    Exceeded,
    Linear,
    between,
    equal,
    find_point,
    find_unreached,
    greater,
    variable,
)

BUDGET = 1_000_000
x, y, z = variable("x"), variable("y"), variable("z.0")


def box(**extents):
    found = Conditions()
    for name, extent in extents.items():
        found &= between(variable(name), 0, extent - 1)
    return found


def test_linear_forms_print_and_compute():
    form = x.times(3) - y + x.times(-3) + Linear((), 4)
    assert form == Linear((("y", -1),), 4)
    assert str(form) == "-1*y +4"
    assert form.with_values({"y": x.times(2).plus(1)}) == Linear((("x", -2),), 3)


def test_a_point_meets_the_conditions():
    point = find_point(box(x=10, y=10) & equal(x.times(3), y.times(2).plus(1)) & greater(y, x), max_operations=BUDGET)
    assert isinstance(point, dict)
    assert 3 * point["x"] == 2 * point["y"] + 1
    assert point["y"] > point["x"]


def test_no_integer_point_although_there_are_rational_ones():
    assert find_point(box(x=10, y=10) & equal(x.times(2), y.times(4).plus(1)), max_operations=BUDGET) == "empty"


def test_names_with_dots():
    assert find_point(equal(z, Linear((), 7)), max_operations=BUDGET) == {"z.0": 7}


def test_copies_are_over_other_variables():
    assert (box(x=3) & equal(x, y)).renamed("'").variables == ("x'", "y'")


def test_digits_reach_their_axis_and_no_more():
    digits = box(x=4, y=16) & equal(variable("p"), x.times(16) + y)
    assert find_unreached(box(p=64), digits, ("p",), max_operations=BUDGET) == "empty"
    assert find_unreached(box(p=65), digits, ("p",), max_operations=BUDGET) == {"p": 64}


def test_a_spent_budget_is_an_answer_of_its_own():
    names = [variable(f"v{i}") for i in range(8)]
    tangled = Conditions()
    for i, name in enumerate(names):
        tangled &= between(name, 0, 1000)
        tangled &= equal(name.times(7 + i) + names[(i + 1) % 8].times(11), names[(i + 3) % 8].times(13 + i).plus(5 * i))
    assert find_point(tangled, max_operations=3) == Exceeded(3)
    assert find_point(tangled, max_operations=BUDGET) != Exceeded(BUDGET)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-4, 4), min_size=4, max_size=4), st.integers(-6, 6), st.integers(-3, 3))
def test_agrees_with_trying_every_point(coefficients, constant, offset):
    a, b, c, d = coefficients
    conditions = box(x=5, y=4) & equal(x.times(a) + y.times(b), Linear((), constant))
    conditions &= greater(x.times(c) + y.times(d), Linear((), offset))
    every = [
        {"x": i, "y": j} for i, j in product(range(5), range(4)) if a * i + b * j == constant and c * i + d * j > offset
    ]
    found = find_point(conditions, max_operations=BUDGET)
    assert (found == "empty") if not every else (found in every)


@pytest.mark.parametrize("form", [between(x, 3, 2), greater(x, x)])
def test_contradictions(form):
    assert find_point(form, max_operations=BUDGET) == "empty"
