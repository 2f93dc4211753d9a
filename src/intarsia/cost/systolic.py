"""A product on systolic cores: a width × depth block of one operand stays, rows of the other stream through it.

Cycles are those of the best embedding (``intarsia.embed.stationary``), or of the usual rule that pads each dimension of
a product. Either operand may stay. A block is loaded (depth cycles) while the one before it is used; blocks are dealt
out to the cores, or the stream is cut.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from intarsia.embed.stationary import Role, best_fit, cycles, gathered, least_cycles, product_roles, roles_of
from intarsia.graph import Contraction, FusedAttention
from intarsia.machines.chips import Chip, Mapping
from intarsia.operators import read_operator, tensors_of_any_size

Ints = NDArray[np.int64]


@lru_cache(maxsize=65536)
def systolic_seconds(chip: Chip, work: Contraction, cores: int) -> float:
    """Seconds at the clock, with what does not fill the cores, and filling and draining of the pipe."""
    width, depth = chip.tensor.width, chip.tensor.depth
    if chip.mapping is Mapping.EMBEDDED:
        count = sum(best_fit(own, cores, width, depth).cycles(cores, width, depth) for own in roles(work))
    else:
        count, _ = _padded(work, cores, width, depth)
    return count / chip.clock / (chip.fp8_factor if work.element_bytes == 1 else 1.0)


@lru_cache(maxsize=65536)
def systolic_lanes(chip: Chip, work: Contraction, cores: int) -> int:
    """Multipliers × cycles of the rows that enter the arrays in these seconds: lanes that multiply zeros included.

    Arrays that wait (for others, for their next content, until the pipe is full or empty) multiply nothing.
    """
    width, depth = chip.tensor.width, chip.tensor.depth
    if chip.mapping is Mapping.EMBEDDED:
        rows = sum(best_fit(own, cores, width, depth).calls for own in roles(work))
    else:
        _, rows = _padded(work, cores, width, depth)
    return rows * width * depth


def systolic_cycles(
    work: Contraction, mapping: Mapping, cores: Ints, width: Ints, depth: Ints, *, monotone: bool = False
) -> Ints:
    """The same cycles on many chips at once, each column [chips].

    Args:
        work: the product; one without windows if ``monotone``.
        mapping: how it is laid on the arrays.
        cores: arrays of each chip.
        width: columns of each chip's arrays.
        depth: rows of the same.
        monotone: or a little less, so that no product with larger extents takes less.
    """
    if mapping is Mapping.EMBEDDED and monotone:
        return np.asarray(sum(least_cycles(own, cores, width, depth) for own in roles(work)))
    if mapping is Mapping.EMBEDDED:
        return np.asarray(sum(cycles(own, cores, width, depth) for own in roles(work)))
    best = np.full(len(cores), np.iinfo(np.int64).max)
    for streamed, kept in ((work.m, work.n), (work.n, work.m)):
        blocks = work.batch * -(-kept // width) * -(-work.k // depth)
        cut = 1
        while cut <= cores.max():
            found = -(-blocks * cut // cores) * np.maximum(-(-streamed // cut), depth) + width + depth
            best = np.where(cut <= cores, np.minimum(best, found), best)
            cut *= 2
    return best


@lru_cache(maxsize=4096)
def roles(work: Contraction) -> tuple[tuple[Role, ...], ...]:
    """What may stay in an array: of the product, or of each of the sums that its operator is made of."""
    if not work.spec:
        return (product_roles(work.batch, work.m, work.n, work.k),)
    with tensors_of_any_size():
        return tuple(roles_of(part) for part in gathered(read_operator(work.spec)))


def products_of(work: FusedAttention) -> tuple[Contraction, ...]:
    """The products of fused attention, as if nothing were masked; forward two, backward five."""
    batch, queries, keys = work.batch, work.queries, work.keys
    scores = Contraction(batch, queries, keys, work.query_width, work.element_bytes)
    values = Contraction(batch, queries, work.value_width, keys, work.element_bytes)
    if work.products == 2:
        return scores, values
    return (
        scores,
        Contraction(batch, queries, keys, work.value_width, work.element_bytes),
        Contraction(batch, keys, work.value_width, queries, work.element_bytes),
        Contraction(batch, queries, work.query_width, keys, work.element_bytes),
        Contraction(batch, keys, work.query_width, queries, work.element_bytes),
    )


def seen(work: FusedAttention) -> float:
    """The part of these products that is not masked."""
    return work.flops / sum(product.flops for product in products_of(work))


def _padded(work: Contraction, cores: int, width: int, depth: int) -> tuple[int, int]:
    """The fewest cycles, and the rows that then enter all arrays."""
    best: tuple[int, int] | None = None
    for streamed, kept in ((work.m, work.n), (work.n, work.m)):
        blocks = work.batch * -(-kept // width) * -(-work.k // depth)
        cut = 1
        while cut <= cores:
            found = -(-blocks * cut // cores) * max(-(-streamed // cut), depth) + width + depth
            best = min(best or (found, blocks * streamed), (found, blocks * streamed))
            cut *= 2
    assert best is not None
    return best
