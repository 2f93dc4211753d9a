"""What does `predict --table` write, how good is it on the shipped runs, and which tables does it refuse?"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from importlib.resources import files
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from intarsia.cli import main

SHIPPED = Path(str(files("intarsia.machines.chips") / "measurements"))
HEAD = "hidden,heads,layers,seq,tp,dp,pp,global_batch,microbatch,recompute"
ROW = "256,4,4,128,1,2,1,16,2,none"
Lines = list[dict[str, str]]


def predicted(
    capsys: pytest.CaptureFixture[str], table: Path, output: Path, *flags: str
) -> tuple[dict[str, Any], Lines]:
    assert main(("predict", "--table", str(table), "--cluster", "a100", "-o", str(output), "--json", *flags)) == 0
    out, _ = capsys.readouterr()
    return json.loads(out), list(csv.DictReader(output.read_text(encoding="utf-8").splitlines()))


def refused(capsys: pytest.CaptureFixture[str], folder: Path, text: str | bytes, *flags: str) -> str:
    table, output = folder / "runs.csv", folder / "out.csv"
    table.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert main(("predict", "--table", str(table), "--cluster", "a100", "-o", str(output), *flags)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert not output.exists()
    return err.removeprefix("intarsia: ").removesuffix("\n").replace(str(folder), "DIR")


def test_megatrons_published_runs_that_nothing_was_fitted_on(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found, rows = predicted(capsys, SHIPPED / "megatron_sc21_a100.csv", tmp_path / "out.csv")
    errors = [abs(float(row["predicted_ms"]) / float(row["iteration_ms"]) - 1) for row in rows]
    assert len(errors) == 10
    assert max(errors) < 0.12
    assert sum(errors) / 10 < 0.06
    assert found["mape"] == pytest.approx(sum(errors) / 10, abs=1e-5)
    assert all(row["fits"] == "true" and float(row["predicted_gib"]) < 80 for row in rows)  # they did run
    assert (found["tau"], found["regret"], found["groups"]) == (None, None, 0)


def slow_tau(runs: list[tuple[float, float]]) -> float | None:
    """Kendall's τ-b, pair by pair."""
    agree = first = second = 0
    for (p, m), (q, n) in combinations(runs, 2):
        one, other = (p > q) - (p < q), (m > n) - (m < n)
        agree, first, second = agree + one * other, first + one**2, second + other**2
    return agree / (first * second) ** 0.5 if first and second else None


