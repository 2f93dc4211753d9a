"""Object code is kept on disk by content, checked when it is read, and done without where it cannot be kept."""

from ctypes import c_int64, c_void_p

import native_modules
import numpy as np
import pytest

from intarsia.ground import InputError, Trace
from intarsia.targets.x86 import Engine, Passes, code_generator, host_features
from intarsia.targets.x86 import engine as engine_module


@pytest.fixture
def compiled(monkeypatch):
    """The modules that LLVM had to compile, in order."""
    texts = []
    make = code_generator.optimised

    def counted(text, features, passes):
        texts.append(text)
        return make(text, features, passes)

    monkeypatch.setattr(code_generator, "optimised", counted)
    return texts


def result(engine, value=1):
    """What the function returns: 10 plus its constant."""
    number = np.array([10])
    return engine.compile(native_modules.add_one(value)).function("f", c_int64, c_void_p)(number.ctypes.data)


def only_file(folder):
    (file,) = [f for f in folder.rglob("*") if f.is_file()]
    return file


def test_another_engine_takes_what_is_kept(tmp_path, compiled):
    assert result(Engine(folder=tmp_path)) == 11
    assert result(Engine(folder=tmp_path)) == 11
    assert len(compiled) == 1
    assert only_file(tmp_path).suffix == ".o"


def test_the_key_is_all_that_decides_the_code(tmp_path, compiled, monkeypatch):
    text = native_modules.add_one()
    host = host_features()
    Engine(folder=tmp_path).compile(text)
    Engine(folder=tmp_path).compile(text, Passes(unroll=True))
    Engine(host.without("avx512"), folder=tmp_path).compile(text)
    Engine(folder=tmp_path).compile(native_modules.add_one(2))
    monkeypatch.setattr(engine_module, "VERSION", "another")
    Engine(folder=tmp_path).compile(text)
    monkeypatch.setattr(code_generator, "version", lambda: "0.0.0")
    Engine(folder=tmp_path).compile(text)
    assert len(compiled) == 6
    assert len([f for f in tmp_path.rglob("*") if f.is_file()]) == 6


@pytest.mark.parametrize("place", [0, 20, 90, 200, -1])
def test_a_changed_byte_is_compiled_again(tmp_path, compiled, place):
    assert result(Engine(folder=tmp_path)) == 11
    file = only_file(tmp_path)
    whole = file.read_bytes()
    changed = bytearray(whole)
    changed[place] ^= 1
    file.write_bytes(changed)
    engine = Engine(folder=tmp_path)
    assert result(engine) == 11
    assert len(compiled) == 2
    assert engine.notes == ()
    assert file.read_bytes() == whole


@pytest.mark.parametrize("length", [0, 10, 100, 400])
def test_a_file_that_is_cut_off_is_compiled_again(tmp_path, compiled, length):
    result(Engine(folder=tmp_path))
    file = only_file(tmp_path)
    file.write_bytes(file.read_bytes()[:length])
    assert result(Engine(folder=tmp_path)) == 11
    assert len(compiled) == 2


def test_the_code_of_another_key_is_not_taken(tmp_path, compiled):
    result(Engine(folder=tmp_path), 1)
    file = only_file(tmp_path)
    first = file.read_bytes()
    file.unlink()
    result(Engine(folder=tmp_path), 2)
    only_file(tmp_path).write_bytes(first)
    assert result(Engine(folder=tmp_path), 2) == 12
    assert len(compiled) == 3


def test_a_folder_that_cannot_be_made_is_told_once(tmp_path, capsys, compiled):
    (tmp_path / "file").write_text("not a folder")
    engine = Engine(folder=tmp_path / "file" / "code", trace=Trace())
    assert [result(engine, i) for i in range(3)] == [10, 11, 12]
    told = f"compiled code is not kept: {tmp_path}/file/code cannot be read (Not a directory)"
    assert engine.notes == (told,)
    assert capsys.readouterr().err == f"intarsia: {told}\n"
    assert len(compiled) == 3


def test_a_full_disk_is_told_once(tmp_path, capsys, monkeypatch):
    def full(path, _):
        raise InputError("the output file cannot be written (No space left on device)", where=repr(str(path)))

    monkeypatch.setattr("intarsia.targets.x86.code_cache.write_file", full)
    engine = Engine(folder=tmp_path, trace=Trace())
    assert [result(engine, i) for i in range(3)] == [10, 11, 12]
    assert engine.notes[0].endswith(
        f"{tmp_path} cannot be written (the output file cannot be written (No space left on device))"
    )
    assert capsys.readouterr().err.count("intarsia:") == 1


def test_nothing_is_kept_where_that_is_asked(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert result(Engine(keep=False)) == 11
    assert list(tmp_path.iterdir()) == []
    result(Engine())
    assert only_file(tmp_path).is_relative_to(tmp_path / "intarsia" / "code")
