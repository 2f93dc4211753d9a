"""A module becomes code that runs, stays as long as it is needed, and may be asked for from several threads."""

import ctypes
import gc
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from ctypes import c_int64, c_void_p

import native_modules
import numpy as np
import pytest

from intarsia.ground import InputError
from intarsia.targets.x86 import Engine, Passes, code_generator, host_features


@pytest.fixture
def engine(tmp_path):
    return Engine(folder=tmp_path)


def test_a_function_computes(engine):
    number = np.array([41])
    assert engine.compile(native_modules.add_one()).function("f", c_int64, c_void_p)(number.ctypes.data) == 42


def test_a_function_keeps_its_code(engine):
    number = np.array([41])
    function = engine.compile(native_modules.add_one()).function("f", c_int64, c_void_p)
    functions = [engine.compile(native_modules.add_one(i)).function("f", c_int64, c_void_p) for i in range(2, 50)]
    del engine
    gc.collect()
    assert [f(number.ctypes.data) for f in (function, *functions)] == [41 + i for i in range(1, 50)]


def test_the_same_module_is_loaded_once(engine):
    first = engine.compile(native_modules.add_one())
    assert engine.compile(native_modules.add_one()) is first
    assert engine.compile(native_modules.add_one(2)) is not first
    assert engine.compile(native_modules.add_one(), Passes(vectorise=True)) is not first


def test_functions_of_several_modules_may_have_one_name(engine):
    number = np.array([1])
    first, second = engine.compile(native_modules.add_one(1)), engine.compile(native_modules.add_one(2))
    assert first.address("f") != second.address("f")
    assert [n.function("f", c_int64, c_void_p)(number.ctypes.data) for n in (first, second)] == [2, 3]


def test_only_what_others_may_call_has_an_address(engine):
    native = engine.compile(
        native_modules.add_one().replace("define", "define internal") + native_modules.add_one(2, "g.1")
    )
    assert native.address("g.1") > 0
    with pytest.raises(KeyError):
        native.address("f")


def test_code_may_call_the_c_library(engine):
    """LLVM makes calls of memset and memcpy by itself."""
    native = engine.compile("""
declare ptr @memset(ptr, i32, i64)
define void @f(ptr %p, i64 %n) {
  %q = call ptr @memset(ptr %p, i32 7, i64 %n)
  ret void
}
""")
    data = np.zeros(1000, np.uint8)
    native.function("f", None, c_void_p, c_int64)(data.ctypes.data, 999)
    assert (data[:999] == 7).all()
    assert data[999] == 0


def test_many_threads_compile_and_call(engine):
    numbers = np.arange(64)

    def ask(i):
        function = engine.compile(native_modules.add_one(i % 8)).function("f", c_int64, c_void_p)
        return function(numbers[i:].ctypes.data)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(64))) == [i + i % 8 for i in range(64)]


def test_the_assembly_is_that_of_the_code_that_runs(engine):
    """The bytes that assembly is printed with are those in memory: `asm` compiles again and must get the same."""
    native = engine.compile(native_modules.add_one(0x1234567))
    module = code_generator.optimised(native.text, native.features, native.passes)
    again = code_generator.object_code(module, native.features)
    assert ctypes.string_at(native.address("f"), 8) in again
    assert "19088743" in native.asm()
    assert "addq" in native.asm()


def test_a_process_that_holds_code_ends_in_peace():
    program = f"""
from ctypes import c_int64, c_void_p
import numpy as np
from intarsia.targets.x86 import Engine
engines = [Engine(keep=False) for _ in range(3)]
functions = [e.compile({native_modules.add_one()!r}).function("f", c_int64, c_void_p) for e in engines]
print(sum(f(np.array([1]).ctypes.data) for f in functions))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("6\n", "")


def test_what_is_not_well_formed_is_refused_before_code_is_made(engine):
    with pytest.raises(RuntimeError, match="expected value token"):
        engine.compile(native_modules.add_one().replace("%w\n}", "\n}"))
    with pytest.raises(RuntimeError, match="multiple definition"):
        engine.compile(native_modules.add_one().replace("%w =", "%v ="))


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('call void asm sideeffect "vpdpbusd %zmm0, %zmm0, %zmm0", ""()', "asm"),
        ('%x = add i64 1, 2 "target-features"="+avx512f"', '"target-features"'),
    ],
)
def test_a_module_may_not_choose_its_own_instructions(engine, line, found):
    with pytest.raises(InputError) as refused:
        engine.compile(native_modules.add_one().replace("  %w", f"  {line}\n  %w"))
    assert str(refused.value) == f"a module may not choose its own instructions: {found}"


def test_a_machine_that_is_no_x86_is_named(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    with pytest.raises(InputError, match="native code needs an x86-64 processor: aarch64; allowed: x86_64, amd64"):
        host_features.__wrapped__()
