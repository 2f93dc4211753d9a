"""Every fault that a program can have, planted in one that is right, and what the simulator says about it."""

from dataclasses import replace

import numpy as np
import pytest
from vta_programs import INPUTS, OUTPUTS, SMALL, changed, layer, memory_of, twin

from intarsia.targets.vta import (
    Alu,
    AluOp,
    Finish,
    Gemm,
    Load,
    Memory,
    SimulationError,
    Store,
    Stream,
    VtaConfig,
    describe,
    simulate,
)


def message(stream, *, memory=None, config=SMALL, **options):
    with pytest.raises(SimulationError) as caught:
        simulate(stream, memory_of(config) if memory is None else memory, config, **options)
    return str(caught.value)


def test_the_program_is_right_before_a_fault_is_planted():
    memory = memory_of(SMALL)
    expected = twin(Stream.of(*layer()), memory.copy(), SMALL)
    result = simulate(Stream.of(*layer()), memory, SMALL)
    assert np.array_equal(memory, expected)
    assert (result.gemm_calls, result.reset_calls, result.alu_operations) == (2, 2, 2)
    assert (result.loaded_bytes, result.stored_bytes) == (4 * 4 + 2 * 8 + 2 * 8, 2 * 4)


ONE_FIELD = {
    "a token too few": (
        2,
        {"push_next": False},
        4,
        (
            "deadlock: compute waits at instruction 4 for a token from load to compute; store waits at "
            "instruction 6 for a token from compute to store"
        ),
    ),
    "a token too many": (1, {"push_next": True}, 7, "tokens are left behind: 1 from load to compute"),
    "finish does not wait": (7, {"pop_next": False}, 7, "tokens are left behind: 1 from store to compute"),
    "a token from nobody": (1, {"pop_prev": True}, 1, "pop_prev names a unit before this one, and there is none"),
    "sram": (
        1,
        {"sram_base": 15},
        1,
        (
            "outside the 16 elements of INP on chip: sram_base 15, y_size 1, x_size 2, y_pad_0 0, y_pad_1 0, "
            "x_pad_0 0, x_pad_1 0"
        ),
    ),
    "dram": (
        1,
        {"dram_base": 8191},
        1,
        (
            "outside the 65536 bytes of memory (INP elements have 8 bytes): dram_base 8191, y_size 1, x_size 2, "
            "x_stride 2"
        ),
    ),
    "store with padding": (
        6,
        {"x_pad_1": 1},
        6,
        "a STORE takes no padding: y_pad_0 0, y_pad_1 0, x_pad_0 0, x_pad_1 1",
    ),
    "weights with padding": (
        2,
        {"y_pad_0": 1},
        2,
        "weights and micro-operations are never padded: y_pad_0 1, y_pad_1 0, x_pad_0 0, x_pad_1 0",
    ),
    "no rows": (1, {"y_size": 0}, 1, "y_size 0 never ends in the RTL: x_size 2, y_size 0"),
    "no operation": (
        4,
        {"iter_in": 0},
        4,
        ("a GEMM or ALU without an operation never ends in the RTL: iter_out 1, iter_in 0, uop_begin 0, uop_end 2"),
    ),
    "too many uops": (4, {"uop_end": 33}, 4, "the core holds 32 micro-operations: uop_end 33"),
    "uop never loaded": (4, {"uop_end": 5}, 4, "reads what was never written: UOP 4"),
    "input never loaded": (4, {"src_in": 1, "iter_in": 2}, 4, "reads what was never written: INP 2"),
    "weight never loaded": (4, {"wgt_out": 1, "iter_out": 2}, 4, "reads what was never written: WGT 2"),
    "missing reset": (3, {"uop_end": 1}, 4, "reads what was never written: ACC 1"),
    "acc index": (4, {"dst_in": 15, "iter_in": 2}, 4, "an index wraps in the RTL: ACC 16, of 16 elements on chip"),
    "inp index": (4, {"src_out": 8, "iter_out": 3}, 4, "an index wraps in the RTL: INP 16, of 16 elements on chip"),
    "MUL": (5, {"alu_op": AluOp.MUL}, 5, "the RTL has no MUL: alu_op 4"),
    "ALU with reset": (5, {"reset": True}, 5, "an ALU instruction has no reset: reset 1"),
    "shift amount": (5, {"imm": 32}, 5, "the RTL shifts by 5 bits of imm only, from -31 to 31: imm 32"),
    "ALU factors": (
        5,
        {"src_in": 0},
        5,
        (
            "with an immediate the RTL reads acc[src] and the simulator acc[dst]: the factors must be equal: "
            "dst_in 1, src_in 0"
        ),
    ),
    "imm without use_imm": (5, {"use_imm": False}, 5, "an imm without use_imm decides the RTL's shift: imm 3"),
    "dependent at once": (
        5,
        {"dst_in": 0, "src_in": 0},
        5,
        "the RTL's ALU does not see what the micro-operation before wrote: ACC 0, micro-operation 2",
    ),
    "8-bit accumulators": (0, {"memory": Memory.ACC_8BIT}, 0, "the RTL has no ACC_8BIT memory: memory 5"),
    "out cannot be loaded": (0, {"memory": Memory.OUT}, 0, "a LOAD cannot fill the OUT memory: memory 4"),
    "only out is stored": (6, {"memory": Memory.ACC}, 6, "a STORE empties only the OUT memory: memory 3"),
    "stored before it is there": (6, {"sram_base": 1}, 6, "reads what was never written: ACC 2"),
}
"""Instruction of ``layer`` and its changed fields; instruction named, and what is said of it."""


