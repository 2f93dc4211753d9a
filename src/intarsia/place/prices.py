"""What each choice costs: the best plan where one choice is forced, beside the best of all."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

from intarsia.graph import Recompute
from intarsia.place.branches import Space
from intarsia.place.nodes import best_first
from intarsia.place.plan import Candidate, Price
from intarsia.place.solve import Solved
from intarsia.place.space import Task
from intarsia.place.values import Wanted, having, value_text, values_of

WORK = 240
"""Of the search for one price, in second bounds; a best split counts as ``SPLIT`` of them. Where that does not suffice,
the price is a bound."""
SPLIT = 20
WORTH = 1.5
"""Prices beyond this are only bounds: who loses half need not know how much more."""


def candidate(task: Task, solved: Solved) -> Candidate:
    """A solved strategy as it stands in a plan."""
    idle = task.cluster.devices - solved.strategy.devices
    return Candidate(solved.strategy, solved.split, solved.seconds, solved.bound, idle)


def work(space: Space) -> int:
    """What a search has done so far; the same on every machine."""
    return space.counts.refined + SPLIT * space.counts.tried


def prices(space: Space, best: Solved, until: float) -> tuple[Price, ...]:
    """The price of every value of every choice that the space has.

    Args:
        space: the strategies, with what is known of them.
        best: the best of all.
        until: when time is over, by the clock of ``perf_counter``; what is left then gets no price.
    """
    found = []
    for choice, value, wanted, modes in _forced(space):
        if perf_counter() > until:
            break
        found.append(_price(space, best, choice, value, wanted, modes))
    return tuple(found)


def _price(
    space: Space, best: Solved, choice: str, value: str, wanted: Wanted | None, modes: tuple[Recompute, ...]
) -> Price:
    bound = 0.0
    started = work(space)
    for step in best_first(space, wanted, modes):
        if isinstance(step, Solved):
            return Price(choice, value, candidate(space.task, step), step.bound, step.seconds / best.seconds)
        bound = max(bound, step, best.bound)
        if work(space) - started > WORK or bound > WORTH * best.seconds:
            return Price(choice, value, None, bound, bound / best.seconds)
    return Price(choice, value, None, float("inf"), float("inf"))


def _forced(space: Space) -> Iterator[tuple[str, str, Wanted | None, tuple[Recompute, ...]]]:
    """Choice, value as text, the strategies that have it, and what stages may compute again."""
    for mode in space.task.choices.recompute if len(space.task.choices.recompute) > 1 else ():
        yield "recompute", mode.value, None, (mode,)
    for choice in ("order", "zero", "sequence_parallel", "tensor", "context", "expert", "microbatch", "interleave"):
        values = values_of(space, choice)
        for value in values if len(values) > 1 else ():
            yield choice, value_text(choice, value), having(choice, value), ()
    stages = values_of(space, "pipeline")
    for value in stages if len(stages) > 1 else ():
        if value & (value - 1) == 0:
            yield "pipeline", str(value), having("pipeline", value), ()
