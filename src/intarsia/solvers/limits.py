"""How long and how wide a search may go; recorded with its outcome."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds of wall time, solutions of an enumeration, workers, seed."""

    seconds: float = 60.0
    solutions: int = 1_000_000
    workers: int = 1
    seed: int = 0
