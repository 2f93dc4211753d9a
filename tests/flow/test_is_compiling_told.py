"""Is it said once that the simulator is compiled, and only where it is?"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from intarsia.cli import main
from intarsia.flow import bench, vta
from intarsia.ground import InputError
from intarsia.ground.compiled import compiled

SAID = "intarsia: the simulator of VTA is being compiled, which takes a while the first time\n"
NUMBERS = count()
COMMANDS = {
    "run": ("run_vta", ["run", "gemm:m=2,n=16,k=16"]),
    "compile": ("compile_to_folder", ["compile", "gemm:m=2,n=16,k=16", "-o", "folder"]),
}


def simulator() -> Callable[[], int]:
    """A function that is compiled when it is first called."""
    names: dict[str, Callable[[], int]] = {}
    exec(f"def simulate():\n    return {next(NUMBERS)}\n", names)
    made: Callable[[], int] = compiled(names["simulate"])
    return made


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_once_that_it_compiles(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the place of the program two functions are compiled: what the command says is what is tested."""
    function, asked = COMMANDS[name]
    first, second = simulator(), simulator()

    def runs(*_given: object, **_named: object) -> None:
        first()
        second()
        raise InputError("enough")

    monkeypatch.setattr(vta, function, runs)
    assert main([*asked, "--target", "vta"]) == 2
    assert capsys.readouterr().err == f"{SAID}intarsia: enough\n"
    assert main([*asked, "--target", "vta"]) == 2
    assert capsys.readouterr().err == "intarsia: enough\n"


def test_a_suite_says_it_before_its_processes_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["bench", "deepbench", "--target", "vta", "--set", "inference_device", "--kind", "gemm", "--workers", "1"]
    asked += ["--store", str(tmp_path / "s.sqlite")]
    monkeypatch.setattr(bench, "run_layer", lambda _question: {"refused": "not now"})
    monkeypatch.setattr(bench, "get_ready", simulator())
    main(asked)
    first, *others = capsys.readouterr().err.splitlines(keepends=True)
    assert first == SAID
    assert others[0].startswith("layers: 0 of ")
    monkeypatch.setattr(bench, "get_ready", simulator())
    main(asked)
    assert SAID not in capsys.readouterr().err, "nothing is left to run"
