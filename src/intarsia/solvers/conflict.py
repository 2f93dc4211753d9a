"""Why nothing fits: a minimal set of names that conflict, found by leaving them out one at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Name = TypeVar("Name")


def minimal_conflict(names: Sequence[Name], is_infeasible: Callable[[tuple[Name, ...]], bool]) -> tuple[Name, ...]:
    """A subset that is infeasible while each of its proper subsets, leaving out one name, was not shown to be.

    Args:
        names: constraints that are infeasible together.
        is_infeasible: whether a subset was proved infeasible; False if feasible or not known. Every superset of an
            infeasible set must be infeasible.
    """
    kept = tuple(names)
    for name in names:
        without = tuple(n for n in kept if n != name)
        if is_infeasible(without):
            kept = without
    return kept
