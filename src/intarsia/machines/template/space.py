"""Spaces of template chips under a budget of area, power or money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from math import inf, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.ground import InputError
from intarsia.machines.template.area import BYTES_PER_ELEMENT, LOCAL, RETICLE, SHARED
from intarsia.machines.template.energy import CLOCK
from intarsia.machines.template.parts import STACK_GIB, TEMPLATE
from intarsia.machines.template.point import FIELDS, FLOATS, LINK_BANDWIDTH, Point, Points

Column = NDArray[Any]
TPUV4_LIKE = Point(8, 2, 128, 128, 128)
"""The published point whose area is the budget."""
EXACT = 1e-12
FREE = frozenset({"clock", "hbm_gib"})
"""Fields that take no area."""
MANY = 20_000_000
"""Combinations that are looked at together."""


@dataclass(frozen=True)
class TemplateSpace:
    """Every combination of the values that is within all budgets and not wastefully below them.

    Left out are also combinations with a memory of a core that is larger than any that is known, with a die beyond the
    reticle, and with a second kind of tensor cores that has some but not all of number, width and depth.

    Attributes:
        name: as it is asked for.
        tensor_cores, vector_cores, width, depth, buffer_mib: values.
        hbm_gib: values, where HBM does not come in stacks; none where it does.
        budget: mm²; infinite for none.
        least: the fraction of some budget that must be used, except by chips with one tensor core or one vector core.
        vector_width: values; none to have as many lanes as a tensor core has columns.
        clock, stacks, link_bandwidth, more_cores, more_width, more_depth: values; as published where left out.
        watts, dollars: budgets of peak power and cost; infinite for none.

    Raises:
        InputError: a field has no value, an impossible or a repeated one, stacks and no stacks are mixed, or there is
            no budget.
    """

    name: str
    tensor_cores: tuple[int, ...]
    vector_cores: tuple[int, ...]
    width: tuple[int, ...]
    depth: tuple[int, ...]
    buffer_mib: tuple[int, ...]
    hbm_gib: tuple[int, ...]
    budget: float
    least: float
    vector_width: tuple[int, ...] = ()
    clock: tuple[float, ...] = (CLOCK,)
    stacks: tuple[int, ...] = (0,)
    link_bandwidth: tuple[float, ...] = (LINK_BANDWIDTH,)
    more_cores: tuple[int, ...] = (0,)
    more_width: tuple[int, ...] = (0,)
    more_depth: tuple[int, ...] = (0,)
    watts: float = inf
    dollars: float = inf

    def __post_init__(self) -> None:
        _refuse(self)

    def __getstate__(self) -> dict[str, object]:
        # Other processes make the points again if they need them, rather than being sent a million.
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def budgets(self) -> dict[str, float]:
        """Those that there are: ``area`` in mm², ``watts``, ``dollars``."""
        every = {"area": self.budget, "watts": self.watts, "dollars": self.dollars}
        return {name: value for name, value in every.items() if value < inf}

    @property
    def values(self) -> dict[str, tuple[float, ...]]:
        """Of each field that is chosen, in the order of the rows; without those that follow from others."""
        tied = {"hbm_gib"} if self.stacks[0] else set()
        return {name: getattr(self, name) for name in FIELDS if name not in tied and getattr(self, name)}

    @property
    def combinations(self) -> int:
        """All of them, admissible or not."""
        return prod(len(values) for values in self.values.values())

    @cached_property
    def points(self) -> Points:
        """The admissible points, in the order of the values, the last field's values the fastest.

        Raises:
            InputError: there are too many combinations to look at.
        """
        found = self._filled({}, 1)
        for name, values in self.values.items():
            if len(values) == 1:
                continue
            rows = len(found)
            if rows * len(values) > MANY:
                raise InputError(
                    "the space has too many chips", where=f"space {self.name}, {name}", value=f"{rows * len(values):,}",
                    allowed=f"{MANY:,} within the area, before watts, dollars and least are looked at",
                )  # fmt: skip
            chosen = [known for known in self.values if len(self.values[known]) > 1]
            columns = {known: np.repeat(getattr(found, known), len(values)) for known in chosen[: chosen.index(name)]}
            columns[name] = np.tile(np.array(values, dtype=_kind(name)), rows)
            found = self._filled(columns, rows * len(values))
            if name not in FREE:
                # What is not chosen yet has its least value, with which the area is a lower bound.
                found = found.rows(found.area <= min(self.budget, RETICLE) * (1 + EXACT))
        second = [column > 0 for column in (found.more_cores, found.more_width, found.more_depth)]
        used = [getattr(found, name) / most for name, most in self.budgets.items()]
        kept = (np.all(second, axis=0) == np.any(second, axis=0)) & (found.area <= RETICLE)
        kept &= np.all([of <= 1 + EXACT for of in used], axis=0)
        small = np.all([of < self.least for of in used], axis=0) & (found.tensor_cores > 1) & (found.vector_cores > 1)
        return found.rows(kept & ~small)

    def _filled(self, columns: dict[str, Column], rows: int) -> Points:
        """Points with these columns; another field has its least value, stored once."""
        every: dict[str, Any] = {}
        for name in FIELDS:
            least = np.array(min(self.values.get(name, (0,))), dtype=_kind(name))
            every[name] = columns.get(name, np.broadcast_to(least, rows))
        if not self.vector_width:
            every["vector_width"] = every["width"]
        if self.stacks[0]:
            every["hbm_gib"] = STACK_GIB * every["stacks"]
        return Points(**every)


def _kind(name: str) -> type[np.float64 | np.int64]:
    return np.float64 if name in FLOATS else np.int64


MOST = {
    "width": 1024 * max(LOCAL) // BYTES_PER_ELEMENT,
    "depth": 1024 * max(LOCAL) // BYTES_PER_ELEMENT,
    "vector_width": 1024 * max(LOCAL) // BYTES_PER_ELEMENT,
    "buffer_mib": max(SHARED),
}
"""The largest values for which an area is known."""


def _refuse(space: TemplateSpace) -> None:
    """Says nothing about a space that is possible."""
    where = f"space {space.name}"
    for name in FIELDS:
        values: Sequence[float] = getattr(space, name)
        may_be_zero = name == "stacks" or name.startswith("more_")
        least, most = 0 if may_be_zero else 1, MOST.get(name, 1e15 if name in FLOATS else 1_000_000)
        wrong = [value for value in values if not least <= value <= most]
        if wrong:
            allowed = f"{least} to {most:,}"
            raise InputError(f"a value of {name} is not possible", where=where, value=f"{wrong[0]:g}", allowed=allowed)
        if len(set(values)) < len(values):
            raise InputError(f"a value of {name} is there twice", where=where)
        if not values and name not in {"vector_width", "hbm_gib"}:
            raise InputError(f"{name} has no value", where=where)
    if 0 in space.stacks and len(space.stacks) > 1:
        raise InputError(
            "stacks are mixed with HBM that is none", where=where, allowed="stacks = 0 alone, or 1 or more"
        )
    if bool(space.stacks[0]) == bool(space.hbm_gib):
        allowed = "no hbm_gib: it follows from the stacks" if space.hbm_gib else "values of hbm_gib, or of stacks"
        raise InputError("the capacity of the HBM is not clear", where=where, allowed=allowed)
    for name, value in (("budget", space.budget), ("watts", space.watts), ("dollars", space.dollars)):
        if not value > 0:
            raise InputError(f"{name} is not possible", where=where, value=f"{value:g}", allowed="more than 0")
    if not space.budgets:
        raise InputError("there is no budget", where=where, allowed="of area, watts or dollars")
    if not 0 <= space.least <= 1:
        raise InputError("least is not possible", where=where, value=f"{space.least:g}", allowed="a fraction")
    TEMPLATE.voltage(np.array(space.clock))


def _powers(first: int, last: int) -> tuple[int, ...]:
    return tuple(1 << n for n in range(first.bit_length() - 1, last.bit_length()))


PHAZE = TemplateSpace(
    name="phaze",
    tensor_cores=_powers(1, 4096),
    vector_cores=_powers(1, 4096),
    width=_powers(2, 256),
    depth=_powers(2, 256),
    buffer_mib=_powers(2, 128),
    hbm_gib=(80,),
    budget=TPUV4_LIKE.area,
    least=0.3,
)
"""The published space: 29,360 admissible points of 75,712 (Wang et al., ICML 2024)."""
TPUV4_INTERFACED = replace(TPUV4_LIKE, stacks=3)
"""The same with interfaces on the die: 3 stacks (1.23 TB/s) and the same links."""
_SIDES = (32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 512)
WIDE = TemplateSpace(
    name="wide",
    tensor_cores=(2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128),
    vector_cores=(2, 4),
    width=_SIDES,
    depth=_SIDES,
    buffer_mib=(16, 32, 48, 64, 96, 128),
    hbm_gib=(),
    budget=TPUV4_INTERFACED.area,
    least=0.5,
    vector_width=(128, 256, 512),
    clock=(0.7e9, 0.875e9, 1.05e9, 1.225e9),
    stacks=(2, 3, 4, 6, 8),
    link_bandwidth=(150e9, 300e9, 600e9),
    watts=TPUV4_INTERFACED.watts,
)
"""Chips of no more area and peak power than the TPUv4-like one with its interfaces, which is one of them."""
