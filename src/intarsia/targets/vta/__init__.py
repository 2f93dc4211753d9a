"""VTA: its configuration, instructions, functional simulator and timing model.

Importing this room does not import the compiler behind the simulator; ``simulate`` and ``time_program`` do.
"""

from intarsia.targets.vta.config import UOP_LIMIT, VtaConfig
from intarsia.targets.vta.costs import (
    alu_cycles,
    fetch_cycles,
    gemm_cycles,
    load_beats,
    load_cycles,
    row_bursts,
    store_burst_cycles,
    store_cycles,
    store_tensor_cycles,
)
from intarsia.targets.vta.disassembler import describe, disassemble
from intarsia.targets.vta.encoding import decode, decode_uops, encode, encode_uops
from intarsia.targets.vta.errors import SimulationError
from intarsia.targets.vta.isa import (
    COLUMN,
    COLUMNS,
    INSTRUCTION_BYTES,
    Alu,
    AluOp,
    Finish,
    Gemm,
    Instruction,
    Load,
    Memory,
    Opcode,
    Store,
    Unit,
)
from intarsia.targets.vta.simulator import SimulationResult, simulate
from intarsia.targets.vta.stream import Stream, StreamBuilder
from intarsia.targets.vta.timeline import write_timeline
from intarsia.targets.vta.timing import Timing, UnitTime, instruction_cycles, time_program

__all__ = [
    "COLUMN",
    "COLUMNS",
    "INSTRUCTION_BYTES",
    "UOP_LIMIT",
    "Alu",
    "AluOp",
    "Finish",
    "Gemm",
    "Instruction",
    "Load",
    "Memory",
    "Opcode",
    "SimulationError",
    "SimulationResult",
    "Store",
    "Stream",
    "StreamBuilder",
    "Timing",
    "Unit",
    "UnitTime",
    "VtaConfig",
    "alu_cycles",
    "decode",
    "decode_uops",
    "describe",
    "disassemble",
    "encode",
    "encode_uops",
    "fetch_cycles",
    "gemm_cycles",
    "instruction_cycles",
    "load_beats",
    "load_cycles",
    "row_bursts",
    "simulate",
    "store_burst_cycles",
    "store_cycles",
    "store_tensor_cycles",
    "time_program",
    "write_timeline",
]
