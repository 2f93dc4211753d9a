"""The three answers of a search; infeasible and out of time are answers, not exceptions, and never the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Effort:
    """What a search cost: seconds of wall time, nodes or candidates looked at, workers, seed."""

    seconds: float
    nodes: int = 0
    workers: int = 1
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """A solution. ``bound`` is a proved bound on the objective; optimal when it equals the objective's value."""

    value: T
    bound: tuple[int, ...]
    effort: Effort


@dataclass(frozen=True, slots=True)
class Infeasible:
    """No solution exists. ``because`` names a minimal conflicting set; ``relaxation`` the smallest way out."""

    because: tuple[str, ...]
    relaxation: str
    effort: Effort


@dataclass(frozen=True, slots=True)
class OutOfTime(Generic[T]):
    """The limit was reached first: the best solution so far, if any, and the bound proved so far."""

    best: T | None
    bound: tuple[int, ...]
    effort: Effort


Outcome: TypeAlias = Found[T] | Infeasible | OutOfTime[T]
