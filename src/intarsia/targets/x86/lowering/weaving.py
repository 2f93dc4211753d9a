"""Stages that weave rows of bytes into double words: which rows, which runs, in which order they are packed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import gcd
from typing import TypeAlias

import numpy as np

from intarsia.embed import Embedding, layout_of
from intarsia.embed.layout import subscript_over_loops
from intarsia.operators import Access
from intarsia.targets.x86.lowering.borders import borders_of
from intarsia.targets.x86.lowering.feed import Feed, Form
from intarsia.targets.x86.lowering.feeding import slack_box
from intarsia.targets.x86.lowering.forms import lane_rows
from intarsia.targets.x86.lowering.memory import Address, address_of, given_box, outside
from intarsia.targets.x86.lowering.packed import item_of
from intarsia.targets.x86.lowering.registers import registers_of
from intarsia.targets.x86.lowering.stages import Borders, Interleave, PadCopy
from intarsia.targets.x86.lowering.subject import LINE, Fed, live_of, rounded

Dims: TypeAlias = tuple[tuple[int, int, int], ...]
"""Iterations, bytes in the source and packed bytes of what is packed, outermost first."""


@dataclass(frozen=True, slots=True)
class Packing:
    """The order in which a stage packs.

    Attributes:
        dims: around the runs.
        run: bytes of a row behind each other.
        steps: packed bytes for each step of a loop.
        loops: of each dim, its positions for each step of a loop.
    """

    dims: Dims
    run: int
    steps: tuple[tuple[str, int], ...]
    loops: tuple[dict[str, int], ...]


@dataclass(frozen=True, slots=True)
class Woven:
    """A stage in scratch memory's beginning, the different double words of a register, and the order."""

    stage: Interleave
    unit: int
    packing: Packing


def interleaved(
    embedding: Embedding, operand: str, access: Access, fixed: tuple[str, ...], offset: int, given: str
) -> Fed | None:
    """Registers from rows of bytes that are woven where the loops outside, ``fixed``, have their values.

    Straight from the tensor where it has no border or where whole rows and columns leave it; else from a padded copy.
    Bytes that are ``given`` for 16-bit integers are widened on the way, and never from a copy.
    """
    if item_of(embedding, operand) != (2 if given else 1):
        return None
    tensor = embedding.operator.tensor(access.tensor)
    box = replace(given_box(tensor), item=1)
    address = address_of(embedding, operand, access, box)
    if address is None:
        return None
    low, high = address.reach(live_of(embedding), LINE + max(address.lanes))
    inside = low >= 0 and high <= box.bytes and not outside(embedding, access)
    woven = stage_over(embedding, operand, access, fixed, address, merged=inside)
    if woven is None:
        return None
    stage = replace(woven.stage, offset=offset, given=given)
    if inside:
        return Fed(_feed(embedding, access, woven, offset), (stage,), rounded(stage.bytes) + LINE)
    borders = borders_in(embedding, operand, access, fixed, woven)
    if borders is None:
        return None if given else _from_copy(embedding, operand, access, fixed, offset)
    place = rounded(offset + stage.bytes) + LINE
    stage = replace(stage, borders=replace(borders, offset=place), pad=int(tensor.pad) % 256)
    return Fed(_feed(embedding, access, woven, offset), (stage,), place - offset + rounded(borders.span))


def borders_in(
    embedding: Embedding, operand: str, access: Access, fixed: tuple[str, ...], woven: Woven
) -> Borders | None:
    """Where the rows of a stage leave the tensor, None where that is not by rows and columns."""
    stage, packing = woven.stage, woven.packing
    if not stage.quarters and stage.run < registers_of(embedding).lanes:
        return None
    counts = tuple(count for count, _, _ in packing.dims)
    pieces = len(stage.quarters) or 1
    dims = tuple(zip(counts, packing.loops, strict=True))
    borders = borders_of(embedding, operand, access, fixed, dims, pieces=pieces)
    if borders is None:
        return None
    span = sum((n - 1) * step for n, step, _ in packing.dims) + max((*stage.quarters, 0)) + stage.run + LINE
    return replace(borders, span=span)


def _from_copy(embedding: Embedding, operand: str, access: Access, fixed: tuple[str, ...], offset: int) -> Fed | None:
    plain = address_of(embedding, operand, access, given_box(embedding.operator.tensor(access.tensor)))
    assert plain is not None
    slack = slack_box(embedding, operand, access, LINE + max(plain.lanes))
    address = None if slack is None else address_of(embedding, operand, access, slack)
    if slack is None or address is None:
        return None
    woven = stage_over(embedding, operand, access, fixed, address, merged=True)
    if woven is None:
        return None
    copy = PadCopy(access.tensor, operand, slack, offset)
    place = rounded(offset + slack.bytes)
    stage = replace(woven.stage, source="scratch", constant=offset + woven.stage.constant, offset=place)
    feed = _feed(embedding, access, woven, place)
    return Fed(feed, (copy, stage), place - offset + rounded(stage.bytes) + LINE)


def _feed(embedding: Embedding, access: Access, woven: Woven, offset: int) -> Feed:
    steps, form = woven.packing.steps, Form(4 * woven.unit, size=registers_of(embedding).size)
    return Feed(woven.stage.operand, access.tensor, "scratch", offset, steps, steps, form, aligned=form.wide)


