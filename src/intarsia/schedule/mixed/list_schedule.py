"""A quick schedule where tasks choose between two kinds of cores: the task with the longest path to the end goes first.

Which way a task goes is decided by one of several rules, and the shortest schedule is taken. Among those that are tried
are the list schedules of a chip that had only one of its two kinds, so that a second kind never makes it longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain

from intarsia.schedule.list_schedule import best_placement
from intarsia.schedule.mixed.bound import bound_of, measures_of, tails_of
from intarsia.schedule.mixed.ways import Way, Ways, ways_of
from intarsia.schedule.place import Placement, placed, schedule_of
from intarsia.schedule.problem import Kind, ScheduleProblem
from intarsia.schedule.schedule import Schedule

BITS = 40
ROUNDING = 1e-9
"""Relative, of durations to ticks."""

Order = tuple[list[int], list[Way]]
"""Tasks in the order in which they start, and the way of each task by its number."""


Choices = tuple[list[bool], list[bool]]
"""Of each task whether it is spread, and whether it is on the second kind."""


def list_mixed(problem: ScheduleProblem) -> Schedule:
    """A schedule without a search; its bound is 0. Deterministic."""
    at, (spread, second) = _best(problem)
    return schedule_of(problem, at, spread, second)


def list_mixed_makespan(problem: ScheduleProblem) -> float:
    """How long that schedule is, seconds."""
    return _best(problem)[0].makespan


def _best(problem: ScheduleProblem) -> tuple[Placement, Choices]:
    """The shortest that is tried; nothing more is, once one meets the bound."""
    ways = ways_of(problem, BITS)
    measures = measures_of(ways)
    low = bound_of(ways, measures) * ways.tick * (1 + ROUNDING)
    best: tuple[Placement, Choices] | None = None
    for at, choices in chain(_on_both(problem, ways, tails_of(ways, measures)), _on_one_kind(problem)):
        if best is None or at.makespan < best[0].makespan:
            best = at, choices
        if best[0].makespan <= low:
            break
    assert best is not None, "there is a rule"
    return best


def _on_one_kind(problem: ScheduleProblem) -> Iterator[tuple[Placement, Choices]]:
    """The schedules of chips with the first kind alone, and with the second alone where every task may run on it."""
    first = tuple(replace(task, second=None) for task in problem.tasks)
    at, spread = best_placement(ScheduleProblem(first, problem.tensor_cores, problem.vector_cores))
    yield at, (spread, [False] * len(first))
    moved = []
    for task in problem.tasks:
        if task.kind is Kind.TENSOR and task.second is None:
            return
        there = task.second
        moved.append(task if there is None else replace(task, one=there.one, all=there.all, second=None))
    at, spread = best_placement(ScheduleProblem(tuple(moved), problem.second_cores, problem.vector_cores))
    yield at, (spread, [task.second is not None for task in problem.tasks])


def _on_both(problem: ScheduleProblem, ways: Ways, tails: list[int]) -> Iterator[tuple[Placement, Choices]]:
    """Every rule's schedule, on the kind where a task would finish first and on the kind where it is fastest."""
    fastest = replace(ways, ways=tuple(_fastest_kind(own) for own in ways.ways))
    for allowed in (ways, fastest):
        for choice in (_fast, _all, _thrifty):
            order, chosen = _serve(allowed, tails, choice)
            choices = [way.spread for way in chosen], [way.second for way in chosen]
            yield placed(problem, order, *choices), choices


def _fastest_kind(ways: tuple[Way, ...]) -> tuple[Way, ...]:
    best = min(ways, key=lambda way: way.ticks)
    return tuple(way for way in ways if way.kind == best.kind)


def _serve(ways: Ways, tails: list[int], choice: Callable[[tuple[Way, ...]], tuple[Way, ...]]) -> Order:
    """The order in which tasks start: of those that could start first, the one with the longest rest."""
    count = len(tails)
    free = [[0] * min(cores, count) for cores in ways.cores]
    listed = [choice(own) for own in ways.ways]
    finish: dict[int, int] = {}
    chosen: list[Way] = [own[0] for own in ways.ways]
    order: list[int] = []
    left = set(range(count))
    while left:
        found = []
        for task in left:
            if all(need in finish for need in ways.needs[task]):
                since = max((finish[need] for need in ways.needs[task]), default=0)
                start, way = _soon(listed[task], since, free)
                found.append((start, -way.ticks - tails[task], task, way))
        start, _, task, way = min(found, key=lambda one: one[:3])
        left.remove(task)
        order.append(task)
        chosen[task], finish[task] = way, start + way.ticks
        _take(free[way.kind], way, finish[task])
    return order, chosen


def _soon(ways: tuple[Way, ...], since: int, free: list[list[int]]) -> tuple[int, Way]:
    """The start and the way of a task that would finish first."""
    best: tuple[int, int, Way] | None = None
    for way in ways:
        cores = free[way.kind]
        start = max(since, max(cores) if way.spread else min(cores)) if cores and way.ticks else since
        if best is None or start + way.ticks < best[0]:
            best = (start + way.ticks, start, way)
    assert best is not None, "a task has a way"
    return best[1], best[2]


def _take(cores: list[int], way: Way, finish: int) -> None:
    if not cores or not way.ticks:
        return
    if way.spread:
        cores[:] = [finish] * len(cores)
    else:
        cores[cores.index(min(cores))] = finish


def _thrifty(ways: tuple[Way, ...]) -> tuple[Way, ...]:
    """On each kind the way of the least work."""
    least = {way.kind: min(own.energy for own in ways if own.kind == way.kind) for way in ways}
    kept = [way for way in ways if way.energy == least[way.kind]]
    return tuple(kept)


def _fast(ways: tuple[Way, ...]) -> tuple[Way, ...]:
    """On each kind the fastest way."""
    least = {way.kind: min(own.ticks for own in ways if own.kind == way.kind) for way in ways}
    return tuple(way for way in ways if way.ticks == least[way.kind])


def _all(ways: tuple[Way, ...]) -> tuple[Way, ...]:
    return ways
