"""Are programs right where something was once wrong, or where every field is at its limit?"""

import random
from dataclasses import replace

import numpy as np
import pytest
from fuzz_cases import random_tiling, reference, tiled
from hand_made import flat, fused_conv, loops, skewed_depthwise

from intarsia.embed.check import check
from intarsia.embed.embedding import Embedding
from intarsia.embed.fixed import fixed_embedding
from intarsia.ground import InputError
from intarsia.machines import find_instruction
from intarsia.operators import library, parse_operator, random_inputs
from intarsia.program import call_space
from intarsia.targets.vta import Memory, Opcode, decode, simulate
from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.lowering.bias import bias_loops, bias_shape, fitted
from intarsia.targets.vta.lowering.compiler import make_plan
from intarsia.targets.vta.lowering.cycles import candidates
from intarsia.targets.vta.lowering.epilogue import Epilogue, reach
from intarsia.targets.vta.lowering.tiling import Tiling
from intarsia.targets.vta.operator import Data, compile_operator, epilogue_for

SMALL = VtaConfig(log_block_in=2, log_block_out=2, log_inp_buffer=8, log_wgt_buffer=10, log_acc_buffer=10)
"""A 1x4x4 core with 64 inputs, 64 weights and 64 accumulators."""

SMALL_BATCH = replace(SMALL, log_batch=2, log_inp_buffer=10, log_acc_buffer=12)
"""The same with four rows."""


def gemm_of(config):
    return find_instruction(f"vta.gemm:{config.batch}x{config.block_in}x{config.block_out}")


def plan_of(embedding, config, tiling=None, epilogue=Epilogue()):  # noqa: B008 (a frozen value)
    space = call_space(embedding)
    own = fitted(space, epilogue)
    loops_ = bias_loops(space) if own is not None and own.bias != "none" else ()
    return space, own, loops_, tiling or candidates(space, config, own, loops_, 1)[0].tiling


def whole(space, **sizes):
    """One tile, but for the loops named."""
    every = (*space.parallel, *space.reduction)
    order = tuple(loop.name for loop in space.parallel)
    return Tiling(tuple((loop.name, sizes.get(loop.name, loop.extent)) for loop in every), order)


def runs(program, operator, *, seed=0, largest=1 << 14):
    """Bit for bit like the interpreter and the epilogue in plain integers; returns the stream."""
    inputs = random_inputs(operator, seed)
    bias = None
    if program.bias is not None:
        generator = np.random.default_rng(seed)
        bias = generator.integers(-largest, largest, bias_shape(operator, 0), dtype=np.int64, endpoint=True)
        bias.flat[0], bias.flat[-1] = largest, -largest
        bias = bias.astype(np.int32)
    shift = None if program.epilogue is None else program.epilogue.shift
    memory = program.image(inputs, bias)
    simulate(program.stream, memory, program.config)
    assert np.array_equal(program.unpack(memory), reference(operator, inputs, bias, shift))
    assert decode(program.program(), program.config) == program.stream
    return program.stream


def compiled(embedding, config, tiling=None, epilogue=Epilogue()):  # noqa: B008 (a frozen value)
    space, own, loops_, chosen = plan_of(embedding, config, tiling, epilogue)
    program = tiled(space, chosen, config, own, loops_)
    assert program is not None, "the tiling does not fit"
    return program


def some(embedding, config, epilogue):
    """The program of some tiling that fits, quickly."""
    space, chance = call_space(embedding), random.Random(0)
    own = fitted(space, epilogue)
    program = None
    while program is None:
        program = tiled(space, random_tiling(chance, space), config, own, bias_loops(space))
    return program


