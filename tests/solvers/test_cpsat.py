"""The CP-SAT front: optimum, every solution, and the three answers kept apart."""

import signal
import subprocess
import sys
import time

import pytest

from intarsia.solvers import Found, Infeasible, Limits, Model, OutOfTime, minimal_conflict


def test_an_optimum_with_its_bound():
    model = Model()
    x, y = model.integer(0, 10), model.integer(0, 10)
    model.add(x + 2 * y >= 7)
    model.minimize(3 * x + 4 * y)
    outcome = model.solve((x, y), Limits())
    assert isinstance(outcome, Found)
    assert (outcome.value, outcome.bound) == ((1, 3), (15,))
    assert (outcome.effort.workers, outcome.effort.seed) == (1, 0)


def test_products_quotients_maxima_and_choices():
    model = Model()
    x, y = model.choice((2, 3, 5)), model.choice((7, 11))
    area = model.product(0, 100, (x, y))
    third = model.quotient(0, 100, area, 3)
    top = model.maximum(0, 100, (x, y))
    model.add(area <= 40)
    model.maximize(area)
    outcome = model.solve((x, y, area, third, top), Limits())
    assert (outcome.value, outcome.bound) == ((5, 7, 35, 11, 7), (35,))


def test_conditions_and_clauses():
    model = Model()
    a, b, x = model.boolean("a"), model.boolean("b"), model.integer(0, 9, "x")
    model.add(x >= 5, only_if=(a,))
    model.add(x >= 3, only_if=(b,))
    model.clause((a, b))
    model.at_most_one((a, b))
    model.minimize(x)
    model.hint(x, 3)
    assert model.solve((a, b, x), Limits()).value == (0, 1, 3)


def test_infeasible():
    model = Model()
    x = model.integer(0, 3)
    model.add(x >= 4)
    assert isinstance(model.solve((x,), Limits()), Infeasible)
    assert isinstance(model.enumerate_all((x,), Limits()), Infeasible)


def test_out_of_time_is_not_infeasible():
    model = Model()
    x = model.integer(0, 3)
    model.minimize(x)
    assert isinstance(model.solve((x,), Limits(seconds=0)), OutOfTime)


def test_no_objective_has_no_bound():
    model = Model()
    x = model.integer(2, 2)
    outcome = model.solve((x,), Limits())
    assert (outcome.value, outcome.bound) == ((2,), ())


def pairs():
    model = Model()
    x, y = model.integer(0, 30), model.integer(0, 30)
    model.add(x + y <= 30)
    return model, (x, y)


def test_enumerates_every_solution():
    model, wanted = pairs()
    outcome = model.enumerate_all(wanted, Limits())
    assert isinstance(outcome, Found)
    assert outcome.value == tuple((x, y) for x in range(31) for y in range(31) if x + y <= 30)


def test_enumerating_with_more_workers_is_refused():
    model, wanted = pairs()
    with pytest.raises(AssertionError, match="with one worker only"):
        model.enumerate_all(wanted, Limits(workers=2))


def test_an_objective_cannot_be_enumerated():
    model, (x, y) = pairs()
    model.minimize(x)
    with pytest.raises(AssertionError, match="an objective cannot be enumerated"):
        model.enumerate_all((x, y), Limits())


def test_a_limit_of_solutions_is_out_of_time():
    model, wanted = pairs()
    outcome = model.enumerate_all(wanted, Limits(solutions=5))
    assert isinstance(outcome, OutOfTime)
    assert len(outcome.best) == 5


def test_a_limit_that_is_just_enough_is_complete():
    model, wanted = pairs()
    assert isinstance(model.enumerate_all(wanted, Limits(solutions=496)), Found)


@pytest.mark.parametrize(
    ("cores", "expected"),
    [(({"a", "b"},), ("a", "b")), (({"c"},), ("c",)), ((set(),), ()), (({"a", "b"}, {"b", "d"}), ("b", "d"))],
)
def test_minimal_conflict(cores, expected):
    names = ("a", "b", "c", "d")
    assert minimal_conflict(names, lambda kept: any(core <= set(kept) for core in cores)) == expected


def test_the_libraries_are_loaded_only_when_used():
    code = "import sys, intarsia.solvers; print({'ortools', 'clingo'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


SPLIT_THE_MARKET = """
import random
from intarsia.solvers import Limits, Model
rng, model = random.Random(1), Model()
shops = [model.boolean() for _ in range(50)]
for _ in range(6):
    sales = [rng.randrange(100) for _ in shops]
    model.add(2 * sum(s * x for s, x in zip(sales, shops)) == sum(sales) - sum(sales) % 2)
print("solving", flush=True)
try:
    print(model.solve(shops, Limits(seconds=300)))
except KeyboardInterrupt:
    print("interrupted")
"""


def test_an_interruption_stops_the_search_and_is_not_swallowed():
    command = [sys.executable, "-c", SPLIT_THE_MARKET]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "solving\n"
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
    assert (process.returncode, rest) == (0, "interrupted\n")
