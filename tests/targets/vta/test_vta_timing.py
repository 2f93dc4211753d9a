"""The timing model: the table of the RTL, hand-counted programs, and a twin that goes cycle by cycle."""

from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vta_programs import SMALL, layer

from intarsia.targets.vta import (
    AluOp,
    Memory,
    SimulationError,
    Stream,
    StreamBuilder,
    Unit,
    VtaConfig,
    alu_cycles,
    fetch_cycles,
    gemm_cycles,
    instruction_cycles,
    load_cycles,
    store_cycles,
    time_program,
)
from intarsia.targets.vta.disassembler import unit_of

DEFAULT = VtaConfig()
WIDE = VtaConfig(target="zcu104")


def test_the_table_of_the_rtl():
    assert gemm_cycles(100) == 107
    assert alu_cycles(100) == 107
    assert alu_cycles(100, registers=2) == 207
    assert load_cycles(Memory.INP, DEFAULT, x_size=5) == 23 + 10
    assert load_cycles(Memory.WGT, DEFAULT, x_size=5) == 23 + 160
    assert load_cycles(Memory.ACC, DEFAULT, x_size=5) == 23 + 40
    assert load_cycles(Memory.UOP, DEFAULT, x_size=5) == 22 + 3
    assert load_cycles(Memory.INP, DEFAULT, x_size=5, y_size=4, padded=25) == 23 + 40 + 5 + 2
    assert load_cycles(Memory.INP, DEFAULT, x_size=5, padded=20) == 23 + 10
    assert store_cycles(DEFAULT, x_size=5) == 1 + 15 + 3
    assert store_cycles(DEFAULT, x_size=5, y_size=2, x_stride=7) == 1 + 30 + 6
    assert store_cycles(DEFAULT, x_size=5, dram_base=126) == 1 + 15 + 6
    assert store_cycles(DEFAULT, x_size=256) == 1 + 768 + 6
    assert fetch_cycles(128, DEFAULT) == 20 + 256


def test_a_wide_port_halves_the_beats():
    assert load_cycles(Memory.WGT, WIDE, x_size=5) == 23 + 80
    assert load_cycles(Memory.UOP, WIDE, x_size=5) == 22 + 2
    assert fetch_cycles(128, WIDE) == 20 + 128
    assert store_cycles(WIDE, x_size=256) == 1 + 256 + 4


def test_whole_columns_cost_what_the_functions_say():
    builder = StreamBuilder()
    builder.load(Memory.INP, x_size=5, y_size=4, x_stride=9, x_pad_0=2, x_pad_1=2, y_pad_0=1)
    builder.load(Memory.UOP, x_size=7)
    builder.gemm(uop_begin=1, uop_end=4, iter_out=5, iter_in=6)
    builder.alu(AluOp.ADD, uop_begin=1, uop_end=4, iter_out=5, iter_in=6, imm=3)
    builder.alu(AluOp.ADD, uop_begin=1, uop_end=4, iter_out=5, iter_in=6)
    builder.store(dram_base=120, x_size=5, y_size=4, x_stride=3)
    builder.load(Memory.WGT, push_next=True)
    builder.store(x_size=0)
    builder.finish()
    assert instruction_cycles(builder.build(), DEFAULT).tolist() == [
        load_cycles(Memory.INP, DEFAULT, x_size=5, y_size=4, padded=9 + 4 * 4),
        load_cycles(Memory.UOP, DEFAULT, x_size=7),
        gemm_cycles(90),
        alu_cycles(90),
        alu_cycles(90, registers=2),
        store_cycles(DEFAULT, dram_base=120, x_size=5, y_size=4, x_stride=3),
        2,
        2,
        2,
    ]


def test_the_smallest_program_by_hand():
    timing = time_program(Stream.of(*layer(DEFAULT)), DEFAULT)
    # Fetch 20 + 16; instruction k is dispatched at 37 + k.
    # Uops 22 + 2; inputs 23 + 4, weights 23 + 64 right after. Data of the uops pass before those of the inputs.
    start, finish = timing.start.tolist(), timing.finish.tolist()
    assert (start[0], finish[0]) == (37, 61)
    assert (start[1], finish[1]) == (38, 65)
    assert (start[2], finish[2]) == (65, 152)
    assert (start[3], finish[3]) == (61, 70)
    assert (start[4], finish[4]) == (153, 162)
    assert (start[5], finish[5]) == (162, 171)
    assert (start[6], finish[6]) == (172, 182)
    assert (start[7], finish[7]) == (183, 185)
    assert timing.cycles == 185
    assert timing.port_cycles == 16 + 2 + 4 + 64
    assert (timing.read_bytes, timing.written_bytes) == (128 + 16 + 32 + 512, 32)
    assert (timing.compute.busy, timing.compute.tokens, timing.compute.queue) == (24 + 9 + 9 + 9 + 2, 83 + 12, 37)
    assert timing.seconds == pytest.approx(1.85e-6)


def test_cycles_of_a_unit_add_up():
    timing = time_program(Stream.of(*layer(DEFAULT)), DEFAULT)
    for unit in (timing.load, timing.compute, timing.store, timing.fetch):
        assert unit.busy + unit.port + unit.tokens + unit.queue + unit.idle == timing.cycles
    assert str(timing).splitlines()[:2] == [
        "185 cycles, 688 bytes read, 32 bytes written",
        "unit            busy        port      tokens       queue        idle",
    ]


def test_two_units_share_the_read_port():
    builder = StreamBuilder()
    builder.load(Memory.WGT, x_size=4, push_next=True)
    builder.load(Memory.ACC, x_size=4)
    builder.finish(pop_prev=True)
    timing = time_program(builder.build(), DEFAULT)
    assert (timing.finish - timing.start).tolist() == [23 + 128, 23 + 32 + 127, 2]
    assert timing.compute.port == 127


