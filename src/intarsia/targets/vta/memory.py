"""Races in device memory: a LOAD and a STORE of the same bytes that no token orders.

A stream and its order come in; nothing goes out unless there is a race.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.ground.compiled import kept
from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.errors import wrong
from intarsia.targets.vta.isa import COLUMN, Memory, Opcode, Unit
from intarsia.targets.vta.stream import Stream
from intarsia.targets.vta.tokens import Order

_Y, _X, _STRIDE = COLUMN["y_size"], COLUMN["x_size"], COLUMN["x_stride"]
_U_STORE = int(Unit.STORE)


def check_memory(stream: Stream, order: Order, config: VtaConfig) -> None:
    """Looks at loads and stores whose bytes meet; most programs have none.

    Raises:
        SimulationError: a LOAD and a STORE of the same bytes may run in either order.
    """
    sizes = np.zeros(len(Memory), dtype=np.int64)
    sizes[[Memory.UOP, Memory.WGT, Memory.INP, Memory.ACC, Memory.OUT]] = (
        config.uop_bytes,
        config.wgt_bytes,
        config.inp_bytes,
        config.acc_bytes,
        config.out_bytes,
    )
    opcode, x_size = stream.column("opcode"), stream.column("x_size")
    element = sizes[stream.column("memory")]
    first = stream.column("dram_base") * element
    last = first + ((stream.column("y_size") - 1) * stream.column("x_stride") + x_size) * element
    stores = (opcode == Opcode.STORE) & (x_size > 0)
    loads = (opcode == Opcode.LOAD) & (x_size > 0)
    if not stores.any():
        return
    low, high = int(first[stores].min()), int(last[stores].max())
    moves = stores | (loads & (first < high) & (last > low))
    if not (moves & loads).any():
        return
    met = order.sequence[moves[order.sequence]]
    grain = int(min(config.uop_bytes, *sizes[sizes > 0]))
    earlier, later = _race(stream.table, met, order.unit, order.clock, element, first, low, high, grain)
    if later >= 0:
        raise wrong(stream, later, "no token orders this access to memory and that of", f"instruction {earlier}")


@kept
def _race(
    table: NDArray[np.int64],
    sequence: NDArray[np.int64],
    unit: NDArray[np.int8],
    clock: NDArray[np.int64],
    element: NDArray[np.int64],
    first: NDArray[np.int64],
    low: int,
    high: int,
    grain: int,
) -> Any:
    """The first two instructions that race, the one that ran earlier first; -1, -1 if none do."""
    touched = np.full(((high - low) // grain + 1, 3), -1, dtype=np.int64)
    for index in sequence:
        for y in range(table[index, _Y]):
            start = first[index] + y * table[index, _STRIDE] * element[index]
            stop = min(start + table[index, _X] * element[index], high)
            for k in range((max(start, low) - low) // grain, (stop - low + grain - 1) // grain):
                for other in range(3):
                    meets = (unit[index] == _U_STORE) != (other == _U_STORE)
                    if meets and touched[k, other] > clock[index, other]:
                        return touched[k, other], index
                touched[k, unit[index]] = index
    return -1, -1
