"""Schedules on chips with two kinds of tensor cores, where a task chooses which of them it runs on.

A problem whose tasks have no such choice goes through the rest of ``schedule``, which is faster; both agree on it.
"""

from intarsia.schedule.mixed.bound import bound_mixed
from intarsia.schedule.mixed.cpsat import solve_mixed_cpsat
from intarsia.schedule.mixed.list_schedule import list_mixed, list_mixed_makespan

__all__ = ["bound_mixed", "list_mixed", "list_mixed_makespan", "solve_mixed_cpsat"]
