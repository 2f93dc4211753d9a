"""Whether the lanes of tensors that are not constant can be in row-major order: witnesses that they cannot.

Read vector by vector and register by register, a packed tensor is in order if its elements rise. A lane digit lies
inside a vector, an outer loop outside. So an iteration in which one lane digit is 1 must not read or write behind an
iteration in which that digit is 0 and an outer loop is 1, all else being equal. Two such iterations that both name
elements, the first one not before the second, are a witness that the order is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from intarsia.embed.digits import Chain
from intarsia.embed.space import Space
from intarsia.operators import Access, Operator

Point = Mapping[str, int]


def in_order(space: Space, chosen: Sequence[Chain]) -> bool:
    """Whether no witness is found: a necessary condition, cheap to look at before a layout is made."""
    operator = space.rules.problem.operator
    lanes = [(chain, digit.stride) for chain in chosen for digit in chain.digits]
    outer = [(chain, below) for chain in chosen for below in _outer(chain)]
    accesses = [a for _, a in space.rules.pairs if a is not None and not operator.tensor(a.tensor).constant]
    return not any(
        _behind(operator, access, base, {**base, **_point(*lane)}, {**base, **_point(*loop)})
        for lane, loop in product(lanes, outer)
        for base in _bases(operator, (*lane[0].axes, *loop[0].axes))
        for access in accesses
    )


def _outer(chain: Chain) -> Iterator[int]:
    """The steps of the outer loops of more than one iteration, as far as they stay inside."""
    below = 1
    for gap, digit in zip(chain.gaps, (*chain.digits, None), strict=True):
        if gap > 1 and below < chain.extent:
            yield below
        if digit is not None:
            below = digit.top


def _point(chain: Chain, index: int) -> dict[str, int]:
    """The values of a chain's axes at a flattened index."""
    found = {}
    for name, extent in zip(reversed(chain.axes), reversed(chain.extents), strict=True):
        index, found[name] = divmod(index, extent)
    return found


def _bases(operator: Operator, moved: tuple[str, ...]) -> Iterator[dict[str, int]]:
    """The first iteration, and the one in the middle of all axes but those that are moved."""
    yield {a.name: 0 for a in operator.axes}
    yield {a.name: 0 if a.name in moved else a.extent // 2 for a in operator.axes}


def _behind(operator: Operator, access: Access, base: Point, left: Point, right: Point) -> bool:
    """Whether both iterations name elements, other ones than the base, and the first one not before the second."""
    origin, first, second = (_place(access, point) for point in (base, left, right))
    if origin in (first, second) or first < second:
        return False
    shape = operator.tensor(access.tensor).shape
    return all(0 <= i < size for place in (first, second) for i, size in zip(place, shape, strict=True))


def _place(access: Access, point: Point) -> tuple[int, ...]:
    return tuple(s.constant + sum(c * point[name] for name, c in s.terms) for s in access.subscripts)
