"""Every instruction of the catalogue computes what a hand-written formula says."""

import sys

import numpy as np
import pytest

from intarsia.machines import catalogue, find_instruction, parse_instruction
from intarsia.operators.element import numpy_dtype
from intarsia.operators.interpreter import interpret

RNG = np.random.default_rng(7)


def integers(dtype, *shape):
    info = np.iinfo(dtype)
    return RNG.integers(info.min, info.max + 1, shape, dtype=dtype)


def floats(*shape):
    """Small multiples of 1/4: exact in bfloat16 and float16, and so are their sums in float32."""
    return (RNG.integers(-16, 17, shape) / 4).astype(np.float32)


def run(spec, **inputs):
    semantics = find_instruction(spec).semantics
    typed = {name: array.astype(numpy_dtype(semantics.tensor(name).dtype)) for name, array in inputs.items()}
    return interpret(semantics, typed)[semantics.outputs[0].name]


def wide(a):
    return a.astype(np.int64)


@pytest.mark.parametrize(("spec", "batch", "k", "n"), [("vta.gemm", 1, 16, 16), ("vta.gemm:4x8x2", 4, 8, 2)])
def test_vta_gemm(spec, batch, k, n):
    i, w = integers(np.int8, batch, k), integers(np.int8, n, k)
    np.testing.assert_array_equal(run(spec, i=i, w=w), wide(i) @ wide(w).T)


@pytest.mark.parametrize("spec", ["vta.alu.add", "vta.alu.max", "vta.alu.min", "vta.alu.add:2x16"])
def test_vta_alu_leaves_one_operand_in_an_accumulator_at_its_identity(spec):
    rows = 2 if ":" in spec else 1
    s = integers(np.int32, rows, 16)
    np.testing.assert_array_equal(run(spec, s=s), s)


@pytest.mark.parametrize(("spec", "combine"), [("add", "+="), ("max", "max="), ("min", "min=")])
def test_vta_alu_combines(spec, combine):
    assert find_instruction(f"vta.alu.{spec}").semantics.statements[0].combine == combine


def test_vpdpbusd():
    a, b = integers(np.uint8, 16, 4), integers(np.int8, 16, 4)
    np.testing.assert_array_equal(run("x86.vpdpbusd", a=a, b=b), (wide(a) * wide(b)).sum(1))


def test_vpdpwssd():
    a, b = integers(np.int16, 16, 2), integers(np.int16, 16, 2)
    expected = (wide(a) * wide(b)).sum(1).astype(np.int32)
    np.testing.assert_array_equal(run("x86.vpdpwssd", a=a, b=b), expected)


def test_vdpbf16ps():
    a, b = floats(16, 2), floats(16, 2)
    np.testing.assert_array_equal(run("x86.vdpbf16ps", a=a, b=b), (a * b).sum(1))


def test_tdpbusd():
    a, b = integers(np.uint8, 16, 64), integers(np.int8, 64, 16)
    np.testing.assert_array_equal(run("amx.tdpbusd", a=a, b=b), wide(a) @ wide(b))


def test_tdpbusd_on_smaller_tiles():
    a, b = integers(np.uint8, 3, 8), integers(np.int8, 8, 5)
    np.testing.assert_array_equal(run("amx.tdpbusd:3x5x8", a=a, b=b), wide(a) @ wide(b))


def test_sdot():
    a, b = integers(np.int8, 4, 4), integers(np.int8, 4, 4)
    np.testing.assert_array_equal(run("arm.sdot", a=a, b=b), (wide(a) * wide(b)).sum(1))


def test_smmla():
    a, b = integers(np.int8, 2, 8), integers(np.int8, 2, 8)
    np.testing.assert_array_equal(run("arm.smmla", a=a, b=b), wide(a) @ wide(b).T)


def test_mma_m16n8k16():
    a, b = floats(16, 16), floats(16, 8)
    np.testing.assert_array_equal(run("nvidia.mma.m16n8k16", a=a, b=b), a @ b)


def test_mma_m16n8k32():
    a, b = integers(np.int8, 16, 32), integers(np.int8, 32, 8)
    np.testing.assert_array_equal(run("nvidia.mma.m16n8k32", a=a, b=b), wide(a) @ wide(b))


@pytest.mark.parametrize(("spec", "width", "depth"), [("systolic:8x4", 8, 4), ("systolic:4x8", 4, 8)])
def test_systolic(spec, width, depth):
    x, w = floats(1, depth), floats(depth, width)
    np.testing.assert_array_equal(run(spec, x=x, w=w), x @ w)


def test_dot():
    a, b = integers(np.int8, 24), integers(np.int8, 24)
    np.testing.assert_array_equal(run("dot:24", a=a, b=b), [wide(a) @ wide(b)])


def test_dot_of_floats():
    a, b = floats(24), floats(24)
    np.testing.assert_array_equal(run("dot:24,float16", a=a, b=b), [a @ b])


def test_outer():
    a, b = integers(np.int8, 4), integers(np.int8, 6)
    np.testing.assert_array_equal(run("outer:4x6", a=a, b=b), np.outer(wide(a), wide(b)))


def test_matvec():
    a, x = integers(np.int8, 4, 6), integers(np.int8, 6)
    np.testing.assert_array_equal(run("matvec:4x6", a=a, x=x), wide(a) @ wide(x))


SIZES = {"dot": ":12", "outer": ":4x8", "matvec": ":4x8", "systolic": ":16x8"}


@pytest.mark.parametrize("name", catalogue())
def test_entry_reads_back(name):
    instruction = find_instruction(name + SIZES.get(name, ""))
    assert parse_instruction(str(instruction)) == instruction
    assert find_instruction(instruction.name) == instruction


@pytest.mark.parametrize("name", catalogue())
def test_entry_names_its_memories_and_its_source(name):
    instruction = find_instruction(name + SIZES.get(name, ""))
    assert [operand for operand, _ in instruction.memories] == [t.name for t in instruction.semantics.tensors]
    assert instruction.source
    assert instruction.semantics.outputs[0] == instruction.semantics.tensors[0]


def test_catalogue_holds_what_was_promised():
    assert list(catalogue()) == sorted(catalogue())
    assert {"vta.gemm", "vta.alu.add", "vta.alu.max", "vta.alu.min", "x86.vpdpbusd", "x86.vpdpwssd"} <= set(catalogue())
    assert {"x86.vdpbf16ps", "amx.tdpbusd", "arm.sdot", "arm.smmla"} <= set(catalogue())
    assert {"nvidia.mma.m16n8k16", "nvidia.mma.m16n8k32", "systolic", "dot", "outer", "matvec"} <= set(catalogue())


NEW = '''"""A new one."""
from intarsia.machines.entry import Entry

def _text():
    return "nw: l<2\\n c:int32[2] a:int8[2]\\n c[l] += a[l]"

ENTRIES = (Entry("new.one", "", _text),)
'''


def test_a_new_file_is_found_by_being_there(tmp_path, monkeypatch):
    folder = sys.modules["intarsia.machines.catalogue"]
    (tmp_path / "new_one.py").write_text(NEW)
    monkeypatch.setattr(folder, "__path__", [*folder.__path__, str(tmp_path)])
    try:
        assert find_instruction("new.one").name == "new.one"
    finally:
        sys.modules.pop("intarsia.machines.catalogue.new_one")
    monkeypatch.undo()
    assert "new.one" not in catalogue()
