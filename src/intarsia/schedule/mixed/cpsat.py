"""The problem in ticks as constraints on intervals, for CP-SAT, where tasks choose between two kinds of cores.

As in ``schedule.cpsat``, with a literal for each way of a task and an interval that is there if the way is taken.
"""

from __future__ import annotations

from typing import assert_never

from intarsia.ground.units import picoseconds
from intarsia.schedule.mixed.bound import Measure, bound_of, heads_of, measures_of, tails_of
from intarsia.schedule.mixed.ways import Way, Ways, ways_of
from intarsia.schedule.place import place
from intarsia.schedule.problem import ScheduleProblem
from intarsia.schedule.schedule import Schedule
from intarsia.schedule.ticks import members
from intarsia.solvers import Found, Infeasible, Limits, Model, Outcome, OutOfTime
from intarsia.solvers.cpsat import Expression

BITS = 28
"""Of the ticks: the rounding is below 1e-6 of the makespan, so that an optimum in ticks is proved."""


class MixedIntervals:
    """A start, an end and one way of each task; as many cores of a kind in use as there are; the makespan."""

    def __init__(self, ways: Ways, measures: tuple[Measure, ...], longest: int) -> None:
        self.model = Model()
        self.ways = ways
        heads, tails = heads_of(ways, measures), tails_of(ways, measures)
        tasks = range(len(heads))
        self.makespan = self.model.integer(min(bound_of(ways, measures), longest), longest)
        short = [ways.shortest(task) for task in tasks]
        self.starts = [self.model.integer(heads[t], longest - tails[t] - short[t]) for t in tasks]
        self.ends = [self.model.integer(heads[t] + short[t], longest - tails[t]) for t in tasks]
        self.taken: list[list[Expression]] = [
            [True] if len(own) == 1 else [self.model.boolean() for _ in own] for own in ways.ways
        ]
        for task in tasks:
            self._link(task, tails[task])
        for kind, cores in enumerate(ways.cores):
            if cores:
                self._resource(kind, cores)

    def _link(self, task: int, tail: int) -> None:
        """A task goes one way, takes its time after its needs and before the end."""
        own, taken = self.ways.ways[task], self.taken[task]
        if len(own) > 1:
            self.model.add(sum(taken) == 1)
        length = sum(way.ticks * there for way, there in zip(own, taken, strict=True))
        self.model.add(self.ends[task] == self.starts[task] + length)
        self.model.add(self.ends[task] + tail <= self.makespan)
        for need in self.ways.needs[task]:
            self.model.add(self.starts[task] >= self.ends[need])

    def _resource(self, kind: int, cores: int) -> None:
        intervals, demands = [], []
        for task, own in enumerate(self.ways.ways):
            for way, there in zip(own, self.taken[task], strict=True):
                if way.kind == kind:
                    intervals.append(self.model.interval(self.starts[task], way.ticks, self.ends[task], only_if=there))
                    demands.append(cores if way.spread else 1)
        self.model.cumulative(intervals, demands, cores)

    def cut(self) -> None:
        """Between the finish of a task and the start of another fits the work of what must lie between."""
        whole = (1 << len(self.starts)) - 1
        ends: list[int | None] = [None, *range(len(self.starts))]
        for first in ends:
            for last in ends:
                inside = whole if first is None else self.ways.after[first]
                inside &= whole if last is None else self.ways.before[last]
                for kind, cores in enumerate(self.ways.cores):
                    if cores:
                        self._cut(first, last, kind, inside)

    def _cut(self, first: int | None, last: int | None, kind: int, inside: int) -> None:
        """The tightest pair of tasks around a set only."""
        ways = self.ways
        own = [task for task in members(inside) if any(way.kind == kind for way in ways.ways[task])]
        asked = sum(1 << task for task in own)
        closer = (t for t in members(inside) if asked & ~ways.after[t] == 0 or asked & ~ways.before[t] == 0)
        if len(own) < 2 or next(closer, None) is not None:
            return
        left = 0 if first is None else self.ends[first]
        right = self.makespan if last is None else self.starts[last]
        work = sum(
            way.energy * there
            for task in own
            for way, there in zip(ways.ways[task], self.taken[task], strict=True)
            if way.kind == kind
        )
        self.model.add(ways.cores[kind] * (right - left) >= work)

    def hint(self, best: Schedule) -> None:
        """Begin at a schedule that is known."""
        for task, slot in enumerate(best.slots):
            self.model.hint(self.starts[task], int(slot.start / self.ways.tick))
            own = self.ways.ways[task]
            for way, there in zip(own, self.taken[task], strict=True) if len(own) > 1 else ():
                self.model.hint(there, int((way.spread, way.second) == (slot.spread, slot.second)))


def solve_mixed_cpsat(problem: ScheduleProblem, limits: Limits, best: Schedule | None = None) -> Outcome[Schedule]:
    """A shortest schedule up to the rounding to ticks, or the best so far with a true bound in seconds.

    Args:
        problem: tasks and cores.
        limits: seconds, workers and seed.
        best: a schedule that the search starts from.
    """
    ways = ways_of(problem, BITS)
    measures = measures_of(ways)
    longest = sum(max(way.ticks for way in own) for own in ways.ways)
    longest = longest if best is None else int(best.makespan / ways.tick)
    intervals = MixedIntervals(ways, measures, max(longest, bound_of(ways, measures)))
    intervals.cut()
    intervals.model.minimize(intervals.makespan)
    if best is not None:
        intervals.hint(best)
    wanted = [there for taken in intervals.taken for there in taken]
    outcome = intervals.model.solve((*intervals.starts, *wanted), limits)
    match outcome:
        case Infeasible():
            raise AssertionError("a schedule exists: one task after the other")
        case Found(values, bound, effort):
            found = _read(problem, ways, values, best, bound)
            return Found(found, (picoseconds(found.bound),), effort)
        case OutOfTime(values_or_none, bound, effort):
            found_or_none = best if values_or_none is None else _read(problem, ways, values_or_none, best, bound)
            return OutOfTime(found_or_none, tuple(picoseconds(b * ways.tick) for b in bound), effort)
        case _:
            assert_never(outcome)


def _read(
    problem: ScheduleProblem, ways: Ways, values: tuple[int, ...], best: Schedule | None, bound: tuple[int, ...]
) -> Schedule:
    """The schedule whose tasks start in the solver's order, or a better one that was known."""
    tasks = len(ways.needs)
    starts, taken = values[:tasks], iter(values[tasks:])
    chosen = [_way(own, [next(taken) for _ in own]) for own in ways.ways]
    order = sorted(range(tasks), key=lambda task: (starts[task], task))
    made = place(problem, order, [way.spread for way in chosen], [way.second for way in chosen])
    shorter = made if best is None or made.makespan < best.makespan else best
    low = max((b * ways.tick for b in bound), default=0.0)
    return Schedule(shorter.slots, shorter.makespan, min(low, shorter.makespan))


def _way(own: tuple[Way, ...], taken: list[int]) -> Way:
    return own[taken.index(1)]
