"""How long and how wide a search may go; recorded with its outcome."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import TypeVar

Item = TypeVar("Item")

LOOKS = 256
"""Items after which the clock is looked at again."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds of wall time, solutions of an enumeration, workers, seed."""

    seconds: float = 60.0
    solutions: int = 1_000_000
    workers: int = 1
    seed: int = 0


class TimeIsUpError(Exception):
    """Raised by ``before``; whoever calls it answers that it is out of time."""


def before(ends: float, items: Iterable[Item]) -> Iterator[Item]:
    """The items, one by one, as long as the clock (``perf_counter``) does not pass ``ends``.

    Raises:
        TimeIsUpError: if it does.
    """
    for number, item in enumerate(items):
        if number % LOOKS == 0 and perf_counter() >= ends:
            raise TimeIsUpError
        yield item
