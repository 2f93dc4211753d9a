"""Compiled functions are kept between processes, and not longer than they are right."""

import importlib
import sys

import pytest

from intarsia.ground.compiled import compiling, kept

ENTRY = """
from callee import answer
from intarsia.ground.compiled import kept

@kept
def entry():
    return answer()
"""
CALLEE = """
from numba import njit

@njit
def answer():
    return {value}
"""


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Write and import a function that calls one in another file, as a new process would."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(value):
        (tmp_path / "entry.py").write_text(ENTRY)
        (tmp_path / "callee.py").write_text(CALLEE.format(value=value))
        importlib.invalidate_caches()
        for name in ("entry", "callee"):
            sys.modules.pop(name, None)
        return importlib.import_module("entry").entry

    yield write
    for name in ("entry", "callee"):
        sys.modules.pop(name, None)


def hits(function):
    return sum(function.stats.cache_hits.values())


def test_a_change_in_another_file_is_seen(load):
    first = load(1)
    assert (first(), hits(first)) == (1, 0)
    again = load(1)
    assert (again(), hits(again)) == (1, 1)
    changed = load(2)
    assert (changed(), hits(changed)) == (2, 0)


def test_compiling_is_told_once_and_what_is_kept_is_not_compiled(load):
    told = []
    with compiling(lambda: told.append("first")):
        assert load(1)() == 1
        assert told == ["first"]
        assert kept(scaled(2))(3) == 6
    with compiling(lambda: told.append("again")):
        assert load(1)() == 1
    load(3)()
    assert told == ["first"], "the block is over"


def scaled(times):
    """A function that has not been compiled."""
    names = {}
    exec(f"def scale(x):\n    return {times} * x\n", names)
    return names["scale"]


def test_what_cannot_be_kept_is_compiled_nevertheless():
    """As where neither the installation nor the user's cache folder can be written."""
    assert kept(scaled(2))(3) == 6
