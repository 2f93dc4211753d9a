"""How the loops of an embedding are cut into tiles that fit the buffers, and in which order the tiles run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from intarsia.program import CallSpace, OperandSpace
from intarsia.targets.vta.config import VtaConfig


@dataclass(frozen=True, slots=True)
class Tiling:
    """Tile sizes and the order of tiles.

    Attributes:
        sizes: (loop, iterations in a tile) for every loop of the call space.
        order: the parallel loops, outermost tile loop first; reduction tiles run innermost.
        slots: input tiles, weight tiles and output tiles that are on chip at once, at most. Two are enough to load one
            while the other is used; more keep tiles for reuse, at the price of more micro-operations.
    """

    sizes: tuple[tuple[str, int], ...]
    order: tuple[str, ...]
    slots: tuple[int, int, int] = (2, 2, 2)

    def __str__(self) -> str:
        return (
            " ".join(f"{name}:{size}" for name, size in self.sizes)
            + f" order {' '.join(self.order)} slots {self.slots}"
        )


@dataclass(frozen=True, slots=True)
class Place:
    """Where a dim lies in device memory: position p is at ``p // tile * outer + p % tile * inner``, in tensors."""

    extent: int
    first: int
    tile: int
    outer: int
    inner: int


@dataclass(frozen=True, slots=True)
class Region:
    """A packed operand in device memory.

    Attributes:
        order: dims in the order in which a tile lies on chip, slowest first.
        places: for each dim of the layout.
        tensors: size of the region in memory elements.
    """

    order: tuple[int, ...]
    places: tuple[Place, ...]
    tensors: int


def region(operand: OperandSpace, sizes: Mapping[str, int]) -> Region:
    """Lay an operand out so that a tile is one two-dimensional transfer where possible.

    Dims moved by one loop are blocked by their tile; dims that slide (several loops: a halo) stay whole, trimmed to
    what holds elements, and so do those that a loop moves backwards. Order: tile numbers, sliding dims, positions
    inside tiles.
    """
    dims = operand.layout.dims
    sliding = [d for d in range(len(dims)) if operand.sliding(d)]
    blocked = [d for d in range(len(dims)) if not operand.sliding(d)]
    inner_of, outer_of = {}, {}
    stride = 1
    tile = {d: sizes[operand.moves[d][0][0]] if operand.moves[d] else 1 for d in blocked}
    for d in reversed(blocked):
        inner_of[d] = stride
        stride *= tile[d]
    span = {d: operand.live[d][1] - operand.live[d][0] + 1 for d in sliding}
    for d in reversed(sliding):
        inner_of[d] = stride
        stride *= max(span[d], 1)
    for d in reversed(blocked):
        outer_of[d] = stride
        stride *= -(-dims[d].extent // tile[d])
    places = tuple(
        Place(span[d], operand.live[d][0], max(span[d], 1), 0, inner_of[d])
        if d in span
        else Place(dims[d].extent, 0, tile[d], outer_of[d], inner_of[d])
        for d in range(len(dims))
    )
    return Region((*sliding, *blocked), places, stride)


def box_positions(
    operand: OperandSpace, low: Mapping[str, int], size: Mapping[str, int]
) -> tuple[tuple[int, int], ...]:
    """First and last live position of every dim over a box of loops (last < first: nothing is live)."""
    found = []
    for moves, start, (first, last) in zip(operand.moves, operand.starts, operand.live, strict=True):
        a = b = start
        for name, c in moves:
            ends = (c * low[name], c * (low[name] + size[name] - 1))
            a += min(ends)
            b += max(ends)
        found.append((max(a, first), min(b, last)))
    return tuple(found)


def largest_box(operand: OperandSpace, sizes: Mapping[str, int]) -> int:
    """Tensors of the largest tile of an operand."""
    total = 1
    for moves, (first, last) in zip(operand.moves, operand.live, strict=True):
        span = 1 + sum(abs(c) * (sizes[name] - 1) for name, c in moves)
        total *= min(span, max(last - first + 1, 1))
    return total


def tiles(space: CallSpace, sizes: Mapping[str, int]) -> int:
    """Number of output tiles."""
    return prod(-(-loop.extent // sizes[loop.name]) for loop in space.parallel)


def acc_tile(space: CallSpace, sizes: Mapping[str, int]) -> int:
    """Accumulator tensors of a full tile."""
    return prod(sizes[loop.name] for loop in space.parallel)


@dataclass(frozen=True, slots=True)
class Buffers:
    """How a tiling divides the buffers: tensors per slot and slots, for inputs, weights, biases and accumulators."""

    inp: tuple[int, int]
    wgt: tuple[int, int]
    bias: tuple[int, int]
    acc: tuple[int, int]


RESIDENT_BIASES = 16
"""All biases stay on chip if they take at most this part of their buffer."""

MOST_SLOTS = 60
"""Slots that an operand is given at most: a token queue of the RTL counts to 255."""


def divide(
    space: CallSpace, tiling: Tiling, config: VtaConfig, *, kind: str, bias: int, distinct: tuple[int, int, int]
) -> Buffers | None:
    """Divide the buffers, or None if the tiling does not fit.

    Args:
        space: the calls.
        tiling: tile sizes and the most slots.
        config: the core.
        kind: the buffer that holds biases: wgt, inp or acc; none without them.
        bias: bias tensors of a tile.
        distinct: distinct input tiles, weight tiles and bias tiles of the whole program.
    """
    sizes = dict(tiling.sizes)
    number = tiles(space, sizes)
    acc = acc_tile(space, sizes)
    acc_slots = min(tiling.slots[2], number)
    depth = {"inp": config.inp_depth, "wgt": config.wgt_depth, "acc": config.acc_depth, "none": 0}
    number_of_biases = distinct[2]
    resident = bias * number_of_biases <= depth[kind] // RESIDENT_BIASES
    bias_slots = number_of_biases if resident else min(2, number_of_biases)
    used = {name: bias * bias_slots if name == kind else 0 for name in depth}
    constant = {"wgt": (1, 0), "inp": (0, 1)}.get(kind, (0, 0))
    inp, wgt = (largest_box(f, sizes) for f in space.factors)
    free = (config.inp_depth - constant[0] - used["inp"], config.wgt_depth - constant[1] - used["wgt"])
    slots = [
        min(f // s, d, most) for f, s, d, most in zip(free, (inp, wgt), distinct[:2], tiling.slots[:2], strict=True)
    ]
    if acc * acc_slots + used["acc"] > config.acc_depth:
        return None
    if any(s < min(2, d) for s, d in zip(slots, distinct[:2], strict=True)):
        return None
    return Buffers((inp, slots[0]), (wgt, slots[1]), (bias, bias_slots), (acc, acc_slots))