def stage_over(
    embedding: Embedding, operand: str, access: Access, fixed: tuple[str, ...], address: Address, *, merged: bool
) -> Woven | None:
    """The stage over an address of the tensor as it was given, or of a copy."""
    terms = tuple((n, c) for n, c in address.terms if n in fixed)
    rows = weave(embedding, operand, address)
    quarters: tuple[int, ...] = ()
    four = ""
    if rows is not None:
        offsets, unit = rows
    else:
        found = quartered(embedding, operand, address) if item_of(embedding, operand) == 1 else None
        if found is None or found[2] in fixed:
            return None
        offsets, quarters, four = found
        unit = registers_of(embedding).lanes
    leaving = frozenset[str]() if merged else _leaving(embedding, access)
    packing = _packing(embedding, operand, access, fixed, address, unit, four, leaving)
    if packing is None:
        return None
    stage = Interleave(
        operand, "given", address.constant, terms, offsets, packing.dims, packing.run, len(fixed), 0, quarters
    )
    return Woven(stage, unit, packing)


def quartered(
    embedding: Embedding, operand: str, address: Address
) -> tuple[tuple[int | None, ...], tuple[int, ...], str] | None:
    """Rows, quarters and the loop over four registers, where lanes lie as unpacking pieces of 16 bytes leaves them."""
    live, registers = live_of(embedding), registers_of(embedding)
    four = next((n for n, c in address.terms if c == 4 and live[n] == 4), "")
    offsets, used = lane_rows(embedding, operand, address, item_of(embedding, operand))
    if not four or not used.any(axis=1).all():
        return None
    rows = tuple(int(offsets[0, j]) if used[0, j] else None for j in range(offsets.shape[1]))
    first = next(j for j, row in enumerate(rows) if row is not None)
    quarters = tuple(int(offsets[4 * i, first]) - (rows[first] or 0) for i in range(registers.pieces))
    for lane in range(registers.lanes):
        for j, row in enumerate(rows):
            if used[lane, j] and (row is None or offsets[lane, j] != row + quarters[lane // 4] + lane % 4):
                return None
    return rows, quarters, four


def weave(embedding: Embedding, operand: str, address: Address) -> tuple[tuple[int | None, ...], int] | None:
    """The rows of bytes that become double words, and how many different double words a register has in order."""
    offsets, used = lane_rows(embedding, operand, address, item_of(embedding, operand))
    rows: list[int | None] = []
    for j in range(offsets.shape[1]):
        live = used[:, j]
        rows.append(int(offsets[live, j].min()) if live.any() else None)
    for unit in (u for u in (1, 2, 4, 8, 16) if u <= len(offsets)):
        lanes = np.arange(len(offsets)) % unit
        if all(row is None or (offsets[used[:, j], j] == row + lanes[used[:, j]]).all() for j, row in enumerate(rows)):
            return tuple(rows), unit
    return None


def _packing(
    embedding: Embedding,
    operand: str,
    access: Access,
    fixed: tuple[str, ...],
    address: Address,
    unit: int,
    four: str,
    leaving: frozenset[str],
) -> Packing | None:
    """The order in which what the loops inside need is packed, by falling steps in the source.

    A dim becomes part of the run where bytes lie behind each other and none of its loops leaves the tensor.
    """
    sliding = _sliding(embedding, operand, access, {*fixed, four}, address)
    if sliding is None:
        return None
    run, packed = unit, 4 * unit
    steps: dict[str, int] = {}
    if four:
        steps, packed = {four: 4 * unit}, 16 * unit
    dims: list[tuple[int, int, int]] = []
    loops_of: list[dict[str, int]] = []
    for step, loops in sorted(sliding, key=lambda entry: entry[0]):
        count = 1 + sum(c * (live_of(embedding)[n] - 1) for n, c in loops.items())
        steps |= {n: c * packed for n, c in loops.items()}
        if not dims and step == run and not four and leaving.isdisjoint(loops):
            run *= count
        else:
            dims.insert(0, (count, step, packed))
            loops_of.insert(0, loops)
        packed *= count
    return Packing(tuple(dims), run, tuple(steps.items()), tuple(loops_of))


def _sliding(
    embedding: Embedding, operand: str, access: Access, outer: set[str], address: Address
) -> list[tuple[int, dict[str, int]]] | None:
    """Loops that share positions, as outputs and taps along one dimension do: bytes of one, positions by loop."""
    live = live_of(embedding)
    inner = [n for n, _ in address.terms if n not in outer and live[n] > 1]
    groups: list[list[str]] = []
    for dim in layout_of(embedding, operand, access).dims:
        mine = [n for n, _ in dim.value.terms if n in inner and not any(n in g for g in groups)]
        groups += [mine] if mine else []
    groups += [[n] for n in inner if not any(n in g for g in groups)]
    found = []
    for group in groups:
        steps = {n: address.step(n) for n in group}
        if any(s <= 0 for s in steps.values()):
            return None
        step = gcd(*steps.values())
        found.append((step, {n: s // step for n, s in steps.items()}))
    return found


def _leaving(embedding: Embedding, access: Access) -> frozenset[str]:
    """Outer loops of subscripts that can lie beside the tensor."""
    found: set[str] = set()
    extents = {loop.name: loop.extent for loop in embedding.loops}
    for size, subscript in zip(embedding.operator.tensor(access.tensor).shape, access.subscripts, strict=True):
        over = subscript_over_loops(embedding, subscript)
        if over is None:
            continue
        ends = [c * (extents[n] - 1) for n, c in over.terms]
        if over.constant + sum(min(0, e) for e in ends) < 0 or over.constant + sum(max(0, e) for e in ends) >= size:
            found |= {name for name, _ in over.terms}
    return frozenset(found)
