"""The state of a search: the best so far, and the clock."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from intarsia.embed.embedding import Embedding
from intarsia.embed.measures import Value
from intarsia.embed.problem import EmbeddingProblem
from intarsia.solvers import Effort


@dataclass(slots=True)
class Search:
    """The best embedding that was offered, its measures, and how much was looked at since the start."""

    problem: EmbeddingProblem
    started: float = field(default_factory=time.monotonic)
    best: Embedding | None = None
    value: Value = ()
    nodes: int = 0

    def offer(self, embedding: Embedding, measured: Value) -> None:
        """Keep an embedding if it is better than the best so far."""
        self.nodes += 1
        if self.best is None or measured < self.value:
            self.best, self.value = embedding, measured

    def alive(self) -> bool:
        """Whether the limit has not passed."""
        return time.monotonic() - self.started < self.problem.limit

    @property
    def effort(self) -> Effort:
        """Seconds and candidates so far."""
        return Effort(time.monotonic() - self.started, self.nodes)
