"""A product on cores that keep a tile of results and stream the operands (the multiprocessors of a GPU).

Source of the tile model: tiles are handed to the cores in waves, the last one partly filled; NVIDIA, "Matrix
Multiplication Background User's Guide" (tile and wave quantisation).
"""

from __future__ import annotations

from functools import lru_cache

from intarsia.graph import Contraction
from intarsia.machines.chips import Chip

TILES = ((256, 128), (128, 256), (128, 128), (128, 64), (64, 128), (64, 64), (32, 128), (128, 32), (32, 32))
SPLITS = (1, 2, 3, 4, 6, 8, 16)
FEED_BYTES = 48 / 1024
"""Bytes a cycle that the shared memory gives a core, for each multiplication that the core does in a cycle: an A100's
L2 cache gives 5,120 bytes a cycle to 108 cores of 1,024 multiplications (A100 white paper)."""
TILE_SECONDS = 1e-6
"""Filling and draining the pipeline of a tile: two trips to memory of about 500 ns."""
ACCUMULATOR_BYTES = 4


@lru_cache(maxsize=65536)
def tiled_seconds(chip: Chip, work: Contraction, cores: int) -> float:
    """Seconds at the cores' peak rate, tiles and waves included, of the best tile and split of the reduction."""
    multiplies = chip.tensor.width * chip.tensor.depth
    rate = multiplies * (chip.fp8_factor if work.element_bytes == 1 else 1.0)
    best = float("inf")
    for rows, columns in TILES:
        if 2 * rows * columns * ACCUMULATOR_BYTES > chip.local_bytes and (rows, columns) != (32, 32):
            continue
        across = work.batch * -(-work.m // rows) * -(-work.n // columns)
        cycles = max(rows * columns / rate, (rows + columns) * work.element_bytes / (FEED_BYTES * multiplies))
        for split in SPLITS:
            if split > 1 and (across * split > 2 * cores or work.k // split < 256):
                break
            waves = -(-across * split // cores)
            seconds = waves * (cycles * -(-work.k // split) / chip.clock + TILE_SECONDS)
            best = min(best, seconds)
    return best
