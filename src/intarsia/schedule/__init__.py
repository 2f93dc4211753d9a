"""Operators of a layer, forward and backward, on the cores of a chip: the shortest schedule, with its proof.

Tasks with their durations come in; out goes when each runs and on which cores, the makespan and what no schedule beats.
"""

from intarsia.schedule.check import check
from intarsia.schedule.cpsat import solve_cpsat
from intarsia.schedule.milp import solve_milp
from intarsia.schedule.problem import Durations, Kind, ScheduleProblem, Task
from intarsia.schedule.quick import bound, list_makespan, list_schedule
from intarsia.schedule.schedule import PROVED, Schedule, Slot
from intarsia.schedule.solve import solve
from intarsia.schedule.svg import svg
from intarsia.schedule.trace import trace_json

__all__ = [
    "PROVED",
    "Durations",
    "Kind",
    "Schedule",
    "ScheduleProblem",
    "Slot",
    "Task",
    "bound",
    "check",
    "list_makespan",
    "list_schedule",
    "solve",
    "solve_cpsat",
    "solve_milp",
    "svg",
    "trace_json",
]
