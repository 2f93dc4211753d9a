"""Equal neighbours of a chain of parts are kept once with how often they follow each other.

Two parts are equal if they differ in nothing but names. A run such as attention, feed-forward, attention,
feed-forward, … becomes one part of both.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable

from intarsia.graph.part import Part

LONGEST_PERIOD = 8


def fold(parts: tuple[Part, ...]) -> tuple[tuple[Part, int], ...]:
    """The chain with its repeats."""
    seen: set[str] = set()
    shapes: list[Hashable] = []
    for part in parts:
        shapes.append((_shape(part), is_tied(part, seen)))
        seen |= part.weights.keys()
    folded: list[tuple[Part, int]] = []
    at = 0
    while at < len(parts):
        period, times = _run(shapes, at)
        folded.append((_joined(parts[at : at + period]), times))
        at += period * times
    return tuple(folded)


def _run(shapes: list[Hashable], at: int) -> tuple[int, int]:
    """The period and the number of its repetitions that cover most from here on."""
    best = (1, 1)
    for period in range(1, min(LONGEST_PERIOD, (len(shapes) - at) // 2) + 1):
        times = 1
        first = shapes[at : at + period]
        while shapes[at + times * period : at + (times + 1) * period] == first:
            times += 1
        if times > 1 and period * times > best[0] * best[1]:
            best = (period, times)
    return best


def is_tied(part: Part, seen: Collection[str]) -> bool:
    """Whether most of a part's weights are those of earlier parts; a few (a shared norm) count as its own."""
    weights = part.weights
    return 2 * sum(size for name, size in weights.items() if name in seen) > sum(weights.values())


def _shape(part: Part) -> Hashable:
    """Everything of a part but its names."""
    numbers: dict[str, int] = {}

    def number(name: str) -> int:
        return numbers.setdefault(name, len(numbers))

    inputs = tuple(
        (number(name), size, name == part.boundary, name in part.trained, name in part.kept_inputs)
        for name, size in part.inputs
    )
    steps = tuple(
        (
            step.kind,
            tuple(map(number, step.inputs)),
            number(step.name),
            step.elements,
            tuple((number(f"weight {name}"), size) for name, size in step.weights),
            step.name in part.trained,
            step.note,
        )
        for step in part.steps
    )
    return inputs, steps, number(part.output), part.last


def _joined(parts: tuple[Part, ...]) -> Part:
    if len(parts) == 1:
        return parts[0]
    first, last = parts[0], parts[-1]
    own = {step.name for part in parts for step in part.steps}
    outside = {name: size for part in parts for name, size in part.inputs if name not in own}
    return Part(
        tuple(step for part in parts for step in part.steps),
        tuple(outside.items()),
        first.boundary,
        last.output,
        frozenset[str]().union(*(part.trained for part in parts)),
        frozenset(name for part in parts for name in part.kept_inputs if name not in own),
        last.last,
    )