@pytest.mark.parametrize("fault", ONE_FIELD)
def test_one_field_changed(fault):
    index, fields, where, text = ONE_FIELD[fault]
    stream = changed(layer(), index, **fields)
    assert message(stream) == f"instruction {where} ({' '.join(describe(stream[where]).split())}): {text}"


def test_the_whole_text_of_an_error():
    assert message(changed(layer(), 1, dram_base=8191)) == (
        "instruction 1 (load.inp sram 0 dram 8191 rows 1x2 stride 2): outside the 65536 bytes of memory "
        "(INP elements have 8 bytes): dram_base 8191, y_size 1, x_size 2, x_stride 2"
    )


def test_alu_operations_depend_on_their_neighbours_only():
    simulate(changed(layer(), 5, iter_out=2), memory_of(SMALL), SMALL)


def test_an_alu_whose_uop_has_a_weight():
    stream = changed(layer(), 5, uop_begin=1, uop_end=2, iter_in=1)
    simulate(stream, memory_of(SMALL), SMALL)
    few = replace(SMALL, log_inp_buffer=6)
    assert message(stream, config=few) == (
        "instruction 5 (alu.shr uop 1:2 loop 1x1 dst 0,1 src 0,1 imm 3 [push store]): with fewer inputs than "
        "accumulators the RTL takes wgt for high bits of an ALU's source: micro-operation 1 has wgt 1"
    )


def test_an_immediate_wants_equal_indices():
    memory = memory_of(SMALL, uops=((0, 0, 0), (1, 1, 1), (0, 1, 0), (1, 1, 0)))
    assert message(Stream.of(*layer()), memory=memory) == (
        "instruction 5 (alu.shr uop 2:3 loop 1x2 dst 0,1 src 0,1 imm 3 [push store]): with an immediate the RTL reads "
        "acc[src] and the simulator acc[dst]: they must be equal: micro-operation 2 has src 1"
    )


def test_a_register_shifts_right_only():
    program = layer()
    minus = Alu(alu_op=AluOp.MIN, use_imm=True, imm=-1, uop_begin=2, uop_end=3, iter_out=1, iter_in=1)
    shift = Alu(alu_op=AluOp.SHR, uop_begin=2, uop_end=3, iter_out=1, iter_in=1)
    stream = Stream.of(*program[:5], minus, shift, *program[5:])
    assert "by a register the RTL shifts right by 0 to 31 only: ACC 0 holds -" in message(stream)


def test_no_finish():
    assert message(Stream.of(*layer()[:-1])) == "instruction 7: the program has no FINISH"


