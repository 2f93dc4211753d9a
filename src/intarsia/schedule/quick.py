"""What needs no search: a bound and a list schedule, by the model that a problem's tasks ask for.

Where tasks choose between two kinds of tensor cores that is ``mixed``; elsewhere the faster one for a kind each.
"""

from __future__ import annotations

from intarsia.schedule.bound import bound_one_kind
from intarsia.schedule.list_schedule import best_placement, list_one_kind
from intarsia.schedule.mixed import bound_mixed, list_mixed, list_mixed_makespan
from intarsia.schedule.problem import ScheduleProblem
from intarsia.schedule.schedule import Schedule


def bound(problem: ScheduleProblem) -> float:
    """A lower bound on the makespan of every schedule, seconds."""
    return bound_mixed(problem) if problem.mixed else bound_one_kind(problem)


def list_schedule(problem: ScheduleProblem) -> Schedule:
    """A schedule without a search; its bound is 0. Deterministic."""
    return list_mixed(problem) if problem.mixed else list_one_kind(problem)


def list_makespan(problem: ScheduleProblem) -> float:
    """How long that schedule is, seconds."""
    return list_mixed_makespan(problem) if problem.mixed else best_placement(problem)[0].makespan
