"""A schedule with its proof: list schedule, then sets of placed tasks, then CP-SAT, each only where a gap is left.

Where tasks choose between two kinds of tensor cores, the search through sets is left out, which knows one kind each.
"""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter

from intarsia.ground.units import from_picoseconds, picoseconds
from intarsia.schedule.cpsat import solve_cpsat
from intarsia.schedule.mixed import solve_mixed_cpsat
from intarsia.schedule.problem import ScheduleProblem
from intarsia.schedule.quick import bound, list_schedule
from intarsia.schedule.schedule import Schedule
from intarsia.solvers import Effort, Found, Limits, Outcome, OutOfTime

SHARE = 0.8
"""Of the seconds, for the search through sets; CP-SAT gets the rest."""


def solve(problem: ScheduleProblem, limits: Limits) -> Outcome[Schedule]:
    """A shortest schedule, up to the rounding of durations that ``Schedule.optimal`` allows.

    The seconds are those of the searches: compiling the first (once for each installation, about 8 s) comes on top.

    Returns:
        Found, or OutOfTime with the best schedule so far; both carry their bound, in seconds in the schedule and in
        picoseconds, rounded down, in the outcome. A schedule always exists.
    """
    low = bound(problem)
    made = list_schedule(problem)
    best = replace(made, bound=min(low, made.makespan))
    start, nodes = perf_counter(), 0
    if not best.optimal and limits.seconds > 0 and not problem.mixed:
        from intarsia.schedule.states import compile_search, search_states

        compile_search()
        start = perf_counter()
        search = search_states(problem, best, limits.seconds * SHARE)
        best, nodes = replace(search.best, bound=min(max(low, search.bound), search.best.makespan)), search.states
    left = limits.seconds - (perf_counter() - start)
    if not best.optimal and left > 0:
        solver = solve_mixed_cpsat if problem.mixed else solve_cpsat
        outcome = solver(problem, replace(limits, seconds=left), best)
        best, nodes = _joined(best, outcome), nodes + outcome.effort.nodes
    effort = Effort(perf_counter() - start, nodes, limits.workers, limits.seed)
    answer = (picoseconds(best.bound),)
    return Found(best, answer, effort) if best.optimal else OutOfTime(best, answer, effort)


def _joined(best: Schedule, outcome: Outcome[Schedule]) -> Schedule:
    """The shorter schedule with the higher bound."""
    match outcome:
        case Found(found, _, _):
            shorter = min(best, found, key=lambda schedule: schedule.makespan)
            return replace(shorter, bound=min(max(best.bound, found.bound), shorter.makespan))
        case OutOfTime(found_or_none, low, _):
            shorter = min(best, found_or_none or best, key=lambda schedule: schedule.makespan)
            return replace(shorter, bound=min(max(best.bound, *map(from_picoseconds, low)), shorter.makespan))
        case _:
            raise AssertionError("a schedule always exists")
