"""One kind of tensor cores of many chips, as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cores:
    """One core of 1×1 where a chip has none of the kind, so that no column divides by zero.

    Attributes:
        count, width, depth: of each chip, [chips].
        arrays: the different ones, [arrays, 3].
        which: of each chip, its place among them, [chips].
    """

    count: Ints
    width: Ints
    depth: Ints
    arrays: Ints
    which: Ints

    @property
    def cells(self) -> Floats:
        """Multipliers of all of them, [chips]."""
        return np.asarray(self.count * self.width * self.depth, dtype=np.float64)


def cores_of(count: Ints, width: Ints, depth: Ints) -> Cores:
    """The columns of a kind, each [chips]."""
    count, width, depth = (np.maximum(column, 1) for column in (count, width, depth))
    arrays, which = np.unique(np.stack((count, width, depth), axis=1), axis=0, return_inverse=True)
    return Cores(count, width, depth, arrays, which.ravel())
