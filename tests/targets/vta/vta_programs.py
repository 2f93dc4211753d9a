"""Small programs for the tests, and a slow, obvious twin of the simulator."""

from dataclasses import replace

import numpy as np

from intarsia.targets.vta import (
    Alu,
    AluOp,
    Finish,
    Gemm,
    Load,
    Memory,
    Store,
    Stream,
    Unit,
    VtaConfig,
    decode_uops,
    encode_uops,
)
from intarsia.targets.vta.disassembler import unit_of

SMALL = VtaConfig(
    log_batch=1,
    log_block_in=2,
    log_block_out=1,
    log_uop_buffer=7,
    log_inp_buffer=7,
    log_wgt_buffer=7,
    log_acc_buffer=8,
)
"""A 2×4×2 core with 32 micro-operations, 16 inputs, 16 weights and 16 accumulators."""

UOPS, INPUTS, WEIGHTS, BIASES, OUTPUTS = 0, 4096, 8192, 16384, 32768
"""Byte addresses of the regions of ``memory_of``."""


def memory_of(config, seed=0, uops=((0, 0, 0), (1, 1, 1), (0, 0, 0), (1, 1, 0))):
    """64 KiB: micro-operations in place, random bytes elsewhere."""
    memory = np.random.default_rng(seed).integers(0, 256, 1 << 16, dtype=np.uint8)
    encoded = encode_uops(*np.array(uops).T, config)
    memory[: len(encoded) * 4] = encoded.view(np.uint8)
    return memory


def layer(config=SMALL):
    """Two products into two accumulators, a shift, a store: the smallest program with everything in it.

    Indices: 0 uops, 1 inputs, 2 weights, 3 reset, 4 gemm, 5 shift, 6 store, 7 finish.
    """
    return [
        Load(memory=Memory.UOP, y_size=1, x_size=4, x_stride=4),
        Load(memory=Memory.INP, dram_base=INPUTS // config.inp_bytes, y_size=1, x_size=2, x_stride=2),
        Load(
            memory=Memory.WGT,
            dram_base=WEIGHTS // config.wgt_bytes,
            y_size=1,
            x_size=2,
            x_stride=2,
            push_next=True,
        ),
        Gemm(reset=True, uop_begin=0, uop_end=2, iter_out=1, iter_in=1),
        Gemm(uop_begin=0, uop_end=2, iter_out=1, iter_in=1, pop_prev=True),
        Alu(
            alu_op=AluOp.SHR,
            use_imm=True,
            imm=3,
            uop_begin=2,
            uop_end=3,
            iter_out=1,
            iter_in=2,
            dst_in=1,
            src_in=1,
            push_next=True,
        ),
        Store(
            memory=Memory.OUT,
            dram_base=OUTPUTS // config.out_bytes,
            y_size=1,
            x_size=2,
            x_stride=2,
            pop_prev=True,
            push_prev=True,
        ),
        Finish(pop_next=True),
    ]


def changed(instructions, index, **fields):
    """The instructions with one of them changed, as a stream."""
    instructions = list(instructions)
    instructions[index] = replace(instructions[index], **fields)
    return Stream.of(*instructions)


def serial(instructions):
    """The instructions with the tokens that make them run one after the other, and a FINISH."""
    chain = []
    sync = Load(memory=Memory.UOP)
    for instruction in instructions:
        if chain and {unit_of(chain[-1]), unit_of(instruction)} == {Unit.LOAD, Unit.STORE}:
            chain.append(sync)
        chain.append(instruction)
    if unit_of(chain[-1]) != Unit.COMPUTE:
        chain.append(sync)
    chain.append(Finish())
    for index in range(1, len(chain)):
        before, here = unit_of(chain[index - 1]), unit_of(chain[index])
        if before < here:
            chain[index - 1] = replace(chain[index - 1], push_next=True)
            chain[index] = replace(chain[index], pop_prev=True)
        if before > here:
            chain[index - 1] = replace(chain[index - 1], push_prev=True)
            chain[index] = replace(chain[index], pop_next=True)
    return Stream.of(*chain)


def twin(stream, memory, config):
    """Runs the instructions in the order of the stream, word for word as the manual says."""
    uop = np.zeros(config.uop_depth, np.uint32)
    inp = np.zeros((config.inp_depth, config.batch, config.block_in), np.int64)
    wgt = np.zeros((config.wgt_depth, config.block_out, config.block_in), np.int64)
    acc = np.zeros((config.acc_depth, config.batch, config.block_out), np.int64)
    buffers = {Memory.UOP: (uop, "<u4"), Memory.INP: (inp, "i1"), Memory.WGT: (wgt, "i1"), Memory.ACC: (acc, "<i4")}

    def elements(instruction):
        dst, src, other = decode_uops(uop, config)
        for out in range(instruction.iter_out):
            for inner in range(instruction.iter_in):
                for u in range(instruction.uop_begin, instruction.uop_end):
                    d = dst[u] + out * instruction.dst_out + inner * instruction.dst_in
                    s = src[u] + out * instruction.src_out + inner * instruction.src_in
                    yield d, s, other[u], out, inner

    for op in stream:
        match op:
            case Load(x_size=0) | Store(x_size=0) | Finish():
                pass
            case Load():
                buffer, dtype = buffers[op.memory]
                size = np.prod(buffer.shape[1:], dtype=int) * np.dtype(dtype).itemsize
                rows = []
                for y in range(op.y_size):
                    start = (op.dram_base + y * op.x_stride) * size
                    data = memory[start : start + op.x_size * size].view(dtype).reshape(-1, *buffer.shape[1:])
                    around = [(op.x_pad_0, op.x_pad_1)] + [(0, 0)] * (buffer.ndim - 1)
                    rows.append(np.pad(data, around))
                around = [(op.y_pad_0, op.y_pad_1)] + [(0, 0)] * buffer.ndim
                block = np.pad(np.stack(rows), around).reshape(-1, *buffer.shape[1:])
                buffer[op.sram_base : op.sram_base + len(block)] = block
            case Store():
                for y in range(op.y_size):
                    for x in range(op.x_size):
                        data = acc[op.sram_base + y * op.x_size + x].astype(np.int8).view(np.uint8).reshape(-1)
                        start = (op.dram_base + y * op.x_stride + x) * config.out_bytes
                        memory[start : start + config.out_bytes] = data
            case Gemm():
                for d, s, w, out, inner in elements(op):
                    weights = wgt[w + out * op.wgt_out + inner * op.wgt_in]
                    acc[d] = 0 if op.reset else (acc[d] + inp[s] @ weights.T).astype(np.int32)
            case Alu():
                for d, s, *_ in elements(op):
                    right = op.imm if op.use_imm else acc[s]
                    match op.alu_op:
                        case AluOp.ADD:
                            result = acc[d] + right
                        case AluOp.MAX:
                            result = np.maximum(acc[d], right)
                        case AluOp.MIN:
                            result = np.minimum(acc[d], right)
                        case AluOp.SHR:
                            result = acc[d] << -right if op.use_imm and right < 0 else acc[d] >> right
                    acc[d] = result.astype(np.int32)
    return memory


__all__ = ["INPUTS", "OUTPUTS", "SMALL", "changed", "layer", "memory_of", "serial", "twin"]
