"""What does `serve` print, as text and as JSON, and what does it refuse?"""

from __future__ import annotations

from pathlib import Path

import pytest
from training import answered, config, printed, refused

ASKED = ("serve", "llama3-8b", "--cluster", "a100x2", "--prompt", "512", "--output", "64")


def test_a_deployment_is_printed_with_its_parts_and_rivals(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, *ASKED, "--tpot", "0.05")
    assert text.startswith("model           llama3-8b, 8,030,261,248 parameters\ncluster         a100, 2 devices\n")
    assert "\nasked           64 tokens to a prompt of 512, tpot 50 ms at most\n" in text
    assert "; no deployment makes more\n" in text
    for name in ("first token", "a prompt", "between tokens", "a step", "roofline", "memory", "kinds", "search"):
        assert f"\n{name}" in text.replace("\n  ", "\n")
    rows = [line.split() for line in text.splitlines() if line.startswith(("best", "2.", "3."))]
    rates = [float(row[1].replace(",", "")) for row in rows]
    assert len(rows) == 3
    assert rates == sorted(rates, reverse=True)


def test_a_deployment_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    answer = answered(capsys, *ASKED)
    assert (answer["outcome"], answer["because"], answer["relaxation"]) == ("found", [], None)
    assert (answer["prompt"], answer["output"], answer["devices"]) == (512, 64, 2)
    assert answer["limits"] == {"ttft": None, "tpot": None}
    deployment, step, prompt = answer["deployment"], answer["step"], answer["prompt_seconds"]
    assert deployment["batch"] == deployment["sequences"] * deployment["pipeline"]
    whole = 63 * step + deployment["batch"] * prompt
    assert answer["tokens_per_second"] == pytest.approx(deployment["data"] * deployment["batch"] * 64 / whole)
    assert answer["interval"][0] < answer["tokens_per_second"] < answer["interval"][1]
    assert sum(answer["parts"]["step"].values()) == pytest.approx(step)
    assert sum(answer["parts"]["prompt"].values()) == pytest.approx(prompt)
    assert 0 < answer["hbm_step"] < step
    kinds = answer["bytes_per_device"]
    assert kinds["total"] == sum(size for name, size in kinds.items() if name != "total") <= answer["capacity"]
    assert kinds["total"] == answer["stages"][answer["stage"]]["bytes_per_device"]
    assert sum(stage["layers"].get("block", 0) for stage in answer["stages"]) == 32
    considered = answer["considered"]
    rest = considered["full"] + considered["late"] + considered["slower"] + considered["solved"]
    assert considered["degrees"] == rest
    assert all(one["tokens_per_second"] <= answer["tokens_per_second"] for one in answer["runners_up"])


def test_types_batch_and_choices_are_kept(capsys: pytest.CaptureFixture[str]) -> None:
    only = ("--only", "tensor=2", "--only", "prompts=1,2")
    plain = answered(capsys, *ASKED, "--batch", "24", *only)
    assert plain["deployment"]["batch"] == 24
    assert plain["deployment"]["tensor"] == 2
    assert plain["deployment"]["prompts"] in {1, 2}
    small = answered(capsys, *ASKED, "--batch", "24", *only, "--dtype", "fp8", "--kv-dtype", "fp8")
    assert small["bytes_per_device"]["weights"] < 0.6 * plain["bytes_per_device"]["weights"]
    assert 2 * small["bytes_per_device"]["cache"] == plain["bytes_per_device"]["cache"]
    assert any("no faster 8-bit products" in note for note in small["notes"])


def test_what_is_in_the_way_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    answer = answered(capsys, *ASKED, "--tpot", "0.0001")
    assert (answer["outcome"], answer["tokens_per_second"], answer["stages"]) == ("infeasible", None, [])
    assert answer["because"][0].startswith("tpot 0.0001 s: ")
    assert answer["relaxation"].startswith("tpot 0.0")
    text = printed(capsys, "serve", "llama3-70b", "--cluster", "a100x1", "--prompt", "512", "--output", "64")
    assert "outcome  nothing can be served so\n" in text
    assert "\nbecause  stage 0 of one device needs 143 GB of 85.9 GB for one sequence: weights 141 GB" in text
    assert "\ntry      2 devices\n" in text


