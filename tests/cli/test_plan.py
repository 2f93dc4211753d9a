"""What does `plan` print and write, does `predict --plan` say the same, and what is refused?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from training import answered, catalogued, config, printed, refused, written

from intarsia.cli import main

SMALL = ("plan", "gpt2-xl", "--cluster", "a100x8", "--global-batch", "16", "--brief")
FILES = {"plan.json", "README.txt", "megatron.sh", "torchtitan.toml", "deepspeed.json", "trace.json"}


def test_a_plan_is_printed_with_its_proof_and_its_rivals(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "plan", "gpt2-xl", "--cluster", "a100x16", "--global-batch", "64")
    assert text.startswith("model            gpt2-xl, 1,557,611,200 parameters\ncluster          a100, 16 devices\n")
    assert "; no plan is faster\n" in text
    for name in ("compute", "communication", "bubble", "optimizer", "utilisation", "memory", "ranks", "search"):
        assert f"\n{name}" in text.replace("\n  ", "\n")
    assert "ranks            data 16 over 2 nodes\n" in text
    rows = [line.split() for line in text.splitlines() if line.startswith(("best", "2.", "3."))]
    seconds = [float(row[1]) for row in rows]
    assert len(rows) == 3
    assert seconds == sorted(seconds)
    assert "\nwhat each choice costs" in text
    assert " 1.00×" in text


def test_a_plan_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    answer = answered(capsys, *SMALL[:-1])
    assert (answer["outcome"], answer["optimal"], answer["because"], answer["relaxation"]) == ("found", True, [], None)
    assert (answer["model"], answer["cluster"], answer["devices"], answer["fits"]) == ("gpt2-xl", "a100", 8, True)
    assert answer["bound"] <= answer["seconds"] * (1 + 1e-9)
    assert sum(answer["parts"].values()) == pytest.approx(answer["seconds"])
    low, high = answer["interval"]
    assert low < answer["seconds"] < high
    strategy = answer["strategy"]
    degrees = [strategy[name] for name in ("tensor", "pipeline", "data", "context")]
    assert degrees[0] * degrees[1] * degrees[2] * degrees[3] + answer["idle"] == 8
    assert sum(stage["layers"].get("block", 0) for stage in answer["stages"]) == 48
    assert answer["bytes_per_device"]["total"] == max(stage["bytes_per_device"] for stage in answer["stages"])
    assert answer["ranks"]["tensor"]["ranks"] == strategy["tensor"]
    assert [runner["seconds"] for runner in answer["runners_up"]] == sorted(r["seconds"] for r in answer["runners_up"])
    assert all(runner["seconds"] >= answer["seconds"] for runner in answer["runners_up"])
    assert all(price["times"] is None or price["times"] >= 1 - 1e-9 for price in answer["prices"])


@pytest.mark.parametrize(
    ("model", "cluster", "batch"),
    [("gpt2-xl", "a100x4", "7"), ("llama2-7b", "tpuv4-likex16", "32"), ("vgg-16", "a100x4", "64")],
)
def test_predict_says_exactly_what_plan_said(
    model: str, cluster: str, batch: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    plan = answered(capsys, "plan", model, "--cluster", cluster, "--global-batch", batch, "--brief", "-o", str(out))
    assert {file.name for file in out.iterdir()} == FILES
    predicted = answered(capsys, "predict", "--plan", str(out / "plan.json"))
    used = plan.pop("devices") - plan["idle"]
    assert predicted.pop("devices") == used
    assert predicted.items() <= plan.items()


def test_what_the_launch_files_do_otherwise_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = printed(capsys, *SMALL, "-o", str(tmp_path / "out"))
    assert f"\nwritten          {tmp_path / 'out'}\n" in text
    assert "\ntorchtitan.toml  torchtitan has no gpt2-xl: add it" in text
    trace = json.loads((tmp_path / "out" / "trace.json").read_text())
    assert {"forward", "backward", "optimizer"} <= {event.get("cat") for event in trace["traceEvents"]}


def test_choices_can_be_restricted(capsys: pytest.CaptureFixture[str]) -> None:
    only = ("--only", "pipeline=2,4", "--only", "sequence-parallel=off", "--only", "zero=1", "--only", "tensor=1")
    strategy = answered(capsys, *SMALL, *only)["strategy"]
    assert strategy["pipeline"] in {2, 4}
    assert (strategy["zero"], strategy["tensor"]) == (1, 1)
    free = answered(capsys, *SMALL)["seconds"]
    assert answered(capsys, *SMALL, *only)["seconds"] >= free


def test_sequence_parallelism_is_on_where_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("plan", "gpt2", "--cluster", "a100x8", "--global-batch", "16", "--brief")
    strategy = answered(capsys, *arguments, "--only", "sequence_parallel=on")["strategy"]
    assert strategy["sequence_parallel"]
    assert strategy["tensor"] > 1


def test_a_sequence_beyond_the_learned_positions_is_noted(capsys: pytest.CaptureFixture[str]) -> None:
    assert "1024 learned positions" in answered(capsys, *SMALL, "--seq", "2048", "--brief")["notes"][0]


def test_a_cluster_and_a_model_may_be_files(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    chip = written(tmp_path, "mine.json", catalogued("chips", "h100") | {"name": "mine"})
    cluster = written(tmp_path, "k.json", catalogued("clusters", "h100") | {"name": "k", "chip": chip, "devices": 4})
    model = config(tmp_path)
    arguments = ("plan", model, "--cluster", cluster, "--global-batch", "8", "--brief", "-o", str(tmp_path / "out"))
    plan = answered(capsys, *arguments)
    assert (plan["cluster"], plan["devices"]) == ("k", 4)
    assert answered(capsys, "predict", "--plan", str(tmp_path / "out" / "plan.json"))["seconds"] == plan["seconds"]


def test_where_nothing_fits_it_says_what_is_over_and_what_helps(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    arguments = ("plan", "llama2-7b", "--cluster", "tpuv4-likex2", "--global-batch", "8")
    text = printed(capsys, *arguments, "-o", str(tmp_path / "out"))
    assert "\noutcome  nothing fits\nbecause  " in text
    assert "\ntry      " in text
    assert not (tmp_path / "out").exists()
    answer = answered(capsys, *arguments)
    assert (answer["outcome"], answer["optimal"], answer["seconds"], answer["stages"]) == (
        "infeasible",
        False,
        None,
        [],
    )
    assert answer["bound"] is None
    assert "stage 0" in answer["because"][0]
    assert answer["relaxation"]


def test_out_of_time_is_an_answer(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = printed(capsys, *SMALL, "--limit", "1e-9", "-o", str(tmp_path / "out"))
    assert "\noutcome  out of time, no plan yet\n" in text
    assert not (tmp_path / "out").exists()
    answer = answered(capsys, *SMALL, "--limit", "1e-9")
    assert (answer["outcome"], answer["optimal"], answer["because"]) == ("out of time", False, [])
    assert answer["strategy"] is None
    assert 0 <= answer["bound"] <= answered(capsys, *SMALL)["seconds"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--global-batch", "0"], "the global batch is not positive: 0; allowed: 1 or more"),
        (["--global-batch", "-8"], "the global batch is not positive: -8; allowed: 1 or more"),
        (["--seq", "-1"], "seq is negative: -1; allowed: 1 or more; 0 for the model's own"),
        (["--limit", "0"], "the limit is not positive: 0.0; allowed: seconds, more than 0"),
        (["--limit", "nan"], "the limit is not positive: nan; allowed: seconds, more than 0"),
        (
            ["--cluster", "a100"],
            "a100: the cluster's number of chips is missing or not positive: 0; allowed: 1 or more; try: a100x64",
        ),
        (
            ["--cluster", "a100x0"],
            "a100x0: the cluster's number of chips is missing or not positive: 0; allowed: 1 or more; try: a100x64",
        ),
        (["--only", "tensor"], "--only: a restriction is not CHOICE=VALUE,VALUE: tensor; try: tensor=4,8"),
        (["--only", "tensor=4,"], "--only: a restriction is not CHOICE=VALUE,VALUE: tensor=4,; try: tensor=4,8"),
        (["--only", "=4"], "--only: a restriction is not CHOICE=VALUE,VALUE: =4; try: tensor=4,8"),
        (
            ["--only", "zero=1", "--only", "zero=2"],
            "--only: a choice is restricted twice: zero; try: zero=V,V",
        ),
        (["--only", "tensor=x"], "tensor cannot be so: x; allowed: whole numbers"),
        (["--only", "tensor=0"], "tensor is not positive: 0; allowed: 1 or more"),
        (["--only", "microbatch=-1"], "microbatch is not positive: -1; allowed: 1 or more"),
        (["--only", "zero=4"], "unknown ZeRO level: 4; allowed: 0, 1, 2, 3"),
        (["--only", "order=gpipe"], "order cannot be so: gpipe; allowed: 1f1b, zero-bubble"),
        (["--only", "gradient_bytes=3"], "gradient_bytes cannot be so: 3; allowed: 2, 4"),
        (
            ["--only", "tensor=2,4"],
            "--only tensor=2,4: gpt2-xl cannot be cut so: 25 heads do not divide by tensor 2",
        ),
        (["--only", "expert=2"], "--only expert=2: gpt2-xl cannot be cut so: expert 2 for a model without experts"),
        (
            ["--only", "sequence_parallel=on", "--only", "tensor=1"],
            "--only sequence_parallel=on: sequence parallelism needs tensor parallelism: tensor 1; try: tensor=2,4,8",
        ),
        (["--only", "data=32"], "--only data=32: gpt2-xl cannot be cut so: there are 16 sequences of the batch"),
        (["--calibration", "none.json"], "none.json: cannot read the calibration file: No such file or directory"),
        (["-o", ""], "-o: the name is empty; allowed: a path; . is the current folder"),
    ],
)
def test_bad_input_is_one_message(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, *SMALL, *arguments) == message


@pytest.mark.parametrize(
    ("arguments", "start", "end"),
    [
        (
            ["gpt2xl", "--cluster", "a100x8"],
            "unknown model, and no such file: gpt2xl; allowed: ",
            "; try: gpt2-xl, gpt2",
        ),
        (["gpt2", "--cluster", "a101x8"], "unknown cluster: a101; allowed: a100, ", "; try: a100, h100, a100-opa"),
        (
            ["gpt2", "--cluster", "a100x8", "--only", "tensr=4"],
            "unknown choice: tensr; allowed: tensor, pipeline, ",
            "",
        ),
        (["vgg-16", "--cluster", "a100x8", "--seq", "7"], "vgg-16: the model has no sequence length: 7; ", "no --seq"),
    ],
)
def test_unknown_names_get_the_known_ones(
    arguments: list[str], start: str, end: str, capsys: pytest.CaptureFixture[str]
) -> None:
    message = refused(capsys, "plan", *arguments, "--global-batch", "16")
    assert message.startswith(start)
    assert message.endswith(end)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_head": 0}, "n_head is no size: 0; allowed: whole, 1 or more"),
        ({"n_head": 3}, "n_head does not divide n_embd: 256 / 3"),
        ({"n_head": None, "n_heads": 4}, "n_head is missing; try: rename n_heads"),
        ({"n_layer": -1}, "n_layer is no size: -1; allowed: whole, 1 or more"),
        ({"n_embd": "x"}, "n_embd is no size: 'x'; allowed: whole, 1 or more"),
        ({"n_innner": 7}, "unknown key: n_innner; try: n_inner"),
    ],
)
def test_a_wrong_config_is_refused(
    changes: dict[str, Any], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = config(tmp_path, **changes)
    assert refused(capsys, "plan", file, "--cluster", "a100x4", "--global-batch", "8") == f"{file}: {message}"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda k: k["levels"][1].update(gb_per_s=0),
            "the bandwidth of level cluster is not positive: 0.0 GB/s; allowed: more than 0",
        ),
        (
            lambda k: k["levels"][0].update(latency_us=-1),
            "the latency of level node is negative: -1.0 µs; allowed: 0 or more",
        ),
        (lambda k: k.update(levels=[]), "the cluster has no network level; allowed: one level or more"),
        (
            lambda k: k.update(devices=0),
            (
                "the cluster's number of chips is missing or not positive: 0; "
                'allowed: 1 or more; try: "devices": 64 in the file'
            ),
        ),
        (lambda k: k.update(wibble=1), "the cluster file is wrong: Object contains unknown field `wibble`"),
        (lambda k: k.pop("chip"), "the cluster file is wrong: Object missing required field `chip`"),
    ],
)
def test_a_wrong_cluster_is_refused(
    change: Callable[[dict[str, Any]], None], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    cluster = catalogued("clusters", "a100") | {"devices": 16}
    change(cluster)
    file = written(tmp_path, "k.json", cluster)
    assert refused(capsys, "plan", "gpt2", "--cluster", file, "--global-batch", "16") == f"{file}: {message}"


def test_an_unknown_chip_of_a_cluster_names_the_clusters_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = written(tmp_path, "k.json", catalogued("clusters", "a100") | {"chip": "a101", "devices": 8})
    message = refused(capsys, "plan", "gpt2", "--cluster", file, "--global-batch", "16")
    assert message.startswith(f"{file}: unknown chip: a101; allowed: a100, ")
    assert message.endswith("; try: a100, h100")


@pytest.mark.parametrize("below", [".", "out", "out/deeper"])
def test_an_output_that_cannot_be_written_is_refused(
    below: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("mine")
    message = refused(capsys, *SMALL, "-o", str(tmp_path / "file" / below))
    assert "the output file cannot be written (file is a file); try: a path that you may write to" in message
    assert [file.name for file in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "mine"


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("plan")
    assert main([*SMALL, "--only", "pipeline=2", "-o", str(folder)]) == 0
    found: dict[str, Any] = json.loads((folder / "plan.json").read_text())
    return found


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p.update(version=2), "unknown version of a plan file: 2; allowed: 1"),
        (lambda p: p.pop("cluster"), "the plan file is wrong: Object missing required field `cluster`"),
        (lambda p: p.update(wibble=1), "the plan file is wrong: Object contains unknown field `wibble`"),
        (lambda p: p["strategy"].update(pipeline=0), "pipeline is not positive: 0; allowed: 1 or more"),
        (lambda p: p["efficiency"].update(memory=0), "memory is no fraction: 0.0; allowed: 0 < fraction ≤ 1"),
        (
            lambda p: p["model"]["transformer"].update(heads=0),
            "the model's heads is not positive: 0; allowed: 1 or more",
        ),
        (lambda p: p["strategy"].update(expert=3), "the expert degree does not divide data × context: 3 of 4"),
        (lambda p: p.update(cluster="a100x4"), "the plan needs more devices: 8 of 4"),
        (lambda p: p.update(cluster="a100"), "a100: the cluster's number of chips is missing or not positive: 0; "),
        (
            lambda p: p["model"].update(transformer=None, name="nothing"),
            "unknown model, and no such file: nothing; allowed: ",
        ),
    ],
)
def test_a_damaged_plan_is_refused(
    change: Callable[[dict[str, Any]], None],
    message: str,
    plan: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    damaged = json.loads(json.dumps(plan))
    change(damaged)
    file = written(tmp_path, "plan.json", damaged)
    assert refused(capsys, "predict", "--plan", file).startswith(f"{file}: {message}")


def test_a_plan_whose_degrees_do_not_multiply_is_refused(
    plan: dict[str, Any], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = written(tmp_path, "plan.json", plan | {"strategy": plan["strategy"] | {"tensor": 5}})
    message = refused(capsys, "predict", "--plan", file)
    assert message.startswith(f"{file}: tensor × pipeline × data × context is not the number of devices: 5 × 2 × ")


def test_a_plan_that_was_cut_off_is_refused(
    plan: dict[str, Any], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(plan)[:400])
    assert refused(capsys, "predict", "--plan", str(file)).startswith(f"{file}: the plan file is not JSON: ")


def test_a_plan_that_was_changed_is_told(
    plan: dict[str, Any], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = written(tmp_path, "plan.json", plan | {"seconds": 7.0})
    notes = answered(capsys, "predict", "--plan", file)["notes"]
    assert notes[-1] == "the plan said 7 s: it was changed, or made by another version"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--plan", "none.json"], "none.json: cannot read the plan file: No such file or directory"),
        (["--plan", ""], "--plan: the name is empty; allowed: a path; . is the current folder"),
        (
            ["--plan", "p.json", "--tp", "4", "--cluster", "a100x8"],
            "--plan says this already: --cluster, --tp; try: --plan without them",
        ),
        (
            ["--table", "t.csv", "--cluster", "a100", "-o", "o.csv", "--zero", "1"],
            "--table says this already: --zero; try: --table without them",
        ),
        (
            ["--model", "gpt2", "--cluster", "a100x8", "--global-batch", "8", "-o", "o.csv"],
            "-o: only a table is written: o.csv; try: --table runs.csv",
        ),
    ],
)
def test_flags_that_would_be_ignored_are_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(capsys, "predict", *arguments) == message
