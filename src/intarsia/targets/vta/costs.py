"""What one instruction costs in cycles on the RTL when nothing is in its way.

Whoever decides tiles uses these functions; ``timing`` runs whole programs against the same numbers.
Source: the generated RTL under Verilator, memory latency 16, 64-bit port; what a 128-bit port and a batch above 1
change is read off the Chisel sources (``TensorLoad``, ``TensorStore``, ``FetchVME64``), not measured.
"""

from __future__ import annotations

from typing import Final

from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.isa import Memory

COMPUTE_OVERHEAD: Final = 7
LOAD_OVERHEAD: Final = 23
UOP_OVERHEAD: Final = 22
PADDING_HIDDEN: Final = 20
"""Padded tensors that are written while the first data are still under way."""
ROWS_OVERHEAD: Final = 2
"""A load of several rows, whatever their number."""
STORE_OVERHEAD: Final = 1
SYNC_CYCLES: Final = 2
TOKEN_CYCLES: Final = 1
FETCH_CHUNK: Final = 128
FETCH_OVERHEAD: Final = 20
BURST_BEATS: Final = 256
"""Beats that a burst may have, and the beats at whose multiples it ends: 2 KiB on a 64-bit port."""


def gemm_cycles(n: int) -> int:
    """A GEMM, or a reset, of ``n`` = micro-operations × iter_out × iter_in operations."""
    return COMPUTE_OVERHEAD + n


def alu_cycles(n: int, registers: int = 1) -> int:
    """An ALU instruction of ``n`` operations that reads ``registers`` accumulators each: 1 with an immediate, or 2."""
    return COMPUTE_OVERHEAD + n * registers


def load_beats(memory: Memory, tensors: int, config: VtaConfig) -> int:
    """Cycles of the read port for ``tensors`` elements of ``memory``; a row of uops is rounded up by itself."""
    size = {
        Memory.UOP: config.uop_bytes,
        Memory.WGT: config.wgt_bytes,
        Memory.INP: config.inp_bytes,
        Memory.ACC: config.acc_bytes,
    }[memory]
    return -(-tensors * size // config.port_bytes)


def load_cycles(memory: Memory, config: VtaConfig, *, x_size: int, y_size: int = 1, padded: int = 0) -> int:
    """A LOAD of ``y_size`` rows of ``x_size`` elements with ``padded`` elements of zeros around them."""
    beats = load_beats(memory, x_size, config) * y_size
    overhead = UOP_OVERHEAD if memory == Memory.UOP else LOAD_OVERHEAD
    return overhead + beats + max(0, padded - PADDING_HIDDEN) + (ROWS_OVERHEAD if y_size > 1 else 0)


def store_cycles(config: VtaConfig, *, x_size: int, y_size: int = 1, dram_base: int = 0, x_stride: int = 0) -> int:
    """A STORE of ``y_size`` rows of ``x_size`` output tensors from element ``dram_base``, ``x_stride`` apart."""
    tensor, burst = store_tensor_cycles(config), store_burst_cycles(config)
    bursts = sum(row_bursts(dram_base + y * x_stride, x_size, config) for y in range(y_size))
    return STORE_OVERHEAD + tensor * x_size * y_size + burst * bursts


def store_tensor_cycles(config: VtaConfig) -> int:
    """Cycles of the store unit for a tensor: its beats, and a read of the buffer for each of its rows.

    A tensor no wider than the port needs its beat only; then a burst costs one cycle more.
    """
    if config.out_bytes <= config.port_bytes:
        return 1
    return config.batch * (max(1, config.out_bytes // config.batch // config.port_bytes) + 1)


def store_burst_cycles(config: VtaConfig) -> int:
    """Cycles to open and close a burst."""
    return 4 if config.out_bytes <= config.port_bytes else 3


def row_bursts(dram_base: int, x_size: int, config: VtaConfig) -> int:
    """Bursts of a row of output tensors: one, and one more for each boundary of 256 beats inside it."""
    size = BURST_BEATS * config.port_bytes
    first = dram_base * config.out_bytes
    return (first + x_size * config.out_bytes - 1) // size - first // size + 1


def fetch_cycles(instructions: int, config: VtaConfig) -> int:
    """From the request of a chunk of at most 128 instructions to its first dispatch."""
    return FETCH_OVERHEAD + -(-instructions * 16 // config.port_bytes)