def test_single_node_runs_and_the_ranking_against_a_slow_twin(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found, rows = predicted(capsys, SHIPPED / "vtrain_a100_single_node.csv", tmp_path / "out.csv")
    groups = defaultdict(list)
    errors = []
    for row in rows:
        seconds, measured = float(row["predicted_ms"]), float(row["iteration_ms"])
        errors.append(abs(seconds / measured - 1))
        key = [row[name] for name in ("hidden", "heads", "layers", "seq", "gpus", "global_batch")]
        groups[tuple(key)].append((seconds, measured))
    several = [runs for runs in groups.values() if len(runs) > 1]
    taus = [tau for runs in several if (tau := slow_tau(runs)) is not None]
    regrets = [min(runs)[1] / min(measured for _, measured in runs) - 1 for runs in several]
    assert found["compared"] == len(errors) == 1440
    assert found["groups"] == len(several)
    assert found["mape"] == pytest.approx(sum(errors) / len(errors), abs=1e-5)
    assert found["median"] == pytest.approx((sorted(errors)[719] + sorted(errors)[720]) / 2, abs=1e-5)
    assert found["tau"] == pytest.approx(sum(taus) / len(taus), abs=2e-3)  # three decimals are written
    assert found["regret"] == pytest.approx(sum(regrets) / len(regrets), abs=1e-3)
    assert found["mape"] < 0.06
    assert found["tau"] > 0.85
    assert found["regret"] < 0.05


def test_columns_are_kept_and_three_are_added(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    table = tmp_path / "runs.csv"
    table.write_text(f"# a comment\n{HEAD},owner,fits\n\n{ROW},me,perhaps\n{ROW},you,\n", encoding="utf-8")
    found, rows = predicted(capsys, table, tmp_path / "out.csv")
    assert list(rows[0]) == [*HEAD.split(","), "owner", "predicted_ms", "predicted_gib", "fits"]
    assert [row["owner"] for row in rows] == ["me", "you"]
    assert rows[0]["fits"] == "true"
    assert (found["rows"], found["compared"], found["mape"]) == (2, 0, None)


def test_a_row_says_what_the_flags_say(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    table = tmp_path / "runs.csv"
    table.write_text(
        f"{HEAD},model,sequence_parallel,zero,kv_heads,gated\n256,4,4,128,2,2,1,16,2,full,,yes,1,2,true\n"
        ",,,1024,1,8,1,16,2,none,gpt2-xl,,,,\n",
        encoding="utf-8",
    )
    _, rows = predicted(capsys, table, tmp_path / "out.csv")
    sizes = ("--hidden", "256", "--heads", "4", "--layers", "4", "--seq", "128", "--kv-heads", "2", "--gated")
    degrees = ("--tp", "2", "--dp", "2", "--zero", "1", "--sequence-parallel", "--recompute", "full")
    batch = ("--microbatch", "2", "--global-batch", "16", "--json")
    for row, flags in (
        (rows[0], (*sizes, *degrees, "--cluster", "a100x4")),
        (rows[1], ("--model", "gpt2-xl", "--dp", "8", "--cluster", "a100x8")),
    ):
        assert main(("predict", *flags, *batch)) == 0
        assert float(row["predicted_ms"]) == pytest.approx(
            json.loads(capsys.readouterr()[0])["seconds"] / 1e-3, abs=1e-3
        )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{HEAD}\n{ROW}".replace("microbatch", "mbs"), "DIR/runs.csv: the table lacks columns: microbatch; allowed: "),
        (
            f"{HEAD}\n{ROW}".replace(",recompute", "").replace(",none", ""),
            "DIR/runs.csv: the table lacks columns: recompute; allowed: ",
        ),
        (
            f"{HEAD},sequence_paralel\n{ROW},1",
            "DIR/runs.csv: a column is almost one of those that are read: sequence_paralel; try: sequence_parallel",
        ),
        (f"{HEAD},Interleave\n{ROW},1", "DIR/runs.csv: a column is almost one of those that are read: Interleave; "),
        (f"{HEAD},tp\n{ROW},1", "DIR/runs.csv, line 1: a column stands there twice: tp"),
        (
            f"{HEAD}\n{ROW}\n,4,4,128,1,2,1,16,2,none",
            "DIR/runs.csv, line 3: hidden is empty; allowed: a whole number, 1 or more",
        ),
        (
            f"{HEAD}\n256,4,4,128,,2,1,16,2,none",
            "DIR/runs.csv, line 2: tp is empty; allowed: a whole number, 0 or more",
        ),
        (
            f"# of ours\n\n{HEAD}\n256,4,4,128,-1,2,1,16,2,none",
            "DIR/runs.csv, line 4: tp is too small: -1; allowed: a whole number, 0 or more",
        ),
        (f"{HEAD}\n256,4,4,128,0,2,1,16,2,none", "DIR/runs.csv, line 2: tp is not positive: 0; allowed: 1 or more"),
        (
            f"{HEAD}\n256,4,4,128,1.5,2,1,16,2,none",
            "DIR/runs.csv, line 2: tp is no whole number: 1.5; allowed: a whole number, 0 or more",
        ),
        (
            f"{HEAD}\n256,4,4,128,true,2,1,16,2,none",
            "DIR/runs.csv, line 2: tp is no whole number: true; allowed: a whole number, 0 or more",
        ),
        (
            f"{HEAD},gated\n{ROW},maybe",
            "DIR/runs.csv, line 2: gated is neither true nor false: maybe; allowed: true, false, yes, no, 1, 0",
        ),
        (f"{HEAD}\n256,3,4,128,1,2,1,16,2,none", "DIR/runs.csv, line 2: heads does not divide hidden: 256 / 3"),
        (
            f"{HEAD}\n256,0,4,128,1,2,1,16,2,none",
            "DIR/runs.csv, line 2: heads is too small: 0; allowed: a whole number, 1 or more",
        ),
        (
            f"{HEAD}\n256,4,4,128,8,1,1,16,2,none",
            "DIR/runs.csv, line 2: 4x256 cannot be cut so: 4 heads do not divide by tensor 8",
        ),
        (
            f"{HEAD},gpus\n{ROW},4",
            "DIR/runs.csv, line 2: tp × pp × dp × cp is not the number of gpus: 1 × 1 × 2 × 1 = 2, gpus 4",
        ),
        (
            f"{HEAD}\n256,4,4,128,1,2,1,16,2,some",
            "DIR/runs.csv, line 2: unknown recompute: some; allowed: none, selective, full",
        ),
        (
            f"{HEAD},iteration_ms\n{ROW},fast",
            "DIR/runs.csv, line 2: iteration_ms is no number: fast; allowed: more than 0",
        ),
        (
            f"{HEAD},iteration_ms\n{ROW},-3",
            "DIR/runs.csv, line 2: iteration_ms is not positive: -3; allowed: more than 0",
        ),
        (
            f"{HEAD},iteration_ms\n{ROW},nan",
            "DIR/runs.csv, line 2: iteration_ms is not positive: nan; allowed: more than 0",
        ),
        (f"{HEAD},model\n{ROW},gpt9", "DIR/runs.csv, line 2: unknown model, and no such file: gpt9; allowed: "),
        (
            f"{HEAD}\n{ROW},7",
            ("DIR/runs.csv, line 2: the row has more or fewer cells than the table has columns: 11 cells; allowed: 10"),
        ),
        (f'{HEAD}\n"256,4', "DIR/runs.csv, line 2: the line is no CSV: unexpected end of data"),
        (f"{HEAD}\n", "DIR/runs.csv: table without rows; allowed: a line of columns, then "),
        ("", "DIR/runs.csv: table without rows; allowed: a line of columns, then "),
        (b"hidden\xff,heads\n1,2\n", "DIR/runs.csv: the table is not a text file; allowed: UTF-8 text"),
    ],
)
def test_bad_tables_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str | bytes, message: str
) -> None:
    found = refused(capsys, tmp_path, text)
    assert found == message or (message.endswith(("; ", ": ", "then ")) and found.startswith(message))


