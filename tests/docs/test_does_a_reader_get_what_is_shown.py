"""Does a reader who does what a page says, and nothing else, get what the page shows?"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import assert_never

import pytest
from pages import DOCS, Change, Command, File, Python, pages, same, steps

from intarsia.targets.x86 import host_features, usable

SOURCES = DOCS.parent / "src"
PAGES = pages("tutorial", "how-to")
SECONDS = 120
NEEDS, INSTRUCTION = "This page needs AVX512-VNNI", "x86.vpdpbusd"
"""What a page says whose examples need an instruction, and that instruction."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.stem}")
def test_a_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "reader"
    folder.mkdir()
    monkeypatch.chdir(folder)
    text = page.read_text(encoding="utf-8")
    if NEEDS in text and INSTRUCTION not in usable(host_features()):
        pytest.skip(f"the processor lacks {INSTRUCTION}")
    todo = steps(text)
    if any(isinstance(step, Change) or (isinstance(step, File) and step.name.startswith("src/")) for step in todo):
        shutil.copytree(SOURCES, folder / "src", ignore=shutil.ignore_patterns("*.egg-info"))
        monkeypatch.setenv("PYTHONPATH", str(folder / "src"))
    space: dict[str, object] = {"__name__": "__main__"}
    for step in todo:
        where = f"{page.relative_to(DOCS.parent)}, line {step.line}"
        match step:
            case File():
                Path(step.name).parent.mkdir(parents=True, exist_ok=True)
                Path(step.name).write_text(step.text, encoding="utf-8")
            case Change():
                text = Path(step.name).read_text(encoding="utf-8")
                assert text.count(step.before) == 1, f"{where}: {step.name} has not once\n{step.before}"
                Path(step.name).write_text(text.replace(step.before, step.after), encoding="utf-8")
            case Command():
                run_command(step, where)
            case Python():
                run_python(step, where, space)
            case _:
                assert_never(step)


def run_command(step: Command, where: str) -> None:
    """Run a command; its environment is named, for a library of this process may have set the width of a terminal."""
    done = subprocess.run(
        ["bash", "-c", step.text], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS,
        env=dict(os.environ), check=False,
    )  # fmt: skip
    assert done.returncode == step.code, f"{where}: {step.text}\nended with {done.returncode}:\n{done.stdout}"
    assert same(step.output, done.stdout), f"{where}: {step.text}\nprinted\n{done.stdout}\ninstead of\n{step.output}"


def run_python(step: Python, where: str, space: dict[str, object]) -> None:
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(step.text, where, "exec"), space)
    assert same(step.output, printed.getvalue()), f"{where}: printed\n{printed.getvalue()}\ninstead of\n{step.output}"


def test_the_tutorial_is_numbered() -> None:
    names = [page.name for page in pages("tutorial")]
    assert len(names) > 1
    assert [name.split("-")[0] for name in names] == [f"{number:02}" for number in range(1, len(names) + 1)]
