"""One chip of the template, and many of them as columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.ground.units import hertz_text, rate_text
from intarsia.machines.template import parts as parts_of
from intarsia.machines.template.area import RETICLE, buffer_area, tensor_core_area, vector_core_area
from intarsia.machines.template.energy import CLOCK, Technology
from intarsia.machines.template.parts import STACK_GIB, TEMPLATE, Part

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
HBM_BANDWIDTH = 1.2e12
"""Of TPUv4, bytes per second: the publication says none."""
STACK_BANDWIDTH = 0.41e12
"""Of an HBM2E stack, bytes per second (1024 bits at 3.2 Gb/s)."""
LINK_BANDWIDTH = 300e9
"""Of TPUv4, bytes per second and direction."""


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """What is chosen.

    Attributes:
        tensor_cores, vector_cores: how many of each.
        width: columns of a tensor core.
        depth: rows of a tensor core.
        buffer_mib: the shared buffer.
        hbm_gib: capacity of the memory beside the die; with stacks it follows from them.
        vector_width: lanes of a vector core; as many as a tensor core has columns for 0 (published).
        clock: hertz.
        stacks: of HBM, 16 GiB and 0.41 TB/s each. 0 is the published template, where HBM of any capacity has 1.2 TB/s,
            and neither HBM nor links take area.
        link_bandwidth: all links, bytes per second and direction.
        more_cores, more_width, more_depth: a second kind of tensor cores; none for 0.
    """

    tensor_cores: int
    vector_cores: int
    width: int
    depth: int
    buffer_mib: int
    hbm_gib: int = 80
    vector_width: int = 0
    clock: float = CLOCK
    stacks: int = 0
    link_bandwidth: float = LINK_BANDWIDTH
    more_cores: int = 0
    more_width: int = 0
    more_depth: int = 0

    def __post_init__(self) -> None:
        # Equal chips are equal points: what follows from other fields is filled in.
        if not self.vector_width:
            object.__setattr__(self, "vector_width", self.width)
        if self.stacks:
            object.__setattr__(self, "hbm_gib", STACK_GIB * self.stacks)

    @property
    def hbm_bytes(self) -> int:
        """Capacity of the HBM."""
        return self.hbm_gib << 30

    @property
    def hbm_bandwidth(self) -> float:
        """Bytes per second of the HBM."""
        return self.stacks * STACK_BANDWIDTH if self.stacks else HBM_BANDWIDTH

    @property
    def area(self) -> float:
        """Of the die at 22 nm, mm².

        Raises:
            InputError: a memory is larger than any that is known.
        """
        return float(self._checked().area[0])

    @property
    def watts(self) -> float:
        """Peak power.

        Raises:
            InputError: a memory is larger than any that is known, or the clock too fast.
        """
        return float(self._checked().watts[0])

    @property
    def dollars(self) -> float:
        """What the packaged chip costs to make; infinite beyond the reticle.

        Raises:
            InputError: a memory is larger than any that is known.
        """
        return float(self._checked().dollars[0])

    def parts(self, technology: Technology = TEMPLATE) -> tuple[Part, ...]:
        """What the chip is made of, each kind once, without those that it has none of.

        Args:
            technology: of which the energies are; areas and costs are always those of the template's 22 nm.

        Raises:
            InputError: a memory is larger than any that is known, or the clock too fast.
        """
        points = self._checked()
        counted = {name: int(column[0]) for name, column in parts_of.counts(points).items()}
        found = (parts_of.areas(points), parts_of.powers(points, technology), parts_of.prices(points))
        each = {name: [float(of[name][0]) if name in of else 0.0 for of in found] for name in counted}
        return tuple(Part(name, count, *each[name]) for name, count in counted.items() if count)

    def _checked(self) -> Points:
        """As columns, if the area of every part is known."""
        tensor_core_area(self.width, self.depth)
        tensor_core_area(self.more_width, self.more_depth)
        vector_core_area(self.vector_width)
        buffer_area(self.buffer_mib)
        return single(self)

    def __str__(self) -> str:
        cores = f"{self.tensor_cores} × {self.width}×{self.depth} tensor"
        if self.more_cores:
            cores += f", {self.more_cores} × {self.more_width}×{self.more_depth} tensor"
        cores += f", {self.vector_cores} × {self.vector_width} vector"
        stacks = f" in {self.stacks} stacks" if self.stacks else ""
        rest = f"{self.buffer_mib} MiB, {self.hbm_gib} GiB HBM{stacks}"
        clock = f", {hertz_text(self.clock)}" if self.clock != CLOCK else ""
        links = f", links {rate_text(self.link_bandwidth)}" if self.link_bandwidth != LINK_BANDWIDTH else ""
        return f"{cores}, {rest}{clock}{links}"


FIELDS = tuple(field.name for field in fields(Point))
"""Of a point, in order."""
FLOATS = frozenset({"clock", "link_bandwidth"})
"""Those that are no whole numbers."""


@dataclass(frozen=True)
class Points:
    """Points, one row each.

    Attributes:
        tensor_cores, vector_cores, width, depth, buffer_mib, hbm_gib, vector_width, clock, stacks, link_bandwidth,
            more_cores, more_width, more_depth: what is chosen, as in ``Point``, each [points].
    """

    tensor_cores: Ints
    vector_cores: Ints
    width: Ints
    depth: Ints
    buffer_mib: Ints
    hbm_gib: Ints
    vector_width: Ints
    clock: Floats
    stacks: Ints
    link_bandwidth: Floats
    more_cores: Ints
    more_width: Ints
    more_depth: Ints

    def __len__(self) -> int:
        return len(self.tensor_cores)

    def point(self, row: int) -> Point:
        """One of them."""
        values: dict[str, Any] = {name: getattr(self, name)[row].item() for name in FIELDS}
        return Point(**values)

    def rows(self, selection: Ints | NDArray[np.bool_] | slice) -> Points:
        """Some of them, in the order of the selection."""
        columns: dict[str, NDArray[Any]] = vars(self)  # what was worked out of them, too
        chosen = len(np.arange(len(self))[selection])
        some: dict[str, Any] = {
            # A column that stores its only value once does so again.
            name: np.broadcast_to(column[:1], chosen) if column.strides == (0,) else column[selection]
            for name, column in columns.items()
        }
        found = Points(**{name: some.pop(name) for name in FIELDS})
        vars(found).update(some)
        return found

    def __iter__(self) -> Iterator[Point]:
        return (self.point(row) for row in range(len(self)))

    @cached_property
    def hbm_bytes(self) -> Ints:
        """Capacity of the HBM, [points]."""
        return self.hbm_gib << 30

    @cached_property
    def hbm_bandwidth(self) -> Floats:
        """Bytes per second of the HBM, [points]."""
        return np.where(self.stacks > 0, self.stacks * STACK_BANDWIDTH, HBM_BANDWIDTH)

    @cached_property
    def area(self) -> Floats:
        """Of the die at 22 nm, mm², [points]; infinite where a memory is larger than any that is known."""
        return parts_of.total(parts_of.areas(self), parts_of.counts(self))

    @cached_property
    def watts(self) -> Floats:
        """Peak power, [points].

        Raises:
            InputError: a clock is too fast.
        """
        return parts_of.total(parts_of.powers(self), parts_of.counts(self))

    @cached_property
    def dollars(self) -> Floats:
        """What the packaged chip costs to make, [points]; infinite beyond the reticle."""
        return np.where(self.area <= RETICLE, parts_of.total(parts_of.prices(self), parts_of.counts(self)), np.inf)

    def parts(self) -> tuple[tuple[str, Ints, Floats, Floats, Floats], ...]:
        """Name of each kind of part, then columns: how many, and mm², watts and dollars of one."""
        count = parts_of.counts(self)
        found = (parts_of.areas(self), parts_of.powers(self), parts_of.prices(self))
        none = np.zeros(len(self))
        area, watts, dollars = ({name: of.get(name, none) for name in count} for of in found)
        return tuple((name, of, area[name], watts[name], dollars[name]) for name, of in count.items())


def single(point: Point) -> Points:
    """One point as columns."""
    return columns_of([point])


def columns_of(points: list[Point]) -> Points:
    """Points as columns, in their order."""
    columns: dict[str, Any] = {
        name: np.array([getattr(point, name) for point in points], dtype=np.float64 if name in FLOATS else np.int64)
        for name in FIELDS
    }
    return Points(**columns)
