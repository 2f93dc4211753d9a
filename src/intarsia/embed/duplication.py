"""Duplicated bytes in closed form, component by component.

A *slot* is a register of a packed vector that holds an element; an input's duplication is its slots less the different
elements among them. Both numbers are products over *components*: sets of chains that meet in no common subscript of a
factor. So a component is measured once for each choice of its chains, and a shape is a product of numbers.

- A subscript whose axes are not flattened slides: its vectors are the positions of its outer loops, its registers the
  offsets of its lane digits, and a one-dimensional histogram counts.
- A subscript with a flattened axis is enumerated by the values of its axes (im2col): its slots are those that read
  inside the tensor.
- A digit whose axis the tensor does not contain, on an instruction axis that moves its register, repeats it.

Where two subscripts of one tensor share a chain the numbers are not products; ``slots`` then answers None, and the
layout itself is counted (``count_layout``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from math import gcd, prod

import numpy as np

from intarsia.embed.constraints import Rules, moved
from intarsia.embed.digits import Chain
from intarsia.embed.embedding import Embedding
from intarsia.embed.groups import Group
from intarsia.embed.layout import gather, layout_of
from intarsia.operators import DTYPES, Access, Affine


@dataclass(frozen=True, slots=True)
class Held:
    """Slots that hold an element, and different elements, of one input in one component."""

    slots: int
    distinct: int


def count_layout(embedding: Embedding) -> int:
    """Duplicated bytes, counted on the layouts themselves: the definition."""
    total = 0
    for meaning, access in embedding.pairs()[1:]:
        if access is None:
            continue
        layout = layout_of(embedding, meaning.tensor, access)
        index, held = gather(embedding, access, layout)
        seen = np.zeros(prod(layout.tensor.shape), dtype=np.bool_)
        seen[index[held]] = True
        total += (int(np.count_nonzero(held)) - int(np.count_nonzero(seen))) * DTYPES[layout.tensor.dtype]
    return total


def components(rules: Rules, groups: tuple[Group, ...]) -> tuple[tuple[Group, ...], ...]:
    """The groups, put together where one subscript of a factor contains axes of both."""
    found: list[list[Group]] = [[g] for g in groups]
    for _, access in rules.pairs[1:]:
        for subscript in access.subscripts if access else ():
            names = {name for name, _ in subscript.terms}
            joined = [c for c in found if any(names & set(g) for g in c)]
            found = [c for c in found if c not in joined] + [[g for c in joined for g in c]]
    return tuple(tuple(sorted(c, key=groups.index)) for c in found if c)


class Duplication:
    """Measures components for one assignment of operands."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.operator = rules.problem.operator
        self.inputs = [(meaning, access) for meaning, access in rules.pairs[1:] if access is not None]
        self.bytes = [DTYPES[self.operator.tensor(access.tensor).dtype] for _, access in self.inputs]
        self.moving = [
            {axis for axis in rules.capacities if moved(meaning, {axis: 1})} for meaning, _ in self.inputs
        ]
        self._points: dict[tuple[Access, Affine, tuple[int, ...]], Held] = {}

    def total(self, parts: list[tuple[Held, ...]]) -> int:
        """Duplicated bytes from the measures of all components."""
        return sum(
            size * (prod(p[t].slots for p in parts) - prod(p[t].distinct for p in parts))
            for t, size in enumerate(self.bytes)
        )

    def held(self, chains: tuple[Chain, ...]) -> tuple[Held, ...] | None:
        """Every input's slots and elements in one component, None if there is no closed form."""
        found = []
        for (_, access), moving in zip(self.inputs, self.moving, strict=True):
            one = self._held(access, moving, chains)
            if one is None:
                return None
            found.append(one)
        return tuple(found)

    def _held(self, access: Access, moving: set[str], chains: tuple[Chain, ...]) -> Held | None:
        if any(digit.skew for chain in chains for digit in chain.digits):
            return None
        names = {name for chain in chains for name in chain.axes}
        mine = [s for s in access.subscripts if any(name in names for name, _ in s.terms)]
        uses = [name for s in mine for name, _ in s.terms]
        if len(uses) != len(set(uses)):
            return None
        involved = [c for c in chains if set(c.axes) & set(uses)]
        fused = {name for c in involved if len(c.axes) > 1 for name in c.axes}
        flat = [s for s in mine if any(name in fused for name, _ in s.terms)]
        behind = [c for c in involved if set(c.axes) & {name for s in flat for name, _ in s.terms}]
        slots = prod(d.factor for c in chains if c not in involved for d in c.digits if d.lane in moving)
        slots *= prod(self.operator.axis(n).extent for c in behind for n in c.axes if n not in uses)
        reach = {c.axes[0]: c.reach for c in behind if len(c.axes) == 1}
        held = [self._enumerated(access, s, reach) for s in flat]
        held += [self._sliding(access, s, involved) for s in mine if s not in flat]
        return self._product(slots, held)

    @staticmethod
    def _product(slots: int, held: list[Held]) -> Held:
        return Held(slots * prod(h.slots for h in held), prod(h.distinct for h in held))

    def _size(self, access: Access, subscript: Affine) -> int:
        place = access.subscripts.index(subscript)
        return self.operator.tensor(access.tensor).shape[place]

    def _enumerated(self, access: Access, subscript: Affine, reach: dict[str, int]) -> Held:
        """A subscript in which an axis is flattened: the values of its axes that read inside the tensor.

        An axis that is not flattened itself is enumerated by all its loops, beyond its extent if they reach further.
        """
        counts = tuple(reach.get(name, self.operator.axis(name).extent) for name, _ in subscript.terms)
        key = (access, subscript, counts)
        if key not in self._points:
            position = np.full(1, subscript.constant, dtype=np.int64)
            for count, (_, c) in zip(counts, subscript.terms, strict=True):
                position = np.add.outer(position, c * np.arange(count)).ravel()
            inside = position[(position >= 0) & (position < self._size(access, subscript))]
            seen = np.zeros(self._size(access, subscript), dtype=np.bool_)
            seen[inside] = True
            self._points[key] = Held(inside.size, int(np.count_nonzero(seen)))
        return self._points[key]

    def _sliding(self, access: Access, subscript: Affine, chains: list[Chain]) -> Held:
        """A subscript without flattened axes: positions of the outer loops by offsets of the lane digits."""
        outer: list[tuple[int, int]] = []
        offsets = [subscript.constant]
        for chain in chains:
            c = subscript.coefficient(chain.axes[0])
            if not c:
                continue
            below = 1
            for gap, digit in zip(chain.gaps, (*chain.digits, None), strict=True):
                if gap > 1:
                    outer.append((c * below, gap))
                if digit is not None:
                    offsets = [o + c * digit.stride * i for o in offsets for i in range(digit.factor)]
                    below = digit.top
        low, high = self._range(access, subscript)
        return _overlay(_progression(outer), offsets, low, high)

    def _range(self, access: Access, subscript: Affine) -> tuple[int, int]:
        """The positions that hold an element: inside the tensor, and of an axis that stands alone inside its extent."""
        low, high = 0, self._size(access, subscript) - 1
        if len(subscript.terms) == 1:
            name, c = subscript.terms[0]
            ends = (subscript.constant, subscript.constant + c * (self.operator.axis(name).extent - 1))
            low, high = max(low, min(ends)), min(high, max(ends))
        return low, high


def _overlay(positions: tuple[int, int, int], offsets: list[int], low: int, high: int) -> Held:
    """An arithmetic progression (start, step, length) laid down once for each offset, cut to a range."""
    start, step, length = positions
    seen = np.zeros(max(0, high - low + 1), dtype=np.bool_)
    slots = 0
    for offset in offsets:
        first = max(0, -(-(low - start - offset) // step))
        last = min(length - 1, (high - start - offset) // step)
        if last >= first:
            slots += last - first + 1
            seen[start + offset + step * first - low : start + offset + step * last - low + 1 : step] = True
    return Held(slots, int(np.count_nonzero(seen)))


def _progression(outer: list[tuple[int, int]]) -> tuple[int, int, int]:
    """The positions of a sliding dim, as (start, step, length): all between the ends of what the outer loops reach."""
    if not outer:
        return 0, 1, 1
    low = sum(min(0, c * (extent - 1)) for c, extent in outer)
    high = sum(max(0, c * (extent - 1)) for c, extent in outer)
    step = reduce(gcd, (abs(c) for c, _ in outer))
    return low, step, (high - low) // step + 1
