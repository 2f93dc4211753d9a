"""What a study writes: all of it or nothing, and files that other commands read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from intarsia.cli import main
from intarsia.flow.study import StudyAnswer, decode_study, run_study
from intarsia.ground import InputError
from intarsia.machines.chips import Chip, Mapping, chip_names, read_chip
from intarsia.machines.clusters import read_cluster
from intarsia.machines.clusters.read import cluster_names
from intarsia.machines.template import TPUV4_LIKE, chip_of
from intarsia.report import write_study
from intarsia.report.machine_files import chip_text, cluster_text

FILES = {"README.txt", "chip.json", "cluster.json", "plans", "report.html", "result.json"}
CONVOLUTIONS = """\
model = "mobilenet-v2"
cluster = "tpuv4x2"
global_batch = 4
workers = 1
baselines = []
[choose]
tensor = 1
microbatch = 1
"""
PLAN = {"README.txt", "deepspeed.json", "megatron.sh", "plan.json", "schedule.json", "torchtitan.toml", "trace.json"}


def test_the_files(out: Path, answer: StudyAnswer) -> None:
    assert {file.name for file in out.iterdir()} == FILES
    assert {file.name for file in (out / "plans" / "gpt2").iterdir()} == PLAN
    assert answer.result.sentence in (out / "README.txt").read_text()


def test_the_trace_of_the_layer(out: Path, answer: StudyAnswer) -> None:
    gantt = answer.result.models[0].schedule
    assert gantt is not None
    events = json.loads((out / "plans" / "gpt2" / "schedule.json").read_text())["traceEvents"]
    bars = [one for one in events if one["ph"] == "X"]
    assert len(bars) == len(gantt.bars)
    assert max(one["ts"] + one["dur"] for one in bars) == pytest.approx(gantt.end * 1e6)
    assert [one["args"]["name"] for one in events if one["name"] == "thread_name"] == list(gantt.lines)


def test_an_older_folder_is_replaced_but_for_others_files(answer: StudyAnswer, tmp_path: Path) -> None:
    (tmp_path / "plans" / "older").mkdir(parents=True)
    (tmp_path / "mine.txt").write_text("mine")
    write_study(tmp_path, answer)
    assert {file.name for file in tmp_path.iterdir()} == {*FILES, "mine.txt"}
    assert {file.name for file in (tmp_path / "plans").iterdir()} == {"gpt2"}


@pytest.mark.parametrize("costs", Mapping)
def test_a_plan_is_predicted_as_it_was_priced(
    costs: Mapping, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whichever way products were counted, which makes a factor of two here: the chip's file says it."""
    study = decode_study(f'costs = "{costs}"\n{CONVOLUTIONS}', where="s.toml")
    found = run_study(study, store=tmp_path / "store.sqlite")
    write_study(tmp_path / "out", found)
    assert main(["predict", "--plan", str(tmp_path / "out" / "plans" / "mobilenet-v2" / "plan.json"), "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["seconds"] == found.result.models[0].plan.seconds
    assert not any("the plan said" in note for note in again["notes"])


def test_a_file_is_no_folder(answer: StudyAnswer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="the output folder cannot be written"):
        write_study(tmp_path / "file", answer)
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("name", [*chip_names(), "template", "odd", "two kinds", "padded"])
def test_a_chip_is_read_as_it_was_written(name: str, tmp_path: Path) -> None:
    chip = _chip(name)
    file = tmp_path / "chip.json"
    file.write_text(chip_text(chip))
    assert read_chip(str(file)) == chip


def _chip(name: str) -> Chip:
    if name == "two kinds":
        return chip_of(replace(TPUV4_LIKE, tensor_cores=4, more_cores=24, more_width=48, more_depth=16))
    if name == "padded":
        return replace(chip_of(TPUV4_LIKE), mapping=Mapping.PADDED)
    if name == "odd":
        return replace(chip_of(TPUV4_LIKE), clock=1.05e9 * 7 / 6, hbm_bandwidth=3 * 0.41e12)
    return chip_of(TPUV4_LIKE) if name == "template" else read_chip(name)


@pytest.mark.parametrize("name", cluster_names())
def test_a_cluster_is_read_as_it_was_written(name: str, tmp_path: Path) -> None:
    cluster = read_cluster(name, devices=96)
    (tmp_path / "chip.json").write_text(chip_text(cluster.chip))
    (tmp_path / "cluster.json").write_text(cluster_text(cluster))
    assert read_cluster(str(tmp_path / "cluster.json")) == cluster
