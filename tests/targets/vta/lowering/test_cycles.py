"""Do the figures that the search over tilings prunes and ranks with hold: the bound, what fits, the estimate?"""

import random
from itertools import product

import numpy as np
import pytest
from fuzz_cases import random_tiling
from fuzz_embeddings import random_embedding
from fuzz_operators import random_config, random_contraction

from intarsia.embed.fixed import fixed_embedding
from intarsia.machines import find_instruction
from intarsia.operators import library
from intarsia.program import call_space
from intarsia.targets.vta import time_program
from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.lowering import cycles
from intarsia.targets.vta.lowering.bias import bias_loops, fitted
from intarsia.targets.vta.lowering.compiler import make_plan, place_and_emit
from intarsia.targets.vta.lowering.cycles import candidates, tile_sizes
from intarsia.targets.vta.lowering.epilogue import Epilogue
from intarsia.targets.vta.lowering.figures import figures_of, per_output, work
from intarsia.targets.vta.lowering.pipeline import FIELDS
from intarsia.targets.vta.lowering.tiling import Tiling
from intarsia.targets.vta.operator import epilogue_for


@pytest.mark.parametrize("extent", [1, 2, 3, 7, 12, 28, 100, 223])
def test_one_tile_size_for_every_number_of_tiles(extent):
    sizes = tile_sizes(extent)
    assert sizes == sorted(set(sizes))
    smallest = {}
    for size in range(1, extent + 1):
        smallest.setdefault(-(-extent // size), size)
    assert sizes == sorted(smallest.values())


@pytest.mark.parametrize(
    ("epilogue", "expected"),
    [
        (None, 2),
        (Epilogue(), 5),
        (Epilogue(shift=0), 4),
        (Epilogue(bias="inp"), 5),
        (Epilogue(bias="acc"), 6),
        (Epilogue(bias="none"), 4),
    ],
)
def test_cycles_of_an_output_tensor(epilogue, expected):
    assert per_output(epilogue) == expected


def test_the_work_of_a_call_space():
    space = call_space(fixed_embedding(library.matmul(m=5, n=20, k=40), find_instruction("vta.gemm")))
    job = work(space, Epilogue())
    assert (job.outputs, job.calls, job.per_output, job.instructions) == (2 * 5, 2 * 5 * 3, 5, 5)
    assert job.compute == 30 + 50


def drawn(seed):
    """A call space, a core, an epilogue, and the loops of its bias."""
    chance = random.Random(seed)
    while True:
        config = random_config(chance)
        operator = random_contraction(chance)
        instruction = find_instruction(f"vta.gemm:{config.batch}x{config.block_in}x{config.block_out}")
        if chance.random() < 0.5:
            embedding = fixed_embedding(operator, instruction)
        else:
            embedding = random_embedding(chance, operator, instruction)
        if embedding is None or embedding.calls > 20_000:
            continue
        space = call_space(embedding)
        largest = chance.choice((100, 2**14, 2**31 - 1))
        epilogue = fitted(space, epilogue_for(operator, config, shift=chance.choice((0, 8)), largest_bias=largest))
        return chance, space, config, epilogue, bias_loops(space)


def figures(space, config, epilogue, loops, tilings, order, slots):
    """The figures of some tilings of one order and one choice of slots."""
    names = [loop.name for loop in (*space.parallel, *space.reduction)]
    column = {n: np.array([dict(t.sizes)[n] for t in tilings], dtype=np.int64) for n in names}
    return figures_of(space, config, epilogue, loops, column, order, slots)


@pytest.mark.parametrize("seed", range(60))
def test_no_program_is_faster_than_the_bound_of_its_tiling(seed):
    """Ten random tilings each, whatever is chosen afterwards."""
    chance, space, config, epilogue, loops = drawn(seed)
    for _ in range(10):
        tiling = random_tiling(chance, space)
        plan = make_plan(space, config, tiling, epilogue, loops)
        if plan is None:
            continue
        exact = time_program(place_and_emit(plan)[1].stream, config).cycles
        found = figures(space, config, epilogue, loops, [tiling], tiling.order, tiling.slots)
        assert found.bound[0] <= exact, (tiling, config)


def bounded(operator, config, sizes):
    """(bound, cycles) of the tiling with one tile along every loop but those named."""
    instruction = find_instruction(f"vta.gemm:{config.batch}x{config.block_in}x{config.block_out}")
    space = call_space(fixed_embedding(operator, instruction))
    epilogue = fitted(space, Epilogue())
    loops = (*space.parallel, *space.reduction)
    order = tuple(loop.name for loop in space.parallel)
    tiling = Tiling(tuple((loop.name, sizes.get(loop.name, loop.extent)) for loop in loops), order)
    plan = make_plan(space, config, tiling, epilogue, bias_loops(space))
    exact = time_program(place_and_emit(plan)[1].stream, config).cycles
    return figures(space, config, epilogue, bias_loops(space), [tiling], order, tiling.slots).bound[0], exact


def test_the_bound_does_not_count_steps_that_read_only_padding():
    """Nearly all outputs see nothing but padding, and each is a tile with nine steps."""
    operator = library.conv2d(c=4, k=256, h=2, w=2, r=3, s=3, pad=4)
    config = VtaConfig(log_block_in=2, log_block_out=2, log_inp_buffer=13, log_wgt_buffer=14, log_acc_buffer=15)
    bound, exact = bounded(operator, config, {"oh.0": 1, "ow.0": 1, "kh.0": 1, "kw.0": 1})
    assert bound <= exact


def test_the_bound_does_not_count_weights_that_meet_only_padding():
    """Of 21 taps the image of one pixel meets one."""
    operator = library.conv1d(c=64, k=64, w=1, s=21, pad=10, stride=30)
    bound, exact = bounded(operator, VtaConfig(), {"kw.0": 1})
    assert bound <= exact
    assert exact < 21 * 16 * 32  # cycles to read every weight


@pytest.mark.parametrize("seed", range(100, 180))
def test_what_fits_is_what_can_be_divided(seed):
    """The vectorised test of the search and the division of the buffers say the same of every tiling."""
    chance, space, config, epilogue, loops = drawn(seed)
    for slots in cycles.SLOTS:
        order = tuple(loop.name for loop in space.parallel)
        tilings = [_with(random_tiling(chance, space), order, slots) for _ in range(60)]
        if not (space.parallel or space.reduction):
            tilings = tilings[:1]
        same_division(space, config, epilogue, loops, tilings, order, slots)


@pytest.mark.parametrize("log_wgt_buffer", range(9, 14))
@pytest.mark.parametrize("log_acc_buffer", [8, 9, 11])
def test_what_fits_is_what_can_be_divided_with_biases_over_two_loops(log_wgt_buffer, log_acc_buffer):
    """Every tile of 3 x 5 blocks of biases: tiles that are cut at both ends count as tiles."""
    operator = library.einsum("ij,kjl->ikl", [[4, 6], [9, 6, 5]], constant=("B",))
    config = VtaConfig(
        log_block_in=2, log_block_out=2, log_wgt_buffer=log_wgt_buffer, log_acc_buffer=log_acc_buffer, log_inp_buffer=8
    )
    space = call_space(fixed_embedding(operator, find_instruction("vta.gemm:1x4x4")))
    loops = bias_loops(space)
    assert len(loops) == 2
    names = [loop.name for loop in (*space.parallel, *space.reduction)]
    sizes = product(*(range(1, loop.extent + 1) for loop in (*space.parallel, *space.reduction)))
    tilings = [Tiling(tuple(zip(names, size, strict=True)), tuple(names[: len(space.parallel)])) for size in sizes]
    order, slots = tilings[0].order, tilings[0].slots
    for bias in ("wgt", "acc"):
        epilogue = Epilogue(bias=bias)
        same_division(space, config, epilogue, loops, tilings, order, slots)


def same_division(space, config, epilogue, loops, tilings, order, slots):
    """What fits, and into how many slots of inputs, weights, biases and accumulators."""
    found = figures(space, config, epilogue, loops, tilings, order, slots)
    columns = [FIELDS.index(name) for name in ("inp_slots", "wgt_slots", "bias_slots", "acc_slots")]
    for tiling, fits, counted in zip(tilings, found.fits.tolist(), found.fields[:, columns].tolist(), strict=True):
        plan = make_plan(space, config, tiling, epilogue, loops)
        assert fits == (plan is not None), f"{tiling} on {config} with {epilogue} over {loops}"
        if plan is not None:
            buffers = plan.buffers
            divided = [buffers.inp[1], buffers.wgt[1], max(1, buffers.bias[1]), buffers.acc[1]]
            assert counted == divided, f"{tiling} on {config} with {epilogue} over {loops}"


def _with(tiling, order, slots):
    return type(tiling)(tiling.sizes, order, slots)


FIXED_SET = {
    "conv 28x28 64-64": (library.conv2d(c=64, k=64, h=28, w=28, r=3, s=3, pad=1), "default"),
    "conv 14x14 128-128 stride 2": (library.conv2d(c=128, k=128, h=14, w=14, r=3, s=3, stride=2, pad=1), "default"),
    "conv 28x28 128-64 1x1": (library.conv2d(c=128, k=64, h=28, w=28, r=1, s=1), "default"),
    "conv 30x30 3-32 5x5": (library.conv2d(c=3, k=32, h=30, w=30, r=5, s=5), "default"),
    "gemm 128x64x256": (library.gemm(m=128, n=64, k=256), "default"),
    "gemm 35x700x35": (library.gemm(m=35, n=70, k=35), "default"),
    "depthwise 28x28": (library.depthwise(c=8, h=28, w=28, r=3, s=3, pad=1), "default"),
    "conv batch 16": (library.conv2d(n=16, c=32, k=32, h=14, w=14, r=3, s=3, pad=1), "batch16"),
}
TOLERANCE = 0.25
"""How far the estimate may be from the event model, as a fraction of it."""


@pytest.mark.parametrize("name", FIXED_SET)
def test_the_estimate_is_near_the_event_model(name):
    """The tilings that are worth timing, best first."""
    operator, core = FIXED_SET[name]
    config = VtaConfig.named(core)
    instruction = find_instruction(f"vta.gemm:{config.batch}x{config.block_in}x{config.block_out}")
    space = call_space(fixed_embedding(operator, instruction))
    epilogue = fitted(space, Epilogue())
    loops = bias_loops(space)
    ranked = candidates(space, config, epilogue, loops, 6)
    assert ranked == sorted(ranked, key=lambda c: c.estimate)
    for candidate in ranked:
        plan = make_plan(space, config, candidate.tiling, epilogue, loops)
        exact = time_program(place_and_emit(plan)[1].stream, config).cycles
        assert candidate.bound <= exact
        assert abs(candidate.estimate / exact - 1) < TOLERANCE, f"{candidate.estimate} for {exact}: {candidate.tiling}"
