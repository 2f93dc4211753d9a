"""The folder of a plan: all files or none, each with what it cannot say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from plans import planned, strategy_of

from intarsia.ground import InputError
from intarsia.machines.clusters import read_cluster
from intarsia.models import read_model
from intarsia.place import Strategy
from intarsia.place.plan_json import read_plan
from intarsia.report import Outputs, write_outputs

FILES = ("README.txt", "deepspeed.json", "megatron.sh", "plan.json", "torchtitan.toml", "trace.json")


def written(path: Path, name: str, strategy: Strategy) -> Outputs:
    model = read_model(name)
    plan, prediction = planned(model, "a100x16", strategy)
    found = write_outputs(path, plan, model, read_cluster("a100x16"), prediction.time.stages)
    assert read_plan(path / "plan.json") == plan
    return found


def test_all_files(tmp_path: Path) -> None:
    path = tmp_path / "made" / "here"
    found = written(path, "llama3-8b", strategy_of(pipeline=4, data=4, global_batch=32, sequence=4096))
    assert found.files == FILES
    assert tuple(sorted(file.name for file in path.iterdir())) == FILES
    assert (path / "megatron.sh").stat().st_mode & 0o111
    assert json.loads((path / "trace.json").read_text())["traceEvents"]
    readme = (path / "README.txt").read_text()
    assert all(note in readme for notes in found.notes.values() for note in notes)


@pytest.mark.parametrize(("name", "sequence"), [("bert-large", 512), ("resnet-50", 0)])
def test_what_megatron_cannot_be_does_not_start(tmp_path: Path, name: str, sequence: int) -> None:
    written(tmp_path, "llama3-8b", strategy_of(sequence=4096))
    found = written(tmp_path, name, strategy_of(sequence=sequence))
    assert found.notes["megatron.sh"][0].startswith("not written: ")
    assert (tmp_path / "megatron.sh").read_text().endswith("\nexit 1\n")


def test_a_timeline_that_would_stop(tmp_path: Path) -> None:
    strategy = strategy_of(pipeline=4, data=1, interleave=4, global_batch=5, sequence=4096)
    found = written(tmp_path, "llama3-8b", strategy)
    assert "would stop" in found.notes["trace.json"][0]
    assert json.loads((tmp_path / "trace.json").read_text())["traceEvents"] == []


def test_other_files_stay_and_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    written(tmp_path, "llama3-8b", strategy_of(sequence=4096))
    assert (tmp_path / "mine.txt").read_text() == "mine"
    with pytest.raises(InputError, match="the output folder cannot be written"):
        written(tmp_path / "mine.txt", "llama3-8b", strategy_of(sequence=4096))
