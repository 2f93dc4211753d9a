"""What do `show`, `instructions` and `targets` print?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from intarsia.cli import main
from intarsia.machines import catalogue
from intarsia.operators import parse_operator

OPERATOR = """scale: i<4 ; j<2
  o:int32[4] a:int8[4, 2] b:int8[2] const
  o[i] += a[i, j] * b[j]"""


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_an_operator_is_shown_with_its_sizes(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = "iterations  8\no           16 B\na           8 B\nb           2 B\n"
    assert printed(capsys, "show", OPERATOR) == f"{OPERATOR}\n\n{sizes}"


def test_an_operator_is_shown_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    answer = json.loads(printed(capsys, "show", OPERATOR, "--json"))
    assert answer["others"] == []
    (operator,) = answer["operators"]
    assert parse_operator(operator["text"]) == parse_operator(OPERATOR)
    assert operator["axes"][1] == {"name": "j", "extent": 2, "role": "reduction"}
    assert operator["tensors"][2] == {
        "name": "b",
        "dtype": "int8",
        "shape": [2],
        "pad": 0,
        "constant": True,
        "bytes": 2,
    }


def test_an_infinite_pad_value_is_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    text = "pool: i<4 ; j<3\n  o:float32[4] a:float32[4] pad=-inf\n  o[i] max= a[i+j-1]"
    answer = json.loads(printed(capsys, "show", text, "--json"))
    assert answer["operators"][0]["tensors"][1]["pad"] == "-inf"


def test_the_catalogue_is_listed_whole(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "instructions")
    assert all(entry.form in text and entry.summary in text for entry in catalogue().values())
    answer = json.loads(printed(capsys, "instructions", "--json"))
    assert [e["name"] for e in answer] == list(catalogue())


def test_one_instruction_is_printed_and_reads_back(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = printed(capsys, "instructions", "vta.gemm:2x4x8")
    file = tmp_path / "mine.txt"
    file.write_text(text)
    assert printed(capsys, "instructions", str(file)) == text
    answer = json.loads(printed(capsys, "instructions", "vta.gemm:2x4x8", "--json"))
    assert (answer["text"] + "\n", answer["lanes"]) == (text, 64)


def test_targets_are_the_folders_of_targets(capsys: pytest.CaptureFixture[str]) -> None:
    answer = json.loads(printed(capsys, "targets", "--json"))
    assert {"generic", "vta"} <= {t["name"] for t in answer}
    assert all(t["summary"] in printed(capsys, "targets") for t in answer)
