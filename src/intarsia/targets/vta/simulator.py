"""The functional simulator: a program runs on a memory, and whatever the RTL would do otherwise is an error.

A stream and device memory come in; the memory after the run and counts go out.
A program that passes has one meaning: no interleaving that its tokens allow changes a byte. What is checked:
each instruction by itself (``rules``), tokens (``tokens``), memory races (``memory``), and during execution
(``kernels``) what the on-chip buffers held.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.errors import SimulationError, wrong
from intarsia.targets.vta.isa import Memory, Opcode
from intarsia.targets.vta.rules import check_rules
from intarsia.targets.vta.stream import Stream


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """What a run did.

    Attributes:
        instructions: instructions run.
        gemm_calls: matrix products of the core, one a cycle.
        reset_calls: accumulator tensors set to zero.
        alu_operations: operations on accumulator tensors.
        loaded_bytes: read from memory for data, weights, biases and micro-operations; padding is not read.
        stored_bytes: written to memory.
    """

    instructions: int
    gemm_calls: int
    reset_calls: int
    alu_operations: int
    loaded_bytes: int
    stored_bytes: int


def simulate(
    stream: Stream, memory: NDArray[np.uint8], config: VtaConfig, *, strict_rtl: bool = False
) -> SimulationResult:
    """Runs a program on ``memory``, uint8 [bytes], which changes; byte k is address k.

    Args:
        stream: the program.
        memory: device memory, contiguous.
        config: the core.
        strict_rtl: refuse also what the HLS core does and the RTL does not: an ALU on more than one batch row.

    Raises:
        SimulationError: the program is wrong; memory is as the instructions before left it.
        ValueError: the memory is not a contiguous uint8 vector.
    """
    if memory.dtype != np.uint8 or memory.ndim != 1 or not memory.flags.c_contiguous:
        raise ValueError(f"memory is a contiguous uint8 vector, not {memory.dtype} {list(memory.shape)}")
    check_rules(stream, config, len(memory), strict_rtl=strict_rtl)
    from intarsia.targets.vta import kernels
    from intarsia.targets.vta.chip import chip_of, shape_of
    from intarsia.targets.vta.memory import check_memory
    from intarsia.targets.vta.tokens import order_of

    order = order_of(stream)
    check_memory(stream, order, config)
    words = memory[: len(memory) // 4 * 4].view(np.int32)
    table = np.ascontiguousarray(stream.table)
    fault, *values = kernels.execute(
        table, order.sequence, order.clock, memory.view(np.int8), words, chip_of(config), shape_of(config)
    )
    if fault != kernels.OK:
        raise _fault(stream, fault, *values)
    return _counts(stream, config)


def _fault(stream: Stream, fault: int, index: int, memory: int, element: int, other: int) -> SimulationError:
    from intarsia.targets.vta import kernels

    name = f"{Memory(memory).name} {element}"
    match fault:
        case kernels.UNWRITTEN:
            return wrong(stream, index, "reads what was never written", name)
        case kernels.RACE_READ:
            return wrong(stream, index, "no token orders this read and the write of", f"{name} by instruction {other}")
        case kernels.RACE_WRITE:
            return wrong(stream, index, "no token orders this write and the read of", f"{name} by instruction {other}")
        case kernels.RANGE:
            return wrong(stream, index, "an index wraps in the RTL", f"{name}, of {other} elements on chip")
        case kernels.STALE_OUT:
            rule = "the RTL stores the out buffer, which only an ALU or a GEMM without reset writes"
            return wrong(stream, index, rule, f"{name} was last written by instruction {other}")
        case kernels.IMM_SOURCE:
            rule = "with an immediate the RTL reads acc[src] and the simulator acc[dst]: they must be equal"
            return wrong(stream, index, rule, f"micro-operation {element} has src {other}")
        case kernels.DEPENDENT:
            rule = "the RTL's ALU does not see what the micro-operation before wrote"
            return wrong(stream, index, rule, f"{name}, micro-operation {other}")
        case kernels.SHIFT:
            rule = "by a register the RTL shifts right by 0 to 31 only"
            return wrong(stream, index, rule, f"{name} holds {other}")
        case kernels.ALU_WGT:
            rule = "with fewer inputs than accumulators the RTL takes wgt for high bits of an ALU's source"
            return wrong(stream, index, rule, f"micro-operation {element} has wgt {other}")
    raise AssertionError(f"fault {fault} of instruction {index} has no text")


def _counts(stream: Stream, config: VtaConfig) -> SimulationResult:
    opcode, memory = stream.column("opcode"), stream.column("memory")
    calls = (stream.column("uop_end") - stream.column("uop_begin")) * stream.column("iter_out")
    calls = calls * stream.column("iter_in")
    reset = (opcode == Opcode.GEMM) & (stream.column("reset") != 0)
    moved = stream.column("x_size") * stream.column("y_size")
    sizes = {
        Memory.UOP: config.uop_bytes,
        Memory.WGT: config.wgt_bytes,
        Memory.INP: config.inp_bytes,
        Memory.ACC: config.acc_bytes,
    }
    loads = opcode == Opcode.LOAD
    return SimulationResult(
        instructions=len(stream),
        gemm_calls=int(calls[(opcode == Opcode.GEMM) & ~reset].sum()),
        reset_calls=int(calls[reset].sum()),
        alu_operations=int(calls[opcode == Opcode.ALU].sum()),
        loaded_bytes=int(sum(moved[loads & (memory == kind)].sum() * size for kind, size in sizes.items())),
        stored_bytes=int(moved[opcode == Opcode.STORE].sum()) * config.out_bytes,
    )
