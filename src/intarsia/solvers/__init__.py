"""Outcomes of a search, and thin typed fronts of the solver libraries (the only room that calls them).

``intarsia.solvers.cpsat``, ``.milp`` and ``.asp`` load their libraries when a model is built, not before.
"""

from intarsia.solvers.asp import all_models
from intarsia.solvers.conflict import minimal_conflict
from intarsia.solvers.cpsat import Model, best_model
from intarsia.solvers.formula import Formula
from intarsia.solvers.limits import Limits
from intarsia.solvers.milp import LinearAnswer, LinearModel
from intarsia.solvers.outcome import Effort, Found, Infeasible, Outcome, OutOfTime

__all__ = [
    "Effort",
    "Formula",
    "Found",
    "Infeasible",
    "Limits",
    "LinearAnswer",
    "LinearModel",
    "Model",
    "OutOfTime",
    "Outcome",
    "all_models",
    "best_model",
    "minimal_conflict",
]
