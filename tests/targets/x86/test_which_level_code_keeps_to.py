"""Code for a level has the instructions of that level and no others; a level above the processor's is refused."""

import re
from dataclasses import replace

import int8_functions as f
import native_levels as levels
import numpy as np
import pytest

import intarsia
from intarsia.ground import InputError
from intarsia.operators import evaluate_quantised
from intarsia.targets.x86 import (
    LEVELS,
    Engine,
    Features,
    at_level,
    calls_per_second,
    host_features,
    host_processor,
    level_of,
    measure,
    rates_of,
    usable,
)
from intarsia.targets.x86.callable import compiled, instruction_of_bytes
from intarsia.targets.x86.lowering import plans

avx2 = pytest.mark.skipif(not levels.HAS_AVX2, reason="the processor lacks AVX2")
PLAIN = ("64bit", "avx", "avx2", "cmov", "fma", "sse", "sse2", "sse3", "sse4.1", "sse4.2", "ssse3")
WIDE = ("avx512bw", "avx512dq", "avx512f", "avx512vl")
HOSTS = {
    "haswell": ("avx2", "x86.vpmaddwd.ymm", PLAIN),
    "alderlake": ("avx-vnni", "x86.vpdpbusd.ymm", (*PLAIN, "avxvnni")),
    "skylake-avx512": ("avx512", "x86.vpmaddwd.ymm", (*PLAIN, *WIDE)),
    "cascadelake": ("avx512-vnni", "x86.vpdpbusd", (*PLAIN, *WIDE, "avx512vnni")),
    "sapphirerapids": (
        "avx512-bf16", "x86.vpdpbusd", (*PLAIN, *WIDE, "avx512vnni", "avx512bf16", "avxvnni", "amx-int8"),
    ),
}  # fmt: skip
"""Processors: their highest level, and what multiplies bytes."""
BEYOND = re.compile(r"%zmm|%k[0-7]|%[xy]mm(?:1[6-9]|2\d|3[01])|\{1to|\{%k|\{evex\}")
"""What only AVX-512 has: its registers, masks and broadcasts in memory."""

CONVOLUTION = f.convolution(c=16, k=20)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def processor(name):
    present = tuple(sorted(HOSTS[name][2]))
    every = {*levels.plus(host_features()).present, *host_features().absent}
    return Features(name, present, tuple(sorted(every.difference(present))))


@pytest.mark.parametrize("name", HOSTS)
def test_a_processor_is_as_good_as_its_features(name):
    level, instruction, _ = HOSTS[name]
    assert level_of(processor(name)) == level
    assert instruction_of_bytes(processor(name)) == instruction
    assert at_level(None, processor(name)) == processor(name)


def test_a_level_leaves_out_what_is_above_it():
    host = processor("sapphirerapids")
    best = {level.name: instruction_of_bytes(at_level(level.name, host)) for level in LEVELS}
    assert best == {
        "avx2": "x86.vpmaddwd.ymm",
        "avx-vnni": "x86.vpdpbusd.ymm",
        "avx512": "x86.vpmaddwd.ymm",
        "avx512-vnni": "x86.vpdpbusd",
        "avx512-bf16": "x86.vpdpbusd",
    }
    assert "x86.vdpbf16ps" in usable(at_level("avx512-bf16", host))
    assert "x86.vdpbf16ps" not in usable(at_level("avx512-vnni", host))
    for level in LEVELS:
        found = at_level(level.name, host)
        assert level_of(found) == level.name
        assert not {*found.present}.intersection(found.absent)
        assert "amx-int8" in found.absent


