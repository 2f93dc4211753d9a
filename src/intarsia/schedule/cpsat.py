"""The problem in ticks as constraints on intervals, for CP-SAT; cores are coloured afterwards by ``place``.

Cores of a kind are equal, so that it is enough that no more of them are in use than there are: a task on one core takes
one of them, a spread task all. To this come, for every pair of tasks, cuts of the energetic argument: between the
finish of the one and the start of the other fits the work of what must lie between.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from intarsia.ground.units import picoseconds
from intarsia.schedule.bound import bound_ticks, heads_of, tails_of
from intarsia.schedule.place import place
from intarsia.schedule.problem import ScheduleProblem
from intarsia.schedule.schedule import Schedule
from intarsia.schedule.ticks import Ticked, in_ticks, members
from intarsia.solvers import Found, Infeasible, Limits, Model, Outcome, OutOfTime
from intarsia.solvers.cpsat import Expression

BITS = 24
"""Of the ticks: finer ones slow the search down; the rounding shows as a gap."""


class Intervals:
    """A start, a mode and an interval for each task; as many cores of a kind in use as there are; the makespan."""

    def __init__(self, ticked: Ticked, longest: int) -> None:
        self.model = Model()
        self.ticked = ticked
        heads, tails = heads_of(ticked), tails_of(ticked)
        tasks = range(len(heads))
        low = min(bound_ticks(ticked), longest)
        self.makespan = self.model.integer(low, longest)
        ends = [(heads[t] + ticked.shortest(t), longest - tails[t]) for t in tasks]
        self.starts = [self.model.integer(heads[t], ends[t][1] - ticked.shortest(t)) for t in tasks]
        self.ends = [self.model.integer(*ends[t]) for t in tasks]
        self.spread: list[Expression] = [
            self.model.boolean() if len(ticked.modes[t]) > 1 else int(ticked.modes[t][0]) for t in tasks
        ]
        for task in tasks:
            self._link(task, tails[task])
        for kind, cores in enumerate(ticked.cores):
            if cores:
                self._resource(kind, cores)

    def _link(self, task: int, tail: int) -> None:
        """A task takes its time after its needs and before the end."""
        one, spread = self.ticked.one[task], self.ticked.spread[task]
        self.model.add(self.ends[task] == self.starts[task] + one + (spread - one) * self.spread[task])
        self.model.add(self.ends[task] + tail <= self.makespan)
        for need in self.ticked.needs[task]:
            self.model.add(self.starts[task] >= self.ends[need])

    def _resource(self, kind: int, cores: int) -> None:
        intervals, demands = [], []
        for task in members(self.ticked.of_kind(kind)):
            for spread in self.ticked.modes[task]:
                there: Expression = True
                if len(self.ticked.modes[task]) > 1:
                    there = self.spread[task] if spread else ~self.spread[task]
                size = self.ticked.ticks(task, spread=spread)
                intervals.append(self.model.interval(self.starts[task], size, self.ends[task], only_if=there))
                demands.append(cores if spread else 1)
        self.model.cumulative(intervals, demands, cores)

    def cut(self) -> None:
        """Add the energetic cuts."""
        for first, last, kind, between in windows(self.ticked):
            left = 0 if first is None else self.ends[first]
            right = self.makespan if last is None else self.starts[last]
            work = sum(self._energy(task) for task in between)
            self.model.add(self.ticked.cores[kind] * (right - left) >= work)

    def _energy(self, task: int) -> Expression:
        one, spread = (self.ticked.energy(task, spread=mode) for mode in (False, True))
        return one + (spread - one) * self.spread[task]


def windows(ticked: Ticked) -> Iterator[tuple[int | None, int | None, int, list[int]]]:
    """Pairs of tasks (None: begin and end) with the tasks of a kind between them; only the tightest pair of each."""
    whole = (1 << len(ticked.needs)) - 1
    ends: list[int | None] = [None, *range(len(ticked.needs))]
    for first in ends:
        for last in ends:
            inside = whole if first is None else ticked.after[first]
            inside &= whole if last is None else ticked.before[last]
            for kind, cores in enumerate(ticked.cores):
                own = inside & ticked.of_kind(kind)
                if not cores or own.bit_count() < 2:
                    continue
                closer = (t for t in members(inside) if own & ~ticked.after[t] == 0 or own & ~ticked.before[t] == 0)
                if next(closer, None) is None:
                    yield first, last, kind, members(own)


def solve_cpsat(problem: ScheduleProblem, limits: Limits, best: Schedule | None = None) -> Outcome[Schedule]:
    """A shortest schedule up to the rounding to ticks, or the best so far with a true bound in seconds.

    Args:
        problem: tasks and cores.
        limits: seconds, workers and seed.
        best: a schedule that the search starts from.
    """
    ticked = in_ticks(problem, BITS)
    longest = sum(ticked.ticks(t, spread=False) for t in range(len(ticked.needs)))
    longest = longest if best is None else int(best.makespan / ticked.tick)
    intervals = Intervals(ticked, max(longest, bound_ticks(ticked)))
    intervals.cut()
    intervals.model.minimize(intervals.makespan)
    if best is not None:
        for task, slot in enumerate(best.slots):
            intervals.model.hint(intervals.starts[task], int(slot.start / ticked.tick))
            if len(ticked.modes[task]) > 1:
                intervals.model.hint(intervals.spread[task], int(slot.spread))
    outcome = intervals.model.solve((*intervals.starts, *intervals.spread), limits)
    match outcome:
        case Infeasible():
            raise AssertionError("a schedule exists: one task after the other")
        case Found(values, bound, effort):
            found = _read(problem, ticked, values, best, bound)
            return Found(found, (picoseconds(found.bound),), effort)
        case OutOfTime(values_or_none, bound, effort):
            found_or_none = best if values_or_none is None else _read(problem, ticked, values_or_none, best, bound)
            return OutOfTime(found_or_none, tuple(picoseconds(b * ticked.tick) for b in bound), effort)
        case _:
            assert_never(outcome)


def _read(
    problem: ScheduleProblem, ticked: Ticked, values: tuple[int, ...], best: Schedule | None, bound: tuple[int, ...]
) -> Schedule:
    """The schedule whose tasks start in the solver's order, or a better one that was known."""
    tasks = len(ticked.needs)
    starts, spread = values[:tasks], [bool(value) for value in values[tasks:]]
    made = place(problem, sorted(range(tasks), key=lambda task: (starts[task], task)), spread)
    shorter = made if best is None or made.makespan < best.makespan else best
    low = max((b * ticked.tick for b in bound), default=0.0)
    return Schedule(shorter.slots, shorter.makespan, min(low, shorter.makespan))
