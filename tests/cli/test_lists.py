"""What do `show`, `instructions` and `targets` print?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import onnx
import onnx.helper
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


def test_the_only_node_of_a_file_is_shown_with_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "one.onnx"
    save_node(path, "AveragePool", kernel_shape=[2, 2])
    for spec in (str(path), f"{path}#it"):
        out = printed(capsys, "show", spec)
        assert "\nnode        it\n" in out
        assert "\nnote        " in out


def test_a_file_without_operators_has_no_empty_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "none.onnx"
    save_node(path, "Flatten")
    out = printed(capsys, "show", str(path))
    assert out.startswith("no node of the file is an operator\n\nnode ")
    assert "why it is no operator" in out


def save_node(path: Path, kind: str, **attributes: Any) -> None:
    node = onnx.helper.make_node(kind, ["x"], ["y"], name="it", **attributes)
    given = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 2, 6, 6])
    made = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)
    graph = onnx.helper.make_graph([node], "g", [given], [made])
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9), path)


def test_an_instruction_file_is_no_operator(capsys: pytest.CaptureFixture[str]) -> None:
    file = str(Path(__file__).parents[2] / "examples" / "tile8x8.txt")
    assert main(("show", file)) == 2
    message = f"intarsia: {file}: it is an instruction, not an operator; try: intarsia instructions {file}\n"
    assert capsys.readouterr().err == message


def test_a_text_file_may_begin_with_a_byte_order_mark(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "scale.txt"
    file.write_text(OPERATOR, encoding="utf-8-sig")
    assert printed(capsys, "show", str(file)).startswith(OPERATOR)
    example = Path(__file__).parents[2] / "examples" / "tile8x8.txt"
    file.write_text(example.read_text(), encoding="utf-8-sig")
    assert printed(capsys, "instructions", str(file)) == printed(capsys, "instructions", str(example))


def test_the_targets_say_what_they_do(capsys: pytest.CaptureFixture[str]) -> None:
    out = printed(capsys, "targets")
    assert "for `run` only; nothing is compiled" in out
