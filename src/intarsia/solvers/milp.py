"""Mixed integer linear models solved by HiGHS, the one inside OR-Tools (the only module that calls MathOpt)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import inf, isfinite
from time import perf_counter
from typing import Any

from intarsia.solvers.cpsat import Expression
from intarsia.solvers.limits import Limits
from intarsia.solvers.outcome import Effort


@dataclass(frozen=True, slots=True)
class LinearAnswer:
    """What a linear model gave.

    Attributes:
        values: of the wanted variables in the best solution, or None if there is none.
        bound: no solution is below it, up to HiGHS' tolerance; minus infinity if nothing is known.
        exhausted: the search ended by itself: with values, the best; without, there is no solution.
        effort: what it cost.
    """

    values: tuple[float, ...] | None
    bound: float
    exhausted: bool
    effort: Effort


class LinearModel:
    """A mixed integer linear model under construction, to be minimised."""

    def __init__(self) -> None:
        from ortools.math_opt.python import mathopt

        self._library: Any = mathopt
        self._model: Any = mathopt.Model()

    def number(self, low: float = 0.0, high: float = inf) -> Expression:
        """A real variable."""
        return self._model.add_variable(lb=low, ub=high)

    def boolean(self) -> Expression:
        """A variable that is 0 or 1."""
        return self._model.add_binary_variable()

    def add(self, constraint: Any) -> None:
        """A comparison (``<=``, ``>=``, ``==``) of linear forms."""
        self._model.add_linear_constraint(constraint)

    def minimize(self, objective: Expression, wanted: Sequence[Expression], limits: Limits) -> LinearAnswer:
        """The wanted variables where the objective is least; one thread."""
        start = perf_counter()
        self._model.minimize(objective)
        parameters = self._library.SolveParameters(
            time_limit=timedelta(seconds=max(limits.seconds, 0.0)),
            random_seed=limits.seed,
            relative_gap_tolerance=0.0,
            absolute_gap_tolerance=0.0,
        )
        result = self._library.solve(self._model, self._library.SolverType.HIGHS, params=parameters)
        reason = self._library.TerminationReason
        ended = result.termination.reason in {reason.OPTIMAL, reason.INFEASIBLE}
        values = None
        if result.has_primal_feasible_solution():
            values = tuple(float(value) for value in result.variable_values(list(wanted)))
        bound = float(result.termination.objective_bounds.dual_bound)
        effort = Effort(perf_counter() - start, int(result.solve_stats.node_count), 1, limits.seed)
        return LinearAnswer(values, bound if isfinite(bound) else -inf, ended, effort)