def test_padding_hides_behind_the_port():
    builder = StreamBuilder()
    builder.load(Memory.ACC, x_size=8)
    builder.load(Memory.INP, x_size=8, y_pad_0=5, push_next=True)
    builder.finish(pop_prev=True)
    timing = time_program(builder.build(), DEFAULT)
    assert (timing.finish - timing.start).tolist() == [23 + 64, 23 + 16 + 63, 2]
    assert timing.load.port == 63 - 20


def test_a_missing_token():
    builder = StreamBuilder()
    builder.gemm(uop_begin=0, uop_end=1, pop_prev=True)
    builder.finish()
    with pytest.raises(SimulationError) as caught:
        time_program(builder.build(), DEFAULT)
    text = "gemm uop 0:1 loop 1x1 dst 0,0 src 0,0 wgt 0,0 [pop load]"
    assert str(caught.value) == f"instruction 0 ({text}): deadlock: call simulate for the reason"


def twin(stream, config):
    """Cycle by cycle: fetch first, then the three units. Returns start and finish of each instruction."""
    cycles = instruction_cycles(stream, config).tolist()
    program = list(stream)
    units = [unit_of(instruction) for instruction in program]
    fetched, read, free_fetch = 0, 0, 0
    queues = [deque(), deque(), deque()]
    inside = [[], [], []]
    tokens = {(0, 1): deque(), (1, 0): deque(), (1, 2): deque(), (2, 1): deque()}
    free, port = [0, 0, 0], 0
    start, finish = [0] * len(program), [0] * len(program)
    done, now = 0, 0
    while done < len(program):
        for u in range(3):
            inside[u] = [index for index in inside[u] if finish[index] == 0 or finish[index] > now]
        if fetched < read and now >= free_fetch and len(inside[units[fetched]]) < 512:
            queues[units[fetched]].append((now + 1, fetched))
            inside[units[fetched]].append(fetched)
            fetched, free_fetch = fetched + 1, now + 1
        elif fetched == read < len(program) and now >= free_fetch:
            size = min(128, len(program) - read)
            beats = -(-size * 16 // config.port_bytes)
            data = max(port, now + 19)
            port, free_fetch, read = data + beats, data + beats + 1, read + size
        for u in range(3):
            if now < free[u] or not queues[u] or queues[u][0][0] > now:
                continue
            index = queues[u][0][1]
            op = program[index]
            wanted = [tokens[u + step, u] for step, flag in ((-1, op.pop_prev), (1, op.pop_next)) if flag]
            if any(not queue or queue[0] > now for queue in wanted):
                continue
            for queue in wanted:
                queue.popleft()
            queues[u].popleft()
            start[index], end = now, now + cycles[index]
            if getattr(op, "x_size", 0) and u != Unit.STORE:
                end, port = loaded(op, now, port, config)
            finish[index] = free[u] = end
            for step, flag in ((-1, op.push_prev), (1, op.push_next)):
                if flag:
                    tokens[u, u + step].append(end + 1)
            done += 1
        now += 1
    return start, finish


def loaded(op, now, port, config):
    sizes = {Memory.UOP: config.uop_bytes, Memory.WGT: config.wgt_bytes, Memory.INP: config.inp_bytes}
    size = sizes.get(op.memory, config.acc_bytes)
    lead = op.dram_base * size % config.port_bytes
    beats = -(-(lead + op.x_size * size) // config.port_bytes) * op.y_size
    wide = op.x_pad_0 + op.x_size + op.x_pad_1
    padded = wide * (op.y_pad_0 + op.y_size + op.y_pad_1) - op.x_size * op.y_size
    latency = (21 if op.memory == Memory.UOP else 22) + (2 if op.y_size > 1 else 0)
    data = max(port, now + latency) + beats
    return max(data + 1, now + latency + 1 + beats + padded - 20), data


@st.composite
def pipelines(draw):
    """Tiles with double buffering of random sizes, and idle instructions that fill chunks and queues."""
    builder = StreamBuilder()
    tiles = draw(st.integers(1, 6))
    ahead = draw(st.integers(1, 2))
    builder.load(Memory.UOP, x_size=draw(st.integers(1, 9)), dram_base=draw(st.integers(0, 1)))
    for tile in range(tiles):
        pad = draw(st.integers(0, 5))
        builder.load(Memory.INP, x_size=draw(st.integers(1, 40)), y_pad_1=pad, pop_next=tile >= ahead)
        for _ in range(draw(st.sampled_from((0, 0, 1, 70, 600)))):
            builder.load(Memory.INP)
        builder.load(Memory.WGT, x_size=draw(st.integers(1, 9)), push_next=True)
        if draw(st.booleans()):
            builder.load(Memory.ACC, x_size=draw(st.integers(1, 9)), y_size=draw(st.integers(1, 3)))
        last = tile + ahead >= tiles
        builder.gemm(
            uop_begin=0, uop_end=draw(st.integers(1, 300)), pop_prev=True, pop_next=tile >= ahead, push_prev=not last,
            push_next=True,
        )  # fmt: skip
        builder.store(x_size=draw(st.integers(1, 40)), pop_prev=True, push_prev=True)
    for _ in range(min(ahead, tiles)):
        builder.load(Memory.UOP, pop_next=True)
    builder.finish()
    return builder.build()


@settings(deadline=None, max_examples=40)
@given(pipelines(), st.sampled_from([DEFAULT, WIDE, SMALL]))
def test_it_agrees_with_its_twin(stream, config):
    timing = time_program(stream, config)
    start, finish = twin(stream, config)
    assert timing.start.tolist() == start
    assert timing.finish.tolist() == finish
    assert np.all(np.diff(timing.chunks, axis=1) > 0)
