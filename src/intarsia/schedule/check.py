"""The check of a schedule: a problem and a schedule come in, what is wrong goes out; nothing is taken from a solver.

The bound is checked for what can be seen without a proof: that it is not above the makespan.
"""

from __future__ import annotations

from itertools import pairwise

from intarsia.schedule.problem import Kind, ScheduleProblem, Task
from intarsia.schedule.schedule import Schedule, Slot

TOLERANCE = 1e-9
"""Relative to the makespan, or to all durations if they are less: sums of floating-point durations differ with their
order."""


def check(problem: ScheduleProblem, schedule: Schedule) -> tuple[str, ...]:
    """One text for each violation, none if the schedule is right."""
    names = [task.name for task in problem.tasks]
    if names != [slot.task for slot in schedule.slots]:
        return ("the slots are not those of the tasks, once each and in their order",)
    pairs = tuple(zip(problem.tasks, schedule.slots, strict=True))
    nowhere = [slot.task for task, slot in pairs if slot.second and task.second is None]
    if nowhere:
        return tuple(f"{name} is on the second kind of tensor cores, where it cannot be" for name in nowhere)
    busy = sum(task.seconds(spread=slot.spread, second=slot.second) for task, slot in pairs)
    slack = TOLERANCE * min(busy, abs(schedule.makespan))
    slots = dict(zip(names, schedule.slots, strict=True))
    return (
        *(text for task in problem.tasks for text in _alone(problem, task, slots[task.name], slack)),
        *(text for task in problem.tasks for text in _precedence(task, slots, slack)),
        *_overlaps(problem, slots, slack),
        *_makespan(schedule, slack),
    )


def _alone(problem: ScheduleProblem, task: Task, slot: Slot, slack: float) -> list[str]:
    found = []
    cores = problem.cores(task.kind_on(second=slot.second))
    if not slot.start >= 0:
        found.append(f"{task.name} starts at {slot.start}, before time 0")
    seconds = task.seconds(spread=slot.spread, second=slot.second)
    if not abs(slot.finish - slot.start - seconds) <= slack:
        found.append(f"{task.name} takes {slot.finish - slot.start} s, its duration is {seconds} s")
    if slot.spread and not problem.may_spread(task):
        found.append(f"{task.name} is spread, which a {task.kind} task cannot be")
    elif slot.spread and slot.cores != tuple(range(cores)):
        found.append(f"{task.name} is spread over cores {slot.cores}, not over all {cores}")
    elif not slot.spread and task.kind is Kind.FREE and slot.cores:
        found.append(f"{task.name} is free but takes cores {slot.cores}")
    elif not slot.spread and task.kind is not Kind.FREE and (len(slot.cores) != 1 or not 0 <= slot.cores[0] < cores):
        found.append(f"{task.name} takes cores {slot.cores}, not one of {cores}")
    return found


def _precedence(task: Task, slots: dict[str, Slot], slack: float) -> list[str]:
    start = slots[task.name].start
    late = [need for need in task.needs if not slots[need].finish <= start + slack]
    return [f"{task.name} starts at {start}, before {need} finishes at {slots[need].finish}" for need in late]


def _overlaps(problem: ScheduleProblem, slots: dict[str, Slot], slack: float) -> list[str]:
    """Two tasks on a core at once; a task without duration takes no core."""
    by_core: dict[tuple[Kind, int], list[Slot]] = {}
    for task in problem.tasks:
        slot = slots[task.name]
        for core in slot.cores if slot.finish > slot.start else ():
            by_core.setdefault((task.kind_on(second=slot.second), core), []).append(slot)
    found = []
    for (kind, core), taken in by_core.items():
        taken.sort(key=lambda slot: (slot.start, slot.finish))
        for before, after in pairwise(taken):
            if not before.finish <= after.start + slack:
                found.append(f"{before.task} and {after.task} are on {kind} core {core} at once")
    return found


def _makespan(schedule: Schedule, slack: float) -> list[str]:
    found = []
    last = max((slot.finish for slot in schedule.slots), default=0.0)
    if schedule.makespan != last:
        found.append(f"the makespan is {schedule.makespan}, the last task finishes at {last}")
    if not 0 <= schedule.bound <= schedule.makespan + slack:
        found.append(f"the bound {schedule.bound} is not between 0 and the makespan {schedule.makespan}")
    return found
