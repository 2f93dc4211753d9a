"""Proofs about lanes that do no work: they change nothing that is used."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from intarsia.embed.check_calls import Bools, Ints, matches, registers
from intarsia.embed.check_prover import Prover, same, together
from intarsia.embed.check_structure import bounds
from intarsia.embed.check_text import lane_text
from intarsia.embed.relations import sees
from intarsia.operators import Tensor


def padding(prover: Prover) -> Iterator[str]:
    """An undefined lane whose result register is used reads a zero, whatever the reason that it is undefined."""
    factors = prover.a.places[1:]
    a, b = prover.a.places[0], prover.b.places[0]
    home = same(a.home, b.home)
    idle = False
    cancelling = [f for f in factors if prover.sums or _zero_is_worst(f.layout.tensor, prover.embedding.body.combine)]
    if not prover.sums and len(factors) != 1:
        cancelling = []
    for reason in prover.a.reasons():
        if any(sees(f, reason) for f in cancelling):
            idle = True
            continue
        read = reason.conditions & together(f.seen for f in cancelling) & home
        if not prover.open("padding", [read & b.seen & b.inside]):
            continue
        padded = together(f.inside for f in cancelling if f.layout.tensor.pad == 0)
        point = prover.find("padding", read & padded & b.seen & b.inside)
        if point is None:
            continue
        if not prover.sums:
            prover.left_open.append(("padding", "lanes beside the window may copy live ones"))
            continue
        yield (
            f"padding: {prover.spot(prover.a, point)} is undefined as {reason.text} and adds to the register that "
            f"{prover.spot(prover.b, point)} has; no factor that it reads is zero"
        )
        return
    yield from _finite(prover, idle=idle)


def _finite(prover: Prover, *, idle: bool) -> Iterator[str]:
    """Zero times the pad value is zero."""
    for place in prover.a.places[1:]:
        tensor = place.layout.tensor
        if idle and prover.sums and np.isinf(tensor.pad):
            yield f"padding: {tensor.name} is padded with {tensor.pad}, which no zero factor cancels"


def unused_lanes(prover: Prover) -> Iterator[str]:
    """A lane beyond the digits whose result register a digit has reads a register that no digit has."""
    axes = prover.embedding.instruction.semantics.axes
    grid = np.indices(tuple(a.extent for a in axes), dtype=np.int64).reshape(len(axes), -1)
    positions = {a.name: grid[i] for i, a in enumerate(axes)}
    used = np.ones(grid.shape[1], dtype=np.bool_)
    for axis in axes:
        count = 1
        for loop in prover.embedding.lane_loops(axis.name):
            count *= loop.extent
        used &= positions[axis.name] < count
    place = [(m, registers(m, positions)) for m in matches(prover.embedding)]
    risky = ~used & _among(place[0][1], used)
    for match, register in place[1:]:
        worst = match.tensor is not None and _zero_is_worst(match.tensor, prover.embedding.body.combine)
        if match.tensor is not None and (prover.sums or worst):
            risky &= _among(register, used)
    if risky.any():
        lane = int(np.flatnonzero(risky)[0])
        spot = {name: int(p[lane]) for name, p in positions.items()}
        yield (
            f"padding: {lane_text(spot)} is beyond the digits in every call, "
            f"adds to a result register that is used, and no factor that it reads is zero"
        )


def _among(register: Ints, used: Bools) -> Bools:
    """Whether a used lane has the register."""
    found: Bools = np.isin(register, register[used])
    return found


def _zero_is_worst(tensor: Tensor, combine: str) -> bool:
    """Zero changes no maximum (minimum) of the tensor's values."""
    if combine == "+=" or "float" in tensor.dtype:
        return False
    low, _ = bounds(tensor.dtype)
    return combine == "max=" and low == 0
