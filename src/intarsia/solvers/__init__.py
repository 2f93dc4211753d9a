"""Outcomes of a search, and thin typed fronts of the solver libraries (the only room that calls them)."""

from intarsia.solvers.outcome import Effort, Found, Infeasible, Outcome, OutOfTime

__all__ = ["Effort", "Found", "Infeasible", "OutOfTime", "Outcome"]
