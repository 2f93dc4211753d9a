"""Which operator axes are flattened together, and when that is more than writing one embedding in another way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations, permutations
from math import prod
from typing import TypeAlias, TypeVar

from intarsia.embed.digits import Digits

Group: TypeAlias = tuple[str, ...]
T = TypeVar("T")


def boundaries(extents: Sequence[int]) -> tuple[int, ...]:
    """The products of the faster axes at each border inside a group, the innermost border last."""
    return tuple(prod(extents[i:]) for i in range(1, len(extents)))


def crosses(stride: int, factor: int, boundary: int) -> bool:
    """Whether a digit crosses a border so that no split of the group gives it.

    It does not if it stays below (s * f divides P), stays above (P divides s), or is itself a digit that reaches the
    border exactly and a digit above it (s divides P and P divides s * f).
    """
    if boundary % (stride * factor) == 0 or stride % boundary == 0:
        return False
    return not (boundary % stride == 0 and (stride * factor) % boundary == 0)


def genuine(extents: Sequence[int], digits: Digits) -> bool:
    """Whether the axes are truly fused: at every border at least one digit crosses it.

    Otherwise all digits split at some border P: those below divide P, so the faster axes are split exactly, the others
    have strides that are multiples of P, and the same calls are made by two smaller groups.
    """
    return all(any(crosses(d.stride, d.factor, p) for d in digits) for p in boundaries(extents))


def groupings(axes: Sequence[str], allowed: Callable[[Group], bool]) -> Iterator[tuple[Group, ...]]:
    """Every way to put axes into ordered groups, the way without fusing first; groups that are not allowed are cut.

    Args:
        axes: the axes; a group of one is always allowed.
        allowed: says whether a group of two or more may carry digits.
    """
    yield from sorted(_groupings(tuple(axes), allowed), key=lambda groups: -len(groups))


def _groupings(axes: tuple[str, ...], allowed: Callable[[Group], bool]) -> Iterator[tuple[Group, ...]]:
    if not axes:
        yield ()
        return
    for group in groups_with(axes, allowed):
        rest = tuple(a for a in axes if a not in group)
        for others in _groupings(rest, allowed):
            yield (group, *others)


def groups_with(axes: tuple[str, ...], allowed: Callable[[Group], bool]) -> Iterator[Group]:
    """Every group that contains the first of the axes."""
    first, others = axes[0], axes[1:]
    yield (first,)
    for size in range(1, len(others) + 1):
        for chosen in combinations(others, size):
            for order in permutations((first, *chosen)):
                if allowed(order):
                    yield order


def connected(sets: Iterable[set[T]], links: Iterable[set[T]]) -> list[set[T]]:
    """The sets, put together where a link meets several of them, in the order of their last members."""
    found = list(sets)
    for link in links:
        meeting = [s for s in found if s & link]
        if len(meeting) > 1:
            found = [s for s in found if not s & link] + [set().union(*meeting)]
    return found
