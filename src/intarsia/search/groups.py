"""Chips of one memory and network in one cluster, which are bounded together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intarsia.graph import Variant
from intarsia.search.candidates import Candidates

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Group:
    """Chips of one memory and network.

    Attributes:
        size: the place of the cluster.
        rows: which.
    """

    size: int
    rows: Ints


@dataclass(frozen=True, slots=True)
class Bounded:
    """Variants that are left on some chips.

    Attributes:
        rows: the chips that are not beyond the limit, the least bound first.
        variants: of each training.
        tables: of each training, their bounds, [variants, rows].
    """

    rows: Ints
    variants: tuple[tuple[Variant, ...], ...]
    tables: tuple[Floats, ...]


def groups_of(candidates: Candidates) -> list[Group]:
    """Those of the first cluster and with the most memory first."""
    points = candidates.points
    columns = (points.hbm_gib, points.hbm_bandwidth, points.link_bandwidth)
    keys, which = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)
    of = which.ravel()[candidates.chip]
    listed = [
        Group(size, np.flatnonzero((candidates.size == size) & (of == at)))
        for size in range(len(candidates.devices))
        for at in reversed(range(len(keys)))
    ]
    return [group for group in listed if len(group.rows)]
