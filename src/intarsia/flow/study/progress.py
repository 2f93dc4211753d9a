"""What a study tells while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a study is.

    Attributes:
        what: it does now.
        done, of: steps of that; 0 where they are not counted.
        best, bound: of the search so far, as texts with units; empty outside of it.
        gap: between them, as a part of the best; None where there is no best.
        left: seconds until this is done, if the rest goes as what is done; None where nobody knows.
    """

    what: str
    done: int = 0
    of: int = 0
    best: str = ""
    bound: str = ""
    gap: float | None = None
    left: float | None = None


Watch = Callable[[Progress], None]


def steps(watch: Watch, what: str, seconds: Callable[[], float]) -> Callable[[int, int], None]:
    """A counter of steps that tells how long the rest will take.

    Args:
        watch: is told.
        what: is counted.
        seconds: since it began.
    """

    def told(done: int, of: int) -> None:
        watch(Progress(what, done, of, left=seconds() / done * (of - done) if done else None))

    return told