def test_store_after_finish():
    store = Store(memory=Memory.OUT, dram_base=OUTPUTS // SMALL.out_bytes, y_size=1, x_size=1, x_stride=1)
    assert message(Stream.of(*layer(), store)) == (
        "instruction 8 (store sram 0 dram 8192 rows 1x1 stride 1): an instruction stands after FINISH"
    )


def test_finish_waits_for_one_store_but_not_for_the_next():
    program = layer()
    again = Store(memory=Memory.OUT, dram_base=OUTPUTS // SMALL.out_bytes, y_size=1, x_size=2, x_stride=2)
    assert message(Stream.of(*program[:7], again, program[7])) == (
        "instruction 8 (finish [pop store]): FINISH does not wait for the STORE: instruction 7"
    )


def test_accumulators_that_were_loaded_are_not_in_the_out_buffer():
    program = layer()
    program[5] = Load(memory=Memory.ACC, dram_base=1024, y_size=1, x_size=2, x_stride=2, push_next=True)
    assert message(Stream.of(*program)) == (
        "instruction 6 (store sram 0 dram 8192 rows 1x2 stride 2 [pop compute] [push compute]): the RTL stores the out "
        "buffer, which only an ALU or a GEMM without reset writes: ACC 0 was last written by instruction 5"
    )


def test_accumulators_that_were_reset_are_not_in_the_out_buffer():
    program = layer()
    program[5] = Gemm(reset=True, uop_begin=0, uop_end=2, iter_out=1, iter_in=1, push_next=True)
    assert "ACC 0 was last written by instruction 5" in message(Stream.of(*program))


def test_a_load_over_inputs_that_are_still_read():
    program = layer()
    over = Load(memory=Memory.INP, sram_base=1, dram_base=INPUTS // SMALL.inp_bytes, y_size=1, x_size=1, x_stride=1)
    assert message(Stream.of(*program[:5], over, *program[5:])) == (
        "instruction 5 (load.inp sram 1 dram 512 rows 1x1 stride 1): no token orders this write and the read of: "
        "INP 1 by instruction 4"
    )


def test_a_product_of_inputs_that_are_still_loaded():
    program = layer()
    late = Load(memory=Memory.INP, sram_base=1, dram_base=INPUTS // SMALL.inp_bytes, y_size=1, x_size=1, x_stride=1)
    assert message(Stream.of(*program[:3], late, *program[3:])) == (
        "instruction 5 (gemm uop 0:2 loop 1x1 dst 0,0 src 0,0 wgt 0,0 [pop load]): no token orders this read and the "
        "write of: INP 1 by instruction 3"
    )


def test_a_reset_of_what_is_still_stored():
    program = layer()
    reset = Gemm(reset=True, uop_begin=1, uop_end=2, iter_out=1, iter_in=1)
    assert message(Stream.of(*program[:7], reset, program[7])) == (
        "instruction 7 (reset uop 1:2 loop 1x1 dst 0,0 src 0,0 wgt 0,0): no token orders this write and the read of: "
        "ACC 1 by instruction 6"
    )


def test_a_store_of_what_is_still_computed():
    program = layer()
    more = Gemm(uop_begin=0, uop_end=1, iter_out=1, iter_in=1)
    assert message(Stream.of(*program[:6], more, *program[6:])) == (
        "instruction 7 (store sram 0 dram 8192 rows 1x2 stride 2 [pop compute] [push compute]): no token orders this "
        "read and the write of: ACC 0 by instruction 6"
    )


def test_a_load_of_memory_that_is_still_stored():
    program = layer()
    back = Load(memory=Memory.INP, sram_base=4, dram_base=OUTPUTS // SMALL.inp_bytes, y_size=1, x_size=1, x_stride=1)
    assert message(Stream.of(*program[:7], back, program[7])) == (
        "instruction 7 (load.inp sram 4 dram 4096 rows 1x1 stride 1): no token orders this access to memory and that "
        "of: instruction 6"
    )


def test_a_load_of_memory_after_its_store():
    program = layer()
    program[7] = Load(memory=Memory.ACC, dram_base=OUTPUTS // 16, y_size=1, x_size=1, x_stride=1, pop_next=True)
    simulate(Stream.of(*program, Finish()), memory_of(SMALL), SMALL)


def test_more_than_255_tokens():
    pushes = [Load(memory=Memory.INP, push_next=True)] * 256
    pops = [Load(memory=Memory.UOP, pop_prev=True)] * 256
    assert message(Stream.of(*pushes, *pops, Finish())) == (
        "instruction 255 (load.inp tokens only [push compute]): "
        "the queue from load to compute may hold more than 255 tokens and lose one"
    )
    assert simulate(Stream.of(*pushes[1:], *pops[1:], Finish()), memory_of(SMALL), SMALL).instructions == 511


def test_tokens_that_pile_up_only_in_a_slow_execution():
    pair = [Load(memory=Memory.INP, push_next=True), Load(memory=Memory.UOP, pop_prev=True)]
    assert "may hold more than 255 tokens" in message(Stream.of(*pair * 256, Finish()))


def test_a_full_queue_stops_fetch():
    waiting = [Load(memory=Memory.INP, pop_next=True), *[Load(memory=Memory.INP)] * 512]
    rest = [Load(memory=Memory.UOP, push_prev=True), Finish()]
    assert message(Stream.of(*waiting, *rest)) == (
        "instruction 0 (load.inp tokens only [pop compute]): deadlock: load waits at instruction 0 for a token from "
        "compute to load; compute waits at instruction 513 for fetch, which stops at instruction 512 before a full "
        "queue"
    )
    assert simulate(Stream.of(*waiting[:-1], *rest), memory_of(SMALL), SMALL).instructions == 514


def test_an_alu_of_several_rows_where_only_the_rtl_counts():
    assert message(Stream.of(*layer()), strict_rtl=True) == (
        "instruction 5 (alu.shr uop 2:3 loop 1x2 dst 0,1 src 0,1 imm 3 [push store]): "
        "the RTL's ALU serves row 0 only, and BATCH is 2"
    )
    config = VtaConfig()
    simulate(Stream.of(*layer(config)), memory_of(config), config, strict_rtl=True)


def test_a_stale_accumulator_is_a_wrong_value():
    """A forgotten reset of an accumulator that an earlier tile used is no fault of the program: the bytes differ."""
    program = layer()
    twice = [*program[:6], *program[3:7], program[7]]
    twice[5] = Gemm(uop_begin=2, uop_end=4, iter_out=1, iter_in=1)
    twice[7] = Gemm(uop_begin=0, uop_end=2, iter_out=1, iter_in=1)
    good, bad = memory_of(SMALL), memory_of(SMALL)
    simulate(Stream.of(*twice), good, SMALL)
    simulate(Stream.of(*twice[:6], *twice[7:]), bad, SMALL)
    assert not np.array_equal(good, bad)


def test_memory_is_bytes():
    with pytest.raises(ValueError, match=r"memory is a contiguous uint8 vector, not int8 \[8\]"):
        simulate(Stream.of(Finish()), np.zeros(8, np.int8), SMALL)
