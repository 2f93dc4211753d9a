"""How long a tiling takes, tile by tile: loads, computation and stores overlap as the slots allow.

Coarser than the event model (every tile is a full one, instructions of a step are one block) and a thousand times
faster than emitting the program, so that thousands of tilings can be ranked before a few are timed exactly.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from intarsia.ground.compiled import compiled, kept

FIELDS: Final = (
    "inp_load", "wgt_load", "bias_load", "inp_slots", "wgt_slots", "bias_slots", "acc_slots",
    "start", "reset", "step", "finish", "store", "tail", "uops", "uop_depth",
)  # fmt: skip
"""Per candidate, cycles or counts: loads of one tile, slots, cycles before the first load, of a reset, of a step's
GEMMs, of an epilogue, of a tile's store, of the last store's end, micro-operations of a step, and their buffer."""

MOST_SLOTS: Final = 64
UOP_OVERHEAD: Final = 22


def estimate(
    counts: NDArray[np.int64], moves: NDArray[np.bool_], parallel: int, fields: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Cycles of each candidate.

    Args:
        counts: tiles along each loop, outermost first, [candidates, loops]; the parallel loops come first.
        moves: whether a loop moves the input, weight and bias tiles, [3, loops].
        parallel: number of parallel loops.
        fields: as ``FIELDS``, [candidates, len(FIELDS)].
    """
    found: NDArray[np.int64] = _estimate(counts, moves, parallel, fields)
    return found


@kept
def _estimate(counts: Any, moves: Any, parallel: Any, fields: Any) -> Any:
    found = np.empty(len(counts), dtype=np.int64)
    for i in range(len(counts)):
        found[i] = _one(counts[i], moves, parallel, fields[i])
    return found


@compiled
def _find(keys: Any, count: Any, key: Any) -> Any:
    for slot in range(count):
        if keys[slot] == key:
            return slot
    return -1


@compiled
def _product(counts: Any) -> Any:
    total = 1
    for count in counts:
        total *= count
    return total


@compiled
def _key(moving: Any, counts: Any, index: Any) -> Any:
    """The number of a tile among the different tiles of an operand."""
    key = 0
    for d in range(len(counts)):
        if moving[d]:
            key = key * counts[d] + index[d]
    return key


@compiled
def _advance(index: Any, counts: Any, begin: Any, end: Any) -> None:
    """The next point of the loops from ``begin`` to before ``end``, the last one fastest."""
    for d in range(end - 1, begin - 1, -1):
        index[d] += 1
        if index[d] < counts[d]:
            return
        index[d] = 0


@compiled
def _one(counts: Any, moves: Any, parallel: Any, field: Any) -> Any:
    slots = field[3:6]
    durations = field[0:3]
    acc_slots, start, reset, step_cycles, finish, store, tail, uops, uop_depth = field[6:15]
    tiles, steps = _product(counts[:parallel]), _product(counts[parallel:])
    keys = np.full((3, MOST_SLOTS), -1, dtype=np.int64)
    free = np.zeros((3, MOST_SLOTS), dtype=np.int64)
    filled = np.zeros(3, dtype=np.int64)
    stored = np.zeros(4, dtype=np.int64)
    seen = np.zeros(MOST_SLOTS * MOST_SLOTS * 2, dtype=np.bool_)
    combinations = 0
    index = np.zeros(len(counts), dtype=np.int64)
    load, compute, store_free = start, start, 0
    for tile in range(tiles):
        slot_acc = tile % acc_slots
        compute = max(compute, stored[slot_acc]) + reset
        for step in range(steps + 1):
            last = step == steps
            ready = compute
            used = np.zeros(3, dtype=np.int64)
            missed = np.full(3, -1, dtype=np.int64)
            for operand in range(3):
                if (operand == 2) != last or durations[operand] == 0:
                    continue
                key = _key(moves[operand], counts, index)
                slot = _find(keys[operand], min(filled[operand], slots[operand]), key)
                if slot < 0:
                    slot = filled[operand] % slots[operand]
                    filled[operand] += 1
                    keys[operand, slot] = key
                    missed[operand] = slot
                used[operand] = slot
            weights_first = missed[0] >= 0 and missed[1] >= 0 and free[1, missed[1]] < free[0, missed[0]]
            for turn in range(3):
                operand = 1 - turn if weights_first and turn < 2 else turn
                if missed[operand] >= 0:
                    load = max(load, free[operand, missed[operand]]) + durations[operand]
                    ready = max(ready, load + 1)
            if last:
                compute = ready + finish
                free[2, used[2]] = compute
            else:
                code = (used[0] * MOST_SLOTS + used[1]) * 2 + slot_acc % 2
                combinations += not seen[code]
                seen[code] = True
                extra = 0
                if combinations * uops > uop_depth:
                    extra = UOP_OVERHEAD + uops // 2 + max(0, (load - compute) // 4)
                compute = max(ready, compute + extra) + step_cycles
                free[0, used[0]] = compute
                free[1, used[1]] = compute
                _advance(index, counts, parallel, len(counts))
        store_free = max(store_free, compute) + store
        stored[slot_acc] = store_free
        _advance(index, counts, 0, parallel)
    return max(compute + tail, store_free - store + tail)
