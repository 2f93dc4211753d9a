"""Duplicated bytes in closed form, component by component.

A *slot* is a register of a packed vector that holds an element; an input's duplication is its slots less the different
elements among them. Both numbers are products over *components*: sets of chains that meet in no common subscript of a
factor. So a component is measured once for each choice of its chains, and a shape is a product of numbers.

- A subscript whose axes are not flattened slides: its vectors are the positions of its outer loops, its registers the
  offsets of its lane digits, and a one-dimensional histogram counts.
- A subscript with a flattened axis is enumerated by the values of its axes (im2col): its slots are those that read
  inside the tensor.
- A digit that moves no subscript of the tensor, on an instruction axis that moves its register, repeats it; a skewed
  digit moves a subscript by its own step and its compensations together (of the input of a convolution: not at all).

Where two subscripts of one tensor share an axis or a digit the numbers are not products; ``held`` then answers None,
and the layout itself is counted (``count_layout``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from math import gcd, prod

import numpy as np

from intarsia.embed.constraints import Rules, moved
from intarsia.embed.digits import Chain, Digit, Digits
from intarsia.embed.embedding import Embedding
from intarsia.embed.groups import Group, connected
from intarsia.embed.layout import gather, layout_of
from intarsia.operators import DTYPES, Access, Affine


@dataclass(frozen=True, slots=True)
class Held:
    """Slots that hold an element, and different elements, of one input in one component."""

    slots: int
    distinct: int


def count_layout(embedding: Embedding, *, constants: bool = True) -> int:
    """Duplicated bytes, counted on the layouts themselves: the definition; of constant inputs as well, or not."""
    total = 0
    for meaning, access in embedding.pairs()[1:]:
        if access is None or (embedding.operator.tensor(access.tensor).constant and not constants):
            continue
        layout = layout_of(embedding, meaning.tensor, access)
        index, held = gather(embedding, access, layout)
        seen = np.zeros(prod(layout.tensor.shape), dtype=np.bool_)
        seen[index[held]] = True
        total += (int(np.count_nonzero(held)) - int(np.count_nonzero(seen))) * DTYPES[layout.tensor.dtype]
    return total


def components(
    rules: Rules, groups: tuple[Group, ...], skewed: Iterable[set[str]] = ()
) -> tuple[tuple[Group, ...], ...]:
    """The groups, put together where one subscript of a factor, or one skewed digit, moves axes of both."""
    links = [{name for name, _ in s.terms} for _, access in rules.pairs[1:] if access for s in access.subscripts]
    found = connected((set(group) for group in groups), (*links, *skewed))
    return tuple(tuple(g for g in groups if names & set(g)) for names in found if names)


class Duplication:
    """Measures components for one assignment of operands."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.operator = rules.problem.operator
        self.inputs = [(meaning, access) for meaning, access in rules.pairs[1:] if access is not None]
        self.bytes = [DTYPES[self.operator.tensor(access.tensor).dtype] for _, access in self.inputs]
        self.moving = [{axis for axis in rules.capacities if moved(meaning, {axis: 1})} for meaning, _ in self.inputs]
        self._points: dict[tuple[object, ...], Held] = {}

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
        if any(not s.terms and not 0 <= s.constant < self._size(access, s) for s in access.subscripts):
            return Held(0, 0)  # every read is outside
        names = {name for chain in chains for name in chain.axes}
        mine = [s for s in access.subscripts if any(name in names for name, _ in s.terms)]
        uses = [name for s in mine for name, _ in s.terms]
        if len(uses) != len(set(uses)):
            return None
        involved = [c for c in chains if set(c.axes) & set(uses)]
        fused = {name for c in involved if len(c.axes) > 1 for name in c.axes}
        flat = [s for s in mine if any(name in fused for name, _ in s.terms)]
        behind = [c for c in involved if set(c.axes) & {name for s in flat for name, _ in s.terms}]
        extents = {name: extent for c in chains for name, extent in zip(c.axes, c.extents, strict=True)}
        slots = prod(extents[n] for c in behind for n in c.axes if n not in uses)
        offsets = [[s.constant + _shift(s, chains)] for s in mine]
        for chain, digit in ((c, d) for c in chains for d in c.digits if d.lane in moving):
            if chain in behind and len(chain.axes) > 1:
                continue
            moves = [(i, step) for i, s in enumerate(mine) if (step := _step(s, chain, digit))]
            if len(moves) > 1:
                return None
            if not moves:
                slots *= digit.factor
            for i, step in moves:
                offsets[i] = [o + step * k for o in offsets[i] for k in range(digit.factor)]
        lone = [c for c in involved if len(c.axes) == 1]
        held = [
            self._enumerated(access, s, lone, extents, offsets[i])
            if s in flat
            else _overlay(_progression(_outer(s, lone)), offsets[i], *self.span(access, s))
            for i, s in enumerate(mine)
        ]
        return Held(slots * prod(h.slots for h in held), prod(h.distinct for h in held))

    def _size(self, access: Access, subscript: Affine) -> int:
        place = access.subscripts.index(subscript)
        return self.operator.tensor(access.tensor).shape[place]

    def _enumerated(
        self, access: Access, subscript: Affine, lone: list[Chain], extents: dict[str, int], offsets: list[int]
    ) -> Held:
        """A subscript in which an axis is flattened: every value of its loops that reads inside the tensor.

        A flattened axis runs through what it counts to; an axis that is not flattened is enumerated by its loops,
        beyond its extent if they reach further.
        """
        outer = tuple(_outer(subscript, lone))
        chained = {c.axes[0] for c in lone}
        free = tuple((c, extents[name]) for name, c in subscript.terms if name not in chained)
        key = (access, subscript, outer, free, tuple(offsets))
        if key not in self._points:
            position = np.array(offsets, dtype=np.int64)
            for c, count in (*outer, *free):
                position = np.add.outer(position, c * np.arange(count)).ravel()
            low, high = self.span(access, subscript)
            inside = position[(position >= low) & (position <= high)]
            seen = np.zeros(max(0, high - low + 1), dtype=np.bool_)
            seen[inside - low] = True
            self._points[key] = Held(inside.size, int(np.count_nonzero(seen)))
        return self._points[key]

    def span(self, access: Access, subscript: Affine) -> tuple[int, int]:
        """The positions that hold an element: inside the tensor, and of an axis that stands alone inside its extent."""
        low, high = 0, self._size(access, subscript) - 1
        if len(subscript.terms) == 1:
            name, c = subscript.terms[0]
            ends = (subscript.constant, subscript.constant + c * (self.operator.axis(name).extent - 1))
            low, high = max(low, min(ends)), min(high, max(ends))
        return low, high


