"""A search through sets of placed tasks, in sweeps that keep more and more states, until one keeps all that count."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from time import perf_counter

from intarsia.schedule.bound import bound_ticks, tails_of
from intarsia.schedule.facts import facts_of
from intarsia.schedule.place import place
from intarsia.schedule.problem import Kind, ScheduleProblem, Task
from intarsia.schedule.schedule import PROVED, Schedule
from intarsia.schedule.sweep import sweep
from intarsia.schedule.tails import with_tails
from intarsia.schedule.ticks import in_ticks

BITS = 29
"""Of the ticks: all times fit into 32 bits, and the rounding is below 1e-6 of the makespan."""
WIDTHS = ((50, 0), (1000, 0), (10_000, 50), (200_000, 0))
"""States of a level, in one sweep after the other, and those of the sweeps that make tails stronger before it."""


@dataclass(frozen=True, slots=True)
class Search:
    """What a search found: the best schedule (its bound not set), a lower bound in seconds, states looked at."""

    best: Schedule
    bound: float
    states: int


def search_states(problem: ScheduleProblem, best: Schedule, seconds: float) -> Search:
    """Improve a schedule until it is proved, the widest sweep is done or time is up.

    Args:
        problem: tasks and cores.
        best: where to start from.
        seconds: of wall time.
    """
    end = perf_counter() + seconds
    ticked = in_ticks(problem, BITS)
    facts = facts_of(ticked, tails_of(ticked))
    low, states = bound_ticks(ticked), 0
    for width, of_tails in WIDTHS:
        limit = ceil(best.makespan * (1 - PROVED / 2) / ticked.tick)
        if low >= limit or perf_counter() >= end:
            break
        if of_tails:
            facts, tried = with_tails(ticked, facts, limit, of_tails, end)
            states += tried
        done = sweep(facts, low, limit, width, end)
        states += done.states
        if done.order:
            best = min(best, place(problem, done.order, done.spread), key=lambda schedule: schedule.makespan)
        low = max(low, done.low)
    return Search(best, min(low * ticked.tick, best.makespan), states)


def compile_search() -> None:
    """Compile the inner loops, or load what an earlier process compiled, so that no search pays for it."""
    ticked = in_ticks(ScheduleProblem((Task("a", Kind.TENSOR, 1.0, 1.0),), 1, 1), BITS)
    sweep(facts_of(ticked, tails_of(ticked)), 0, 1 << BITS + 1, 1, perf_counter() + 60)
