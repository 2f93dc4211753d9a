"""Bytes of a product between HBM and the chip, for the best tiling that fits on the chip; searched, not assumed."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from math import isqrt

from intarsia.graph import Contraction

ACCUMULATOR_BYTES = 4


@lru_cache(maxsize=65536)
def product_bytes(work: Contraction, capacity: int) -> int:
    """The least bytes over three ways to block a product, where ``capacity`` bytes on the chip hold the blocks.

    A block of results stays while both operands stream past it, or a block of either operand stays. In each way the
    kept block is as large as fits, and the sizes that differ in the number of passes are tried in turn.

    Where elements stand in several rows of an operand (convolutions), what is read again is read as elements, not as
    rows.

    Args:
        work: the product; independent products of a batch are blocked alike.
        capacity: bytes of the chip's shared memory; half of it is kept free for what streams.
    """
    m, n, k, e = work.m, work.n, work.k, work.element_bytes
    room = max(capacity // 2, 1)
    result = (1 + work.accumulates) * work.result_bytes * m * n
    best = min(
        _results_stay(m, n, k, e, room),
        _operand_stays(m, n, k, e, room),
        _operand_stays(n, m, k, e, room),
    )
    whole = work.batch * (best + result)
    if not work.unique_bytes:
        return whole
    once = replace(work, unique_bytes=0).bytes_moved
    return whole * work.unique_bytes // once


def _results_stay(m: int, n: int, k: int, e: int, room: int) -> int:
    """Blocks of results of a × b: the left operand is read n/b times, the right one m/a times."""
    elements = max(room // ACCUMULATOR_BYTES, 1)
    best = e * k * (m * n + m * n)
    side = isqrt(elements)
    for rows in {min(m, side), m, max(1, min(m, elements // n)), max(1, min(m, side // 2)), max(1, min(m, side * 2))}:
        columns = min(n, elements // rows)
        if columns < 1:
            continue
        best = min(best, e * k * (m * -(-n // columns) + n * -(-m // rows)))
    return best


def _operand_stays(stays: int, streams: int, k: int, e: int, room: int) -> int:
    """All of k for a slice of one operand stays on the chip; the other is read once for each slice."""
    rows = min(stays, room // (e * k))
    if rows < 1:
        return 2 * e * k * stays * streams
    return e * k * (stays + streams * -(-stays // rows))
