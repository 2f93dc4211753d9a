"""Is every fault planted in an embedding, a layout or a program found: by the check, the simulator, the bits?"""

from dataclasses import replace

import numpy as np
import pytest
from hand_made import affine, aligned_conv, conv

from intarsia.embed.check import check, packings, replay
from intarsia.embed.embedding import Embedding
from intarsia.embed.fixed import fixed_embedding
from intarsia.embed.layout import layouts
from intarsia.ground import InputError
from intarsia.machines import find_instruction
from intarsia.operators import library
from intarsia.program import call_space
from intarsia.targets.vta import COLUMN, AluOp, Memory, Opcode, SimulationError, Stream, describe
from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.lowering.bias import bias_loops, fitted
from intarsia.targets.vta.lowering.bound import LowerBound
from intarsia.targets.vta.lowering.compiler import compile_space, make_plan, place_and_emit
from intarsia.targets.vta.lowering.cycles import Candidate
from intarsia.targets.vta.lowering.epilogue import Epilogue
from intarsia.targets.vta.lowering.tiling import Tiling
from intarsia.targets.vta.operator import CompiledOperator, Data

CONFIG = VtaConfig(log_block_in=2, log_block_out=2, log_inp_buffer=9, log_wgt_buffer=11, log_acc_buffer=10)
OPERATOR = library.conv2d(c=8, k=8, h=6, w=6, r=3, s=3, pad=1)
SIZES = {"oc.0": 1, "oh.0": 3, "ow.0": 6, "c.0": 1, "kh.0": 3, "kw.0": 3}


def space_and_tiling():
    space = call_space(fixed_embedding(OPERATOR, find_instruction("vta.gemm:1x4x4")))
    names = [loop.name for loop in (*space.parallel, *space.reduction)]
    return space, Tiling(tuple((n, SIZES[n]) for n in names), ("oc.0", "oh.0", "ow.0"))


@pytest.fixture(scope="module")
def program():
    """Two output channels' blocks by two halves of the image, each of two steps: four tiles, eight steps."""
    space, tiling = space_and_tiling()
    found = compile_space(space, [Candidate(tiling, 0, 0)], CONFIG, fitted(space, Epilogue()), seconds=60)
    assert found is not None
    return found