def test_what_a_table_lacks_may_come_from_a_flag(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    table = tmp_path / "runs.csv"
    text = f"{HEAD}\n{ROW}\n"
    table.write_text(text.replace(",recompute", "").replace(",none", ""), encoding="utf-8")
    _, (row,) = predicted(capsys, table, tmp_path / "out.csv", "--recompute", "none")
    table.write_text(text, encoding="utf-8")
    _, (other,) = predicted(capsys, table, tmp_path / "out.csv", "--recompute", "full")
    assert row["predicted_ms"] == other["predicted_ms"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ("--table", "no.csv", "--cluster", "a100", "-o", "out.csv"),
            "no.csv: cannot read the table: No such file or directory",
        ),
        (("--table", "no.csv", "--cluster", "a100"), "a table needs a file for its answer; try: -o out.csv"),
        (("--table", "no.csv", "-o", "out.csv"), "no cluster is given; allowed: --cluster NAME; try: --cluster a100"),
    ],
)
def test_flags_of_a_table_are_checked(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    flags: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(("predict", *flags)) == 2
    assert capsys.readouterr() == ("", f"intarsia: {message}\n")
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_cannot_be_written_is_refused_at_once(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    table, file = str(SHIPPED / "megatron_sc21_a100.csv"), tmp_path / "file"
    file.write_text("ours", encoding="utf-8")
    for output in (file / "out.csv", tmp_path):
        assert main(("predict", "--table", table, "--cluster", "a100", "-o", str(output))) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith(f"intarsia: '{output}': the output file cannot be written (")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
