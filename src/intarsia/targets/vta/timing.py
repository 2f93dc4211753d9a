"""How many cycles a program takes: units, queues, tokens and the shared read port as events.

A stream comes in; cycles by unit and by cause go out. Nothing is executed and nothing is checked: simulate first.
The model's numbers are those of ``costs``; what instructions do to each other is in ``timing_kernel``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.costs import (
    BURST_BEATS,
    COMPUTE_OVERHEAD,
    FETCH_CHUNK,
    LOAD_OVERHEAD,
    PADDING_HIDDEN,
    ROWS_OVERHEAD,
    STORE_OVERHEAD,
    SYNC_CYCLES,
    UOP_OVERHEAD,
    fetch_cycles,
    store_burst_cycles,
    store_tensor_cycles,
)
from intarsia.targets.vta.errors import wrong
from intarsia.targets.vta.isa import INSTRUCTION_BYTES, Memory, Opcode
from intarsia.targets.vta.rules import units
from intarsia.targets.vta.stream import Stream

Columns = dict[str, NDArray[np.int64]]
_FLAGS: Final = ("pop_prev", "pop_next", "push_prev", "push_next")


@dataclass(frozen=True, slots=True)
class UnitTime:
    """Cycles of one unit; with ``idle`` they add up to the program's total.

    Attributes:
        busy: running instructions, without waiting for the port.
        port: inside instructions, waiting until another's data have passed the read port.
        tokens: between instructions, waiting for a token.
        queue: between instructions, waiting for the next one to be dispatched.
        idle: after the last instruction.
    """

    busy: int
    port: int
    tokens: int
    queue: int
    idle: int


@dataclass(frozen=True, slots=True)
class Timing:
    """Cycles of a program.

    Attributes:
        cycles: from the first fetch until FINISH is done and the last unit has stopped.
        load, compute, store: the three units.
        fetch: busy reading instructions or handing them out; ``queue`` is waiting for a place in a full queue.
        port_cycles: cycles in which the read port moves data or instructions.
        read_bytes: through the read port, instructions included.
        written_bytes: through the write port.
        clock_hz: the clock, for ``seconds``.
        start, finish: cycle at which each instruction starts and is done, int64 [instructions].
        chunks: cycles at which fetch asks for a chunk, has it, and has handed it out, int64 [chunks, 3].
    """

    cycles: int
    load: UnitTime
    compute: UnitTime
    store: UnitTime
    fetch: UnitTime
    port_cycles: int
    read_bytes: int
    written_bytes: int
    clock_hz: int
    start: NDArray[np.int64]
    finish: NDArray[np.int64]
    chunks: NDArray[np.int64]

    @property
    def seconds(self) -> float:
        """Time on the board, in seconds."""
        return self.cycles / self.clock_hz

    def __str__(self) -> str:
        names = [field.name for field in fields(UnitTime)]
        lines = [f"{self.cycles} cycles, {self.read_bytes} bytes read, {self.written_bytes} bytes written"]
        lines.append(f"{'unit':<8}" + "".join(f"{name:>12}" for name in names))
        for unit in ("load", "compute", "store", "fetch"):
            values = [getattr(getattr(self, unit), name) for name in names]
            lines.append(f"{unit:<8}" + "".join(f"{value:>12}" for value in values))
        return "\n".join(lines)


def time_program(stream: Stream, config: VtaConfig) -> Timing:
    """The cycles of a program that ``simulate`` accepts.

    Raises:
        SimulationError: a unit waits for a token that never comes.
    """
    from intarsia.targets.vta import timing_kernel

    columns = stream.columns()
    flags = np.stack([columns[name] for name in _FLAGS], axis=1).astype(np.uint8)
    chunk = np.array([fetch_cycles(count, config) for count in range(FETCH_CHUNK + 1)])
    times = np.full((2, len(stream)), -1, dtype=np.int64)
    chunks = np.zeros((-(-len(stream) // FETCH_CHUNK), 3), dtype=np.int64)
    costs = np.stack(_costs(columns, config))
    spent, port, ran = timing_kernel.run(units(stream), flags, costs, chunk, times, chunks)
    if ran < len(stream):
        raise wrong(stream, int(np.flatnonzero(times[1] < 0)[0]), "deadlock", "call simulate for the reason")
    total = int(times.max(initial=0))
    load, compute, store, fetch = (_unit_time(row, total) for row in spent.tolist())
    moved = columns["x_size"] * columns["y_size"] * _element_bytes(config)[columns["memory"]]
    return Timing(
        cycles=total,
        load=load,
        compute=compute,
        store=store,
        fetch=fetch,
        port_cycles=port,
        read_bytes=int(moved[columns["opcode"] == Opcode.LOAD].sum()) + INSTRUCTION_BYTES * len(stream),
        written_bytes=int(moved[columns["opcode"] == Opcode.STORE].sum()),
        clock_hz=config.clock_hz,
        start=times[0],
        finish=times[1],
        chunks=chunks,
    )


def _unit_time(spent: list[int], total: int) -> UnitTime:
    busy, port, tokens, queue = spent
    return UnitTime(busy, port, tokens, queue, total - sum(spent))


def instruction_cycles(stream: Stream, config: VtaConfig) -> NDArray[np.int64]:
    """Cycles of each instruction alone, int64 [instructions]."""
    return _costs(stream.columns(), config)[0]


def _costs(columns: Columns, config: VtaConfig) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """For each instruction: cycles alone, beats of the read port, cycles that a wait for the port would hide."""
    opcode, moves = columns["opcode"], columns["x_size"] > 0
    loads, stores = opcode == Opcode.LOAD, opcode == Opcode.STORE
    operations = (columns["uop_end"] - columns["uop_begin"]) * columns["iter_out"] * columns["iter_in"]
    registers = np.where((opcode == Opcode.ALU) & (columns["use_imm"] == 0), 2, 1)
    cycles = COMPUTE_OVERHEAD + operations * registers
    beats = np.where(loads & moves, _load_beats(columns, config), 0)
    hidden = np.where(loads & moves, np.maximum(0, _padding(columns) - PADDING_HIDDEN), 0)
    overhead = np.where(columns["memory"] == Memory.UOP, UOP_OVERHEAD, LOAD_OVERHEAD)
    overhead += np.where(columns["y_size"] > 1, ROWS_OVERHEAD, 0)
    cycles = np.where(loads, overhead + beats + hidden, cycles)
    cycles[stores] = _store_cycles(columns, np.flatnonzero(stores), config)
    cycles[(loads | stores) & ~moves] = SYNC_CYCLES
    cycles[opcode == Opcode.FINISH] = SYNC_CYCLES
    return cycles, beats, hidden


def _element_bytes(config: VtaConfig) -> NDArray[np.int64]:
    sizes = (config.uop_bytes, config.wgt_bytes, config.inp_bytes, config.acc_bytes, config.out_bytes, 0)
    return np.array(sizes, dtype=np.int64)


def _load_beats(columns: Columns, config: VtaConfig) -> NDArray[np.int64]:
    """A row that does not begin at the port's boundary takes a beat more; only micro-operations can."""
    size = _element_bytes(config)[columns["memory"]]
    first = columns["dram_base"] * size % config.port_bytes
    row = -(-(first + columns["x_size"] * size) // config.port_bytes)
    return np.asarray(row * columns["y_size"], dtype=np.int64)


def _padding(columns: Columns) -> NDArray[np.int64]:
    wide = columns["x_size"] + columns["x_pad_0"] + columns["x_pad_1"]
    high = columns["y_size"] + columns["y_pad_0"] + columns["y_pad_1"]
    return np.asarray(wide * high - columns["x_size"] * columns["y_size"], dtype=np.int64)


def _store_cycles(columns: Columns, stores: NDArray[np.int64], config: VtaConfig) -> NDArray[np.int64]:
    base, stride, x_size, y_size = (columns[name][stores] for name in ("dram_base", "x_stride", "x_size", "y_size"))
    owner = np.repeat(np.arange(len(stores)), y_size)
    y = np.arange(len(owner)) - np.repeat(np.cumsum(y_size) - y_size, y_size)
    first = (base[owner] + y * stride[owner]) * config.out_bytes
    last = first + np.maximum(x_size[owner], 1) * config.out_bytes - 1
    burst = BURST_BEATS * config.port_bytes
    bursts = np.bincount(owner, weights=last // burst - first // burst + 1, minlength=len(stores)).astype(np.int64)
    cycles = STORE_OVERHEAD + store_tensor_cycles(config) * x_size * y_size + store_burst_cycles(config) * bursts
    return np.asarray(cycles, dtype=np.int64)