def test_devices_that_are_fast_enough_together_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("serve", "llama3-8b", "--prompt", "4000", "--output", "64", "--ttft", "0.2", "--cluster")
    slow = answered(capsys, *asked, "a100x1")
    assert slow["because"][0].startswith("ttft 0.2 s: ")
    limit, devices = slow["relaxation"].split("; or ")
    assert devices == "2 devices"
    assert answered(capsys, *asked, "a100x2")["ttft"] <= 0.2
    met = answered(capsys, *asked[:6], "--ttft", limit.split()[1], "--cluster", "a100x1")
    assert met["ttft"] <= float(limit.split()[1]) <= met["ttft"] * 1.005


def test_phases_may_have_devices_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    both = answered(capsys, *ASKED)
    decode = answered(capsys, *ASKED, "--phase", "decode")
    assert (decode["reads"], decode["ttft"], decode["prompt_seconds"]) == (False, 0, 0)
    assert decode["tpot"] == decode["step"] == pytest.approx(sum(decode["parts"]["step"].values()))
    deployment = decode["deployment"]
    assert decode["tokens_per_second"] == pytest.approx(deployment["data"] * deployment["batch"] / decode["step"])
    assert decode["tokens_per_second"] > both["tokens_per_second"]
    prefill = answered(capsys, *ASKED, "--phase", "prefill")
    assert (prefill["output"], prefill["step"]) == (1, 0)
    assert prefill["tokens_per_second"] == pytest.approx(prefill["deployment"]["data"] / prefill["prompt_seconds"])
    assert "first token" not in printed(capsys, *ASKED, "--phase", "decode")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--prompt", "0"), "prompt is not positive: 0; allowed: 1 or more"),
        (("--output", "-1"), "output is not positive: -1; allowed: 1 or more"),
        (("--tpot", "0"), "the limit tpot is not positive: 0.0; allowed: seconds, more than 0"),
        (("--ttft", "nan"), "the limit ttft is not positive: nan; allowed: seconds, more than 0"),
        (("--batch", "-2"), "batch is negative: -2; allowed: 1 or more; 0 for any"),
        (("--dtype", "int4"), "--dtype: unknown type: int4; allowed: bf16, fp8"),
        (("--kv-dtype", ""), "--kv-dtype: unknown type: nothing; allowed: bf16, fp8"),
        (
            ("--only", "tensr=1"),
            "--only: unknown choice: tensr; allowed: tensor, pipeline, expert, data, prompts, batch; try: tensor",
        ),
        (("--only", "tensor=x"), "--only: tensor cannot be so: x; allowed: 1 or more"),
        (("--only", "tensor=3"), "--only tensor=3: llama3-8b cannot be cut so: there are 2 devices"),
        (("--only", "expert=2"), "--only expert=2: llama3-8b cannot be cut so: expert 2 for a model without experts"),
        (("--phase", "x"), "--phase: unknown phase: x; allowed: both, prefill, decode"),
        (("--phase", "prefill", "--tpot", "1"), "--tpot: prefill has no time between tokens: 1.0; try: --ttft"),
        (("--phase", "decode", "--ttft", "1"), "--ttft: decode has no first token: 1.0; try: --tpot"),
        (("--batch", "3", "--only", "batch=2"), "--only: a choice is restricted twice: batch; try: --batch alone"),
    ],
)
def test_bad_input_is_one_message(arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, *ASKED, *arguments) == message


def test_models_that_do_not_answer_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    rest = ASKED[2:]
    message = "bert-large: the model does not answer: its tokens see those behind them, so that it does not answer"
    assert refused(capsys, "serve", "bert-large", *rest).startswith(message)
    message = "vgg-16: the model does not answer token by token; allowed: transformers by name or config.json"
    assert refused(capsys, "serve", "vgg-16", *rest) == message


def test_a_longer_table_of_positions_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    answer = answered(capsys, "serve", config(tmp_path), *ASKED[2:])
    assert any("256 learned positions, the sequence 576 tokens" in note for note in answer["notes"])
    answer = answered(capsys, "serve", "llama2-7b", "--cluster", "a100x1", "--prompt", "4000", "--output", "100")
    assert "llama2-7b was trained on 4096 tokens at most, a sequence has 4100" in answer["notes"]
