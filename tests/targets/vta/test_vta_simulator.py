"""The simulator does what its slow twin does, on random programs and cores."""

import subprocess
import sys

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from vta_programs import BIASES, INPUTS, OUTPUTS, SMALL, WEIGHTS, memory_of, serial, twin

from intarsia.targets.vta import Alu, AluOp, Gemm, Load, Memory, Store, VtaConfig, simulate

CORES = (SMALL, VtaConfig(log_inp_buffer=10, log_wgt_buffer=12, log_acc_buffer=12), VtaConfig.named("batch16"))
DEPTH = 16
"""Elements of each memory that the random programs use; every core has as many."""


def transfer(draw, limit):
    x_size, y_size = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    return {
        "x_size": x_size,
        "y_size": y_size,
        "x_stride": draw(st.integers(0, 5)),
        "sram_base": draw(st.integers(0, limit - x_size * y_size)),
    }


@st.composite
def loads(draw, config, memory):
    region = {
        Memory.INP: INPUTS // config.inp_bytes,
        Memory.WGT: WEIGHTS // config.wgt_bytes,
        Memory.ACC: BIASES // config.acc_bytes,
    }[memory]
    fields = transfer(draw, DEPTH)
    if memory != Memory.WGT and draw(st.booleans()):
        names = ("y_pad_0", "y_pad_1", "x_pad_0", "x_pad_1")
        fields |= {name: draw(st.integers(0, 1)) for name in names}
        fields |= {"x_size": 1, "y_size": 1, "sram_base": draw(st.integers(0, DEPTH - 9))}
    return Load(memory=memory, dram_base=region + draw(st.integers(0, 8)), **fields)


def loops(draw):
    begin = draw(st.integers(0, 7))
    return {
        "uop_begin": begin,
        "uop_end": draw(st.integers(begin + 1, 8)),
        "iter_out": draw(st.integers(1, 3)),
        "iter_in": draw(st.integers(1, 3)),
    }


def factors(draw, *names):
    return {f"{name}_{loop}": draw(st.integers(0, 2)) for name in names for loop in ("out", "in")}


@st.composite
def gemms(draw):
    return Gemm(reset=draw(st.booleans()), **loops(draw), **factors(draw, "dst", "src", "wgt"))


@st.composite
def alus(draw):
    """Operations that never meet themselves: the micro-operations 8 to 15 have distinct places."""
    begin = draw(st.integers(8, 14))
    operation = draw(st.sampled_from((AluOp.MIN, AluOp.MAX, AluOp.ADD, AluOp.SHR)))
    immediate = operation == AluOp.SHR or draw(st.booleans())
    imm = draw(st.integers(-31, 31) if operation == AluOp.SHR else st.integers(-(1 << 15), (1 << 15) - 1))
    places = {"uop_begin": begin, "uop_end": draw(st.integers(begin + 1, 15)), "iter_out": 1, "iter_in": 1}
    if not immediate:
        places = {name: value + 8 if name.startswith("uop") else value for name, value in places.items()}
    return Alu(alu_op=operation, use_imm=immediate, imm=imm if immediate else 0, **places)


@st.composite
def programs(draw, config):
    """Everything loaded and computed once, then anything in any order, then all that can be stored."""
    every = {"y_size": 1, "x_size": DEPTH, "x_stride": DEPTH}
    uops = Load(memory=Memory.UOP, y_size=1, x_size=24, x_stride=24)
    inputs = Load(memory=Memory.INP, dram_base=INPUTS // config.inp_bytes, **every)
    weights = Load(memory=Memory.WGT, dram_base=WEIGHTS // config.wgt_bytes, **every)
    biases = Load(memory=Memory.ACC, dram_base=BIASES // config.acc_bytes, **every)
    anything = st.one_of(
        *(loads(config, memory) for memory in (Memory.INP, Memory.WGT, Memory.ACC)), gemms(), gemms(), alus(), alus()
    )
    touch = Alu(alu_op=AluOp.ADD, use_imm=True, uop_begin=8, uop_end=9, iter_out=1, iter_in=DEPTH, dst_in=1, src_in=1)
    store = Store(memory=Memory.OUT, dram_base=OUTPUTS // config.out_bytes, **every)
    middle = draw(st.lists(anything, min_size=1, max_size=12))
    return serial([uops, inputs, weights, biases, *middle, touch, store])


def uops():
    """0 to 7 for GEMM, small numbers that the loops may add 8 to; 8 to 15 with src = dst; 16 to 23 without."""
    gemm = [(k % 8, (3 * k) % 8, (5 * k) % 8) for k in range(8)]
    immediate = [(k, k, 0) for k in range(8)]
    register = [(k, 15 - k, 0) for k in range(8)]
    return gemm + immediate + register


@settings(deadline=None, max_examples=60)
@given(st.data(), st.sampled_from(CORES), st.integers(0, 9))
def test_it_agrees_with_its_twin(data, config, seed):
    stream = data.draw(programs(config))
    memory = memory_of(config, seed, uops())
    expected = twin(stream, memory.copy(), config)
    simulate(stream, memory, config)
    assert np.array_equal(memory, expected)


def test_accumulators_wrap():
    config = SMALL
    memory = memory_of(config, uops=[(0, 0, 0)])
    memory[BIASES : BIASES + 16] = np.array([2**31 - 1, 127, -1, 256], dtype="<i4").view(np.uint8)
    stream = serial(
        [
            Load(memory=Memory.UOP, y_size=1, x_size=1, x_stride=1),
            Load(memory=Memory.ACC, dram_base=BIASES // 16, y_size=1, x_size=1, x_stride=1),
            Alu(alu_op=AluOp.ADD, use_imm=True, imm=1, uop_begin=0, uop_end=1, iter_out=1, iter_in=1),
            Alu(alu_op=AluOp.SHR, use_imm=True, imm=24, uop_begin=0, uop_end=1, iter_out=1, iter_in=1),
            Store(memory=Memory.OUT, dram_base=OUTPUTS // 4, y_size=1, x_size=1, x_stride=1),
        ]
    )
    simulate(stream, memory, config)
    assert memory[OUTPUTS : OUTPUTS + 4].view(np.int8).tolist() == [-128, 0, 0, 0]


def test_importing_the_room_does_not_import_the_compiler():
    code = "import sys, intarsia.targets.vta; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