SIZES = {"h": 6, "w": 5, "r": 3, "s": 3}
KINDS = {
    "conv": library.conv2d(c=5, k=9, pad=1, **SIZES),
    "conv1d": library.conv1d(c=5, k=9, w=11, s=3, stride=2),
    "conv3d": library.conv3d(c=2, k=3, d=3, t=2, pad=1, **SIZES),
    "dilated, asymmetric": library.conv2d(c=3, k=5, dilation=(1, 2), pad=(0, 2, 3, 1), **SIZES),
    "grouped": library.conv2d(n=2, c=6, k=9, groups=3, pad=1, **SIZES),
    "depthwise": library.depthwise(c=5, m=2, pad=1, **SIZES),
    "transposed": library.deconv2d(c=5, k=6, stride=2, pad=1, **SIZES),
    "prime sizes": library.gemm(m=13, n=17, k=19),
    "batched": library.matmul(m=5, n=6, k=7, batch=(2, 3), batch_b=(1, 3)),
    "scores": library.scores(heads=4, kv_heads=2, q=5, k=6, d=7),
    "values": library.values(heads=4, kv_heads=2, q=5, k=6, d=7),
    "einsum": library.einsum("abij,bjk->aik", [[2, 3, 4, 5], [3, 5, 6]], constant=("B",)),
    "one element": library.gemm(m=1, n=1, k=1),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_operator(name):
    operator = KINDS[name]
    found = compile_operator(operator, [fixed_embedding(operator, gemm_of(SMALL))], SMALL, tilings=2)
    runs(found.program, operator)
    assert found.run(found.seeded(1)).correct
    assert found.bound.cycles <= found.program.timing.cycles


@pytest.mark.parametrize("shift", range(16))
def test_every_shift(shift):
    operator = KINDS["prime sizes"]
    runs(some(fixed_embedding(operator, gemm_of(SMALL)), SMALL, Epilogue(shift=shift)), operator)


@pytest.mark.parametrize("core", [(0, 3, 1), (0, 1, 3), (1, 2, 3), (4, 2, 2), (0, 0, 0), (4, 0, 4), (2, 5, 0)])
@pytest.mark.parametrize("name", ["conv", "grouped", "transposed", "batched"])
def test_every_shape_of_core(name, core):
    batch, block_in, block_out = core
    config = VtaConfig(
        log_batch=batch,
        log_block_in=block_in,
        log_block_out=block_out,
        log_inp_buffer=batch + block_in + 6,
        log_wgt_buffer=block_in + block_out + 6,
        log_acc_buffer=batch + block_out + 2 + 6,
        log_uop_buffer=7,
    )
    operator = KINDS[name]
    epilogue = epilogue_for(operator, config, shift=8, largest_bias=1 << 14)
    runs(some(fixed_embedding(operator, gemm_of(config)), config, epilogue), operator)


@pytest.mark.parametrize("embedding", [fused_conv, skewed_depthwise], ids=["fused", "skewed"])
@pytest.mark.parametrize("bias", ["wgt", "acc", "none"])
def test_flattened_and_skewed_embeddings(embedding, bias):
    chosen = embedding()
    program = compiled(chosen, VtaConfig.default(), epilogue=Epilogue(bias=bias))
    runs(program, chosen.operator)


@pytest.mark.parametrize(
    ("largest", "kind"), [(100, "wgt"), (reach(4), "wgt"), (reach(4) + 1, "acc"), (2**31 - 1, "acc")]
)
def test_biases_on_both_sides_of_the_reach(largest, kind):
    operator = KINDS["conv"]
    embedding = fixed_embedding(operator, gemm_of(SMALL))
    found = compile_operator(operator, [embedding], SMALL, largest_bias=largest, tilings=2)
    assert found.program.epilogue.bias == kind
    runs(found.program, operator, largest=largest)


def test_a_bias_beyond_what_was_compiled_is_refused():
    operator = KINDS["conv"]
    found = compile_operator(operator, [fixed_embedding(operator, gemm_of(SMALL))], SMALL, tilings=2)
    data = found.seeded(0)
    large = data.bias.copy()
    large[3] = -(reach(4) + 1)
    with pytest.raises(InputError, match="a bias is beyond what this program can add") as caught:
        found.run(Data(data.inputs, large))
    assert f"{reach(4) + 1}" in str(caught.value)
    assert "compile with largest_bias" in str(caught.value)


def test_biases_that_belong_to_rows():
    """Output channels on the batch axis: the bias is added from the input buffer."""
    operator = library.einsum("ij,kjl->ikl", [[4, 6], [9, 6, 5]], constant=("B",))
    embedding = Embedding(
        operator,
        0,
        gemm_of(SMALL_BATCH),
        (("o", "O"), ("i", "B"), ("w", "A")),
        loops("i.0:4 k.0:9 l.0:2 j.0:6", b="l.1:4"),
        (flat("i", [4], "i.0"), flat("k", [9], "k.0"), flat("l", [5], "4*l.0+l.1"), flat("j", [6], "j.0")),
    )
    assert check(embedding).good
    program = compiled(embedding, SMALL_BATCH)
    assert program.epilogue.bias == "inp"
    runs(program, operator)


def test_biases_that_belong_to_rows_and_columns():
    """Both factors are constant, so every element of the result has its own bias: it is kept in accumulators."""
    operator = library.einsum("ij,jk->ik", [[9, 6], [6, 7]], constant=("A", "B"))
    program = compiled(fixed_embedding(operator, gemm_of(SMALL_BATCH)), SMALL_BATCH)
    assert program.epilogue.bias == "acc"
    runs(program, operator)


def test_an_output_without_an_epilogue_keeps_its_low_bits():
    operator = library.gemm(m=9, n=10, k=11, dtypes=("int8", "int8", "int8"))
    embedding = fixed_embedding(operator, gemm_of(SMALL), dtypes="ignore")
    found = compile_operator(operator, [embedding], SMALL, tilings=2)
    assert found.program.epilogue is None
    runs(found.program, operator)
    assert found.run(found.seeded(1)).correct


def test_a_tile_that_fills_the_accumulators():
    """dst_out would be the depth itself, which its field does not hold."""
    config = replace(SMALL, log_acc_buffer=7)
    operator = library.einsum("ij,jk->ik", [[8, 4], [4, 4]], constant=("B",))
    embedding = fixed_embedding(operator, gemm_of(config))
    space = call_space(embedding)
    program = compiled(embedding, config, whole(space))
    assert config.acc_depth == 8 == program.plan.buffers.acc[0]
    runs(program, operator)


def test_more_micro_operations_in_a_step_than_the_core_holds():
    """Many kinds of border in one tile: each instruction brings in its own."""
    config = replace(VtaConfig.default(), log_uop_buffer=5)
    operator = library.conv2d(c=3, k=20, h=7, w=7, r=5, s=5, pad=2)
    program = compiled(fixed_embedding(operator, gemm_of(config)), config)
    space = program.plan.space
    program = compiled(program.embeddings[0], config, whole(space))
    stream = runs(program, operator)
    assert (stream.column("uop_end") <= config.uop_depth).all()


@pytest.mark.parametrize("log_uop_buffer", [3, 4, 6])
def test_a_tiny_buffer_of_micro_operations(log_uop_buffer):
    config = replace(SMALL, log_uop_buffer=log_uop_buffer)
    operator = KINDS["conv"]
    found = compile_operator(operator, [fixed_embedding(operator, gemm_of(config))], config, tilings=2)
    runs(found.program, operator)


def backwards(operator, loop, value):
    """The fixed embedding with one axis counted from its end."""
    embedding = fixed_embedding(operator, gemm_of(SMALL))
    axis = loop.partition(".")[0]
    flats = tuple(flat(axis, f.extents, value) if f.axes == (axis,) else f for f in embedding.flats)
    return replace(embedding, flats=flats)


@pytest.mark.parametrize("tile", [1, 2, 3, 5])
def test_a_loop_that_runs_backwards(tile):
    """Its tiles begin at no multiple of their size."""
    embedding = backwards(library.conv1d(c=3, k=5, w=9, s=5), "ow.0", "-ow.0+4")
    assert check(embedding).good
    runs(compiled(embedding, SMALL, whole(call_space(embedding), **{"ow.0": tile})), embedding.operator)


@pytest.mark.parametrize("tile", [1, 2, 3])
def test_a_transposed_convolution_of_one_pixel(tile):
    """The taps alone move the image, backwards."""
    operator = library.deconv1d(c=3, k=5, w=5, s=5, stride=1, pad=4)
    embedding = fixed_embedding(operator, gemm_of(SMALL))
    image = next(f for f in call_space(embedding).factors if f.layout.tensor.name == "I")
    assert ("jw.0", -1) in {move for moves in image.moves for move in moves}
    runs(compiled(embedding, SMALL, whole(call_space(embedding), **{"jw.0": tile})), operator)


def test_two_parallel_loops_that_overshoot_the_image():
    operator = library.conv1d(c=1, k=4, w=6, s=2)
    embedding = Embedding(
        operator,
        0,
        gemm_of(SMALL),
        (("o", "O"), ("i", "I"), ("w", "W")),
        loops("ow.0:4 ow.1:2 kw.0:2", n="oc.1:4"),
        (
            flat("n", [1], ""),
            flat("oc", [4], "oc.1"),
            flat("ow", [5], "ow.0+4*ow.1"),
            flat("c", [1], ""),
            flat("kw", [2], "kw.0"),
        ),
    )
    assert check(embedding).good
    space = call_space(embedding)
    for sizes in ({}, {"ow.0": 2}, {"ow.1": 1}, {"ow.0": 3, "ow.1": 1, "kw.0": 1}):
        runs(compiled(embedding, SMALL, whole(space, **sizes)), operator)


def test_an_instruction_of_one_lane():
    """More than 8192 calls of one lane each."""
    config = VtaConfig(log_block_in=0, log_block_out=0, log_inp_buffer=8, log_wgt_buffer=8, log_acc_buffer=10)
    operator = library.gemm(m=31, n=30, k=18)
    embedding = fixed_embedding(operator, gemm_of(config))
    assert check(embedding, method="replay").good
    runs(compiled(embedding, config, epilogue=Epilogue(bias="acc")), operator)


def test_an_operator_whose_every_call_reads_only_padding():
    """The bias alone remains: nothing is multiplied, and the only loads are those of the epilogue."""
    operator = library.conv1d(c=3, k=5, w=1, s=2, stride=5, pad=(2, 0))
    embedding = fixed_embedding(operator, gemm_of(SMALL))
    space = call_space(embedding)
    assert space.needed == 0
    stream = runs(compiled(embedding, SMALL), operator)
    loads = stream.column("opcode") == Opcode.LOAD
    assert set(stream.column("memory")[loads].tolist()) <= {Memory.UOP, Memory.WGT, Memory.INP}


def test_a_weight_read_from_a_diagonal():
    operator = parse_operator("""diagonal: m<7 n<6 ; k<5
  O:int32[7, 6] A:int8[7, 5] B:int8[5, 5, 6] const
  O[m, n] += A[m, k] * B[k, k, n]""")
    embedding = fixed_embedding(operator, gemm_of(SMALL))
    runs(compiled(embedding, SMALL), operator)


def test_all_slots_are_used_when_there_is_room():
    operator = library.conv2d(c=16, k=16, h=9, w=9, r=3, s=3, pad=1)
    embedding = fixed_embedding(operator, gemm_of(SMALL))
    space = call_space(embedding)
    tiling = replace(whole(space, **{"oh.0": 1, "c.0": 1, "kh.0": 1, "oc.0": 1}), slots=(60, 60, 3))
    own = fitted(space, Epilogue())
    plan = make_plan(space, SMALL, tiling, own, bias_loops(space))
    assert plan is not None
    assert plan.buffers.inp[1] > 2
    runs(compiled(embedding, SMALL, tiling), operator)


@pytest.mark.parametrize("seed", range(12))
def test_the_same_operator_under_any_tiling(seed):
    chance = random.Random(seed)
    operator = KINDS["dilated, asymmetric"]
    embedding = fixed_embedding(operator, gemm_of(SMALL))
    space, own, loops_, _ = plan_of(embedding, SMALL)
    every = (*space.parallel, *space.reduction)
    program = None
    while program is None:
        sizes = {loop.name: chance.randint(1, loop.extent) for loop in every}
        order = [loop.name for loop in space.parallel]
        chance.shuffle(order)
        program = tiled(space, Tiling(tuple(sizes.items()), tuple(order), (3, 5, 2)), SMALL, own, loops_)
    runs(program, operator, seed=seed)
