"""Does `run model.onnx --target x86` give ONNX Runtime's bits, node by node, with both times?"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import int8_model
import onnx
import pytest
from onnx import TensorProto, helper

from intarsia.cli import main
from intarsia.flow.native import nodes
from intarsia.targets.x86 import host_features

pytestmark = pytest.mark.skipif(not host_features().has("avx2", "fma"), reason="the processor lacks AVX2")
runtime = pytest.mark.skipif(find_spec("onnxruntime") is None, reason="onnxruntime is not installed")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@runtime
def test_int8_nodes_run_as_native_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = int8_model.network(tmp_path / "net.onnx")
    assert main(["run", file, "--target", "x86", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["correct"] is True
    found = {node["name"]: node for node in answer["nodes"]}
    assert list(found) == ["quantise", "conv", "dequantise", "mean", "flat", "again", "product"]
    assert [name for name, node in found.items() if node["seconds"] is not None] == ["conv", "product"]
    assert all(node["onnxruntime_seconds"] > 0 for node in found.values())
    assert found["conv"]["embedding"].startswith("l: ")
    assert answer["seconds"] == pytest.approx(sum(n["seconds"] or n["onnxruntime_seconds"] for n in found.values()))
    assert main(["run", file, "--target", "x86"]) == 0
    assert "yes, bit for bit" in capsys.readouterr().out


@runtime
def test_an_input_must_have_a_shape(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = int8_model.network(tmp_path / "net.onnx", fixed=False)
    assert main(["run", file, "--target", "x86"]) == 2
    assert "net.onnx, x: the model's input has no fixed shape" in capsys.readouterr().err


@runtime
def test_what_onnxruntime_refuses_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 2]) for name in ("x", "y")]
    node = helper.make_node("Swirl", ["x"], ["y"], name="swirl", domain="of.nobody")
    graph = helper.make_graph([node], "one", infos[:1], infos[1:])
    opsets = [helper.make_opsetid("", 15), helper.make_opsetid("of.nobody", 1)]
    file = tmp_path / "net.onnx"
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=opsets), file)
    assert main(["run", str(file), "--target", "x86"]) == 2
    assert "net.onnx, swirl (Swirl): onnxruntime refuses it: [ONNXRuntimeError] : " in capsys.readouterr().err


def test_one_node_needs_no_runtime(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = int8_model.network(tmp_path / "net.onnx")
    assert main(["run", f"{file}#product", "--target", "x86", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["correct"] is True
    assert "result O:uint8[1, 10]" in answer["operator"]


def test_a_missing_runtime_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodes, "find_spec", lambda _: None)
    assert main(["run", int8_model.network(tmp_path / "net.onnx"), "--target", "x86"]) == 2
    message = capsys.readouterr().err
    assert message.startswith("intarsia: a whole model needs onnxruntime, which is not installed; try: pip install")


def test_no_such_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "nothing.onnx", "--target", "x86"]) == 2
    assert capsys.readouterr().err == "intarsia: nothing.onnx: no such file\n"
