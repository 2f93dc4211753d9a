"""Stores: where the lanes of accumulators go, and what happens to them before."""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.targets.x86.lowering.feed import Terms
from intarsia.targets.x86.lowering.memory import Address


@dataclass(frozen=True, slots=True)
class Limit:
    """``low <= constant + sum(coefficient * loop) + lanes[i] < high``, or lane i is not stored."""

    terms: Terms
    constant: int
    lanes: tuple[int, ...]
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Epilogue:
    """What happens to an accumulator before it is stored.

    ``clip(round((accumulator + bias) * scale) + zero)``, halves rounded to even; bias and scale by position along one
    dimension of the written tensor.

    Attributes:
        dtype: of what is stored; ``int32`` is neither scaled nor clipped.
        dim: the dimension of the written tensor that chooses bias and scale.
        zero: zero point of the result.
        low, high: what the result is clipped to.
        small: whether every accumulator times its scale is known to fit 32 bits, so that clipping may follow rounding.
    """

    dtype: str
    dim: int
    zero: int = 0
    low: int = 0
    high: int = 255
    small: bool = False

    @property
    def scaled(self) -> bool:
        """Whether there is a scale."""
        return self.dtype != "int32"


@dataclass(frozen=True, slots=True)
class Group:
    """Four accumulators whose lanes are neighbours in runs of as many as one has, or more, in some order.

    Attributes:
        loops: those in the tile whose iterations tell the four apart.
        order: for each place by rising address, accumulator * lanes of one + lane.
        starts: of each run, bytes from the address of the first accumulator.
    """

    loops: tuple[str, ...]
    order: tuple[int, ...]
    starts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Store:
    """Where the lanes of an accumulator go.

    Attributes:
        address: of the written tensor; None: accumulators are kept in scratch memory, vector by vector, and moved by a
            table at the end.
        used: whether each lane holds a result at all.
        limits: what a lane must meet to be stored.
        offset: of the accumulators in scratch memory, and ``terms`` bytes for each step of a loop, without address.
        count: of those accumulators' lanes.
        guards: limits that all lanes meet or none.
        group: the accumulators that are stored together, None for each by itself.
        epilogue: what is done before, None for nothing.
        parameters: bytes in the packed bias and scale for each step of a loop, and within the tile.
    """

    address: Address | None
    used: tuple[bool, ...]
    limits: tuple[Limit, ...]
    offset: int = 0
    terms: Terms = ()
    count: int = 0
    guards: tuple[Limit, ...] = ()
    group: Group | None = None
    epilogue: Epilogue | None = None
    parameters: tuple[Terms, Terms] = ((), ())
