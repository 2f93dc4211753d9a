"""Are units converted only where numbers enter and leave? Everything between is in seconds, bytes and hertz."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import intarsia

ROOT = Path(intarsia.__file__).parent
POWERS = {10.0**power for power in (3, 6, 9, 12, 15, -3, -6, -9, -12)}
BORDERS = {
    "machines/chips/read.py",
    "machines/clusters/read.py",
    "machines/template/read.py",
    "machines/chips/calibrated.py",  # a note for readers, in µs
    "ground/units.py",
    "flow/table.py",
    "flow/calibration.py",
    "schedule/trace.py",  # Perfetto counts µs
    "report/pipeline_trace.py",
    "cli/chips.py",  # prints what data sheets print
}
"""Where files with units in their names are read or written."""
COUNTS = {"place/sums.py"}
"""It takes the slope of a line over a billion bytes."""
FILES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py"))


def conversions(text: str) -> list[str]:
    """Products with, and quotients by, a power of a thousand."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
            sides = [node.left, node.right] if isinstance(node.op, ast.Mult) else [node.right]
        elif isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Mult | ast.Div):
            sides = [node.value]
        else:
            continue
        if any(isinstance(side, ast.Constant) and side.value in POWERS for side in sides):
            found.append(f"line {node.lineno}: {ast.unparse(node)}")
    return found


@pytest.mark.parametrize("text", ["x * 1e3", "1e9 * x", "x / 1000", "x *= 1e-6", "y = a + b / 1e12"])
def test_a_conversion_is_seen(text: str) -> None:
    assert len(conversions(text)) == 1


def test_a_count_is_no_conversion() -> None:
    assert conversions("a = 1000\nb = 1e-3\nc = x * 1024 + 1e6") == []


@pytest.mark.parametrize("room", sorted({file.split("/")[0] for file in FILES}))
def test_no_room_converts_units_in_secret(room: str) -> None:
    ours = [file for file in FILES if file.split("/")[0] == room and file not in BORDERS | COUNTS]
    assert {file: found for file in ours if (found := conversions((ROOT / file).read_text(encoding="utf-8")))} == {}


def test_the_borders_are_still_there() -> None:
    assert set(FILES) >= BORDERS | COUNTS
