"""Code for a processor with fewer features has no instruction that it lacks; what needs one is refused by name."""

import re

import native_modules
import numpy as np
import pytest

from intarsia.ground import InputError
from intarsia.machines import find_instruction
from intarsia.operators import interpret, numpy_dtype, random_inputs
from intarsia.targets.x86 import Engine, Features, code_generator, host_features, intrinsics, spelling, usable
from intarsia.targets.x86.code_generator import Passes, assembly, optimised

PLAIN = [
    "64bit",
    "avx",
    "avx2",
    "bmi",
    "bmi2",
    "cmov",
    "f16c",
    "fma",
    "popcnt",
    "sse",
    "sse2",
    "sse3",
    "sse4.1",
    "sse4.2",
    "ssse3",
]
WIDER = ["avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl", "avx512vnni"]
SERVER = Features("cascadelake", (*PLAIN, *WIDER), ("avx512bf16", "avxvnni"))
DESKTOP = Features("alderlake", (*PLAIN, "avxvnni"), ("avx512bf16", "avx512f"))
OLD = SERVER.without("avx512")

WIDE = """
define void @f(ptr %to, ptr %left) {
  %a = load <64 x i8>, ptr %left, align 1
  %w = sext <64 x i8> %a to <64 x i32>
  %m = mul <64 x i32> %w, %w
  store <64 x i32> %m, ptr %to, align 1
  ret void
}
"""


def code(text, features):
    return assembly(optimised(text, features, Passes(vectorise=True, unroll=True)), features)


def test_the_best_instruction_of_a_processor_comes_first():
    assert usable(SERVER)[0] == "x86.vpdpbusd"
    assert usable(DESKTOP) == ("x86.vpdpbusd.ymm", "x86.vpmaddwd.ymm", "x86.vfmadd231ps.ymm")
    assert usable(OLD) == ("x86.vpmaddwd.ymm", "x86.vfmadd231ps.ymm")
    assert "x86.vdpbf16ps" not in usable(SERVER)
    assert "x86.vpdpbusd" not in usable(SERVER.without("avx512vnni"))
    assert "x86.vfmadd231ps" in usable(SERVER.without("avx512vnni"))


def test_a_processor_without_avx2_is_refused():
    with pytest.raises(InputError) as refused:
        usable(OLD.without("avx2", "fma"))
    assert str(refused.value) == (
        "the processor (cascadelake) has none of the instructions that kernels are made of; "
        "allowed: AVX512-VNNI, AVX-VNNI or AVX2 with FMA"
    )


@pytest.mark.parametrize("features", [SERVER, DESKTOP, OLD, SERVER.without("avx512vnni")])
def test_code_has_no_instruction_beyond_its_features(features):
    """Whatever the module's vectors: LLVM cuts those of 512 bits where there are no registers of that size."""
    for text in (WIDE, *(native_modules.multiply(name, features) for name in usable(features))):
        made = code(text, features)
        assert features.has("avx512f") or not re.search(r"zmm|%k\d|[xy]mm(1[6-9]|2\d|3[01])", made)
        assert features.has("avx512vnni") or features.has("avxvnni") or "vpdp" not in made
    assert "zmm" in code(WIDE, SERVER)


def test_vnni_without_avx512_takes_its_own_encoding():
    assert "{vex}\tvpdpbusd" in code(native_modules.multiply("x86.vpdpbusd.ymm", DESKTOP), DESKTOP)


@pytest.mark.parametrize("name", ["x86.vpdpbusd", "x86.vpdpwssd", "x86.vdpbf16ps", "x86.vfmadd231ps"])
def test_the_spelling_of_what_is_missing_is_refused(name):
    with pytest.raises(InputError, match=re.escape(f"the processor (cascadelake) lacks {name}; allowed: x86.vpmadd")):
        spelling(name, OLD)


@pytest.mark.parametrize("name", ["x86.vpdpbusd", "x86.vpdpbusd.ymm", "x86.vpdpwssd"])
def test_a_module_that_calls_what_is_missing_is_refused(tmp_path, name):
    """LLVM would end the process: it cannot select an instruction for the call."""
    with pytest.raises(InputError, match=r"lacks what llvm\.x86\.avx512\.vpdp\w+\.\d+ needs: avx512f with"):
        Engine(OLD, folder=tmp_path).compile(native_modules.multiply(name, SERVER))


def test_an_intrinsic_that_nobody_has_looked_at_is_refused():
    text = "declare i64 @llvm.x86.rdpid()\ndefine i64 @f() {\n  %x = call i64 @llvm.x86.rdpid()\n  ret i64 %x\n}"
    with pytest.raises(InputError, match=r"an intrinsic whose features are not known: llvm\.x86\.rdpid"):
        code_generator.refuse_what_is_missing(text, SERVER)


LESS = (host_features(), host_features().without("avx512vnni"), host_features().without("avx512", "avxvnni"))


@pytest.mark.parametrize(
    ("features", "name"), [(f, name) for f in LESS for name in usable(f)], ids=lambda v: str(v)[:20]
)
def test_an_instruction_does_what_the_catalogue_says(tmp_path, features, name):
    """One call on drawn registers, on this processor, against the meaning of the catalogue's instruction."""
    meaning = find_instruction(name).semantics
    assert meaning.axes[0].extent * 32 == {"zmm": 512, "ymm": 256}[spelling(name, features).register]
    native = Engine(features, folder=tmp_path).compile(native_modules.multiply(name, features))
    for seed in range(20):
        inputs = random_inputs(meaning, seed)
        (written,) = meaning.outputs
        found = np.zeros(written.shape, numpy_dtype(written.dtype))
        native_modules.call(native, found, *(inputs[n] for n in ("a", "b")))
        expected = interpret(meaning, inputs)["c"]
        assert np.array_equal(found, expected) if found.dtype == np.int32 else np.allclose(found, expected, rtol=1e-5)


def test_the_newest_spelling_that_compiles_is_taken(monkeypatch):
    known = intrinsics.KNOWN["x86.vpdpbusd"]
    new, old = known.spellings
    wrong = intrinsics.Spelling(
        **{f: getattr(new, f) for f in ("name", "mnemonics", "register", "accumulator", "body")},
        factor="<32 x i16>",
        declaration=new.declaration.replace("<64 x i8>", "<32 x i16>"),
    )
    probe = spelling.__wrapped__
    for spellings, taken in (((new, old), new), ((old, new), old), ((wrong, old), old)):
        changed = intrinsics._Known(known.needs, spellings)
        monkeypatch.setitem(intrinsics.KNOWN, "x86.vpdpbusd", changed)
        assert probe("x86.vpdpbusd", SERVER) == taken
    monkeypatch.setitem(intrinsics.KNOWN, "x86.vpdpbusd", intrinsics._Known(known.needs, (wrong,)))
    with pytest.raises(InputError, match=r"this LLVM has no known spelling of x86\.vpdpbusd"):
        probe("x86.vpdpbusd", SERVER)


def test_code_for_more_than_this_processor_has_can_be_read_but_not_called():
    host = host_features()
    lacking = next(name for name in ("fma4", "xop", "amx-tile", "avx512bf16") if not host.has(name))
    more = Features(host.cpu, (*host.present, lacking), tuple(n for n in host.absent if n != lacking))
    native = Engine(more, keep=False).compile(native_modules.add_one())
    assert "addq" in native.asm() or "leaq" in native.asm() or "incq" in native.asm()
    for ask in (lambda: native.address("f"), lambda: native.function("f", None)):
        with pytest.raises(InputError, match=f"this processor cannot run code that may use: {lacking}"):
            ask()
