"""Registers that are woven where they are used, of rows of the tensor as it was given: no packed memory in between.

Weaving keeps one port busy, multiplying two; in one stretch of straight code they run at the same time.
"""

from __future__ import annotations

from dataclasses import replace

from intarsia.embed import Embedding
from intarsia.operators import Access
from intarsia.targets.x86.lowering.feed import Feed, Form, Terms
from intarsia.targets.x86.lowering.memory import address_of, given_box, outside
from intarsia.targets.x86.lowering.packed import item_of
from intarsia.targets.x86.lowering.registers import registers_of
from intarsia.targets.x86.lowering.subject import LINE, Fed, Nest, live_of, rounded
from intarsia.targets.x86.lowering.weaving import borders_in, quartered, stage_over


def woven(embedding: Embedding, operand: str, access: Access, nest: Nest, offset: int, given: str) -> Fed | None:
    """The feed of registers whose lanes lie as unpacking pieces of 16 bytes leaves them, None for others.

    Reductions must be straight code, and the tile the two innermost loops, the one over four registers innermost.
    """
    tile = dict(nest.tile)
    box = given_box(embedding.operator.tensor(access.tensor))
    address = address_of(embedding, operand, access, box)
    if address is None or item_of(embedding, operand) != 1 or given or nest.unroll:
        return None
    found = quartered(embedding, operand, address)
    if found is None or set(nest.parallel[-2:]) != set(tile) or nest.parallel[-1] != found[2] or tile[found[2]] != 4:
        return None
    if len(nest.parallel) < 3 or (nest.block and nest.block[0] in tile):  # threads share the loops outside of rows
        return None
    fixed = tuple(n for n in nest.parallel if n not in tile)
    made = stage_over(embedding, operand, access, fixed, address, merged=True)
    if made is None:
        return None
    stage, span = made.stage, 0
    low, high = address.reach(live_of(embedding), LINE + max(address.lanes))
    if low < 0 or high > box.bytes or outside(embedding, access):
        borders = borders_in(embedding, operand, access, fixed, made)
        if borders is None:
            return None
        span = rounded(borders.span)
        pad = int(embedding.operator.tensor(access.tensor).pad) % 256
        stage = replace(stage, borders=replace(borders, offset=offset), pad=pad)
    column: Terms = ()
    if stage.borders is not None and stage.borders.column >= 0:
        column = tuple(made.packing.loops[stage.borders.column].items())
    if column and nest.parallel[-2] not in dict(column):  # tiles along the row share columns, and which are beside
        return None
    size, live = registers_of(embedding).size, live_of(embedding)
    terms = tuple((n, c) for n, c in address.terms if live[n] > 1 and n != found[2])
    form = Form(size, size=size)
    feed = Feed(operand, access.tensor, "given", address.constant, terms, terms, form, False, stage, found[2], column)
    return Fed(feed, (), span)
