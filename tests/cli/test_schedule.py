"""What do `schedule` and `chips` print and write, and what is refused?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from training import answered, catalogued, config, printed, refused, written

from intarsia.machines.chips import chip_names
from intarsia.machines.clusters import cluster_names

SMALL = ("schedule", "gpt2", "--chip", "tpuv4-like")


def test_a_schedule_is_printed_with_its_proof(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "schedule", "llama2-7b", "--chip", "tpuv4-like")
    assert text.startswith(
        "layer      block of llama2-7b, 32 times\nchip       TPUv4-like, 8 tensor and 2 vector cores\n"
    )
    assert ", proved optimal\n" in text
    assert "\nforward/qkv " in text
    assert "\nnote       efficiencies: borrowed from A100-SXM-80GB" in text


def test_a_schedule_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    answer = answered(capsys, *SMALL, "--tensor", "2", "--recompute", "full", "--tensor-cores", "3")
    assert (answer["model"], answer["layer"], answer["repeat"], answer["chip"]) == ("gpt2", "block", 12, "TPUv4-like")
    assert (answer["tensor_cores"], answer["vector_cores"], answer["proved"]) == (3, 2, True)
    assert answer["makespan"] == pytest.approx(max(slot["finish"] for slot in answer["slots"]))
    assert answer["bound"] <= answer["makespan"]
    assert {"tensor", "vector", "network"} <= {slot["kind"] for slot in answer["slots"]}
    assert any(slot["operator"].startswith("again/") for slot in answer["slots"])


def test_a_timeline_is_written(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    trace, picture = tmp_path / "new" / "trace.json", tmp_path / "picture.svg"
    answer = answered(capsys, *SMALL, "--trace", str(trace), "--svg", str(picture))
    found = json.loads(trace.read_text())
    events = [event for event in found["traceEvents"] if event["ph"] == "X"]
    assert max(event["ts"] + event["dur"] for event in events) == pytest.approx(answer["makespan"] * 1e6)
    assert found["traceEvents"][0]["args"]["name"] == "block of gpt2 on TPUv4-like"
    drawing = ET.parse(picture).getroot()
    words = [element.text for element in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert words[0] == "block of gpt2 on TPUv4-like"
    assert {"tensor 7", "vector 1", "forward/softmax"} <= set(words)
    assert "var(" not in picture.read_text(), "programs other than browsers draw variables black"


def test_any_layer_of_any_model(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert answered(capsys, "schedule", config(tmp_path), "--chip", "tpuv4", "--layer", "head")["layer"] == "head"
    assert answered(capsys, "schedule", "resnet-50", "--chip", "a100", "--layer", "stem")["tensor_cores"] == 1


def test_a_sequence_beyond_the_learned_positions_is_noted(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    noted = "256 learned positions, the sequence 257 tokens: counted with a longer table, which must be trained anew"
    assert noted in printed(capsys, "schedule", config(tmp_path), "--chip", "tpuv4", "--seq", "257")
    assert "learned positions" not in printed(capsys, "schedule", config(tmp_path), "--chip", "tpuv4", "--seq", "256")


def test_out_of_time_still_has_a_schedule_and_a_bound(capsys: pytest.CaptureFixture[str]) -> None:
    answer = answered(capsys, *SMALL, "--limit", "1e-9")
    assert 0 < answer["bound"] <= answer["makespan"]
    assert answer["proved"] == (answer["gap"] == 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--layer", "blok"], "unknown layer: blok; allowed: embedding, block, head, loss"),
        (["--microbatch", "0"], "microbatch is not positive: 0; allowed: 1 or more"),
        (["--seq", "-5"], "seq is negative: -5; allowed: 1 or more; 0 for the model's own"),
        (["--tensor", "0"], "tensor is not positive: 0; allowed: 1 or more"),
        (["--tensor", "5"], "gpt2 cannot be cut so: 12 heads do not divide by tensor 5; try: another --tensor"),
        (["--tensor-cores", "-1"], "tensor-cores is not positive: -1; allowed: 1 or more"),
        (["--tensor-cores", "0"], "tensor-cores is not positive: 0; allowed: 1 or more"),
        (["--vector-cores", "0"], "vector-cores is not positive: 0; allowed: 1 or more"),
        (["--recompute", "some"], "unknown recompute: some; allowed: none, selective, full"),
        (["--attention", "some"], "unknown attention: some; allowed: eager, flash"),
        (["--limit", "-1"], "the limit is not positive: -1.0; allowed: seconds, more than 0"),
        (["--trace", ""], "--trace: the name is empty; allowed: a path; . is the current folder"),
        (["--svg", "x", "--trace", "./x"], "the trace and the picture are one file: x; allowed: two names"),
        (["--chip", "none.json"], "none.json: cannot read the chip file: No such file or directory"),
        (
            ["--chip", "a100", "--tensor-cores", "3"],
            (
                "this chip runs one kernel after the other on all its cores: A100-SXM-80GB; "
                "try: no --tensor-cores, no --vector-cores"
            ),
        ),
    ],
)
def test_bad_input_is_one_message(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, *SMALL, *arguments) == message


def test_an_unknown_chip_gets_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    message = refused(capsys, "schedule", "gpt2", "--chip", "h1000")
    assert message.startswith("unknown chip: h1000; allowed: a100, ")
    assert message.endswith("; try: h100, h200, a100")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(hbm_gib=-32), "the chip's hbm_gib is not possible: -32.0; allowed: more than 0"),
        (
            lambda c: c["tensor_cores"].update(count=0),
            "the chip's tensor_cores.count is not possible: 0; allowed: more than 0",
        ),
        (lambda c: c.update(wibble=1), "the chip file is wrong: Object contains unknown field `wibble`"),
        (lambda c: c.update(clock_ghz="1"), "the chip file is wrong: Expected `float`, got `str` - at `$.clock_ghz`"),
    ],
)
def test_a_wrong_chip_is_refused(
    change: Callable[[dict[str, Any]], None], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    chip = catalogued("chips", "tpuv4-like")
    change(chip)
    file = written(tmp_path, "chip.json", chip)
    assert refused(capsys, "schedule", "gpt2", "--chip", file) == f"{file}: {message}"


@pytest.mark.parametrize("option", ["--trace", "--svg"])
def test_a_timeline_that_cannot_be_written_is_refused(
    option: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    message = refused(capsys, *SMALL, option, str(tmp_path))
    assert message.startswith(f"{str(tmp_path)!r}: the output file cannot be written (it is a folder)")
    assert not list(tmp_path.iterdir())


def test_chips_and_clusters_are_listed_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    text = printed(capsys, "chips")
    lines = [line.rstrip() for line in text.splitlines()]
    assert max(map(len, lines)) <= 120
    firsts = {line.split()[0] for line in lines if line}
    assert {*chip_names(), *cluster_names()} <= firsts
    a100 = next(line.split() for line in lines if line.startswith("a100 "))
    assert a100[5:] == ["312", "80", "2.04", "300", "8", "calibrated", "recalled,", "check"]


def test_chips_and_clusters_are_json(capsys: pytest.CaptureFixture[str]) -> None:
    answer = answered(capsys, "chips")
    assert set(answer["chips"]) == set(chip_names())
    assert set(answer["clusters"]) == set(cluster_names())
    h100 = answer["chips"]["h100"]
    assert (h100["hbm_bytes"], h100["tensor"]["count"]) == (80 * 2**30, 132)
    assert h100["efficiency"]["source"].startswith("borrowed from A100-SXM-80GB, scaled to its best measured matmul")
    node, beyond = answer["clusters"]["h100"]["levels"]
    assert (node["devices"], node["bandwidth"], beyond["devices"]) == (8, 450e9, None)
