"""A product on systolic cores: a width × depth block of one operand stays, rows of the other stream through it."""

from __future__ import annotations

from functools import lru_cache

from intarsia.graph import Contraction
from intarsia.machines.chips import Chip


@lru_cache(maxsize=65536)
def systolic_seconds(chip: Chip, work: Contraction, cores: int) -> float:
    """Seconds at the clock, padding of the blocks, filling and draining included.

    Either operand may be the one that stays. A block is loaded while the one before it is used, so a block costs the
    longer of its stream and its load (depth cycles). Blocks are dealt out to the cores, or the stream is cut.
    """
    width, depth = chip.tensor.width, chip.tensor.depth
    fill = width + depth
    best = float("inf")
    for streamed, kept in ((work.m, work.n), (work.n, work.m)):
        blocks = work.batch * -(-kept // width) * -(-work.k // depth)
        cut = 1
        while cut <= cores:
            rows = -(-streamed // cut)
            each = -(-blocks * cut // cores)
            best = min(best, each * max(rows, depth) + fill)
            cut *= 2
    return best / chip.clock / (chip.fp8_factor if work.element_bytes == 1 else 1.0)
