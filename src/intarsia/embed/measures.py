"""What an embedding costs, measure by measure, and what it must cost at least when its calls are known."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TypeAlias, assert_never

from intarsia.embed.duplication import count_layout
from intarsia.embed.embedding import Embedding
from intarsia.embed.layout import layout_of, layouts
from intarsia.embed.needed import needed_calls
from intarsia.embed.problem import EmbeddingProblem, Measure, Objective, Price
from intarsia.machines import Instruction
from intarsia.operators import DTYPES, Access, Operator

Value: TypeAlias = tuple[int, ...]
Pairs: TypeAlias = tuple[tuple[Access, Access | None], ...]


@dataclass(frozen=True, slots=True, order=True)
class Numbers:
    """What calls, moved bytes and predicted cycles are made of; each is a product over components.

    Attributes:
        calls: all calls.
        needed: calls in which some lane works.
        vectors: of each operand, the written one first; empty where nobody asks.
    """

    calls: int
    needed: int
    vectors: tuple[int, ...]

    def times(self, other: Numbers) -> Numbers:
        """Each number times the other's."""
        vectors = tuple(a * b for a, b in zip(self.vectors, other.vectors, strict=True))
        return Numbers(self.calls * other.calls, self.needed * other.needed, vectors)

    def least(self, other: Numbers) -> Numbers:
        """The lesser of each number."""
        vectors = tuple(min(a, b) for a, b in zip(self.vectors, other.vectors, strict=True))
        return Numbers(min(self.calls, other.calls), min(self.needed, other.needed), vectors)


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
        case "needed":
            return needed_calls(embedding)
        case "cycles":
            return cycles(embedding.instruction, needed_calls(embedding), _moved(embedding))
        case _:
            assert_never(name)


def _moved(embedding: Embedding) -> list[int]:
    return [0 if a is None else layout_of(embedding, m.tensor, a).bytes for m, a in embedding.pairs()]


def cycles(instruction: Instruction, needed: int, moved: list[int]) -> int:
    """Predicted cycles: the needed calls, or the bytes through a port of the instruction's, whichever take longer.

    Args:
        instruction: with its reciprocal throughput, cycles a call, and its ports, bytes a cycle.
        needed: calls that do something.
        moved: bytes of each packed tensor, the written one first.
    """
    found = [needed * instruction.cycles]
    if instruction.read:
        found.append(-(-sum(moved[1:]) // instruction.read))
    if instruction.write:
        found.append(-(-moved[0] // instruction.write))
    return max(found)


def valued(problem: EmbeddingProblem, pairs: Pairs, numbers: Numbers) -> Value:
    """The objective's measures from numbers (vectors where moved bytes or cycles are asked); duplicated bytes as 0."""
    return tuple(_valued(problem, pairs, numbers, name) for name in problem.objective if isinstance(name, str))


def _valued(problem: EmbeddingProblem, pairs: Pairs, numbers: Numbers, name: Measure) -> int:
    match name:
        case "calls":
            return numbers.calls
        case "padded":
            return numbers.calls * problem.instruction.lanes - problem.operator.iterations
        case "duplicated":
            return 0
        case "moved":
            return sum(_bytes(problem, pairs, numbers))
        case "needed":
            return numbers.needed
        case "cycles":
            return cycles(problem.instruction, numbers.needed, _bytes(problem, pairs, numbers))
        case _:
            assert_never(name)


def _bytes(problem: EmbeddingProblem, pairs: Pairs, numbers: Numbers) -> list[int]:
    operator: Operator = problem.operator
    return [
        0
        if access is None
        else count
        * prod(problem.instruction.semantics.tensor(meaning.tensor).shape)
        * DTYPES[operator.tensor(access.tensor).dtype]
        for (meaning, access), count in zip(pairs, numbers.vectors, strict=True)
    ]


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
        case "duplicated" | "moved" | "needed" | "cycles":
            return 0
        case _:
            assert_never(name)


def by_calls(objective: Objective) -> bool:
    """Whether fewest calls, then duplicated bytes, answers the objective."""
    first = [m for m in objective if m in {"calls", "padded"}]
    return bool(first) and tuple(objective) in {tuple(first), (*first, "duplicated")}
