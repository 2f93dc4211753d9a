"""The lanes of an embedding as integer conditions: loops are variables, everything else is a form over them.

An axis that is flattened alone is a form over loops. Axes that are flattened together are variables, tied by
``value = sum of place value * (axis - shift)`` with every ``axis - shift`` in its extent: that has one solution for
every value in range, so it is the unflattening, without a division.

``seen`` is the packing rule of layouts: what decides, for one operand, whether a register holds an element or zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from intarsia.embed.check_calls import Match, matches
from intarsia.embed.embedding import Embedding, Flat
from intarsia.embed.layout import Layout
from intarsia.operators import Affine
from intarsia.poly import Conditions, Linear, Point, between, variable


@dataclass(frozen=True, slots=True)
class Place:
    """One operand at a symbolic lane.

    Attributes:
        match: the accesses.
        layout: of the operand.
        home: indices of the vector and of the register.
        element: subscripts of the operator's access.
        inside: the element is inside the tensor.
        seen: the register holds the element, by the packing rule.
        flats, axes: those whose range the packing rule looks at.
    """

    match: Match
    layout: Layout
    home: tuple[Linear, ...]
    element: tuple[Linear, ...]
    inside: Conditions
    seen: Conditions
    flats: frozenset[Flat]
    axes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Reason:
    """A way of being undefined: the conditions, and the flat or the axis that is out of range."""

    text: str
    conditions: Conditions
    flat: Flat
    axis: str = ""


def sees(place: Place, reason: Reason) -> bool:
    """The packing rule of this operand makes a register zero for this reason."""
    return reason.axis in place.axes if reason.axis else reason.flat in place.flats


class Lanes:
    """A symbolic lane of a symbolic call; two of them with different suffixes are two lanes."""

    def __init__(self, embedding: Embedding, layouts: tuple[Layout, ...], suffix: str = "") -> None:
        self.embedding = embedding
        self.suffix = suffix
        self.extent = {loop.name + suffix: loop.extent for loop in embedding.loops}
        self.loop = {p.name: variable(p.name + suffix) if p.extent > 1 else Linear() for p in embedding.loops}
        self.axis: dict[str, Linear] = {}
        for flat in embedding.flats:
            for name, shift in zip(flat.axes, flat.shifts, strict=True):
                alone = self.form(flat.value) + self.form(shift)
                self.axis[name] = alone if len(flat.axes) == 1 else variable(f"axis {name}{suffix}")
        by_operand = {layout.operand: layout for layout in layouts}
        self.places = tuple(self._place(m, by_operand[m.operand.name]) for m in matches(embedding) if m.access)
        self.defined = self.flats_in(embedding.flats) & self.axes_in(a.name for a in embedding.operator.axes)
        self.live = self.defined & self.places[0].inside

    def form(self, affine: Affine) -> Linear:
        """An affine form of the embedding, over this lane's loops."""
        total = Linear((), affine.constant)
        for name, coefficient in affine.terms:
            total += self.loop[name].times(coefficient)
        return total

    def within(self, conditions: Conditions) -> Conditions:
        """With the boxes of the loops that occur; the others do not matter."""
        for name in conditions.variables:
            if name in self.extent:
                conditions &= between(variable(name), 0, self.extent[name] - 1)
        return conditions

    def flats_in(self, flats: Iterable[Flat]) -> Conditions:
        """The flattened values are in range, and flattened axes are what the value unflattens to."""
        found = Conditions()
        for flat in flats:
            value = self.form(flat.value)
            if len(flat.axes) == 1:
                found &= between(value, 0, flat.extents[0] - 1)
                continue
            total = Linear()
            for place, (name, shift) in enumerate(zip(flat.axes, flat.shifts, strict=True)):
                coordinate = self.axis[name] - self.form(shift)
                found &= between(coordinate, 0, flat.extents[place] - 1)
                total += coordinate.times(prod(flat.extents[place + 1 :]))
            found &= Conditions((total - value,))
        return found

    def axes_in(self, axes: Iterable[str]) -> Conditions:
        """The axes are in their boxes."""
        found = Conditions()
        for name in axes:
            found &= between(self.axis[name], 0, self.embedding.operator.axis(name).extent - 1)
        return found

    def element_in(self, element: tuple[Linear, ...], shape: tuple[int, ...]) -> Conditions:
        """The subscripts are inside the tensor."""
        found = Conditions()
        for form, size in zip(element, shape, strict=True):
            found &= between(form, 0, size - 1)
        return found

    def needed(self) -> Conditions:
        """The lane's iteration can change the result; for sums, a factor read from zero padding cannot."""
        found = self.live
        if self.embedding.body.combine == "+=":
            for place in self.places[1:]:
                if place.layout.tensor.pad == 0:
                    found &= place.inside
        return found

    def reasons(self) -> tuple[Reason, ...]:
        """The ways of being undefined within the digits, those left out that no lane of the box has."""
        found: list[Reason] = []
        for flat in self.embedding.flats:
            name, value = ".".join(flat.axes), self.form(flat.value)
            found += self._outside(f"{name} is {{}} its range", value, prod(flat.extents), Conditions(), flat, "")
            unflattened = self.flats_in([flat])
            for axis in flat.axes:
                extent = self.embedding.operator.axis(axis).extent
                found += self._outside(f"{axis} is {{}} its range", self.axis[axis], extent, unflattened, flat, axis)
        return tuple(found)

    def _outside(self, text: str, form: Linear, extent: int, given: Conditions, flat: Flat, axis: str) -> list[Reason]:
        low, high = self._bounds(form, flat, axis)
        found = []
        if low < 0:
            found.append(Reason(text.format("below"), given & Conditions((), (form.times(-1).plus(-1),)), flat, axis))
        if high >= extent:
            found.append(Reason(text.format("beyond"), given & Conditions((), (form.plus(-extent),)), flat, axis))
        return found

    def _bounds(self, form: Linear, flat: Flat, axis: str) -> tuple[int, int]:
        """Bounds of a form, by those of its variables; a flattened axis is bounded by its extent and its shift."""
        if axis and len(flat.axes) > 1:
            low, high = self.interval(self.form(flat.shift(axis)))
            return low, high + flat.extents[flat.axes.index(axis)] - 1
        return self.interval(form)

    def interval(self, form: Linear) -> tuple[int, int]:
        """Least and greatest value of a form over loops."""
        ends = [c * (self.extent[name] - 1) for name, c in form.terms]
        return form.constant + sum(min(0, e) for e in ends), form.constant + sum(max(0, e) for e in ends)

    def _place(self, match: Match, layout: Layout) -> Place:
        assert match.access is not None
        positions = self._positions()
        registers = []
        for subscript in match.meaning.subscripts:
            register = Linear((), subscript.constant)
            for name, coefficient in subscript.terms:
                register += positions[name].times(coefficient)
            registers.append(register)
        element = tuple(
            Linear((), s.constant) + _sum(self.axis[name].times(c) for name, c in s.terms)
            for s in match.access.subscripts
        )
        flats, axes = self._seen(match)
        vector = tuple(self.form(dim.value) for dim in layout.dims)
        inside = self.element_in(element, layout.tensor.shape)
        seen = self.flats_in(sorted(flats, key=lambda f: f.axes)) & self.axes_in(sorted(axes))
        return Place(match, layout, (*vector, *registers), element, inside, seen, flats, axes)

    def _positions(self) -> dict[str, Linear]:
        found: dict[str, Linear] = {}
        for axis in self.embedding.instruction.semantics.axes:
            weight, found[axis.name] = 1, Linear()
            for loop in self.embedding.lane_loops(axis.name):
                found[axis.name] += self.loop[loop.name].times(weight)
                weight *= loop.extent
        return found

    def _seen(self, match: Match) -> tuple[frozenset[Flat], frozenset[str]]:
        """Flats of several axes wherever they occur, and axes that stand alone in a subscript."""
        assert match.access is not None
        of = {axis: flat for flat in self.embedding.flats for axis in flat.axes}
        names = [[name for name, _ in s.terms] for s in match.access.subscripts]
        flats = frozenset(of[n] for row in names for n in row if len(of[n].axes) > 1)
        return flats, frozenset(row[0] for row in names if len(row) == 1)

    def values(self, point: Point) -> dict[str, int]:
        """This lane's loops at a point; those that do not occur are 0."""
        return {loop.name: point.get(loop.name + self.suffix, 0) for loop in self.embedding.loops}


def _sum(forms: Iterable[Linear]) -> Linear:
    total = Linear()
    for form in forms:
        total += form
    return total
