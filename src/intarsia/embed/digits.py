"""Digits and chains: how the values of one operator axis, or of several flattened ones, are split by an embedding.

The *chain condition* (ONE TO ONE): the digits of an axis, sorted by stride, satisfy s[j+1] = g * s[j] * f[j] with an
integer g >= 1, on whichever instruction axes they lie, and the farthest lane, sum of s[j] * (f[j] - 1), stays inside
the extent, so that each digit reaches the box. Together with the outer digits in the gaps (s[0], g[1], g[2], ... and
ceil(extent / (s[k] * f[k])) on top) that is a mixed radix system: every value is one combination of digits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Digit:
    """``factor`` positions on instruction axis ``lane``, ``stride`` apart on the chain's axis.

    ``skew`` says by how much one step also moves other operator axes, none for an aligned or fused digit.
    """

    lane: str
    stride: int
    factor: int
    skew: tuple[tuple[str, int], ...] = ()

    @property
    def top(self) -> int:
        """The stride of whatever comes above."""
        return self.stride * self.factor


Digits: TypeAlias = tuple[Digit, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """The split of one operator axis, or of several flattened row-major.

    Attributes:
        axes: the operator axes, the fastest one last.
        extents: what each of them counts to (more than its extent where it is skewed).
        digits: by rising stride.
    """

    axes: tuple[str, ...]
    extents: tuple[int, ...]
    digits: Digits = ()

    @property
    def extent(self) -> int:
        """What the flattened index counts to."""
        return prod(self.extents)

    @property
    def gaps(self) -> tuple[int, ...]:
        """The outer digits: below the first lane digit, between lane digits, and on top of the last."""
        found = []
        below = 1
        for digit in self.digits:
            found.append(digit.stride // below)
            below = digit.top
        return (*found, -(-self.extent // below))

    @property
    def calls(self) -> int:
        """The factor of the number of calls that the chain contributes."""
        return prod(self.gaps)

    def factor(self, lane: str) -> int:
        """The lanes that the chain takes on an instruction axis."""
        return prod(d.factor for d in self.digits if d.lane == lane)


def mergeable(low: Digit, high: Digit) -> bool:
    """Whether two digits that follow each other on one instruction axis are one digit written as two."""
    return (
        low.lane == high.lane
        and high.stride == low.top
        and high.skew == tuple((name, c * low.factor) for name, c in low.skew)
    )


def chains(
    extent: int,
    capacities: Mapping[str, int],
    *,
    exact: bool,
    merged: bool,
    allowed: Callable[[Digit], bool] = lambda _: True,
) -> Iterator[Digits]:
    """Every chain of digits on an axis, the empty one included, by structural recursion.

    Args:
        extent: the extent of the (flattened) axis.
        capacities: the instruction axes that may be used, and the product of factors that each can take.
        exact: whether the top digit must divide the extent.
        merged: leave out chains with neighbours that are one digit written as two: what remains are the different
            sets of lanes.
        allowed: says of every digit by itself whether it may be used.
    """

    def fits(digits: Digits, digit: Digit) -> bool:
        if exact and extent % digit.top:
            return False
        return allowed(digit) and not (merged and digits and mergeable(digits[-1], digit))

    return _extend((), 1, extent - 1, dict(capacities), fits)


def _extend(
    digits: Digits, below: int, reach: int, room: dict[str, int], fits: Callable[[Digits, Digit], bool]
) -> Iterator[Digits]:
    yield digits
    for lane, most in room.items():
        for factor in range(2, most + 1):
            furthest = reach // (factor - 1)
            if furthest < below:
                break
            for stride in range(below, furthest + 1, below):
                digit = Digit(lane, stride, factor)
                if fits(digits, digit):
                    left = {**room, lane: most // factor}
                    yield from _extend((*digits, digit), digit.top, reach - stride * (factor - 1), left, fits)


def reaches(digits: Digits, extent: int) -> bool:
    """Whether the farthest lane is inside the extent."""
    return sum(d.stride * (d.factor - 1) for d in digits) < extent


def stacked(bottom: Digits, factors: tuple[tuple[str, int], ...]) -> Digits:
    """The chain without gaps on top of some digits, one more to an instruction axis: none makes fewer calls."""
    digits = bottom
    below = bottom[-1].top if bottom else 1
    for lane, factor in factors:
        if factor > 1:
            digits = (*digits, Digit(lane, below, factor))
            below *= factor
    return digits


def chains_upto(extent: int, capacities: Mapping[str, int], calls: int, *, exact: bool) -> Iterator[Digits]:
    """Every chain, as a set of lanes, of at most so many calls.

    The product of the gaps so far and of the best top that is still possible never exceeds ``calls``, which cuts the
    recursion.
    """
    yield from _upto((), 1, 1, extent, dict(capacities), calls, exact=exact)


def _upto(
    digits: Digits, below: int, gaps: int, extent: int, room: dict[str, int], calls: int, *, exact: bool
) -> Iterator[Digits]:
    if gaps * -(-extent // below) <= calls:
        yield digits
    rest = prod(room.values())
    reach = extent - 1 - sum(d.stride * (d.factor - 1) for d in digits)
    for gap in range(1, calls // gaps + 1):
        stride = below * gap
        if stride > reach:
            break
        if gaps * gap * -(-extent // (stride * rest)) > calls:
            continue
        for lane, most in room.items():
            for factor in range(2, min(most, reach // stride + 1) + 1):
                digit = Digit(lane, stride, factor)
                if (exact and extent % digit.top) or (digits and mergeable(digits[-1], digit)):
                    continue
                left = {**room, lane: most // factor}
                yield from _upto((*digits, digit), digit.top, gaps * gap, extent, left, calls, exact=exact)


def best_chains(extent: int, factors: Mapping[str, int], calls: int, *, exact: bool) -> Iterator[Digits]:
    """The chains with exactly these factors on each instruction axis and exactly so many calls, each as a set of lanes.

    The gaps multiply to ``calls``, which cuts the recursion: the product of the gaps so far and of the best top that is
    still possible never exceeds it.
    """
    wanted = {lane: factor for lane, factor in factors.items() if factor > 1}
    yield from _tight((), 1, 1, extent, wanted, calls, exact=exact)


def _tight(
    digits: Digits, below: int, gaps: int, extent: int, left: dict[str, int], calls: int, *, exact: bool
) -> Iterator[Digits]:
    if not left:
        if gaps * -(-extent // below) == calls and not (exact and extent % below):
            yield digits
        return
    rest = prod(left.values())
    for gap in range(1, calls // gaps + 1):
        stride = below * gap
        if gaps * gap * -(-extent // (stride * rest)) > calls:
            continue
        for lane, factor in left.items():
            for f in _divisors(factor):
                if stride * (f - 1) >= extent or (exact and extent % (stride * f)):
                    continue
                digit = Digit(lane, stride, f)
                if digits and mergeable(digits[-1], digit):
                    continue
                if sum(d.stride * (d.factor - 1) for d in (*digits, digit)) > extent - 1:
                    continue
                remaining = {k: v for k, v in ({**left, lane: factor // f}).items() if v > 1}
                yield from _tight((*digits, digit), digit.top, gaps * gap, extent, remaining, calls, exact=exact)


def _divisors(number: int) -> tuple[int, ...]:
    return tuple(f for f in range(number, 1, -1) if number % f == 0)
