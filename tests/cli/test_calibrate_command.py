"""What does `calibrate` print and store, and what does it refuse? (What it finds: tests/place/test_calibrate.py.)"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from intarsia.cli import main

HEAD = "hidden,heads,layers,seq,tp,dp,pp,global_batch,microbatch,recompute,attention"
RUNS = [
    f"{hidden},8,{layers},256,{tp},{dp},{pp},32,{mb},none,eager"
    for hidden, layers in ((512, 4), (1024, 4))
    for tp, dp, pp, mb in ((1, 1, 1, 4), (2, 1, 2, 2), (4, 2, 1, 8), (1, 4, 1, 4))
]
PRODUCTS = "m,k,n,ms\n1024,4096,4096,0.16\n4096,4096,4096,0.55\n8192,4096,4096,1.06\n16384,4096,4096,2.1\n"


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    """A table of runs in the milliseconds that `predict` says."""
    runs, output = tmp_path / "runs.csv", tmp_path / "measured.csv"
    runs.write_text("\n".join((HEAD, *RUNS)), encoding="utf-8")
    assert main(("predict", "--table", str(runs), "--cluster", "a100", "-o", str(output))) == 0
    output.write_text(output.read_text(encoding="utf-8").replace("predicted_ms", "iteration_ms"), encoding="utf-8")
    return output


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert main(("calibrate", *arguments)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err.removeprefix("intarsia: ").removesuffix("\n")


def test_a_calibration_is_stored_and_predicts_what_it_was_fitted_on(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, measured: Path
) -> None:
    file, products = tmp_path / "mine.json", tmp_path / "products.csv"
    products.write_text(PRODUCTS, encoding="utf-8")
    capsys.readouterr()
    given = ("--operators", str(products), "--iterations", str(measured), "--test", str(measured))
    assert main(("calibrate", "a100", *given, "-o", str(file), "--json")) == 0
    answer = json.loads(capsys.readouterr()[0])
    assert answer["chip"] == "A100-SXM-80GB"
    assert answer["efficiency"]["source"] == "fitted on products.csv, measured.csv (8 iterations)"
    assert answer["fitted"]["mape"] < 0.05
    assert answer["tested"] == answer["fitted"]
    assert [(v["name"], v["folds"]) for v in answer["validations"]] == [
        ("hidden, layers, tp, dp, pp", 8),
        ("hidden, microbatch", 6),
    ]
    assert answer["operators"]["error"] < 0.1
    output = tmp_path / "again.csv"
    table = ("--table", str(measured), "--cluster", "a100", "-o", str(output), "--calibration", str(file), "--json")
    assert main(("predict", *table)) == 0
    assert json.loads(capsys.readouterr()[0])["mape"] == pytest.approx(answer["fitted"]["mape"], abs=1e-5)
    assert len(list(csv.DictReader(output.read_text(encoding="utf-8").splitlines()))) == 8


def test_operators_alone_are_enough(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    products = tmp_path / "products.csv"
    products.write_text(PRODUCTS, encoding="utf-8")
    assert main(("calibrate", "a100", "--operators", str(products))) == 0
    lines = capsys.readouterr()[0].splitlines()
    assert lines[:2] == ["chip    A100-SXM-80GB", "source  fitted on products.csv"]
    assert any(line.split()[:1] == ["matmul"] for line in lines)
    assert any(line.startswith("operators, 5 folds") for line in lines)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a,b\n1,2\n",
            (
                "the operators' columns are not known: a, b; "
                "allowed: m, k, n, ms; elements, gelements_per_s; rows, width, gelements_per_s"
            ),
        ),
        (PRODUCTS + "8,x,8,1\n", ", line 6: k is no whole number: x; allowed: a whole number, 1 or more"),
        (PRODUCTS + "8,0,8,1\n", ", line 6: k is too small: 0; allowed: a whole number, 1 or more"),
        (PRODUCTS + "8,8,8,0\n", ", line 6: ms is not positive: 0; allowed: more than 0"),
        (PRODUCTS + "8,8,8,\n", ", line 6: ms is no number: empty; allowed: more than 0"),
        ("elements,gelements_per_s\n8,-1\n", ", line 2: gelements_per_s is not positive: -1; allowed: more than 0"),
        ("elements,gelements_per_s\n8,1\n9,1\n", ": too few operators: 2; allowed: 3 or more"),
        ("m,k,n,ms\n", ": operators without rows"),
    ],
)
def test_bad_operators_are_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "operators.csv"
    file.write_text(text, encoding="utf-8")
    found = refused(capsys, "a100", "--operators", str(file), "-o", str(tmp_path / "e.json"))
    assert found.startswith(str(file))
    assert message in found
    assert not (tmp_path / "e.json").exists()


def test_bad_iterations_are_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path, measured: Path) -> None:
    runs = tmp_path / "runs.csv"
    given = ("a100", "--iterations", str(runs))
    assert refused(capsys, *given) == f"{runs}, line 2: iteration_ms is empty; allowed: milliseconds of one iteration"
    lines = measured.read_text(encoding="utf-8").splitlines()
    runs.write_text("\n".join((*lines[:2], lines[2].replace("512,8,4,256,2", "512,8,4,256,16"))), encoding="utf-8")
    assert refused(capsys, *given) == f"{runs}, line 3: 4x512 cannot be cut so: 8 heads do not divide by tensor 16"
    other = ("a100", "--iterations", str(measured), "--cluster", "h100")
    assert refused(capsys, *other) == "h100: the cluster is of another chip: H100-SXM; allowed: A100-SXM-80GB"


def test_other_bad_input_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert refused(capsys, "h100") == (
        "no measurements of this chip are shipped: h100; allowed: a100; try: --operators FILE"
    )
    assert refused(capsys, "a1000", "--operators", "x.csv").startswith("unknown chip: a1000; allowed: a100, ")
    assert refused(capsys, "a100", "--operators", f"{tmp_path}/no.csv") == (
        f"{tmp_path}/no.csv: cannot read the operators: No such file or directory"
    )
