"""Who is compared takes turns, so that what else runs on the machine meets all of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

TURN, SHARED_TURN = 0.01, 0.2
"""Seconds of a turn, as long as it is at least ``LEAST`` calls; and where threads share the work, for those of whoever
had the turn before stay awake for tens of milliseconds, and take cores meanwhile."""
LEAST = 3
LONG = 0.1
"""Seconds of a call of which one makes a turn."""


@dataclass(slots=True)
class Contender:
    """What is timed: a call, and the seconds that it took."""

    call: Callable[[], Any]
    seconds: list[float]

    def turn(self, length: float) -> None:
        """Some calls, each timed, for so many seconds; the first one warms the caches and does not count."""
        began = time.perf_counter()
        self.call()
        least = LEAST if time.perf_counter() - began < LONG else 1
        began = time.perf_counter()
        done = 0
        while done < least or time.perf_counter() - began < length:
            start = time.perf_counter()
            self.call()
            self.seconds.append(time.perf_counter() - start)
            done += 1