def _step(subscript: Affine, chain: Chain, digit: Digit) -> int:
    """By how much one step of a digit moves the subscript, its compensations included."""
    own = subscript.coefficient(chain.axes[0]) * digit.stride if len(chain.axes) == 1 else 0
    return own + sum(subscript.coefficient(name) * c for name, c in digit.skew)


def _shift(subscript: Affine, chains: tuple[Chain, ...]) -> int:
    """How far the origins of compensated axes are shifted."""
    return -sum(
        subscript.coefficient(name) * max(0, c) * (digit.factor - 1)
        for chain in chains
        for digit in chain.digits
        for name, c in digit.skew
    )


def _outer(subscript: Affine, chains: list[Chain]) -> list[tuple[int, int]]:
    """The outer loops that move a subscript, as (step, extent)."""
    found = []
    for chain in chains:
        c = subscript.coefficient(chain.axes[0])
        below = (1, *(digit.top for digit in chain.digits))
        found += [(c * step, gap) for step, gap in zip(below, chain.gaps, strict=True) if c and gap > 1]
    return found


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


def skewed_axes(digits: Mapping[str, Digits]) -> list[set[str]]:
    """The axes that each skewed digit moves, by pivot."""
    return [{pivot, *(name for name, _ in d.skew)} for pivot, own in digits.items() for d in own if d.skew]