def test_a_level_above_the_processor_is_refused():
    with pytest.raises(InputError) as refused:
        at_level("avx512-bf16", processor("cascadelake"))
    assert str(refused.value) == (
        "features: the processor (cascadelake) lacks avx512_bf16: avx512-bf16; allowed: avx2, avx512, avx512-vnni"
    )
    with pytest.raises(InputError, match=r"the processor \(haswell\) lacks avx_vnni: avx-vnni; allowed: avx2"):
        at_level("avx-vnni", processor("haswell"))
    with pytest.raises(InputError, match=r"no such level: mmx; allowed: avx2, avx-vnni, avx512, avx512-vnni, avx512-"):
        intarsia.compile("gemm:m=8,n=20,k=12,x=uint8", features="mmx")


@avx2
@pytest.mark.parametrize("dtype", ["int8", "float32", "int16"])
def test_code_of_avx2_keeps_to_it(dtype):
    x, out = ("uint8", "int32") if dtype == "int8" else (dtype, "float32" if dtype == "float32" else "int32")
    weights = {"W": np.zeros((21, 35), dtype)}
    function = compiled(f.product(x, dtype, out=out), weights, features=at_level("avx2"))
    asm = function.asm()
    assert ("vfmadd" if dtype == "float32" else "vpmaddwd") in asm
    assert "%ymm" in asm
    assert not BEYOND.search(asm)
    assert "vpdp" not in asm
    assert level_of(function.features) == "avx2"


@pytest.mark.parametrize("epilogue", [None, "uint8"])
def test_code_of_avx_vnni_has_its_own_encoding(epilogue):
    """``{vex}`` marks the encoding of AVX-VNNI: that of AVX-512 would be another one with the same name."""
    way = replace(levels.way_of("avx-vnni"), engine=Engine(processor("alderlake"), keep=False))
    made = None if epilogue is None else intarsia.targets.x86.lowering.Epilogue(epilogue, 3, small=False)
    for _, plan in plans(CONVOLUTION, way.instruction, made, most=2):
        asm = way.asm(plan)
        found = [line for line in asm.splitlines() if "vpdpbusd" in line]
        assert found
        assert all(line.split()[0] == "{vex}" and "%ymm" in line for line in found)
        assert not BEYOND.search(asm)


@avx2
@pytest.mark.parametrize("x", ["uint8", "int8"])
def test_bytes_are_widened_where_no_instruction_multiplies_them(x):
    """The largest products: the multiply of bytes that AVX2 has would saturate on them."""
    q = f.requantised(f.convolution(x, "uint8", c=16), "int32", right_zero=(1, 1, 1, 1), scale=None, zero=None)
    inputs = f.arrays(q)
    inputs["I"][:], inputs["W"][:], inputs["W_zero"][:] = np.iinfo(x).max, 255, 0
    constants, varying = f.parted(q, inputs)
    function = compiled(q, constants, features=at_level("avx2"))
    assert function.native
    assert function.notes == ()
    assert np.array_equal(function(**varying), evaluate_quantised(q, inputs))
    assert f"PadCopy a from {x}" in function.explain()


def test_what_is_missing_is_named():
    operator = f.product("bfloat16", "bfloat16", out="float32")
    with pytest.raises(InputError, match=r"product: .*avx512_bf16 missing, which x86.vdpbf16ps needs: "):
        compiled(operator, features=host_features().without("avx512bf16"))


@avx2
@pytest.mark.parametrize("level", [level.name for level in LEVELS])
def test_peaks_are_those_of_the_level(level, tmp_path, monkeypatch):
    """Beyond its level LLVM would join the multiplication and the addition of AVX2 to one instruction."""
    if not levels.runs(level):
        pytest.skip(f"the processor lacks {level}")
    for name, value in (("RUNS", 2), ("SHORTEST", 1e-5), ("LARGEST", 1 << 20)):
        monkeypatch.setattr(measure, name, value)
    features = at_level(level)
    one = replace(host_processor(), features=features)
    found = rates_of(one, Engine(features, keep=False), folder=tmp_path).rates
    assert tuple(found.calls) == usable(features)
    assert measure.key_of(one)["features"] == list(features.present)
    assert calls_per_second(Engine(features, keep=False), instruction_of_bytes(features)) > 0
