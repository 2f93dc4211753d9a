"""The check by replay: every lane of some calls is looked at, each property of ``embedding.md`` in turn.

Properties of the form "no two lanes ..." that fail for a sample of calls fail for the embedding; cover, and what
registers hold beside live lanes, ask for all calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isinf, prod

import numpy as np

from intarsia.embed.check_calls import PAD, Bools, Ints, Table, elements, matches
from intarsia.embed.check_structure import bounds
from intarsia.embed.check_text import Spot, call_text, element_text, iteration_text, register_text, spot_text
from intarsia.embed.check_view import ZERO, View, held_text, place_text, view_of
from intarsia.embed.embedding import Embedding
from intarsia.embed.layout import Layout
from intarsia.operators import Tensor


class Replay:
    """The lanes of some calls with all that the properties are about; each method is one property."""

    def __init__(self, embedding: Embedding, table: Table, layouts: tuple[Layout, ...]) -> None:
        self.embedding = embedding
        self.table = table
        by_operand = {layout.operand: layout for layout in layouts}
        self.views = tuple(
            view_of(match, by_operand[match.operand.name], table) for match in matches(embedding) if match.access
        )
        self.write, self.reads = self.views[0], self.views[1:]
        self.sums = embedding.body.combine == "+="
        self.live = table.defined & (self.write.element != PAD)
        self.needed = self.live.copy()
        if self.sums:
            for view in self.reads:
                if view.tensor.pad == 0:
                    self.needed &= view.element != PAD
        extents = [a.extent for a in embedding.operator.axes]
        self.number = np.zeros(table.defined.shape, dtype=np.int64)
        for axis, extent in zip(embedding.operator.axes, extents, strict=True):
            self.number = self.number * extent + table.axes[axis.name]
        self.lanes = int(table.defined.shape[1])

    def spot(self, flat: int) -> Spot:
        """The lane with this number, for a message."""
        call, lane = divmod(int(flat), self.lanes)
        iteration = None
        if self.table.defined[call, lane]:
            iteration = {name: int(value[call, lane]) for name, value in self.table.axes.items()}
        return Spot(
            {name: int(index[call]) for name, index in self.table.calls.items()},
            {name: int(place[lane]) for name, place in self.table.positions.items()},
            iteration,
        )

    def text(self, flat: int) -> str:
        """The lane with this number as text."""
        return spot_text(self.embedding, self.spot(flat))

    def one_to_one(self) -> tuple[str, ...]:
        """No two lanes of a call have the same iteration."""
        call = np.arange(self.live.shape[0], dtype=np.int64)[:, None]
        key = call * self.embedding.operator.iterations + self.number
        pair = _equal(key, self.table.defined)
        if pair is None:
            return ()
        a, b = pair
        return (f"one to one: {self.text(a)} has the same iteration as {self.text(b)}",)

    def covered_once(self) -> tuple[str, ...]:
        """For sums, no iteration that can change the result is the image of two lanes."""
        pair = _equal(self.number, self.needed) if self.sums else None
        if pair is None:
            return ()
        a, b = pair
        return (f"cover: covered twice, by {self.text(a)} and by {self.text(b)}",)

    def covered(self, done: Bools) -> None:
        """Marks the iterations that these calls reach."""
        done[self.number[self.live]] = True

    def operands(self) -> tuple[str, ...]:
        """A register of a vector is one element for all lanes that read it."""
        found: list[str] = []
        for view in self.reads:
            pair = _differing(view.place, view.element, self.live)
            if pair is not None:
                found.append(self._clash("operands", view, *pair))
        return tuple(found)

    def one_home(self) -> tuple[str, ...]:
        """A register of the result is one element, and an element one register."""
        found: list[str] = []
        pair = _differing(self.write.place, self.write.element, self.live)
        if pair is not None:
            found.append(self._clash("result" if self._same_call(pair) else "one home", self.write, *pair))
        pair = _differing(self.write.element, self.write.place, self.live)
        if pair is not None:
            found.append(self._homes(*pair))
        return tuple(found)

    def layout_range(self) -> tuple[str, ...]:
        """Every call finds its vectors in the layouts."""
        found: list[str] = []
        for view in self.views:
            missing = np.flatnonzero(~view.exists)
            if missing.size:
                call = {name: int(index[missing[0]]) for name, index in self.table.calls.items()}
                found.append(
                    f"layout: {view.layout} has no vector for {call_text(self.embedding, call)}; "
                    f"{missing.size} of {view.exists.size} calls are concerned"
                )
        return tuple(found)

    def packed(self, packing: Mapping[str, Ints]) -> tuple[str, ...]:
        """Every live lane finds in the packed vector the element that it asks for.

        Args:
            packing: operand -> what each register of each vector holds [vectors, registers]: a flat index, ``ZERO`` or
                ``PAD``.
        """
        found: list[str] = []
        for view in self.views:
            content = self._content(view, packing)
            zero_pad = PAD if view.tensor.pad else ZERO
            good = (content == view.element) | ((view.element == PAD) & (content == zero_pad))
            wrong = np.flatnonzero(self.live & ~good)
            if wrong.size:
                lane, holds = int(wrong[0]), int(content.reshape(-1)[wrong[0]])
                asked = element_text(view.tensor, int(view.element.reshape(-1)[lane]))
                found.append(
                    f"layout: {self._register(view, lane)} holds {held_text(view.tensor, holds)}, {self.text(lane)} "
                    f"asks for {asked}; {wrong.size} such lanes"
                )
        return tuple(found)

    def stored(self, packing: Mapping[str, Ints]) -> tuple[str, ...]:
        """Among the vectors that calls write, an element is unpacked from the register where it is accumulated."""
        view, index = self.write, packing[self.write.match.operand.name]
        width = index.shape[1]
        claimed = np.full(prod(view.tensor.shape), -1, dtype=np.int64)
        claimed[view.element[self.live]] = view.place[self.live]
        touched = np.unique(view.vector[view.exists])
        holds = index[touched]
        place = touched[:, None] * width + np.arange(width, dtype=np.int64)
        home = claimed[np.maximum(holds, 0)]
        wrong = np.flatnonzero((holds >= 0) & (home != place) & (home >= 0))
        if not wrong.size:
            return ()
        element = int(holds.reshape(-1)[wrong[0]])
        other = int(place.reshape(-1)[wrong[0]])
        text = (
            f"one home: {element_text(view.tensor, element)} is accumulated in "
            f"{place_text(view, int(claimed[element]))}, the layout has it in {place_text(view, other)} too"
        )
        return (text,)

    def padding(self, packing: Mapping[str, Ints]) -> tuple[str, ...]:
        """An undefined lane changes nothing in a register that is unpacked, even if no live lane ever adds to it.

        Args:
            packing: as of ``packed``.
        """
        idle = ~self.table.defined | (self.write.element == PAD)
        risky = idle & (self._content(self.write, packing) >= 0)
        if not risky.any():
            return ()
        harmless = self._zero(packing) if self.sums else self._neutral(packing)
        wrong = np.flatnonzero(risky & ~harmless)
        if not wrong.size:
            return self._finite()
        lane = int(wrong[0])
        loads = " and ".join(
            f"{held_text(v.tensor, int(self._content(v, packing).reshape(-1)[lane]))} in {self._register(v, lane)}"
            for v in self.reads
        )
        text = (
            f"padding: {self.text(lane)} is undefined and adds to {self._register(self.write, lane)}, which is used; "
            f"it reads {loads or 'the constant 1'}; {wrong.size} such lanes"
        )
        return (text,)

    def _zero(self, packing: Mapping[str, Ints]) -> Bools:
        zero = np.zeros(self.live.shape, dtype=np.bool_)
        for view in self.reads:
            content = self._content(view, packing)
            zero |= content == ZERO
            if view.tensor.pad == 0:
                zero |= content == PAD
        return zero

    def _neutral(self, packing: Mapping[str, Ints]) -> Bools:
        """For max and min of one tensor: the worst value of its dtype, or an element that the result sees anyway."""
        if len(self.reads) != 1:
            return np.zeros(self.live.shape, dtype=np.bool_)
        view = self.reads[0]
        content = self._content(view, packing)
        worst = _worst(view.tensor, self.embedding.body.combine)
        neutral: Bools = ((content == ZERO) & (worst == 0)) | ((content == PAD) & (view.tensor.pad == worst))
        size = prod(view.tensor.shape) + 3
        live = np.unique(self.write.place[self.live] * size + view.element[self.live] + 3)
        neutral |= _member(self.write.place * size + content + 3, live)
        return neutral

    def _finite(self) -> tuple[str, ...]:
        """Zero times the pad value is zero."""
        if not self.sums:
            return ()
        endless = [v.tensor for v in self.reads if isinf(v.tensor.pad)]
        return tuple(f"padding: {t.name} is padded with {t.pad}, which no zero factor cancels" for t in endless)

    def _content(self, view: View, packing: Mapping[str, Ints]) -> Ints:
        index = packing[view.match.operand.name]
        found: Ints = index.reshape(-1)[np.clip(view.place, 0, index.size - 1)]
        return found

    def _same_call(self, pair: tuple[int, int]) -> bool:
        first, second = pair
        return first // self.lanes == second // self.lanes

    def _register(self, view: View, flat: int) -> str:
        call, lane = divmod(flat, self.lanes)
        return f"{register_text(view.match, int(view.register[lane]))} of vector {int(view.vector[call])}"

    def _clash(self, name: str, view: View, a: int, b: int) -> str:
        element = view.element.reshape(-1)
        return (
            f"{name}: {self._register(view, a)} is {element_text(view.tensor, int(element[a]))} for {self.text(a)}, "
            f"but {element_text(view.tensor, int(element[b]))} for {self.text(b)}"
        )

    def _homes(self, a: int, b: int) -> str:
        name = "result" if self._same_call((a, b)) else "one home"
        element = element_text(self.write.tensor, int(self.write.element.reshape(-1)[a]))
        return (
            f"{name}: {element} is accumulated in {self._register(self.write, a)} by {self.text(a)} "
            f"and in {self._register(self.write, b)} by {self.text(b)}"
        )


def missing(embedding: Embedding, done: Bools) -> tuple[str, ...]:
    """The iterations that can change the result and that no lane has."""
    operator = embedding.operator
    grid = np.indices(tuple(a.extent for a in operator.axes), dtype=np.int64).reshape(len(operator.axes), -1)
    axes = {a.name: grid[i] for i, a in enumerate(operator.axes)}
    body = embedding.body
    wanted = elements(body.write, operator.tensor(body.write.tensor).shape, axes, done.shape) != PAD
    if body.combine == "+=":
        for read in body.reads:
            tensor = operator.tensor(read.tensor)
            if tensor.pad == 0:
                wanted &= elements(read, tensor.shape, axes, done.shape) != PAD
    left = np.flatnonzero(wanted & ~done)
    if not left.size:
        return ()
    first = {name: int(value[left[0]]) for name, value in axes.items()}
    return (f"cover: no lane of any call has {iteration_text(first)}; {left.size} iterations are not covered",)


def _worst(tensor: Tensor, combine: str) -> float:
    """What changes no maximum (minimum) of values of the tensor's dtype."""
    if "float" in tensor.dtype:
        return -inf if combine == "max=" else inf
    low, high = bounds(tensor.dtype)
    return low if combine == "max=" else high


def _member(values: Ints, among: Ints) -> Bools:
    """Whether each value is in a sorted array."""
    if not among.size:
        return np.zeros(values.shape, dtype=np.bool_)
    at = np.minimum(np.searchsorted(among, values), among.size - 1)
    found: Bools = among[at] == values
    return found


def _equal(key: Ints, where: Bools) -> tuple[int, int] | None:
    """Two lanes with the same key."""
    return _differing(key, np.arange(key.size, dtype=np.int64).reshape(key.shape), where)


def _differing(key: Ints, value: Ints, where: Bools) -> tuple[int, int] | None:
    """Two lanes with the same key and different values, or None."""
    chosen = np.flatnonzero(where)
    if not chosen.size:
        return None
    keys, values = key.reshape(-1)[chosen], value.reshape(-1)[chosen]
    order = np.argsort(keys, kind="stable")
    keys, values = keys[order], values[order]
    clash = np.flatnonzero((keys[1:] == keys[:-1]) & (values[1:] != values[:-1]))
    if not clash.size:
        return None
    return int(chosen[order[clash[0]]]), int(chosen[order[clash[0] + 1]])
