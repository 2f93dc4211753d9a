"""Instructions and micro-operations survive the way to bytes and back; what does not fit is named."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vta_programs import layer

from intarsia.ground import InputError
from intarsia.targets.vta import (
    COLUMN,
    COLUMNS,
    AluOp,
    Gemm,
    Load,
    Memory,
    Opcode,
    Stream,
    StreamBuilder,
    VtaConfig,
    decode,
    decode_uops,
    encode,
    encode_uops,
)
from intarsia.targets.vta.isa import instruction_fields, uop_fields

LIMITS = {"memory": max(Memory), "alu_op": max(AluOp)}


@st.composite
def configs(draw):
    batch, inner, outer = (draw(st.integers(0, 4)) for _ in range(3))
    acc = draw(st.integers(1, 11))
    inp = draw(st.integers(1, 11))
    wgt = draw(st.integers(1, 32 - acc - max(acc, inp)))
    return VtaConfig(
        log_batch=batch,
        log_block_in=inner,
        log_block_out=outer,
        log_uop_buffer=2 + draw(st.integers(1, 13)),
        log_inp_buffer=inp + batch + inner,
        log_wgt_buffer=wgt + inner + outer,
        log_acc_buffer=acc + batch + outer + 2,
    )


@st.composite
def streams(draw, config):
    rows = []
    for opcode in draw(st.lists(st.sampled_from(Opcode), max_size=6)):
        row = [0] * len(COLUMNS)
        for field in instruction_fields(opcode, config):
            row[COLUMN[field.name]] = draw(st.integers(field.low, LIMITS.get(field.name, field.high)))
        row[0] = opcode
        rows.append(row)
    return Stream(np.array(rows, dtype=np.int64).reshape(-1, len(COLUMNS)))


@settings(deadline=None)
@given(st.data())
def test_streams_survive(data):
    config = data.draw(configs())
    stream = data.draw(streams(config))
    program = encode(stream, config)
    assert len(program) == 16 * len(stream)
    assert decode(program, config) == stream
    assert Stream.of(*stream) == stream


@settings(deadline=None)
@given(st.data())
def test_uops_survive(data):
    config = data.draw(configs())
    columns = [data.draw(st.lists(st.integers(0, f.high), min_size=3, max_size=3)) for f in uop_fields(config)]
    uops = encode_uops(*columns, config)
    assert uops.dtype == np.uint32
    assert [column.tolist() for column in decode_uops(uops, config)] == columns


@pytest.mark.parametrize("config", [VtaConfig(), VtaConfig.named("batch16")])
def test_fields_do_not_overlap_and_fit(config):
    for opcode in Opcode:
        used = [bit for f in instruction_fields(opcode, config) for bit in range(f.start, f.start + f.width)]
        assert len(set(used)) == len(used)
        assert max(used) < 128
        crossing = [f for f in instruction_fields(opcode, config) if f.start < 64 < f.start + f.width]
        assert not crossing


def test_bits_of_a_load():
    """The layout of ``VTAMemInsn``, written out by hand."""
    load = Load(
        memory=Memory.INP, sram_base=0x1234, dram_base=0x89ABCDEF, y_size=3, x_size=5, x_stride=7,
        y_pad_0=1, y_pad_1=2, x_pad_0=3, x_pad_1=4, pop_next=True, push_next=True,
    )  # fmt: skip
    low = 0 | 1 << 4 | 1 << 6 | 2 << 7 | 0x1234 << 10 | 0x89ABCDEF << 26
    high = 3 | 5 << 16 | 7 << 32 | 1 << 48 | 2 << 52 | 3 << 56 | 4 << 60
    assert encode(Stream.of(load), VtaConfig()) == low.to_bytes(8, "little") + high.to_bytes(8, "little")


def test_bits_of_a_gemm():
    """The layout of ``VTAGemInsn`` at the default depths, written out by hand."""
    gemm = Gemm(
        reset=True, uop_begin=1, uop_end=8192, iter_out=3, iter_in=16383, dst_out=1, dst_in=2, src_out=3, src_in=4,
        wgt_out=5, wgt_in=6, pop_prev=True, push_prev=True,
    )  # fmt: skip
    low = 2 | 1 << 3 | 1 << 5 | 1 << 7 | 1 << 8 | 8192 << 21 | 3 << 35 | 16383 << 49
    high = 1 | 2 << 11 | 3 << 22 | 4 << 33 | 5 << 44 | 6 << 54
    assert encode(Stream.of(gemm), VtaConfig()) == low.to_bytes(8, "little") + high.to_bytes(8, "little")


def test_the_builder_makes_the_same_stream():
    builder = StreamBuilder()
    config = VtaConfig()
    builder.load(Memory.UOP, x_size=4)
    builder.load(Memory.INP, dram_base=256, x_size=2)
    last = builder.load(Memory.WGT, dram_base=32, x_size=2)
    builder.set(last, "push_next", 1)
    builder.gemm(uop_begin=0, uop_end=2, reset=True)
    builder.gemm(uop_begin=0, uop_end=2, pop_prev=True)
    builder.alu(AluOp.SHR, imm=3, uop_begin=2, uop_end=3, iter_in=2, dst_in=1, src_in=1, push_next=True)
    builder.store(dram_base=2048, x_size=2, pop_prev=True, push_prev=True)
    assert builder.finish(pop_next=True) == 7
    assert builder.build() == Stream.of(*layer(config))
    builder.extend(builder.build().table[:2])
    assert len(builder) == 10
    assert builder.build()[9] == layer(config)[1]


def refusal(stream, config=None):
    with pytest.raises(InputError) as caught:
        encode(stream, config or VtaConfig())
    return str(caught.value)


def test_a_value_that_does_not_fit():
    builder = StreamBuilder()
    builder.finish()
    builder.gemm(uop_begin=0, uop_end=1, dst_in=2048)
    assert refusal(builder.build()) == ("instruction 1: GEMM dst_in does not fit its 11 bits: 2048; allowed: 0 to 2047")
    assert "7 bits" in refusal(builder.build(), VtaConfig.named("batch16"))


def test_an_immediate_that_does_not_fit():
    builder = StreamBuilder()
    builder.alu(AluOp.ADD, uop_begin=0, uop_end=1, imm=-32769)
    assert refusal(builder.build()) == (
        "instruction 0: ALU imm does not fit its 16 bits: -32769; allowed: -32768 to 32767"
    )


def test_a_column_that_the_instruction_does_not_have():
    builder = StreamBuilder()
    builder.set(builder.finish(), "x_size", 1)
    assert refusal(builder.build()) == "instruction 0: FINISH x_size does not exist: 1; allowed: 0"


def test_an_unknown_code():
    builder = StreamBuilder()
    builder.set(builder.load(Memory.INP), "memory", 6)
    allowed = "0 UOP, 1 WGT, 2 INP, 3 ACC, 4 OUT, 5 ACC_8BIT"
    assert refusal(builder.build()) == f"instruction 0: unknown memory: 6; allowed: {allowed}"


def test_a_uop_that_does_not_fit():
    with pytest.raises(InputError) as caught:
        encode_uops([0, 2048], [0, 0], 0, VtaConfig())
    assert str(caught.value) == "micro-operation 1: dst does not fit its 11 bits: 2048; allowed: 0 to 2047"


BAD = {
    bytes(15): "program: a program is a whole number of instructions: 15 bytes; allowed: multiples of 16",
    bytes([7] + [0] * 15): "instruction 0: unknown opcode: 7; allowed: 0 LOAD, 1 STORE, 2 GEMM, 3 FINISH, 4 ALU",
    bytes([3] + [0] * 14 + [1]): "instruction 0: unused bits of FINISH are set: "
    "0x01000000000000000000000000000000; allowed: 0",
    bytes([0] * 7 + [4] + [0] * 8): "instruction 0: unused bits of LOAD are set: "
    "0x00000000000000000400000000000000; allowed: 0",
}


@pytest.mark.parametrize("program", BAD)
def test_a_program_that_is_none(program):
    with pytest.raises(InputError) as caught:
        decode(program, VtaConfig())
    assert str(caught.value) == BAD[program]
