"""The space of one assignment of operands, cut into parts that do not know each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from intarsia.embed.constraints import Rules
from intarsia.embed.digits import Chain, Digits
from intarsia.embed.groups import Group, groupings


@dataclass(frozen=True, slots=True)
class Part:
    """Operator axes and the instruction axes that they compete for; no other operator axis can lie on these."""

    axes: tuple[str, ...]
    lanes: tuple[str, ...]


@dataclass(frozen=True)
class Space:
    """What the constraint families leave for one assignment: who may serve whom, what may be flattened with what.

    Attributes:
        rules: the constraint families.
        extents: what each operator axis counts to (more than its extent where it is skewed).
        rooms: the lanes that are free on each instruction axis.
        skewed: the digits at the bottom of the chains of pivot axes, where the family is skewed.
    """

    rules: Rules
    extents: dict[str, int]
    rooms: dict[str, int]
    skewed: dict[str, Digits] = field(default_factory=dict)

    @cached_property
    def serves(self) -> dict[str, tuple[str, ...]]:
        """Operator axis to the instruction axes that it may serve."""
        return {
            name: tuple(a for a in self.rules.serves(name) if self.rooms.get(a, 1) > 1)
            for name, extent in self.extents.items()
            if extent > 1
        }

    @cached_property
    def full(self) -> frozenset[str]:
        """The instruction axes that digits must fill."""
        return frozenset(self.rooms if "dense" in self.rules.problem.require else self.rules.filled)

    def lanes(self, group: Group) -> tuple[str, ...]:
        """The instruction axes that every axis of the group may serve."""
        return tuple(a for a in self.rooms if all(a in self.serves.get(name, ()) for name in group))

    def capacities(self, group: Group) -> dict[str, int]:
        """The instruction axes of a group and their room."""
        return {a: self.rooms[a] for a in self.lanes(group)}

    def extent(self, group: Group) -> int:
        """What the flattened group counts to."""
        total = 1
        for name in group:
            total *= self.extents[name]
        return total

    def exact(self, group: Group) -> bool:
        """Whether the group must not be rounded up."""
        require = self.rules.problem.require
        return "dense" in require or "no-padding" in require or not self.rules.guarded(group)

    def fusable(self, group: Group) -> bool:
        """Whether the axes may be flattened together."""
        problem = self.rules.problem
        if problem.family == "aligned" or not self.rules.plain or any(name in self.skewed for name in group):
            return False
        return bool(self.lanes(group))

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The connected parts; an axis that serves no instruction axis is in none."""
        parts: list[Part] = []
        for name, lanes in self.serves.items():
            if not lanes:
                continue
            touching = [p for p in parts if set(p.lanes) & set(lanes)]
            axes = (*(n for p in touching for n in p.axes), name)
            joined = tuple(a for a in self.rooms if any(a in p.lanes for p in touching) or a in lanes)
            parts = [p for p in parts if p not in touching] + [Part(axes, joined)]
        return tuple(Part(tuple(n for n in self.extents if n in p.axes), p.lanes) for p in parts)

    def groupings(self, part: Part) -> Iterator[tuple[Group, ...]]:
        """Every way to flatten the axes of a part, the way without fusing first."""
        return groupings(part.axes, self.fusable)

    @cached_property
    def fillable(self) -> bool:
        """Whether every instruction axis that must be filled is served by some operator axis."""
        served = {lane for part in self.parts for lane in part.lanes}
        return all(lane in served or self.rooms[lane] == 1 for lane in self.full)

    @cached_property
    def outside(self) -> int:
        """The calls that axes in no part cost."""
        inside = {name for part in self.parts for name in part.axes}
        total = 1
        for name in self.extents:
            total *= 1 if name in inside else self.bottom((name,)).calls
        return total

    def bottom(self, group: Group) -> Chain:
        """The group's chain with its skewed digits only."""
        extents = tuple(self.extents[name] for name in group)
        return Chain(group, extents, self.skewed.get(group[0], ()))


def space_of(rules: Rules) -> Space:
    """The space without skew."""
    return Space(rules, {a.name: a.extent for a in rules.problem.operator.axes}, rules.capacities)
