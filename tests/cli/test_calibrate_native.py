"""``calibrate x86``: constants of this machine, how well they rank plans, and where they are kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from intarsia.cli import main
from intarsia.flow.native import calibrate
from intarsia.targets.x86 import host_features
from intarsia.targets.x86.calibration import samples

pytestmark = pytest.mark.skipif(not host_features().has("avx512vnni"), reason="the processor lacks AVX512-VNNI")


@pytest.fixture(autouse=True)
def _few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = tuple(s for s in samples() if s.name in {"short sums", "product in bytes", "depthwise"})
    monkeypatch.setattr(calibrate, "samples", lambda: few)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_constants_are_fitted_kept_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", "x86", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["operators"] == 3
    assert answer["plans"] > 10
    multiply = answer["constants"]["multiply"]
    assert multiply["shipped"] == multiply["fitted"]
    assert multiply["fitted"] in calibrate.CALLS
    assert {"tile", "woven", "written"} <= set(answer["constants"])
    for ranking in answer["ranking"].values():
        assert -1 <= ranking["tau"] <= 1
        assert ranking["regret"]["1"] >= ranking["regret"]["8"] >= 0
    assert tmp_path in Path(answer["file"]).parents
    assert Path(answer["file"]).exists()


def test_a_reader_gets_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", "x86"]) == 0
    out = capsys.readouterr().out
    assert "3 operators" in out
    assert "best of 4" in out


def test_options_of_chips_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", "x86", "--cluster", "a100"]) == 2
    assert "--cluster" in capsys.readouterr().err
