"""The values that a choice has among the strategies of a space, and which strategies have one of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from intarsia.place.branches import Branch, Space
from intarsia.place.strategy import Pipeline

Wanted = Callable[[Branch], NDArray[np.bool_]]
"""Which of a branch's strategies are looked at."""

OF_VARIANT = ("tensor", "context", "expert", "microbatch", "sequence_parallel")
OF_ENTRY = {"pipeline": "pipeline", "data": "data", "interleave": "chunks", "zero": "zero", "order": "bubbles"}


def values_of(space: Space, choice: str) -> list[int]:
    """What a choice can be, as whole numbers, ascending."""
    if choice in OF_VARIANT:
        return sorted({int(getattr(branch.variant, choice)) for branch in space.branches})
    grids = {id(branch.entries): branch.entries for branch in space.branches}
    found = [np.unique(getattr(entries, OF_ENTRY[choice])) for entries in grids.values()]
    return [int(value) for value in np.unique(np.concatenate(found))]


def having(choice: str, value: int) -> Wanted:
    """The strategies that have a value."""

    def wanted(branch: Branch) -> NDArray[np.bool_]:
        if choice in OF_VARIANT:
            return np.full(len(branch.entries.own), getattr(branch.variant, choice) == value)
        return np.asarray(getattr(branch.entries, OF_ENTRY[choice]) == value)

    return wanted


def value_text(choice: str, value: int) -> str:
    """A value as people write it."""
    if choice == "order":
        return (Pipeline.ONE_F_ONE_B if value else Pipeline.ZERO_BUBBLE).value
    if choice == "sequence_parallel":
        return "on" if value else "off"
    return str(value)
