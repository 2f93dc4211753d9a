"""The space of template chips under a budget of area, as columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from intarsia.machines.template.area import buffer_area, tensor_core_area, vector_core_area
from intarsia.machines.template.point import Point

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
TPUV4_LIKE = Point(8, 2, 128, 128, 128)
"""The published point whose area is the budget."""
EXACT = 1e-12


@dataclass(frozen=True)
class Points:
    """Admissible points, one row each.

    Attributes:
        tensor_cores, vector_cores, width, depth, buffer_mib, hbm_gib: what is chosen, each [points].
        area: mm², [points].
    """

    tensor_cores: Ints
    vector_cores: Ints
    width: Ints
    depth: Ints
    buffer_mib: Ints
    hbm_gib: Ints
    area: Floats

    def __len__(self) -> int:
        return len(self.area)

    def point(self, row: int) -> Point:
        """One of them."""
        columns = (self.tensor_cores, self.vector_cores, self.width, self.depth, self.buffer_mib, self.hbm_gib)
        return Point(*(int(column[row]) for column in columns))

    def __iter__(self) -> Iterator[Point]:
        return (self.point(row) for row in range(len(self)))


def single(point: Point) -> Points:
    """One point as columns."""
    its = (point.tensor_cores, point.vector_cores, point.width, point.depth, point.buffer_mib, point.hbm_gib)
    one, two, three, four, five, six = (np.array([value], dtype=np.int64) for value in its)
    return Points(one, two, three, four, five, six, np.array([point.area]))


@dataclass(frozen=True)
class TemplateSpace:
    """Every combination of the values whose area is within the budget and not wastefully below it.

    Attributes:
        name: as it is asked for.
        tensor_cores, vector_cores, width, depth, buffer_mib, hbm_gib: values.
        budget: mm².
        least: the fraction of the budget that must be used, except by chips with one tensor core or one vector core.
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

    @property
    def combinations(self) -> int:
        """All of them, admissible or not."""
        return int(np.prod([len(values) for values in self._values]))

    @property
    def _values(self) -> tuple[tuple[int, ...], ...]:
        return self.tensor_cores, self.vector_cores, self.width, self.depth, self.buffer_mib, self.hbm_gib

    @cached_property
    def points(self) -> Points:
        """The admissible points, in the order of the values."""
        grid = np.meshgrid(*(np.array(values, dtype=np.int64) for values in self._values), indexing="ij")
        cores, vectors, width, depth, buffer, hbm = (axis.ravel() for axis in grid)
        element = {(w, d): tensor_core_area(w, d) for w in self.width for d in self.depth}
        tensor = np.array([element[w, d] for w, d in zip(width.tolist(), depth.tolist(), strict=True)])
        lane = {w: vector_core_area(w) for w in self.width}
        vector = np.array([lane[w] for w in width.tolist()])
        shared = {mib: buffer_area(mib) for mib in self.buffer_mib}
        area = cores * tensor + vectors * vector + np.array([shared[mib] for mib in buffer.tolist()])
        small = (area < self.least * self.budget) & (cores > 1) & (vectors > 1)
        kept = (area <= self.budget * (1 + EXACT)) & ~small
        return Points(*(column[kept] for column in (cores, vectors, width, depth, buffer, hbm, area)))


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