def run(program, *, seed=0):
    """With biases that do not drown the sums."""
    compiled = CompiledOperator(OPERATOR, program, (), LowerBound(0, 0, 0))
    data = compiled.seeded(seed)
    return compiled.run(Data(data.inputs, data.bias // 256))


def differs(program):
    """The program runs to its end, and some bits are wrong for one of a few inputs: clipping hides much."""
    return not all(run(program, seed=seed).correct for seed in range(6))


def refused(program):
    """What the simulator says."""
    with pytest.raises(SimulationError) as caught:
        run(program)
    return str(caught.value)


def changed(program, index, **fields):
    """One instruction with other fields."""
    table = program.stream.table.copy()
    for name, value in fields.items():
        table[index, COLUMN[name]] = value
    return replace(program, stream=Stream(table))


def without(program, *indices):
    return replace(program, stream=Stream(np.delete(program.stream.table, indices, axis=0)))


def where(program, opcode, **fields):
    """Indices of the instructions of this kind."""
    found = program.stream.column("opcode") == opcode
    for name, value in fields.items():
        found = found & (program.stream.column(name) == value)
    return np.flatnonzero(found).tolist()


def field(program, index, name):
    return int(program.stream.table[index, COLUMN[name]])


def text(program, index):
    return " ".join(describe(program.stream[index]).split())


def test_the_program_is_right_before_a_fault_is_planted(program):
    assert run(program).correct
    assert len(where(program, Opcode.GEMM, reset=1)) == 4
    assert program.plan.buffers.inp[1] == 2


# The embedding and the layout.


def test_lanes_that_move_between_two_calls():
    """In every second tap a channel sits one lane further."""
    embedding = aligned_conv(conv(c=16, oc=12, size=4))
    assert check(embedding).good
    moved = tuple(replace(f, value=affine("16*oc.0+oc.1-kh.0")) if f.axes == ("oc",) else f for f in embedding.flats)
    report = check(replace(embedding, flats=moved))
    assert not report.good
    (text_,) = [v for v in report.violations if v.startswith("one home: O[0, ") and "is accumulated in" in v]
    assert "kh.0=0" in text_
    assert "kh.0=1" in text_ or "kh.0=2" in text_


def test_a_lane_swapped_between_two_calls_in_the_layout(program):
    """The check's replay names the register; the program, packed like this, gives other bits."""
    embedding: Embedding = program.embeddings[0]
    packed = packings(embedding, layouts(embedding))
    weights = packed["w"].copy()
    weights[[0, 1], 5] = weights[[1, 0], 5]
    violations = replay(embedding, layouts(embedding), packed | {"w": weights})
    assert any(v.startswith("layout: w[1, 1] of vector 0 holds W[") and "asks for W[" in v for v in violations)

    (inp, (name, wgt)) = program.packings
    index = wgt.index.reshape(-1, 16).copy()
    index[[0, 1], 5] = index[[1, 0], 5]
    assert differs(replace(program, packings=(inp, (name, replace(wgt, index=index.reshape(-1))))))


def test_an_output_element_read_from_its_neighbour(program):
    index = program.output_index.copy()
    index[0, 0, 0, [2, 3]] = index[0, 0, 0, [3, 2]]
    assert differs(replace(program, output_index=index))


# Resets.


def test_a_missing_first_reset(program):
    first = where(program, Opcode.GEMM, reset=1)[0]
    told = refused(without(program, first))
    assert "reads what was never written: ACC 0" in told
    assert "(gemm " in told


def test_a_missing_later_reset(program):
    """The accumulators hold the tile before: nothing but the bits can tell."""
    later = where(program, Opcode.GEMM, reset=1)[2]
    sync = changed(program, later, opcode=Opcode.LOAD, memory=Memory.UOP, reset=0, x_size=0, y_size=1)
    columns = [COLUMN[n] for n in ("uop_begin", "uop_end", "iter_out", "iter_in", "dst_in")]
    sync.stream.table[later, columns] = 0
    assert differs(sync)


def test_a_reset_of_half_a_tile(program):
    first = where(program, Opcode.GEMM, reset=1)[0]
    count = field(program, first, "iter_in")
    assert f"reads what was never written: ACC {count - 1}" in refused(changed(program, first, iter_in=count - 1))


# Tokens.


def test_every_token_too_few(program):
    """Each push taken away, one at a time: the unit that waits for it is named."""
    planted = 0
    for name in ("push_prev", "push_next"):
        for index in np.flatnonzero(program.stream.column(name)).tolist():
            told = refused(changed(program, index, **{name: 0}))
            assert "deadlock: " in told
            assert " waits at instruction " in told
            planted += 1
    assert planted > 10


def test_every_token_too_many(program):
    """A second push by each instruction that has a neighbour there: it stays behind, or something runs too early."""
    neighbours = {Opcode.GEMM: ("push_prev", "push_next"), Opcode.ALU: ("push_prev", "push_next")}
    neighbours[Opcode.STORE] = ("push_prev",)
    planted = 0
    for index, opcode in enumerate(program.stream.column("opcode").tolist()):
        for name in neighbours.get(opcode, ()):
            if not field(program, index, name):
                told = refused(changed(program, index, **{name: 1}))
                assert "tokens are left behind: 1 from " in told
                planted += 1
    assert planted > 20


def test_every_wait_left_out(program):
    """A pop taken away leaves its token behind."""
    for name in ("pop_prev", "pop_next"):
        for index in np.flatnonzero(program.stream.column(name)).tolist():
            assert "tokens are left behind: 1 from " in refused(changed(program, index, **{name: 0}))


def test_a_hand_over_left_out_is_a_race(program):
    """Push and pop of the load after which a slot is filled again: the products may read either."""
    again = where(program, Opcode.LOAD, pop_next=1)[0]
    giver = max(i for i in where(program, Opcode.GEMM, push_prev=1) if i < again)
    told = refused(changed(changed(program, again, pop_next=0), giver, push_prev=0))
    assert "no token orders this write and the read of: " in told
    assert f"instruction {again} ({text(changed(program, again, pop_next=0), again)})" in told


# Stores and FINISH.


def test_a_store_after_finish(program):
    store = where(program, Opcode.STORE)[-1]
    table = np.concatenate([program.stream.table, program.stream.table[[store]]])
    told = refused(replace(program, stream=Stream(table)))
    assert told.startswith(f"instruction {len(table) - 1} (store ")
    assert told.endswith("): an instruction stands after FINISH")


def test_a_missing_store_leaves_the_filler(program):
    """Tokens in order, one row of the output never written."""
    store = where(program, Opcode.STORE)[0]
    empty = changed(program, store, x_size=0, y_size=1)
    assert differs(empty)
    output = run(empty).output
    assert (output == np.uint8(0xA5).astype(np.int8)).any()


def test_finish_does_not_wait_for_the_last_store(program):
    store = where(program, Opcode.STORE, push_prev=1)[-1]
    finish = where(program, Opcode.FINISH)[0]
    told = refused(changed(changed(program, store, push_prev=0), finish, pop_next=0))
    assert "FINISH does not wait for the STORE" in told


def test_a_store_one_tensor_off(program):
    store = where(program, Opcode.STORE)[1]
    assert differs(changed(program, store, dram_base=field(program, store, "dram_base") + 1))


# Buffers.


@pytest.mark.parametrize("operand", ["inp", "wgt", "acc"])
def test_slots_that_overlap(program, operand):
    space, tiling = space_and_tiling()
    plan = make_plan(space, CONFIG, tiling, fitted(space, Epilogue()), bias_loops(space))
    size, count = getattr(plan.buffers, operand)
    assert count == 2
    load = where(program, Opcode.LOAD, memory=Memory.INP)[0]
    used = field(program, load, "y_size") * field(program, load, "x_size") if operand == "inp" else size
    smaller = replace(plan.buffers, **{operand: (used - 1, count)})
    memory, emitted = place_and_emit(replace(plan, buffers=smaller))
    assert memory == program.memory
    overlapping = replace(program, stream=emitted.stream, uops=emitted.uops)
    told = refused(overlapping)
    assert "no token orders this write and the read of: " in told
    assert operand.upper() in told


def caught(program):
    """Refused by the simulator or the encoder, or wrong bits."""
    try:
        return differs(program)
    except (SimulationError, InputError):
        return True


def test_a_tile_loaded_one_tensor_too_far(program):
    load = where(program, Opcode.LOAD, memory=Memory.INP)[0]
    told = refused(changed(program, load, sram_base=field(program, load, "sram_base") + 1))
    assert "reads what was never written: INP 0" in told


# Arithmetic, micro-operations, addresses, digits.


@pytest.mark.parametrize("step", [-1, 1])
def test_a_wrong_shift(program, step):
    shift = where(program, Opcode.ALU, alu_op=AluOp.SHR)[0]
    assert differs(changed(program, shift, imm=8 + step))


@pytest.mark.parametrize("bound", [AluOp.MAX, AluOp.MIN])
def test_a_bound_left_out(program, bound):
    index = where(program, Opcode.ALU, alu_op=bound)[0]
    assert differs(changed(program, index, imm={AluOp.MAX: -128, AluOp.MIN: 2047}[bound]))


@pytest.mark.parametrize("column", [0, 1, 2])
def test_every_wrong_micro_operation(program, column):
    """Each index of each micro-operation that a GEMM runs, one more than it was."""
    used = np.zeros(len(program.uops), dtype=bool)
    for index in where(program, Opcode.GEMM, reset=0):
        load = max(i for i in where(program, Opcode.LOAD, memory=Memory.UOP) if i < index)
        offset = (
            field(program, load, "dram_base") - program.memory.address("uop") // 4 - field(program, load, "sram_base")
        )
        begin, end = field(program, index, "uop_begin") + offset, field(program, index, "uop_end") + offset
        if begin >= 0:
            used[begin:end] = True
    assert used.sum() > 4
    for row in np.flatnonzero(used).tolist():
        uops = program.uops.copy()
        uops[row, column] += 1
        assert caught(replace(program, uops=uops)), f"micro-operation {row}"


@pytest.mark.parametrize("memory", [Memory.INP, Memory.WGT])
def test_a_load_stride_off_by_one(memory):
    space, tiling = space_and_tiling()
    narrow = {"ow.0": 3, "kw.0": 1} if memory == Memory.INP else {"kh.0": 2, "kw.0": 2}
    cut = replace(tiling, sizes=tuple((n, narrow.get(n, s)) for n, s in tiling.sizes))
    program = compile_space(space, [Candidate(cut, 0, 0)], CONFIG, fitted(space, Epilogue()), seconds=60)
    loads = [i for i in where(program, Opcode.LOAD, memory=memory) if field(program, i, "y_size") > 1]
    assert run(program).correct
    assert loads
    for load in loads[:4]:
        assert caught(changed(program, load, x_stride=field(program, load, "x_stride") + 1))


@pytest.mark.parametrize("memory", [Memory.INP, Memory.WGT])
def test_every_load_from_the_neighbour(program, memory):
    for load in where(program, Opcode.LOAD, memory=memory):
        assert caught(changed(program, load, dram_base=field(program, load, "dram_base") + 1)), text(program, load)


def test_a_wrong_digit_of_the_constant(program):
    ((name, raw),) = program.constants
    wrong = raw.copy()
    wrong[0] += 1
    assert differs(replace(program, constants=((name, wrong),)))


def test_biases_of_two_channels_swapped(program):
    """Each digit right, in the wrong lane."""
    index = program.bias.index
    swapped = np.where(index == 0, 1, np.where(index == 1, 0, index))
    assert differs(replace(program, bias=replace(program.bias, index=swapped)))


def test_digits_without_their_carry(program, monkeypatch):
    from intarsia.targets.vta.lowering import program as module

    right = module.bias_weights

    def wrong(bias, lanes):
        digits = right(bias, lanes)
        digits[..., 0] = 0
        return digits

    monkeypatch.setattr(module, "bias_weights", wrong)
    assert differs(program)
