"""What ``search`` prints, as text and as JSON, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from intarsia.cli import main
from intarsia.machines.template import PHAZE, read

SMALL = replace(PHAZE, name="phaze", tensor_cores=(1, 8), vector_cores=(2,), width=(128,), depth=(128,), least=0.0)
ASKED = ("search", "opt-350m", "--cluster", "tpuv4x2", "--global-batch", "4", "--seq", "512", "--workers", "1")
FEWER = ("--only", "zero=1", "--only", "tensor=1,2", "--only", "microbatch=1")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(read, "SPACES", {"phaze": SMALL})
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_json_tells_the_optimum_and_its_certificate(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ASKED, *FEWER, "--audit", "3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["points"] == len(SMALL.points)
    assert found["evaluated"] + sum(found["removed"].values()) == found["points"]
    assert 0 < found["bound"] <= found["optimum"]["score"]
    assert found["gap"] == pytest.approx(1 - found["bound"] / found["optimum"]["score"])
    assert found["optimum"]["tensor_cores"] == 8
    assert found["audit"]["beaten"] == []
    assert found["optimum"]["models"][0]["strategy"]["zero"] == 1
    energy = found["optimum"]["models"][0]["energy"]
    assert energy["peak_watts"] == pytest.approx(found["optimum"]["watts"])
    assert 0 < energy["mean_watts"] < energy["peak_watts"]


def test_text_and_a_second_run(capsys: pytest.CaptureFixture[str]) -> None:
    """The second run takes evaluations from the store, and says the same."""
    assert main([*ASKED, *FEWER]) == 0
    first = capsys.readouterr().out
    assert main([*ASKED, *FEWER]) == 0
    second = capsys.readouterr().out
    lines = [[line for line in text.splitlines() if not line.startswith("search")] for text in (first, second)]
    assert lines[0] == lines[1]
    assert "8 × 128×128 tensor, 2 × 128 vector" in first
    assert "\n  a device    " in first
    assert " W at most: products " in first


def test_more_memory_is_chosen_where_it_helps(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ASKED, *FEWER, "--hbm", "1,32", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["points"] == 2 * len(SMALL.points)
    assert found["optimum"]["hbm_gib"] == 32


def test_several_models_are_multiples_of_the_tpuv4_like_chip(capsys: pytest.CaptureFixture[str]) -> None:
    asked = [*ASKED[:1], "bert-large", *ASKED[1:], *FEWER]
    assert main([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["models"] == ["bert-large", "opt-350m"]
    assert [one["model"] for one in found["optimum"]["models"]] == found["models"]
    assert 0.3 < found["optimum"]["score"] < 3
    assert main([*asked, "--objective", "throughput-per-dollar", "--several", "worst"]) == 0
    assert "worst of seconds over those of the TPUv4-like chip × $ of all chips" in capsys.readouterr().out


def test_the_number_of_devices_is_chosen_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    several = [*ASKED[:3], "tpuv4x1,2", *ASKED[4:], *FEWER, "--objective", "throughput-per-area"]
    assert main([*several, "--json", "--audit", "2"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["points"] == 2 * len(SMALL.points)
    assert found["sizes"] == {"2": len(SMALL.points), "1": len(SMALL.points)}
    assert [one["devices"] for one in found["clusters"]] == [2, 1]
    best = found["optimum"]
    seconds = best["models"][0]["seconds"]
    assert best["score"] == pytest.approx(seconds * best["devices"] * best["area_mm2"])
    for devices in (1, 2):
        assert main([*several[:3], f"tpuv4x{devices}", *several[4:], "--json"]) == 0
        alone = json.loads(capsys.readouterr().out)
        assert alone["optimum"]["score"] >= best["score"] * (1 - 1e-9)
        if devices == best["devices"]:
            assert alone["optimum"]["score"] == pytest.approx(best["score"])
    assert main([*several, "--total", f"area_mm2={1.01 * SMALL.points.area.min()}"]) == 0
    said = capsys.readouterr().out
    assert "2, 1 devices; " in said
    assert "pairs of a chip and a cluster (0 in 2, 1 in 1)" in said
    assert "1 of 1 × 128×128 tensor" in said


def test_the_front_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ASKED, *FEWER, "--front", "area", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    chips = found["front"]["chips"]
    assert (found["front"]["of"], found["front"]["tolerance"]) == ("area", 0.0)
    assert [one["cost"] for one in chips] == sorted(one["cost"] for one in chips)
    assert chips[-1]["score"] == found["optimum"]["score"]
    assert len(chips) > 1
    for one in chips:
        assert one["gap"] == pytest.approx(1 - one["bound"] / one["score"])
    assert main([*ASKED, *FEWER, "--front", "area"]) == 0
    assert f"the front: {len(chips)} chips that none beats with as little area" in capsys.readouterr().out


def test_nothing_fits(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["search", "gpt3-175b", *ASKED[2:], *FEWER, "--front", "area"]
    assert main([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["outcome"], found["optimum"], found["bound"]) == ("infeasible", None, None)
    assert (found["nearest"]["devices"], found["nearest"]["hbm_gib"]) == (2, 80)
    assert "more than a device's 85.9 GB" in found["because"][0]
    assert found["relaxation"].endswith(" devices")
    assert main(asked) == 0
    text = capsys.readouterr().out
    assert "nothing fits on any chip" in text
    assert all(said in text for said in [*found["because"], f"try          {found['relaxation']}"])
    assert "the front" not in text


@pytest.mark.parametrize("model", ["opt-350m", "llama2-7b"])
def test_a_sequence_that_no_device_holds_is_an_answer(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With learned positions as well, whose table is as long as the sequence; as ``plan`` has it."""
    cut = ("--cluster", "tpuv4x2", "--global-batch", "4", "--seq", "999999999", "--json")
    assert main(["search", model, *cut, "--workers", "1"]) == 0
    searched = json.loads(capsys.readouterr().out)
    assert main(["plan", model, *cut]) == 0
    planned = json.loads(capsys.readouterr().out)
    assert searched["outcome"] == planned["outcome"] == "infeasible"
    assert searched["because"][1] == planned["because"][1]
    assert searched["removed"] == {"bounds": searched["points"], "cut": 0}


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (("--space", "wide2"), "unknown space of chips: wide2; allowed: phaze"),
        (("--objective", "speed"), "unknown objective: speed; allowed: throughput, throughput-per-area, "),
        (("--several", "mean"), "unknown way to count several models: mean; allowed: geomean, worst"),
        (("--costs", "guessed"), "unknown costs: guessed; allowed: embedded, padded"),
        (("--hbm", "0"), "--hbm: a capacity is not positive: 0; allowed: GiB, 1 or more"),
        (("--hbm", "x"), "'x' is no list of GiB, such as 32,64,80"),
        (
            ("--ray", "nowhere"),
            "--ray: this is no address of a Ray cluster: nowhere; allowed: local, auto, HOST:PORT, ",
        ),
        (("--front", "price"), "unknown front: price; allowed: area, watts, dollars"),
        (("--tolerance", "0.1"), "tolerance: a tolerance is that of a front; try: --front area"),
        (("--front", "area", "--tolerance", "-1"), "the tolerance is not possible: -1; allowed: a fraction, 0 or more"),
        (("--total", "euros=3"), "unknown total: euros; allowed: area_mm2, watts, dollars"),
        (("--total", "watts"), "--total: a budget is not WHAT=N: watts; try: dollars=500000"),
        (("--total", "watts=1", "--total", "watts=2"), "--total: a budget is there twice: watts"),
        (("--total", "watts=0"), "a total of watts is not possible: 0; allowed: more than 0"),
        (("--total", "dollars=1"), "total: no chip of the space is within the total of the cluster"),
        (("--cluster", "tpuv4x2,2"), "tpuv4x2,2: two clusters have as many chips: 2 chips; allowed: each once"),
        (("--cluster", "tpuv4x2,x"), "unknown cluster: x"),
        (("--audit", "-1"), "audit is negative: -1; allowed: 0 or more"),
        (("--global-batch", "0"), "the global batch is not positive: 0; allowed: 1 or more"),
    ],
)
def test_bad_input(capsys: pytest.CaptureFixture[str], extra: tuple[str, ...], message: str) -> None:
    assert main([*ASKED, *extra]) == 2
    assert message in capsys.readouterr().err


def test_a_model_that_is_there_twice(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ASKED[:1], "opt-350m", *ASKED[1:]]) == 2
    assert "a model is there twice: opt-350m" in capsys.readouterr().err
