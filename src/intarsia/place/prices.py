"""What each choice costs: the best plan where one choice is forced, beside the best of all."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from intarsia.graph import Recompute
from intarsia.place.branches import Branch, Space
from intarsia.place.nodes import Wanted, best_first
from intarsia.place.plan import Candidate, Price
from intarsia.place.solve import Solved
from intarsia.place.space import Task
from intarsia.place.strategy import Pipeline

WORK = 240
"""Of the search for one price, in second bounds; a best split counts as ``SPLIT`` of them. Where that does not suffice,
the price is a bound."""
SPLIT = 20
WORTH = 1.5
"""Prices beyond this are only bounds: who loses half need not know how much more."""
OF_VARIANT = ("tensor", "context", "expert", "microbatch", "sequence_parallel")
OF_ENTRY = {"pipeline": "pipeline", "interleave": "chunks", "zero": "zero", "order": "bubbles"}


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
        values = _values(space, choice)
        for value in values if len(values) > 1 else ():
            yield choice, _text(choice, value), _wanted(choice, value), ()
    stages = _values(space, "pipeline")
    for value in stages if len(stages) > 1 else ():
        if value & (value - 1) == 0:
            yield "pipeline", str(value), _wanted("pipeline", value), ()


def _values(space: Space, choice: str) -> list[int]:
    """What a choice can be, as whole numbers."""
    if choice in OF_VARIANT:
        return sorted({int(getattr(branch.variant, choice)) for branch in space.branches})
    grids = {id(branch.entries): branch.entries for branch in space.branches}
    found = [np.unique(getattr(entries, OF_ENTRY[choice])) for entries in grids.values()]
    return [int(value) for value in np.unique(np.concatenate(found))]


def _wanted(choice: str, value: int) -> Wanted:
    def wanted(branch: Branch) -> NDArray[np.bool_]:
        if choice in OF_VARIANT:
            return np.full(len(branch.entries.own), getattr(branch.variant, choice) == value)
        return np.asarray(getattr(branch.entries, OF_ENTRY[choice]) == value)

    return wanted


def _text(choice: str, value: int) -> str:
    if choice == "order":
        return (Pipeline.ONE_F_ONE_B if value else Pipeline.ZERO_BUBBLE).value
    if choice == "sequence_parallel":
        return "on" if value else "off"
    return str(value)
