"""All models of a formula: against every assignment tried by hand, and at its limits."""

from itertools import product

import pytest

from intarsia.solvers import Formula, Found, Infeasible, Limits, OutOfTime, all_models, best_model


def by_hand(formula, projected):
    """Every assignment of the free variables, the definitions evaluated in order."""
    defined = dict(formula.definitions)
    free = [v for v in range(1, formula.variables + 1) if v not in defined]
    found = set()
    for bits in product((False, True), repeat=len(free)):
        true = dict(zip(free, bits, strict=True))
        for variable, literals in formula.definitions:
            true[variable] = any(true[abs(x)] == (x > 0) for x in literals)
        holds = [sum(true[abs(x)] == (x > 0) for x in c) >= 1 for c in formula.clauses]
        holds += [sum(true[abs(x)] == (x > 0) for x in literals) <= n for literals, n in formula.bounds]
        if all(holds):
            found.add(tuple(v for v in projected if true[v]))
    return tuple(sorted(found))


def example():
    formula = Formula()
    a = [formula.new() for _ in range(6)]
    formula.exactly_one(a[:3])
    formula.at_most(a[2:], 2)
    either = formula.any_of((a[0], -a[5]))
    formula.clause((-either, a[3]))
    formula.clause((a[4], either))
    return formula


def test_agrees_with_every_assignment_tried():
    formula = example()
    outcome = all_models(formula, range(1, 7), Limits())
    assert isinstance(outcome, Found)
    assert outcome.value == by_hand(formula, range(1, 7))
    assert outcome.bound == (len(outcome.value),)
    assert len(outcome.value) > 3


def test_projection_names_each_part_once():
    formula = example()
    assert all_models(formula, range(1, 4), Limits()).value == by_hand(formula, range(1, 4))


def test_no_model_is_infeasible():
    formula = Formula()
    a = formula.new()
    formula.clause((a,))
    formula.clause((-a,))
    assert isinstance(all_models(formula, range(1, 2), Limits()), Infeasible)
    assert isinstance(best_model(formula, (), Limits()), Infeasible)


def test_the_empty_clause_is_a_contradiction():
    formula = Formula()
    formula.new()
    formula.clause(())
    assert isinstance(all_models(formula, range(1, 2), Limits()), Infeasible)
    assert isinstance(best_model(formula, (), Limits()), Infeasible)


@pytest.mark.parametrize("solutions", [0, 1, 3])
def test_a_limit_of_solutions_is_out_of_time(solutions):
    outcome = all_models(example(), range(1, 7), Limits(solutions=solutions))
    assert isinstance(outcome, OutOfTime)
    assert len(outcome.best) == solutions


def test_a_limit_that_is_just_enough_is_complete():
    complete = all_models(example(), range(1, 7), Limits()).value
    assert all_models(example(), range(1, 7), Limits(solutions=len(complete))).value == complete


def test_a_limit_of_seconds_is_out_of_time():
    formula = Formula()
    for _ in range(40):
        formula.new()
    outcome = all_models(formula, range(1, 41), Limits(seconds=0.1))
    assert isinstance(outcome, OutOfTime)  # all 2 ** 40 models would never end


def test_the_best_model_has_the_fewest():
    formula = example()
    outcome = best_model(formula, range(1, 7), Limits())
    fewest = min(len(model) for model in by_hand(formula, range(1, 7)))
    assert isinstance(outcome, Found)
    assert outcome.bound == (fewest,)
    assert sum(v <= 6 for v in outcome.value) == fewest
