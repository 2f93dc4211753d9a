"""Does `run --target x86` compare with the reference, time, and say what was chosen and why?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from intarsia.cli import main
from intarsia.targets.x86 import host_features

pytestmark = pytest.mark.skipif(not host_features().has("avx2", "fma"), reason="the processor lacks AVX2")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["run", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err.removeprefix("intarsia: ").rstrip("\n")


def test_an_operator_is_checked_and_timed(capsys: pytest.CaptureFixture[str]) -> None:
    spec = "gemm:m=12,n=40,k=36,x=uint8"
    assert main(["run", spec, "--target", "x86", "--measure", "3", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["correct"] is True
    assert 0 < answer["seconds"] <= answer["median"]
    assert answer["runs"] >= 20
    peak = answer["peak"]["calls_per_second"] * answer["peak"]["lanes"]
    assert answer["percent_of_peak"] == pytest.approx(100 * 12 * 40 * 36 / answer["seconds"] / peak)
    assert answer["embedding"].startswith("l: ")
    assert len(answer["measured"]) > 1
    assert answer["regret"] >= 0
    assert main(["run", spec, "--target", "x86", "--threads", "1"]) == 0
    out = capsys.readouterr().out
    assert "correct      yes\n" in out
    assert "of the peak  " in out


def test_code_may_use_less_than_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    spec = "gemm:m=12,n=40,k=36"
    assert main(["run", spec, "--target", "x86", "--features", "avx2", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["correct"] is True
    assert answer["features"] == "avx2"
    assert answer["peak"]["instruction"] == "x86.vpmaddwd.ymm"
    assert answer["peak"]["lanes"] == 16
    peak = answer["peak"]["calls_per_second"] * answer["peak"]["lanes"]
    assert answer["percent_of_peak"] == pytest.approx(100 * 12 * 40 * 36 / answer["seconds"] / peak)
    assert main(["run", spec, "--target", "x86", "--features", "avx2"]) == 0
    assert "features     avx2\n" in capsys.readouterr().out


def test_floating_sums_are_compared_within_their_error_bound(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "gemm:m=12,n=40,k=36,dtype=float32", "--target", "x86", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["correct"] is True
    wide = host_features().has("avx512f")
    assert answer["peak"]["instruction"] == f"x86.vfmadd231ps{'' if wide else '.ymm'}"


def test_a_wrong_result_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from intarsia.flow.native import run

    monkeypatch.setattr(run, "is_right", lambda *_: False)
    assert main(["run", "gemm:m=12,n=40,k=36,x=uint8", "--target", "x86"]) == 1
    assert "correct      NO\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--target", "x86", "--threads", "0"), "--threads: no such number of threads: 0; allowed: 1 to "),
        (("--target", "x86", "--threads", "999"), "--threads: no such number of threads: 999; allowed: 1 to "),
        (("--target", "x86", "--measure", "-1"), "measure is too small: -1; allowed: 0 or more"),
        (("--target", "x86", "--fixed"), "--fixed: x86 has no fixed embedding"),
        (("--target", "x86", "--config", "batch16"), "--config: x86 does not have it: batch16"),
        (("--target", "x86", "--instr", "dot:4"), "--instr: x86 does not have it: dot:4"),
        (("--target", "x86", "--features", "sse"), "features: no such level: sse; allowed: avx2, avx-vnni, avx512, "),
        (("--target", "vta", "--features", "avx2"), "--features: only x86 has it; try: --target x86"),
        (("--target", "vta", "--threads", "2"), "--threads: only x86 has it; try: --target x86"),
        (("--target", "vta", "--measure", "2"), "--measure: only x86 has it; try: --target x86"),
    ],
)
def test_options_that_do_not_fit(arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "gemm:m=2,n=3,k=4", *arguments).startswith(message)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("maxpool2d:c=3,h=8,w=8,r=2,s=2", "maxpool2d: x86 compiles one statement that adds products of two tensors"),
        ("gemm:m=2,n=3,k=4,dtype=float16", "gemm: x86 has no instruction for these elements: float16 times float16"),
    ],
)
def test_operators_that_x86_cannot_do(spec: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, spec, "--target", "x86").startswith(message)


def test_native_code_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", "gemm:m=2,n=3,k=4", "--target", "x86", "-o", str(tmp_path / "out")]) == 2
    assert "native code is made in memory and is no folder" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
