"""Which digits and which flattenings pack no element of a tensor twice, read off the operator before any search.

Two iterations that read one element must find it in one register of one vector. A digit on an instruction axis that
moves the register puts them in two registers unless it is the same for both; so it must be constant on the values of
its axis that *share* an element: v and v' do where c*v + r = c*v' + r' is an element for some values r, r' of the
subscript's other axes. (oh and kh of a convolution of stride 1 share with oh + 1 and kh - 1: neither takes a digit.
With stride 2, kh shares with kh - 2 only: digits of kh mod 2 remain.) Flattened axes are packed value by value, as in
im2col, so they must share nothing at all.

These are necessary conditions, and exact ones for each digit alone; what passes is still measured (``Duplication``).
They say nothing of skewed digits, nor of a tensor of which nothing inside is read.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from intarsia.embed.digits import Digit
from intarsia.embed.duplication import Duplication
from intarsia.embed.groups import Group
from intarsia.operators import Access, Affine

Ints = NDArray[np.int64]
Sharing = tuple[Ints, Ints]
"""Pairs of neighbouring values of an axis that share an element."""

LARGEST = 1 << 22
"""Reads of one subscript that are looked at; beyond, everything is allowed, and left to the measure."""
NOTHING = np.zeros(0, dtype=np.int64)


class Once:
    """What each of some inputs allows, for every axis and digit, so that no element of it is packed twice."""

    def __init__(self, duplication: Duplication, watched: list[int]) -> None:
        self.operator = duplication.operator
        self.duplication = duplication
        self.watched = watched
        self._shared: dict[tuple[int, str], Sharing | None] = {}
        self._allowed: dict[tuple[str, int, int, tuple[int, ...]], bool] = {}

    @cached_property
    def read(self) -> list[int]:
        """The watched inputs of which something inside is read."""
        return [t for t in self.watched if all(self._inside(t, s) for s in self._access(t).subscripts)]

    def allows(self, axis: str, digit: Digit) -> bool:
        """Whether a digit of an axis leaves every shared element in one register."""
        moved = tuple(t for t in self.read if digit.lane in self.duplication.moving[t])
        key = (axis, digit.stride, digit.factor, moved)
        if key not in self._allowed:
            self._allowed[key] = all(self._constant(self.shared(t, axis), digit) for t in moved)
        return self._allowed[key]

    def separable(self, group: Group) -> bool:
        """Whether axes may be flattened: where an input moves with any of them, all of them, and nothing is shared."""
        for t in self.read:
            shared = [self.shared(t, axis) for axis in group]
            if all(one is None for one in shared):
                continue
            if any(one is None or one[0].size for one in shared):
                return False
        return True

    def shared(self, tensor: int, axis: str) -> Sharing | None:
        """The values of an axis that share an element of an input; None if all do, for the axis does not move it."""
        key = (tensor, axis)
        if key not in self._shared:
            access = self._access(tensor)
            containing = [s for s in access.subscripts if s.coefficient(axis)]
            self._shared[key] = self._pairs(access, containing[0], axis) if containing else None
        return self._shared[key]

    def _access(self, tensor: int) -> Access:
        return self.duplication.inputs[tensor][1]

    def _inside(self, tensor: int, subscript: Affine) -> bool:
        """Whether some value of a subscript is an element."""
        low, high = self.duplication.span(self._access(tensor), subscript)
        values = self._values(subscript, "")
        return values is not None and bool(((values >= low) & (values <= high)).any())

    def _values(self, subscript: Affine, without: str) -> Ints | None:
        """The values that a subscript takes, one of its axes left out; None if there are too many."""
        found = np.array([subscript.constant], dtype=np.int64)
        for name, c in subscript.terms:
            if name == without:
                continue
            extent = self.operator.axis(name).extent
            if found.size * extent > LARGEST:
                return None
            found = np.unique(np.add.outer(found, c * np.arange(extent)))
        return found

    def _pairs(self, access: Access, subscript: Affine, axis: str) -> Sharing:
        others = self._values(subscript, axis)
        extent = self.operator.axis(axis).extent
        if others is None or len(subscript.terms) == 1 or others.size * extent > LARGEST:
            return NOTHING, NOTHING
        low, high = self.duplication.span(access, subscript)
        at = np.add.outer(subscript.coefficient(axis) * np.arange(extent), others)
        value, _ = inside = np.nonzero((at >= low) & (at <= high))
        order = np.argsort(at[inside], kind="stable")
        element, value = at[inside][order], value[order]
        same = np.diff(element) == 0
        codes = np.unique(value[:-1][same] * extent + value[1:][same])
        return codes // extent, codes % extent

    @staticmethod
    def _constant(shared: Sharing | None, digit: Digit) -> bool:
        if shared is None:
            return False
        left, right = ((side // digit.stride) % digit.factor for side in shared)
        return bool((left == right).all())
