"""Does `bench` run every layer once, keep what is done, and continue where it stopped?"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from intarsia.cli import main
from intarsia.flow import bench
from intarsia.flow.vta import Options
from intarsia.ground.store import Json
from intarsia.operators import read_operator
from intarsia.operators.deepbench import Row
from intarsia.targets.vta import VtaConfig

LAYERS = tuple(
    (Row(name, read_operator(spec)), count)
    for name, spec, count in [
        ("first", "conv2d:n=1,c=1,h=9,w=9,k=16,r=3,s=3", 2),
        ("wide", "gemm:m=32,n=5,k=32", 1),
        ("floating", "gemm:m=4,n=5,k=6,dtype=float32", 1),
    ]
)
OPTIONS = Options(VtaConfig.default())


def test_every_layer_is_run_and_what_is_refused_is_told(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    answer = bench.bench_layers(
        "mine", LAYERS, OPTIONS, workers=1, store=tmp_path / "s.sqlite", told=lambda a, b: told.append((a, b))
    )
    assert [(row.name, row.count) for row in answer.rows] == [("first", 2), ("wide", 1), ("floating", 1)]
    assert [row.run.correct for row in answer.rows if row.run] == [True, True]
    assert "VTA multiplies signed bytes only" in answer.rows[2].refused
    assert not answer.correct
    assert sorted(name for name, _ in answer.speedups) == ["first", "wide"]
    assert dict(answer.speedups)["first"] > 1.5
    assert told[-1] == (3, 3)


def test_it_continues_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = bench.run_layer

    def counted(question: Json) -> Json:
        assert isinstance(question, dict)
        asked.append(str(question["operator"]).partition(":")[0])
        if len(asked) == 2:
            raise KeyboardInterrupt
        return real(question)

    monkeypatch.setattr(bench, "run_layer", counted)
    store = tmp_path / "s.sqlite"
    with pytest.raises(KeyboardInterrupt):
        bench.bench_layers("mine", LAYERS, OPTIONS, workers=1, store=store)
    first = asked.copy()
    bench.bench_layers("mine", LAYERS, OPTIONS, workers=1, store=store)
    assert len(asked) == len(first) + 2
    bench.bench_layers("mine", LAYERS, OPTIONS, workers=1, store=store)
    assert len(asked) == len(first) + 2
    bench.bench_layers("mine", LAYERS, OPTIONS, workers=1, store=store, fresh=True)
    assert len(asked) == len(first) + 5


def test_several_processes_give_the_same(tmp_path: Path) -> None:
    one, two = (
        bench.bench_layers("mine", LAYERS[:2], OPTIONS, workers=w, store=tmp_path / f"{w}.sqlite") for w in (1, 2)
    )
    for a, b in zip(one.rows, two.rows, strict=True):
        assert a.run is not None
        assert b.run is not None
        assert a.run.chosen.device is not None
        assert b.run.chosen.device is not None
        assert a.run.chosen.device.cycles == b.run.chosen.device.cycles


def test_the_rows_of_deepbench_are_folded() -> None:
    found = bench.deepbench_rows("inference", "conv")
    assert (len(found), sum(count for _, count in found)) == (104, 124)
    found = bench.deepbench_rows("inference", "gemm")
    assert (len(found), sum(count for _, count in found)) == (84, 88)


def test_the_command_prints_and_writes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "deepbench_rows", lambda *_: LAYERS[:2])
    file = tmp_path / "deep" / "answer.json"
    options = ["--workers", "1", "--store", str(tmp_path / "s.sqlite"), "--json", str(file)]
    assert main(["bench", "deepbench", "--target", "vta", *options]) == 0
    out = capsys.readouterr().out
    assert "all, bit for bit" in out
    answer = json.loads(file.read_text())
    assert [layer["name"] for layer in answer["layers"]] == ["first", "wide"]
    assert answer["correct"] is True


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--target", "tpu"), "unknown target: tpu; allowed: vta, x86"),
        (("--target", "vta", "--kind", "lstm"), "deepbench: unknown kind: lstm; allowed: conv, gemm, all"),
        (("--target", "vta", "--workers", "-1"), "workers is negative: -1; allowed: 0 or more"),
    ],
)
def test_wrong_options(options: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "deepbench", *options]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"intarsia: {message}\n")


def test_an_unknown_set_gets_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "deepbench", "--target", "vta", "--set", "inferense"]) == 2
    assert "unknown set: inferense; allowed: " in capsys.readouterr().err


def test_a_json_file_that_cannot_be_written_is_told_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "deepbench", "--target", "vta", "--json", str(tmp_path)]) == 2
    assert "the output file cannot be written (it is a folder)" in capsys.readouterr().err


INTERRUPTED = """
import sys
import time

from intarsia.cli import main
from intarsia.flow import bench
from intarsia.operators import read_operator
from intarsia.operators.deepbench import Row

LAYERS = tuple((Row(f"{m}", read_operator(f"gemm:m={m},n=1,k=1")), 1) for m in (3, 2, 1))


def answer(question):
    if "m<3" not in question["operator"]:
        time.sleep(1000)
    return {"refused": "quick"}


if __name__ == "__main__":
    bench.run_layer = answer
    bench.deepbench_rows = lambda which, kind: LAYERS
    sys.exit(main(["bench", "deepbench", "--target", "vta", "--workers", "2", "--store", sys.argv[1]]))
"""


@pytest.mark.usefixtures("simulator")
def test_an_interruption_ends_everything_at_once_and_keeps_what_is_done(tmp_path: Path) -> None:
    script, kept = tmp_path / "script.py", tmp_path / "s.sqlite"
    script.write_text(INTERRUPTED)
    command = [sys.executable, str(script), str(kept)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stderr is not None
        told = [process.stderr.readline() for _ in range(2)]
        assert [line.partition(",")[0] for line in told] == ["layers: 0 of 3", "layers: 1 of 3"]
        started = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait() == 130
    assert time.monotonic() - started < 60  # not when the layers that sleep are done
    assert rest == "intarsia: interrupted\n"
    with closing(sqlite3.connect(kept)) as store:
        ((answer,),) = store.execute("SELECT answer FROM result").fetchall()
        assert answer.endswith('{"refused": "quick"}')
