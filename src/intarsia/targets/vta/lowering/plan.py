"""The nouns of program generation: a plan that fixes everything but the data, addresses, and what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from intarsia.program import CallSpace
from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.lowering.epilogue import Epilogue
from intarsia.targets.vta.lowering.tiling import Buffers, Place, Region, Tiling, region
from intarsia.targets.vta.stream import Stream


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where regions begin in device memory, in memory elements of their kind."""

    inp: int
    wgt: int
    bias: int
    constant: int
    out: int
    uop: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that fixes a program but the data.

    Attributes:
        bias_loops: the parallel loops that choose a bias tensor, in their order.
        acc_order: all parallel loops as an accumulator tile is laid out, slowest first; the bias loops lead.
    """

    space: CallSpace
    config: VtaConfig
    tiling: Tiling
    buffers: Buffers
    epilogue: Epilogue | None
    bias_loops: tuple[str, ...]
    acc_order: tuple[str, ...]

    @property
    def sizes(self) -> dict[str, int]:
        """Iterations in a tile by loop."""
        return dict(self.tiling.sizes)

    @property
    def regions(self) -> tuple[Region, Region]:
        """Regions of the input and of the weight operand."""
        inp, wgt = self.space.factors
        return region(inp, self.sizes), region(wgt, self.sizes)

    @property
    def out_region(self) -> Region:
        """The output's region; its dims are the parallel loops in ``acc_order``, blocked by their tiles."""
        return blocked([(self._extent(n), self.sizes[n]) for n in self.acc_order])

    @property
    def bias_region(self) -> Region:
        """The region of bias tensors; its dims are the bias loops."""
        return blocked([(self._extent(n), self.sizes[n]) for n in self.bias_loops])

    def _extent(self, name: str) -> int:
        return next(loop.extent for loop in self.space.parallel if loop.name == name)


def blocked(dims: list[tuple[int, int]]) -> Region:
    """A region of (extent, tile) dims: tile numbers outermost, all tiles of full size."""
    inner = prod(tile for _, tile in dims)
    outer = inner * prod(-(-extent // tile) for extent, tile in dims)
    total, places = outer, []
    for extent, tile in dims:
        inner //= tile
        outer //= -(-extent // tile)
        places.append(Place(extent, 0, tile, outer, inner))
    return Region(tuple(range(len(dims))), tuple(places), total)


@dataclass(frozen=True, slots=True)
class Emitted:
    """A stream and its table of micro-operations [n, 3]."""

    stream: Stream
    uops: NDArray[np.int64]
