"""How a factor reaches registers: as it was given, from a padded copy, from a table, or packed once.

Nothing outside a given array is ever read: an address that could leave it, at a border or in padded lanes, is fed from
a copy with a border instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.embed import Embedding, Flat, layout_of
from intarsia.operators import Access, is_floating
from intarsia.targets.x86.lowering.feed import Feed, Form, Source
from intarsia.targets.x86.lowering.forms import form_of
from intarsia.targets.x86.lowering.memory import (
    Address,
    Box,
    address_of,
    given_box,
    outside,
    padded_box,
    register_digits,
)
from intarsia.targets.x86.lowering.packed import (
    WIDTHS,
    access_of,
    constant_steps,
    indices,
    item_of,
    narrowed,
    order_of,
    terms_of,
    vector_origin,
    vector_steps,
)
from intarsia.targets.x86.lowering.registers import registers_of
from intarsia.targets.x86.lowering.stages import PadCopy, TableCopy
from intarsia.targets.x86.lowering.subject import LARGEST_TABLE, LINE, Fed, Nest, Subject, Way, live_of, other, rounded


def constant_feed(subject: Subject, operand: str, nest: Nest, width: int) -> Feed:
    """The feed of a tensor that is packed in the order of the nest."""
    embedding = subject.embedding
    steps = subject.once(("steps", operand), lambda: constant_steps(embedding, operand))
    terms, inner = terms_of(order_of(embedding, steps, nest.parallel, dict(nest.tile), nest.reduction), width)
    name = subject.once(("access", operand), lambda: access_of(embedding, operand)).tensor
    form = Form(width, size=registers_of(embedding).size)
    return Feed(operand, name, "constant", 0, terms, inner, form, aligned=form.wide)


def constant_width(embedding: Embedding, operand: str) -> int:
    """Bytes after which the packed registers of a constant repeat: those of lanes that move the tensor alike."""
    item, access = item_of(embedding, operand), access_of(embedding, operand)
    digits, used = register_digits(embedding, operand)
    axes = {name for subscript in access.subscripts for name, _ in subscript.terms}
    moved = [used.astype(np.int64)]
    for flat in embedding.flats:
        if axes.intersection(flat.axes):
            for value in (flat.value, *flat.shifts):
                moved.append(sum((c * digits[n] for n, c in value.terms if n in digits), np.zeros_like(moved[0])))
    elements = np.where(used, np.stack(moved), 0)
    for width in WIDTHS:
        kept = elements[:, : width // item]
        if (elements.reshape(len(moved), -1, width // item) == kept[:, None, :]).all():
            return width
    return len(used) * item


def harmless(embedding: Embedding, operand: str, ways: Mapping[str, tuple[Way, int]]) -> bool:
    """Whether an operand may hold anything where a lane is padding: its partner holds zero there.

    Zero times anything is zero for integers only: floating point has infinities.
    """
    partner = other(embedding, operand)
    seen = _seen(embedding, partner)
    constant = embedding.operator.tensor(access_of(embedding, partner).tensor).constant
    exact = not is_floating(embedding.operator.tensor(access_of(embedding, operand).tensor).dtype)
    zeroes = exact and (constant or ways[partner][0] == "table")
    summed = [a for a in embedding.instruction.semantics.axes if a.role == "reduction"]
    if not zeroes and any(prod(d.extent for d in embedding.lane_loops(a.name)) < a.extent for a in summed):
        return False
    for flat in embedding.flats:
        reduction = any(embedding.operator.axis(a).role == "reduction" for a in flat.axes)
        if reduction and _overflows(embedding, flat) and not (zeroes and seen.issuperset(flat.axes)):
            return False
    return True


def _seen(embedding: Embedding, operand: str) -> set[str]:
    """Axes whose range decides whether an element of a gathered operand is zero."""
    access = access_of(embedding, operand)
    return {s.terms[0][0] for s in access.subscripts if len(s.terms) == 1}


def _overflows(embedding: Embedding, flat: Flat) -> bool:
    extents = {loop.name: loop.extent for loop in embedding.loops}
    most = flat.value.constant + sum(c * (extents[name] - 1) for name, c in flat.value.terms)
    return most >= prod(flat.extents) or any(s.terms or s.constant for s in flat.shifts) or _wider(embedding, flat)


def _wider(embedding: Embedding, flat: Flat) -> bool:
    return any(
        extent != embedding.operator.axis(axis).extent for axis, extent in zip(flat.axes, flat.extents, strict=True)
    )


def _plain_feed(embedding: Embedding, operand: str, address: Address, form: Form, source: Source, offset: int) -> Feed:
    tensor = access_of(embedding, operand).tensor
    terms = tuple((n, c) for n, c in address.terms if live_of(embedding)[n] > 1)
    return Feed(operand, tensor, source, offset + address.constant, terms, terms, form)


def direct(embedding: Embedding, operand: str, access: Access, given: str) -> Fed | None:
    """Registers from the tensor as it was given."""
    tensor = embedding.operator.tensor(access.tensor)
    box = given_box(tensor)
    if given or outside(embedding, access):
        return None
    address = address_of(embedding, operand, access, box)
    form = form_of(embedding, operand, address, box.item) if address else None
    if address is None or form is None:
        return None
    low, high = address.reach(live_of(embedding), form.width)
    if low < 0 or high > box.bytes:
        return None
    return Fed(_plain_feed(embedding, operand, address, form, "given", 0), (), 0)


def slack_box(embedding: Embedding, operand: str, access: Access, width: int, apart: int = 0) -> Box | None:
    """The padded box with as many bytes around it as registers of some width may reach, rows some lines apart."""
    box = padded_box(embedding, access)
    box = replace(box, high=(*box.high[:-1], box.high[-1] + apart * LINE // box.item))
    address = address_of(embedding, operand, access, box)
    if address is None:
        return None
    low, high = address.reach(live_of(embedding), width)
    return replace(box, before=rounded(max(0, -low)), after=max(0, high - box.bytes))


def padded(embedding: Embedding, operand: str, access: Access, offset: int, given: str, apart: int = 0) -> Fed | None:
    """Registers from a copy with a border of pad values, widened where the tensor is given narrower.

    Rows ``apart`` by some lines more than needed do not all meet in a few sets of a cache.
    """
    box = slack_box(embedding, operand, access, LINE, apart)
    if box is None:
        return None
    address = address_of(embedding, operand, access, box)
    form = form_of(embedding, operand, address, box.item) if address else None
    if address is None or form is None:
        return None
    feed = _plain_feed(embedding, operand, address, form, "scratch", offset)
    return Fed(feed, (PadCopy(access.tensor, operand, box, offset, given, apart),), box.bytes)


def tabled(embedding: Embedding, operand: str, access: Access, offset: int, given: str) -> Fed | None:
    """Registers that are packed one element after the other: what serves every embedding."""
    layout = layout_of(embedding, operand, access)
    item = item_of(embedding, operand)
    if layout.vectors * registers_of(embedding).size // item > LARGEST_TABLE:
        return None
    form, table = _table(embedding, operand)
    steps = tuple((n, c * form.width) for n, c in vector_steps(layout).items() if live_of(embedding)[n] > 1)
    start = offset + vector_origin(layout) * form.width
    feed = Feed(operand, access.tensor, "scratch", start, steps, steps, form, aligned=form.wide)
    stage = TableCopy(access.tensor, operand, table.size, item, offset, given)
    return Fed(feed, (stage,), table.size * item)


def _table(embedding: Embedding, operand: str) -> tuple[Form, NDArray[Any]]:
    return narrowed(indices(embedding, operand), item_of(embedding, operand))


def table_of(embedding: Embedding, operand: str) -> NDArray[Any]:
    """The indices of a ``TableCopy``: element of the tensor, -1 for zero, -2 for the pad value."""
    return np.ascontiguousarray(_table(embedding, operand)[1].reshape(-1), dtype=np.int32)
