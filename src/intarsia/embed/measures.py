"""What an embedding costs, measure by measure, and what it must cost at least when its calls are known."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from intarsia.embed.duplication import count_layout
from intarsia.embed.embedding import Embedding
from intarsia.embed.layout import layouts
from intarsia.embed.problem import EmbeddingProblem, Measure, Objective, Price

Value: TypeAlias = tuple[int, ...]


def value(embedding: Embedding, objective: Objective) -> Value:
    """The measures of an embedding, in the order of the objective."""
    return tuple(measure(embedding, m) if isinstance(m, str) else m(embedding) for m in objective)


def measure(embedding: Embedding, name: Measure) -> int:
    """One measure, by its definition."""
    match name:
        case "calls":
            return embedding.calls
        case "padded":
            return embedding.padded_lanes
        case "duplicated":
            return count_layout(embedding)
        case "moved":
            return sum(layout.bytes for layout in layouts(embedding))
        case _:
            assert_never(name)


def least(problem: EmbeddingProblem, objective: Objective, calls: int) -> Value:
    """A lower bound, measure by measure, for every embedding of at least so many calls; it never falls with calls."""
    return tuple(_least(problem, m, calls) for m in objective)


def _least(problem: EmbeddingProblem, name: Measure | Price, calls: int) -> int:
    if not isinstance(name, str):
        return name.least(calls)
    match name:
        case "calls":
            return calls
        case "padded":
            return calls * problem.instruction.lanes - problem.operator.iterations
        case "duplicated":
            return 0
        case "moved":
            return 0
        case _:
            assert_never(name)


def by_calls(objective: Objective) -> bool:
    """Whether fewest calls, then duplicated bytes, answers the objective."""
    first = [m for m in objective if m in {"calls", "padded"}]
    return bool(first) and tuple(objective) in {tuple(first), (*first, "duplicated")}
