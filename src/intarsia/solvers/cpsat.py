"""The only module that calls CP-SAT: integer models solved to a proved optimum by CP-SAT, or enumerated."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from math import ceil, floor, isfinite
from time import perf_counter
from typing import Any, assert_never

from intarsia.solvers.formula import Formula
from intarsia.solvers.limits import Limits, TimeIsUpError, before
from intarsia.solvers.outcome import Effort, Found, Infeasible, Outcome, OutOfTime

Expression = Any
"""A variable or a linear form of variables; comparing two gives a constraint."""

Values = tuple[int, ...]

GREEDY_CONFLICTS = 1000
"""Dead ends after which a greedy search gives up."""


class Model:
    """A CP-SAT model under construction: variables in, constraints in, an Outcome out."""

    def __init__(self) -> None:
        from ortools.sat.python import cp_model

        self._library: Any = cp_model
        self._model: Any = cp_model.CpModel()
        self._sense = 0

    def integer(self, low: int, high: int, name: str = "") -> Expression:
        """A variable from ``low`` to ``high``, both included."""
        return self._model.new_int_var(low, high, name)

    def choice(self, values: Sequence[int], name: str = "") -> Expression:
        """A variable that takes one of these values."""
        return self._model.new_int_var_from_domain(self._library.Domain.from_values(list(values)), name)

    def boolean(self, name: str = "") -> Expression:
        """A variable that is 0 or 1, and may be used as a literal (``~b`` is its negation)."""
        return self._model.new_bool_var(name)

    def add(self, constraint: Any, *, only_if: Sequence[Expression] = ()) -> None:
        """A comparison of linear forms, enforced if all the literals ``only_if`` are true."""
        posted = self._model.add(constraint)
        if only_if:
            posted.only_enforce_if(list(only_if))

    def clause(self, literals: Sequence[Expression]) -> None:
        """At least one literal is true."""
        self._model.add_bool_or(list(literals))

    def at_most_one(self, literals: Sequence[Expression]) -> None:
        """No two literals are true."""
        self._model.add_at_most_one(list(literals))

    def product(self, low: int, high: int, factors: Sequence[Expression], name: str = "") -> Expression:
        """A new variable that equals the product of the factors."""
        target = self._model.new_int_var(low, high, name)
        self._model.add_multiplication_equality(target, list(factors))
        return target

    def quotient(self, low: int, high: int, dividend: Expression, divisor: Expression, name: str = "") -> Expression:
        """A new variable that equals the quotient rounded towards zero."""
        target = self._model.new_int_var(low, high, name)
        self._model.add_division_equality(target, dividend, divisor)
        return target

    def maximum(self, low: int, high: int, terms: Sequence[Expression], name: str = "") -> Expression:
        """A new variable that equals the greatest of the terms."""
        target = self._model.new_int_var(low, high, name)
        self._model.add_max_equality(target, list(terms))
        return target

    def interval(self, start: Expression, size: Expression, end: Expression, *, only_if: Any = True) -> Expression:
        """A stretch of time with ``start + size == end``, there if the literal ``only_if`` is true."""
        return self._model.new_optional_interval_var(start, size, end, only_if, "")

    def cumulative(self, intervals: Sequence[Expression], demands: Sequence[int], capacity: int) -> None:
        """At no time do the demands of the intervals that are there exceed the capacity."""
        self._model.add_cumulative(list(intervals), list(demands), capacity)

    def minimize(self, objective: Expression) -> None:
        """Look for the least value of a linear form instead of any solution."""
        self._model.minimize(objective)
        self._sense = 1

    def maximize(self, objective: Expression) -> None:
        """Look for the greatest value of a linear form instead of any solution."""
        self._model.maximize(objective)
        self._sense = -1

    def hint(self, variable: Expression, value: int) -> None:
        """Where the search may begin."""
        self._model.add_hint(variable, value)

    def solve(self, wanted: Sequence[Expression], limits: Limits) -> Outcome[Values]:
        """The values of the wanted expressions in an optimal solution, or in any if nothing is optimised.

        Returns:
            Found with the bound (optimum,), or () without an objective; Infeasible with nothing said; OutOfTime with
            the best solution, if any, and the bound proved so far.
        """
        start = perf_counter()
        solver = self._solver(limits)
        return self._outcome(solver, self._status(solver), wanted, limits, start)

    def first(self, order: Sequence[Expression], wanted: Sequence[Expression], limits: Limits) -> Outcome[Values]:
        """As ``solve``, by making one literal after the other true, without preparation; gives up early.

        For large models with an easy solution, where presolve and relaxations cost more than the search.
        """
        start = perf_counter()
        library = self._library
        self._model.add_decision_strategy(list(order), library.CHOOSE_FIRST, library.SELECT_MAX_VALUE)
        solver = self._solver(limits)
        solver.parameters.search_branching = library.FIXED_SEARCH
        solver.parameters.cp_model_presolve = False
        solver.parameters.symmetry_level = 0
        solver.parameters.linearization_level = 0
        solver.parameters.max_number_of_conflicts = GREEDY_CONFLICTS
        return self._outcome(solver, self._status(solver), wanted, limits, start)

    def enumerate_all(self, wanted: Sequence[Expression], limits: Limits) -> Outcome[tuple[Values, ...]]:
        """The wanted values in every solution of a model without an objective, sorted.

        One worker, always: with more of them CP-SAT returns a part of the solutions and calls it OPTIMAL.
        """
        assert not self._sense, "an objective cannot be enumerated"
        assert limits.workers == 1, "CP-SAT enumerates completely with one worker only"
        start = perf_counter()
        solver = self._solver(limits)
        solver.parameters.enumerate_all_solutions = True
        found: list[Values] = []

        class Collect(self._library.CpSolverSolutionCallback):  # type: ignore[misc, name-defined]  # a base of an untyped library
            """Keeps every solution, stops at the limit."""

            full = False

            def on_solution_callback(self) -> None:
                if len(found) >= limits.solutions:
                    self.full = True
                    self.stop_search()
                    return
                found.append(tuple(int(self.value(expression)) for expression in wanted))

        collect = Collect()
        assert solver.parameters.num_workers == 1, "CP-SAT enumerates completely with one worker only"
        status = self._status(solver, collect)
        effort = Effort(perf_counter() - start, int(solver.num_branches), 1, limits.seed)
        solutions = tuple(sorted(found))
        if status == self._library.INFEASIBLE:
            return Infeasible((), "", effort)
        if status == self._library.OPTIMAL and not collect.full:
            return Found(solutions, (len(solutions),), effort)
        return OutOfTime(solutions, (len(solutions),), effort)

    def _solver(self, limits: Limits) -> Any:
        solver = self._library.CpSolver()
        solver.parameters.max_time_in_seconds = max(limits.seconds, 0.0)
        solver.parameters.num_workers = limits.workers
        solver.parameters.random_seed = limits.seed
        return solver

    def _status(self, solver: Any, *callbacks: Any) -> Any:
        """Solve beside the main thread: an interruption reaches that one, stops the search and goes on its way."""
        solver.parameters.catch_sigint_signal = False
        with ThreadPoolExecutor(1) as beside:
            solving = beside.submit(solver.solve, self._model, *callbacks)
            try:
                return solving.result()
            except KeyboardInterrupt:
                solver.stop_search()
                raise

    def _outcome(
        self, solver: Any, status: Any, wanted: Sequence[Expression], limits: Limits, start: float
    ) -> Outcome[Values]:
        effort = Effort(perf_counter() - start, int(solver.num_branches), limits.workers, limits.seed)
        if status == self._library.INFEASIBLE:
            return Infeasible((), "", effort)
        if status == self._library.UNKNOWN:
            return OutOfTime(None, self._bound(solver), effort)
        assert status in {self._library.OPTIMAL, self._library.FEASIBLE}, solver.status_name(status)
        values = tuple(int(solver.value(expression)) for expression in wanted)
        if status == self._library.OPTIMAL or not self._sense:
            return Found(values, self._bound(solver), effort)
        return OutOfTime(values, self._bound(solver), effort)

    def _bound(self, solver: Any) -> Values:
        bound = float(solver.best_objective_bound)
        if not self._sense or not isfinite(bound):
            return ()
        return (ceil(bound - 1e-6),) if self._sense > 0 else (floor(bound + 1e-6),)


def best_model(
    formula: Formula, fewest: Sequence[int], limits: Limits, *, at_least: int = 0, order: Sequence[int] = ()
) -> Outcome[Values]:
    """A model with the fewest true literals among ``fewest``, as the true variables; the bound is their number.

    A short greedy search in a fixed order goes first: where a model reaches the known bound, it finds it at sizes at
    which the default search finds none.

    Args:
        formula: with all-different constraints decomposed into bounds: a global one does not scale.
        fewest: literals to count.
        limits: of both searches together.
        at_least: a number that no model can go below.
        order: literals that the greedy search tries to make true, one after the other; no greedy search if empty.
    """
    start = perf_counter()
    try:
        return _best_model(formula, fewest, limits, at_least=at_least, order=order)
    except TimeIsUpError:
        return OutOfTime(None, (at_least,), Effort(perf_counter() - start, 0, limits.workers, limits.seed))


def _best_model(
    formula: Formula, fewest: Sequence[int], limits: Limits, *, at_least: int, order: Sequence[int]
) -> Outcome[Values]:
    start = perf_counter()
    ends = start + limits.seconds
    if order:
        model, variables = _posted(formula, ends)
        model.add(sum(_literal(variables, number) for number in fewest) <= at_least)
        wanted = [_literal(variables, number) for number in order]
        outcome = model.first(wanted, variables, replace(limits, seconds=ends - perf_counter()))
        if isinstance(outcome, Found):
            return Found(_true(outcome.value), (at_least,), replace(outcome.effort, seconds=perf_counter() - start))
    model, variables = _posted(formula, ends)
    count = sum(_literal(variables, number) for number in fewest)
    if at_least:
        model.add(count >= at_least)
    model.minimize(count)
    outcome = model.solve(variables, replace(limits, seconds=ends - perf_counter()))
    effort = replace(outcome.effort, seconds=perf_counter() - start)
    match outcome:
        case Infeasible():
            return replace(outcome, effort=effort)
        case Found(values, bound, _):
            return Found(_true(values), bound, effort)
        case OutOfTime(best, bound, _):
            return OutOfTime(None if best is None else _true(best), max(bound, (at_least,)), effort)
        case _:
            assert_never(outcome)


def _posted(formula: Formula, ends: float) -> tuple[Model, list[Expression]]:
    model = Model()
    variables = [model.boolean() for _ in before(ends, range(formula.variables))]
    for variable, literals in before(ends, formula.definitions):
        defined = _literal(variables, variable)
        model.clause([~defined, *(_literal(variables, number) for number in literals)])
        for number in literals:
            model.clause([defined, ~_literal(variables, number)])
    for clause in before(ends, formula.clauses):
        model.clause([_literal(variables, number) for number in clause])
    for literals, n in before(ends, formula.bounds):
        bounded = [_literal(variables, number) for number in literals]
        if n == 1:
            model.at_most_one(bounded)
        else:
            model.add(sum(bounded) <= n)
    return model, variables


def _literal(variables: Sequence[Expression], number: int) -> Expression:
    return variables[number - 1] if number > 0 else ~variables[-number - 1]


def _true(values: Values) -> Values:
    return tuple(number for number, value in enumerate(values, start=1) if value)
