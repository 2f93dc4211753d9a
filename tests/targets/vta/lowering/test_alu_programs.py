"""Operators of the ALU: every way to compute them gives the interpreter's bits on the strict simulator."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intarsia.embed.check import check
from intarsia.ground import InputError
from intarsia.operators import interpret, library, parse_operator
from intarsia.targets.vta import Memory, Opcode, VtaConfig, simulate
from intarsia.targets.vta.lowering.alu_compiler import compile_alu
from intarsia.targets.vta.lowering.alu_embeddings import alu_embeddings
from intarsia.targets.vta.lowering.alu_space import alu_space
from intarsia.targets.vta.lowering.alu_tiling import least_cycles, ways

DEFAULT = VtaConfig.default()
SMALL = VtaConfig(log_uop_buffer=9, log_inp_buffer=9, log_wgt_buffer=12, log_acc_buffer=11)
"""128 micro-operations, 32 inputs and 32 accumulators: everything has to be cut."""
ROWS = VtaConfig(
    log_batch=1,
    log_block_in=2,
    log_block_out=2,
    log_uop_buffer=9,
    log_inp_buffer=9,
    log_wgt_buffer=8,
    log_acc_buffer=11,
)
OBLONG = VtaConfig(log_block_in=5, log_acc_buffer=13)
"""No identity: inputs are loaded into the accumulators."""
BATCH16 = VtaConfig.named("batch16")
CORES = (DEFAULT, SMALL, ROWS, OBLONG, BATCH16)
BYTES = ("int8", "int8", "int8")
KINDS = {"max=": "max", "min=": "min", "+=": "sum"}


def data(operator, seed=0, low=-128, high=128):
    rng = np.random.default_rng(seed)
    return {t.name: rng.integers(low, high, t.shape, dtype=np.int8) for t in operator.inputs}


def run(operator, config=DEFAULT, way=None, *, strict_rtl=False, inputs=None, evaluations=1):
    """Compile, run, compare; the program."""
    inputs = data(operator) if inputs is None else inputs
    program = compile_alu(alu_embeddings(operator, config), config, way=way, evaluations=evaluations)
    memory = program.image(inputs, None)
    simulate(program.stream, memory, config, strict_rtl=strict_rtl)
    np.testing.assert_array_equal(program.unpack(memory), interpret(operator, inputs)[operator.outputs[0].name])
    assert program.bound <= program.timing.cycles
    return program


def run_all_ways(operator, config):
    for way in ways(alu_space(alu_embeddings(operator, config)), config):
        run(operator, config, way)


combines = st.sampled_from(sorted(KINDS))


@st.composite
def pools(draw):
    rank = draw(st.integers(1, 2))
    sizes = st.lists(st.integers(1, 3), min_size=rank, max_size=rank)
    kernel, stride, dilation = draw(sizes), draw(sizes), draw(sizes)
    pad = draw(st.lists(st.integers(0, 2), min_size=2 * rank, max_size=2 * rank))
    image = draw(st.lists(st.integers(1, 11), min_size=rank, max_size=rank))
    reach = [d * (k - 1) + 1 - pad[i] - pad[rank + i] for i, (k, d) in enumerate(zip(kernel, dilation, strict=True))]
    return library.pool(
        "pool",
        draw(combines),
        tuple(max(x, r) for x, r in zip(image, reach, strict=True)),
        tuple(kernel),
        c=draw(st.sampled_from((1, 2, 3, 17))),
        n=draw(st.sampled_from((1, 3))),
        stride=stride,
        pad=pad,
        dilation=dilation,
        dtypes=BYTES,
    )


extents = st.lists(st.sampled_from((1, 2, 3, 5, 13, 18)), min_size=1, max_size=3)


@st.composite
def reductions(draw):
    shape = draw(extents)
    axes = draw(st.sets(st.integers(0, len(shape) - 1)))
    return library.reduce(KINDS[draw(combines)], shape=tuple(shape), axes=tuple(sorted(axes)), dtypes=BYTES)


@st.composite
def elementwise(draw):
    shape = draw(extents)
    other = [1 if draw(st.booleans()) else e for e in shape]
    kind = draw(st.sampled_from(("add", "max", "min")))
    return library.elementwise(kind, shape=tuple(shape), shape_b=tuple(other), dtypes=BYTES)


@settings(max_examples=20)
@given(st.one_of(pools(), reductions(), elementwise()), st.sampled_from(CORES))
def test_random_operators_are_right_in_every_way(operator, config):
    run_all_ways(operator, config)


CASES = {
    "prime sizes": library.pool2d("pool", "max=", c=37, h=23, w=19, r=3, s=3, stride=2, pad=1),
    "one channel": library.pool2d("pool", "max=", c=1, h=41, w=37, r=3, s=3, stride=2, pad=1),
    "one channel, one output": library.pool2d("pool", "min=", c=1, h=7, w=7, r=7, s=7),
    "batch above the core's": library.pool2d("pool", "max=", c=5, n=19, h=7, w=7, r=2, s=2),
    "asymmetric padding": library.pool2d("pool", "max=", c=16, h=9, w=9, r=3, s=3, stride=2, pad=(0, 1, 1, 0)),
    "dilation": library.pool2d("pool", "max=", c=16, h=17, w=15, r=3, s=2, stride=(2, 3), dilation=(3, 2), pad=2),
    "minimum": library.pool2d("pool", "min=", c=20, h=11, w=11, r=3, s=3, stride=1, pad=1),
    "sum that wraps": library.pool2d("pool", "+=", c=20, h=11, w=11, r=3, s=3, stride=1, pad=1, dtypes=BYTES),
    "three tensors": parse_operator("""three: i<45 j<7
  O:int8[45, 7] A:int8[45, 7] B:int8[45, 7] C:int8[7, 45]
  O[i, j] max= A[i, j]
  O[i, j] max= B[i, j]
  O[i, j] max= C[j, i]"""),
    "one tensor twice": parse_operator("""twice: i<45
  O:int8[45] A:int8[46]
  O[i] += A[i]
  O[i] += A[i+1]"""),
    "a copy": parse_operator("copy: i<45\n  O:int8[45] A:int8[45]\n  O[i] max= A[i]"),
    "a statement repeated by an axis": parse_operator("""repeated: i<45 ; r<3
  O:int8[45] A:int8[45] B:int8[3, 45]
  O[i] += A[i]
  O[i] += B[r, i]"""),
    "padding that has a say": parse_operator("""loud: i<40 ; k<3
  O:int8[40] A:int8[40] pad=7
  O[i] max= A[i+k-1]"""),
    "padding that is added": parse_operator("""added: i<40 ; k<3
  O:int8[40] A:int8[40] pad=7
  O[i] += A[i+k-1]"""),
    "windows in the padding": parse_operator("""bare: i<40 ; k<2
  O:int8[40] A:int8[20] pad=-128
  O[i] max= A[i+k-8]"""),
    "sums in the padding": parse_operator("""bare: i<40 j<5 ; k<2
  O:int8[5, 40] A:int8[5, 20]
  O[j, i] += A[j, i+k-8]"""),
    "tiles in the padding": parse_operator("""bare: i<200 j<5 ; k<2
  O:int8[5, 200] A:int8[5, 20]
  O[j, i] += A[j, i+k-80]"""),
    "outputs that nothing computes": parse_operator("""gaps: i<20
  O:int8[41] A:int8[20]
  O[2*i] min= A[i]"""),
    "backwards": parse_operator("""backwards: i<20 ; k<3
  O:int8[20] A:int8[23]
  O[i] max= A[22-i-k]"""),
    "a diagonal": parse_operator("""diagonal: i<20 ; k<3
  O:int8[20] A:int8[20, 22]
  O[i] max= A[i, i+k]"""),
}


@pytest.mark.parametrize("operator", CASES.values(), ids=CASES)
def test_every_way_on_the_default_core(operator):
    run_all_ways(operator, DEFAULT)


@pytest.mark.parametrize("name", ["prime sizes", "one channel", "batch above the core's", "three tensors", "added"])
def test_sixteen_rows(name):
    run_all_ways(CASES["padding that is added" if name == "added" else name], BATCH16)


def test_negative_inputs_at_the_border():
    operator = CASES["prime sizes"]
    program = run(operator, inputs=data(operator, low=-128, high=-100))
    assert program.tiling.startswith("window")


def test_positive_inputs_at_the_border_of_a_minimum():
    operator = CASES["minimum"]
    run_all_ways(operator, DEFAULT)
    run(operator, inputs=data(operator, low=100))


def test_a_reduction_larger_than_the_buffers():
    run(library.reduce("max", shape=(5, 3000), axes=(1,), dtypes=BYTES))
    run(library.reduce("sum", shape=(3000, 5), axes=(0,), dtypes=BYTES), SMALL)


def test_sums_need_no_alu_and_run_on_the_strict_core_of_several_rows():
    for name in ("sum that wraps", "one tensor twice", "sums in the padding", "tiles in the padding"):
        program = run(CASES[name], ROWS, strict_rtl=True)
        assert not (program.stream.column("opcode") == Opcode.ALU).any()


def test_accumulators_are_loaded_only_without_an_identity():
    operator = CASES["prime sizes"]
    for config, direct in ((DEFAULT, False), (OBLONG, True)):
        stream = run(operator, config).stream
        loads = (stream.column("opcode") == Opcode.LOAD) & (stream.column("memory") == Memory.ACC)
        assert loads.any() == direct


def test_one_program_for_any_data():
    operator = CASES["minimum"]
    program = run(operator)
    for seed in (1, 2):
        inputs = data(operator, seed)
        memory = program.image(inputs, None)
        simulate(program.stream, memory, DEFAULT)
        np.testing.assert_array_equal(program.unpack(memory), interpret(operator, inputs)["O"])


def test_cycles_stay_near_the_bound_of_the_busiest_unit():
    operators = (
        library.pool2d("pool", "max=", c=64, h=56, w=56, r=3, s=3, stride=2, pad=1),
        library.elementwise("add", shape=(64, 56, 56), dtypes=BYTES),
        library.elementwise("max", shape=(64, 56, 56), dtypes=BYTES),
    )
    for operator, way in zip(operators, ("window", "sum", "difference"), strict=True):
        program = run(operator, evaluations=8)
        bound = max(least_cycles(alu_space(program.embeddings), way, DEFAULT).values())
        assert program.tiling.startswith(way)
        assert program.timing.cycles <= 1.1 * bound


def test_elementwise_tensors_are_flattened_and_channels_are_blocked():
    flat = alu_embeddings(library.elementwise("add", shape=(3, 5, 7), dtypes=BYTES), DEFAULT)
    assert [e.calls for e in flat] == [7, 7]
    assert len({(e.loops, e.flats) for e in flat}) == 1
    blocked = alu_embeddings(library.pool2d("pool", "max=", c=32, h=8, w=8, r=2, s=2), DEFAULT)
    assert blocked[0].calls == 2 * 4 * 4 * 4


@pytest.mark.parametrize("config", [DEFAULT, BATCH16], ids=["default", "batch16"])
@pytest.mark.parametrize("name", ["prime sizes", "one channel", "three tensors", "sum that wraps", "a diagonal"])
def test_the_embeddings_are_right(name, config):
    for embedding in alu_embeddings(CASES[name], config):
        assert check(embedding, ignore_dtypes=True).good


def refused(operator):
    with pytest.raises(InputError) as caught:
        alu_embeddings(operator, DEFAULT)
    return str(caught.value)


def test_what_vta_cannot_store_or_read_is_refused():
    assert refused(library.pool2d("avgpool", "+=", c=4, h=4, w=4, r=2, s=2, dtypes=("int8", "int8", "int32"))) == (
        "avgpool: VTA stores the low 8 bits of its accumulators, O is int32; allowed: int8; try: O:int8, which wraps"
    )
    assert refused(library.pool2d("pool", "max=", c=4, h=4, w=4, r=2, s=2, dtypes=("uint8", "uint8", "int8"))) == (
        "pool: VTA reads signed 8-bit inputs, I is uint8; allowed: int8"
    )


def test_products_and_mixed_statements_are_refused():
    assert refused(library.elementwise("mul", shape=(4,), dtypes=BYTES)) == (
        "mul: the ALU combines tensors and multiplies none: O[i] += A[i] * B[i]; allowed: one read in each statement; "
        "try: vta.gemm for products"
    )
    assert refused(parse_operator("two: i<4\n  O:int8[4] P:int8[4] A:int8[4]\n  O[i] max= A[i]\n  P[i] max= A[i]")) == (
        "two: the ALU computes statements that write one tensor in one way with one combining operator: "
        "O[i] max= A[i]; P[i] max= A[i]"
    )


def test_a_way_that_is_not_open_is_refused():
    with pytest.raises(InputError) as caught:
        run(CASES["a copy"], OBLONG, "difference")
    assert str(caught.value) == (
        "copy on VTA 1x32x16 on sim: this way to compute is not open to the operator on this core: difference; "
        "allowed: accumulators"
    )
