"""Does the command line answer, explain itself on one screen, and end with the right code?"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from intarsia import __version__, flow
from intarsia.cli import main, program
from intarsia.cli.parser import COMMANDS

HEAVY = (
    "numpy", "numba", "scipy", "ortools", "clingo", "islpy", "onnx", "rich", "msgspec",
    "intarsia.flow", "intarsia.solvers", "intarsia.place", "intarsia.report", "intarsia.models", "intarsia.machines",
)  # fmt: skip


@pytest.mark.parametrize("name", ["", *(c.name for c in COMMANDS)])
def test_help_fits_a_screen_and_shows_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*filter(None, [name]), "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 100
    assert "example:" in lines
    assert f"  intarsia {name}".rstrip() in "\n".join(lines[lines.index("example:") :])


@pytest.mark.parametrize("name", [c.name for c in COMMANDS])
def test_help_is_as_wide_as_a_narrow_terminal(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main([name, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in lines if line.startswith("  -")) <= 80
    assert len(lines) <= 42


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from intarsia.cli import main; main(['embed', '--help']); main(['plan', '--help']); "
        "main(['--help']); "
        f"sys.exit(', '.join(m for m in {HEAVY} if m in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"intarsia {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "the following arguments are required: COMMAND; try: intarsia --help"),
        (["show"], "the following arguments are required: SPEC; try: intarsia show --help"),
        (["show", "gemm:m=1,n=1,k=1", "--jso"], "unrecognized arguments: --jso; try: intarsia show --help"),
        (["embed", "gemm:m=1,n=1,k=1"], "the following arguments are required: --instr; try: intarsia embed --help"),
    ],
)
def test_wrong_arguments_are_one_message(arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr() == ("", f"intarsia: {text}\n")


def test_an_unknown_command_is_told_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["embedd"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("intarsia: argument COMMAND: invalid choice: 'embedd' (choose from ")
    assert all(c.name in err for c in COMMANDS)


def test_an_interruption_ends_with_130(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "targets", _interrupted)
    before = signal.getsignal(signal.SIGINT)
    assert main(["targets"]) == 130
    assert capsys.readouterr() == ("", "intarsia: interrupted\n")
    assert signal.getsignal(signal.SIGINT) is before, "who calls from Python goes on, and may be interrupted again"


def test_a_program_that_was_interrupted_is_killed_by_a_second_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    restored: list[object] = []
    monkeypatch.setattr(signal, "signal", lambda *told: restored.append(told))
    monkeypatch.setattr(sys, "argv", ["intarsia", "targets"])
    assert program() == 0
    assert not restored
    monkeypatch.setattr(flow, "targets", _interrupted)
    assert program() == 130
    assert restored == [(signal.SIGINT, signal.SIG_DFL)]


def _interrupted() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("command", [["show", "gemm:m=3,n=4,k=5"], ["targets"]])
@pytest.mark.parametrize(
    ("redirected", "message"),
    [
        (">&-", "intarsia: the answer cannot be printed: standard output is closed\n"),
        (">/dev/full", "intarsia: the answer cannot be written: No space left on device\n"),
        (">&- 2>&-", ""),
        (">/dev/full 2>/dev/full", ""),
    ],
)
def test_an_answer_that_cannot_be_printed_is_one_message(command: list[str], redirected: str, message: str) -> None:
    done = in_shell(command, redirected)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message)


def test_without_stderr_messages_go_nowhere() -> None:
    done = in_shell(["show", "gemm:m=3"], "2>&-")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


def in_shell(command: list[str], redirected: str) -> subprocess.CompletedProcess[str]:
    line = shlex.join([str(Path(sys.executable).parent / "intarsia"), *command])
    return subprocess.run(["/bin/sh", "-c", f"{line} {redirected}"], capture_output=True, text=True, check=False)


def test_a_bug_is_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Namespace:
        raise ZeroDivisionError

    monkeypatch.setattr(flow, "targets", broken)
    with pytest.raises(ZeroDivisionError):
        main(["targets"])


def test_a_reader_who_leaves_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    code = "import sys; from intarsia.cli import main; sys.exit(main(['instructions', '--json']))"
    done = subprocess.run([sys.executable, "-c", code], stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


def test_the_installed_command_prints_json() -> None:
    command = [Path(sys.executable).parent / "intarsia", "show", "gemm:m=3,n=4,k=5", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["operators"][0]["iterations"] == 60
