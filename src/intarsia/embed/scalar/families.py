"""Which scalar maps are digits along the instruction's axes: the bridge to the axis-level spaces.

Lanes are in lexicographic order of the instruction's axes (the last one fastest), as in ``Call.phi``.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Literal

import numpy as np

from intarsia.embed.scalar.problem import Ints

Digit = tuple[tuple[int, ...], int]
"""A direction v in the operator's box and a factor f of at least 2: positions 0 to f - 1 add 0, v, ..., (f - 1) v."""

Digits = tuple[tuple[Digit, ...], ...]
"""For each axis of the instruction its digits, the least significant first."""


def translate_free(phi: Ints) -> Ints:
    """The map less the lexicographically first image of its defined lanes; undefined rows stay -1.

    Two maps are translations of one another exactly if this gives the same array. No defined row becomes -1: none is
    lexicographically less than 0.
    """
    defined = ~(phi == -1).all(axis=1)
    if not defined.any():
        return phi.copy()
    first = min(map(tuple, phi[defined].tolist()))
    return np.where(defined[:, None], phi - np.array(first, np.int64), -1)


def as_digits(phi: Ints, extents: Sequence[int], *, partial: bool = False) -> Digits | None:
    """The canonical digits of a map that is mixed-radix linear along each axis of the instruction, or None.

    Such a map has, for each axis a of extent Q_a, a count F_a <= Q_a so that exactly the lanes with every q_a < F_a are
    defined, and φ(q) = φ(0) + Σ_a Σ_j digit_aj(q_a) · v_aj, where the digits of q_a are those of the mixed radix
    f_a1 (least significant), f_a2, ... with F_a = Π_j f_aj. Neighbours (v, f), (f·v, f') are one digit (v, f·f'), which
    makes the digits unique.

    Args:
        phi: the iteration of each lane, [lanes, d]; rows of -1 are undefined.
        extents: Q_a, for each axis of the instruction.
        partial: whether F_a may be less than the product, that is, the most significant digits cut off anywhere.
    """
    table = phi.reshape(*extents, phi.shape[1])
    defined = ~(table == -1).all(axis=-1)
    origin = (0,) * len(extents)
    if not defined[origin]:
        return None
    lines = [_line(table, a) - table[origin] for a in range(len(extents))]
    counts = [_leading(_line(defined[..., None], a)[:, 0]) for a in range(len(extents))]
    if defined.sum() != prod(counts) or not defined[tuple(map(slice, counts))].all():
        return None
    if not _additive(table, lines, counts):
        return None
    digits = [_radix(line[:count], partial=partial) for line, count in zip(lines, counts, strict=True)]
    found = tuple(d for d in digits if d is not None)
    return found if len(found) == len(digits) else None


def family(phi: Ints, extents: Sequence[int], *, partial: bool = False) -> Literal["aligned", "skewed"] | None:
    """The smallest family of digits that a map belongs to.

    Aligned if every direction has a single entry that is not 0, and that one is positive; skewed if there are digits at
    all; None for the rest, irregular sets of lanes.
    """
    digits = as_digits(phi, extents, partial=partial)
    if digits is None:
        return None
    directions = [np.array(v) for axis in digits for v, _ in axis]
    aligned = all(np.count_nonzero(v) == 1 and v.max() > 0 for v in directions)
    return "aligned" if aligned else "skewed"


def _line(table: Ints, axis: int) -> Ints:
    """The entries along one axis from the origin, [extent, d]."""
    return table[tuple(slice(None) if a == axis else 0 for a in range(table.ndim - 1))]


def _leading(flags: Ints) -> int:
    """How many flags are set before the first that is not."""
    return len(flags) if flags.all() else int(np.argmin(flags))


def _additive(table: Ints, lines: list[Ints], counts: list[int]) -> bool:
    """Whether each defined entry is the origin's plus what each axis adds."""
    origin = table[(0,) * len(counts)]
    total = np.broadcast_to(origin, (*counts, table.shape[-1])).copy()
    for a, (line, count) in enumerate(zip(lines, counts, strict=True)):
        shape = [1] * len(counts) + [table.shape[-1]]
        shape[a] = count
        total += line[:count].reshape(shape)
    return bool((total == table[tuple(map(slice, counts))]).all())


def _radix(line: Ints, *, partial: bool) -> tuple[Digit, ...] | None:
    """The digits of one axis. The first factor is the length of the run 0, v, 2v, ..., and the rest repeats it."""
    digits: list[Digit] = []
    while len(line) > 1:
        v = line[1]
        multiples = np.arange(len(line))[:, None] * v
        run = _leading((line == multiples).all(axis=1))
        if len(line) % run and not partial:
            return None
        blocks = line[::run]
        if not (line == np.repeat(blocks, run, axis=0)[: len(line)] + np.resize(multiples[:run], line.shape)).all():
            return None
        digits.append((tuple(v.tolist()), run))
        line = blocks
    return tuple(digits)
