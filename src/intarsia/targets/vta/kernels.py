"""The core's execution, compiled: every instruction in order, with the checks that need what ran before.

Tables and clocks come in, memory and on-chip state change; the first fault goes out as five numbers.
For every on-chip element stand the instructions that last wrote and last read it; an access by another unit is
sound only if the accessing instruction's clock (see ``tokens``) knows that one to be finished.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from intarsia.ground.compiled import compiled, kept
from intarsia.targets.vta.isa import COLUMN, AluOp, Memory, Opcode, Unit
from intarsia.targets.vta.lanes import LANES, multiply, multiply_rows

OK, UNWRITTEN, RACE_READ, RACE_WRITE, RANGE, STALE_OUT, IMM_SOURCE, DEPENDENT, SHIFT, ALU_WGT = range(10)
"""Faults; each comes with the instruction, the memory, the element and the other instruction or value."""

(_OPCODE, _SRAM, _DRAM, _ROWS, _X, _STRIDE, _TOP, _BOTTOM, _LEFT, _RIGHT) = (
    COLUMN[name]
    for name in ("opcode", "sram_base", "dram_base", "y_size", "x_size", "x_stride", "y_pad_0", "y_pad_1", "x_pad_0",
                 "x_pad_1")
)  # fmt: skip
(_MEMORY, _RESET, _BEGIN, _END, _OUT, _IN) = (
    COLUMN[name] for name in ("memory", "reset", "uop_begin", "uop_end", "iter_out", "iter_in")
)
(_DST_O, _DST_I, _SRC_O, _SRC_I, _WGT_O, _WGT_I, _OP, _USE_IMM, _IMM) = (
    COLUMN[name] for name in ("dst_out", "dst_in", "src_out", "src_in", "wgt_out", "wgt_in", "alu_op", "use_imm", "imm")
)
_LOAD, _STORE, _GEMM, _ALU = (int(code) for code in (Opcode.LOAD, Opcode.STORE, Opcode.GEMM, Opcode.ALU))
_M_UOP, _M_WGT, _M_INP, _M_ACC = (int(code) for code in (Memory.UOP, Memory.WGT, Memory.INP, Memory.ACC))
_U_LOAD, _U_COMPUTE, _U_STORE = (int(unit) for unit in (Unit.LOAD, Unit.COMPUTE, Unit.STORE))
_DST, _SRC, _WGT = 0, 1, 2
_MIN, _MAX, _ADD = (int(code) for code in (AluOp.MIN, AluOp.MAX, AluOp.ADD))


@kept
def execute(table: Any, sequence: Any, clock: Any, memory: Any, words: Any, chip: Any, shape: Any) -> Any:
    """Runs the instructions in ``sequence``; ``memory`` is int8 and ``words`` the same bytes as int32."""
    for index in sequence:
        row, known = table[index], clock[index]
        opcode = row[_OPCODE]
        fault = (OK, 0, 0, 0)
        if opcode == _LOAD and row[_X] > 0:
            fault = _load(index, row, known, memory, words, chip, shape)
        elif opcode == _STORE and row[_X] > 0:
            fault = _store(index, row, known, memory, chip, shape)
        elif opcode == _GEMM:
            fault = _gemm(index, row, known, chip, shape)
        elif opcode == _ALU:
            fault = _alu(index, row, known, chip, shape)
        if fault[0] != OK:
            return fault[0], index, fault[1], fault[2], fault[3]
    return OK, 0, 0, 0, 0


@compiled
def _load(index: int, row: Any, known: Any, memory: Any, words: Any, chip: Any, shape: Any) -> Any:
    element, kind = row[_SRAM], row[_MEMORY]
    for y in range(-row[_TOP], row[_ROWS] + row[_BOTTOM]):
        inside = 0 <= y < row[_ROWS]
        for x in range(-row[_LEFT], row[_X] + row[_RIGHT]):
            source = row[_DRAM] + y * row[_STRIDE] + x if inside and 0 <= x < row[_X] else -1
            if kind == _M_INP:
                if chip.inp_reader[element] > known[_U_COMPUTE]:
                    return RACE_WRITE, kind, element, chip.inp_reader[element]
                chip.inp_writer[element] = index
                _fill(chip.inp, element, memory, source, shape.batch * shape.block_in)
            elif kind == _M_WGT:
                if chip.wgt_reader[element] > known[_U_COMPUTE]:
                    return RACE_WRITE, kind, element, chip.wgt_reader[element]
                chip.wgt_writer[element] = index
                _fill_weights(chip.wgt, element, memory, source, shape)
            elif kind == _M_ACC:
                if chip.acc_reader[element] > known[_U_STORE]:
                    return RACE_WRITE, kind, element, chip.acc_reader[element]
                chip.acc_writer[element] = index
                chip.fresh[element] = 0
                _fill(chip.acc, element, words, source, shape.batch * shape.block_out)
            else:
                chip.uop_writer[element] = index
                bits = np.int64(words[source]) & 0xFFFFFFFF
                chip.uop[element, 0] = bits & ((1 << shape.dst_bits) - 1)
                chip.uop[element, 1] = (bits >> shape.dst_bits) & ((1 << shape.src_bits) - 1)
                chip.uop[element, 2] = (bits >> (shape.dst_bits + shape.src_bits)) & ((1 << shape.wgt_bits) - 1)
            element += 1
    return OK, 0, 0, 0


@compiled
def _fill(to: Any, element: int, memory: Any, source: int, size: int) -> None:
    for k in range(size):
        to[element * size + k] = memory[source * size + k] if source >= 0 else 0


@compiled
def _fill_weights(to: Any, element: int, memory: Any, source: int, shape: Any) -> None:
    size = shape.block_out * shape.block_in
    if shape.block_in != LANES or shape.block_out != LANES:
        _fill(to, element, memory, source, size)
        return
    for o in range(LANES):
        for i in range(LANES):
            place = (i // 2) * 2 * LANES + o * 2 + i % 2
            to[element * size + place] = memory[source * size + o * LANES + i]


@compiled
def _store(index: int, row: Any, known: Any, memory: Any, chip: Any, shape: Any) -> Any:
    size = shape.batch * shape.block_out
    element = row[_SRAM]
    for y in range(row[_ROWS]):
        for x in range(row[_X]):
            writer = chip.acc_writer[element]
            if writer < 0:
                return UNWRITTEN, _M_ACC, element, -1
            if writer > known[_U_COMPUTE]:
                return RACE_READ, _M_ACC, element, writer
            if chip.fresh[element] == 0:
                return STALE_OUT, _M_ACC, element, writer
            chip.acc_reader[element] = index
            target = (row[_DRAM] + y * row[_STRIDE] + x) * size
            for k in range(size):
                memory[target + k] = np.int8(chip.acc[element * size + k])
            element += 1
    return OK, 0, 0, 0


@compiled
def _uops_fault(row: Any, chip: Any, field: int, far: int, depth: int, kind: int) -> Any:
    """A micro-operation never written, or one whose greatest index is outside ``depth``."""
    for u in range(row[_BEGIN], row[_END]):
        if chip.uop_writer[u] < 0:
            return UNWRITTEN, _M_UOP, u, -1
        if chip.uop[u, field] + far >= depth:
            return RANGE, kind, chip.uop[u, field] + far, depth
    return OK, 0, 0, 0


@compiled
def _far(row: Any, out: int, inner: int) -> Any:
    return (row[_OUT] - 1) * row[out] + (row[_IN] - 1) * row[inner]


@compiled
def _gemm(index: int, row: Any, known: Any, chip: Any, shape: Any) -> Any:
    fault = _uops_fault(row, chip, 0, _far(row, _DST_O, _DST_I), len(chip.acc_writer), _M_ACC)
    if fault[0] != OK:
        return fault
    if row[_RESET] != 0:
        return _reset(index, row, known, chip, shape)
    fault = _uops_fault(row, chip, 1, _far(row, _SRC_O, _SRC_I), len(chip.inp_writer), _M_INP)
    if fault[0] != OK:
        return fault
    fault = _uops_fault(row, chip, 2, _far(row, _WGT_O, _WGT_I), len(chip.wgt_writer), _M_WGT)
    if fault[0] != OK:
        return fault
    loaded, stored = known[_U_LOAD], known[_U_STORE]
    begin, end = np.uint64(row[_BEGIN]), np.uint64(row[_END])
    uop, inp, wgt, acc, fresh = chip.uop, chip.inp, chip.wgt, chip.acc, chip.fresh
    inp_writer, inp_reader, wgt_writer, wgt_reader = (
        chip.inp_writer, chip.inp_reader, chip.wgt_writer, chip.wgt_reader,
    )  # fmt: skip
    acc_writer, acc_reader = chip.acc_writer, chip.acc_reader
    lanes = shape.block_in == LANES and shape.block_out == LANES
    d0, s0, w0 = np.uint64(0), np.uint64(0), np.uint64(0)
    for _ in range(row[_OUT]):
        d1, s1, w1 = d0, s0, w0
        for _ in range(row[_IN]):
            for u in range(begin, end):
                d, s, w = d1 + np.uint64(uop[u, _DST]), s1 + np.uint64(uop[u, _SRC]), w1 + np.uint64(uop[u, _WGT])
                inp_from, wgt_from = inp_writer[s], wgt_writer[w]
                if min(inp_from, wgt_from, acc_writer[d]) < 0 or max(inp_from, wgt_from) > loaded:
                    return _gemm_fault(np.int64(d), np.int64(s), np.int64(w), known, chip)
                if acc_reader[d] > stored:
                    return RACE_WRITE, _M_ACC, np.int64(d), acc_reader[d]
                inp_reader[s] = index
                wgt_reader[w] = index
                acc_writer[d] = index
                fresh[d] = 1
                if lanes:
                    multiply_rows(acc, d, inp, s, wgt, w, shape.batch)
                else:
                    multiply(acc, d, inp, s, wgt, w, shape.batch, shape.block_in, shape.block_out)
            d1 += np.uint64(row[_DST_I])
            s1 += np.uint64(row[_SRC_I])
            w1 += np.uint64(row[_WGT_I])
        d0 += np.uint64(row[_DST_O])
        s0 += np.uint64(row[_SRC_O])
        w0 += np.uint64(row[_WGT_O])
    return OK, 0, 0, 0


@compiled
def _gemm_fault(d: Any, s: Any, w: Any, known: Any, chip: Any) -> Any:
    if chip.inp_writer[s] < 0:
        return UNWRITTEN, _M_INP, s, -1
    if chip.wgt_writer[w] < 0:
        return UNWRITTEN, _M_WGT, w, -1
    if chip.acc_writer[d] < 0:
        return UNWRITTEN, _M_ACC, d, -1
    if chip.inp_writer[s] > known[_U_LOAD]:
        return RACE_READ, _M_INP, s, chip.inp_writer[s]
    return RACE_READ, _M_WGT, w, chip.wgt_writer[w]


@compiled
def _reset(index: int, row: Any, known: Any, chip: Any, shape: Any) -> Any:
    size = shape.batch * shape.block_out
    for out in range(row[_OUT]):
        for inner in range(row[_IN]):
            dst = out * row[_DST_O] + inner * row[_DST_I]
            for u in range(row[_BEGIN], row[_END]):
                d = chip.uop[u, 0] + dst
                if chip.acc_reader[d] > known[_U_STORE]:
                    return RACE_WRITE, _M_ACC, d, chip.acc_reader[d]
                chip.acc_writer[d] = index
                chip.fresh[d] = 0
                chip.acc[d * size : (d + 1) * size] = 0
    return OK, 0, 0, 0


@compiled
def _alu(index: int, row: Any, known: Any, chip: Any, shape: Any) -> Any:
    size, depth = shape.batch * shape.block_out, len(chip.acc_writer)
    fault = _uops_fault(row, chip, 0, _far(row, _DST_O, _DST_I), depth, _M_ACC)
    if fault[0] != OK:
        return fault
    fault = _uops_fault(row, chip, 1, _far(row, _SRC_O, _SRC_I), depth, _M_ACC)
    if fault[0] != OK:
        return fault
    immediate, before = row[_USE_IMM] != 0, -1
    for u in range(row[_BEGIN], row[_END]):
        if shape.alu_sees_wgt and chip.uop[u, _WGT] != 0:
            return ALU_WGT, _M_UOP, u, chip.uop[u, 2]
        if immediate and chip.uop[u, 0] != chip.uop[u, 1]:
            return IMM_SOURCE, _M_UOP, u, chip.uop[u, 1]
    for out in range(row[_OUT]):
        for inner in range(row[_IN]):
            dst = out * row[_DST_O] + inner * row[_DST_I]
            src = out * row[_SRC_O] + inner * row[_SRC_I]
            for u in range(row[_BEGIN], row[_END]):
                d, s = chip.uop[u, 0] + dst, chip.uop[u, 1] + src
                if immediate:
                    s = d
                if before in (d, s):
                    return DEPENDENT, _M_ACC, before, u
                if chip.acc_writer[d] < 0 or chip.acc_writer[s] < 0:
                    return UNWRITTEN, _M_ACC, d if chip.acc_writer[d] < 0 else s, -1
                if chip.acc_reader[d] > known[_U_STORE]:
                    return RACE_WRITE, _M_ACC, d, chip.acc_reader[d]
                amount = _operate(chip.acc, d * size, s * size, size, row[_OP], immediate, row[_IMM])
                if amount != 0:
                    return SHIFT, _M_ACC, s, amount
                chip.acc_writer[d] = index
                chip.fresh[d] = 1
                before = d
    return OK, 0, 0, 0


@compiled
def _operate(acc: Any, d: int, s: int, size: int, op: int, immediate: bool, imm: int) -> Any:  # noqa: FBT001 (a field)
    """acc[d : d + size] = op(itself, imm or acc[s : s + size]); returns a shift amount that the RTL does not know."""
    for k in range(size):
        left, right = np.int64(acc[d + k]), np.int64(imm if immediate else acc[s + k])
        if op == _ADD:
            result = left + right
        elif op == _MAX:
            result = max(left, right)
        elif op == _MIN:
            result = min(left, right)
        elif right < 0 and immediate:
            result = left << -right
        elif 0 <= right < 32:
            result = left >> right
        else:
            return right
        acc[d + k] = np.int32(result)
    return 0
