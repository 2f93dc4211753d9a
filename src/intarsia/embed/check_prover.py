"""The prover: two symbolic lanes, a budget, and the search for counterexamples that every property is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from intarsia.embed.check_calls import Ints, table_of
from intarsia.embed.check_replay import Replay
from intarsia.embed.check_text import Spot, spot_text
from intarsia.embed.embedding import Embedding
from intarsia.embed.layout import Layout
from intarsia.embed.relations import Lanes, Place
from intarsia.poly import Answer, Conditions, Exceeded, Linear, Point, find_point, greater


class Prover:
    """Two symbolic lanes, ``a`` and ``b``, of the same embedding.

    ``left_open`` collects (property, reason) for what could not be decided.
    """

    def __init__(self, embedding: Embedding, layouts: tuple[Layout, ...], max_operations: int) -> None:
        self.embedding = embedding
        self.layouts = layouts
        self.max_operations = max_operations
        self.a = Lanes(embedding, layouts)
        self.b = Lanes(embedding, layouts, "'")
        self.sums = embedding.body.combine == "+="
        self.left_open: list[tuple[str, str]] = []

    def find(self, name: str, conditions: Conditions) -> Point | None:
        """A point, or None if there is none or the budget is spent (which is noted)."""
        answer = find_point(self.b.within(self.a.within(conditions)), max_operations=self.max_operations)
        return self.decided(name, answer)

    def decided(self, name: str, answer: Answer) -> Point | None:
        """The point of an answer; an answer without a decision is noted."""
        if isinstance(answer, Exceeded):
            self.left_open.append((name, f"more than {answer.max_operations} operations"))
        return answer if isinstance(answer, dict) else None

    def first(self, name: str, cases: Iterable[Conditions]) -> Point | None:
        """The first point of several cases."""
        return next((p for p in (self.find(name, c) for c in cases) if p is not None), None)

    def open(self, name: str, cases: Iterable[Conditions]) -> bool:
        """Whether a quick proof leaves something to decide (its budget may be spent: the exact proof decides)."""
        before = len(self.left_open)
        left = self.first(name, cases) is not None or len(self.left_open) > before
        del self.left_open[before:]
        return left

    def ordered(self) -> Iterator[Conditions]:
        """The two lanes differ, case by case: in a loop, ``a`` after ``b``."""
        for loop in self.embedding.loops:
            if loop.extent > 1:
                yield greater(self.a.loop[loop.name], self.b.loop[loop.name])

    def replayed(self, point: Point, name: str) -> tuple[str, ...]:
        """The violation that the two lanes of a point are, in the words of the replay."""
        outer = self.embedding.outer
        calls: dict[str, Ints] = {}
        left, right = self.a.values(point), self.b.values(point)
        for loop in outer:
            calls[loop.name] = np.array([left[loop.name], right[loop.name]], dtype=np.int64)
        if all(left[p.name] == right[p.name] for p in outer):
            calls = {name: index[:1] for name, index in calls.items()}
        run = Replay(self.embedding, table_of(self.embedding, calls), self.layouts)
        found = run.one_to_one() + run.operands() + run.one_home() + run.covered_once()
        return found or (f"{name}: {self.spot(self.a, point)} against {self.spot(self.b, point)}",)

    def spot(self, lanes: Lanes, point: Point) -> str:
        """One of the two lanes at a point, as text."""
        values = lanes.values(point)
        outer = {loop.name: values[loop.name] for loop in self.embedding.outer}
        positions: dict[str, int] = {}
        for axis in self.embedding.instruction.semantics.axes:
            weight, positions[axis.name] = 1, 0
            for loop in self.embedding.lane_loops(axis.name):
                positions[axis.name] += weight * values[loop.name]
                weight *= loop.extent
        return spot_text(self.embedding, Spot(outer, positions))

    def element(self, place: Place, lanes: Lanes, point: Point) -> str:
        """What one of the two lanes asks of an operand, as text."""
        values = point | {n + lanes.suffix: v for n, v in lanes.values(point).items()}
        subscripts = [f.constant + sum(c * values.get(n, 0) for n, c in f.terms) for f in place.element]
        return f"{place.layout.tensor.name}[{', '.join(map(str, subscripts))}]"


def same(forms: Iterable[Linear], others: Iterable[Linear]) -> Conditions:
    """Each form equals its partner."""
    differences = (x - y for x, y in zip(forms, others, strict=True))
    return Conditions(tuple(d for d in differences if d.terms or d.constant))


def together(conditions: Iterable[Conditions]) -> Conditions:
    """All of them."""
    total = Conditions()
    for c in conditions:
        total &= c
    return total
