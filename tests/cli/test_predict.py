"""What does `predict` say of a run that is given, and what does it refuse?"""

from __future__ import annotations

import json
from typing import Any

import pytest

from intarsia.cli import main

GPT3 = ("--model", "gpt3-175b", "--cluster", "a100x1024", "--tp", "8", "--pp", "16", "--global-batch", "1536")
SMALL = ("--hidden", "256", "--heads", "4", "--layers", "4", "--seq", "128", "--global-batch", "64")


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(("predict", *arguments)) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(printed(capsys, *arguments, "--json"))
    return found


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(("predict", *arguments)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err.removeprefix("intarsia: ").removesuffix("\n")


def test_a_run_is_printed_with_its_parts(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, *GPT3, "--recompute", "full")
    lines = [line.split(None, 1) for line in text.splitlines()]
    names = [line[0] for line in lines if line[0] != "note"]
    head = ["model", "cluster", "iteration", "compute", "communication", "bubble", "optimizer", "tokens", "utilisation"]
    memory = ["weights", "gradients", "optimizer", "activations", "working", "buffers", "runtime"]
    assert [name for name in names if name in (*head, "GPU-hours", "memory", *memory)][:18] == [
        *head,
        "GPU-hours",
        "memory",
        *memory,
    ]
    shown = dict(line for line in lines if len(line) == 2)
    assert shown["model"].startswith("gpt3-175b, 17")
    assert shown["cluster"] == "a100, 1024 of 1024 devices"
    assert "nine in ten" in shown["iteration"]
    assert "DOES NOT FIT" not in text


def test_a_run_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, *GPT3, "--recompute", "full")
    assert set(found) >= {"seconds", "interval", "parts", "mfu", "bytes_per_device", "fits"}
    assert set(found["parts"]) == {"compute", "communication", "bubble", "optimizer"}
    assert sum(found["parts"].values()) == pytest.approx(found["seconds"])
    assert found["interval"][0] < found["seconds"] < found["interval"][1]
    assert found["tokens_per_second"] == pytest.approx(1536 * 2048 / found["seconds"])
    assert found["device_hours"] == pytest.approx(1024 * found["seconds"] / 3600)
    kinds = found["bytes_per_device"]
    assert kinds.pop("total") == sum(kinds.values())
    assert (found["fits"], found["capacity"], found["devices"]) == (True, 80 * 2**30, 1024)
    assert 0.2 < found["mfu"] < 0.6


def test_a_run_that_does_not_fit_still_gets_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--model", "llama3-70b", "--cluster", "a100x8", "--tp", "8", "--global-batch", "8")
    found = answer(capsys, *arguments)
    assert found["fits"] is False
    assert found["seconds"] > 0
    assert found["bytes_per_device"]["total"] > found["capacity"]
    assert any(note.startswith("does not fit: stage 0 is ") for note in found["notes"])
    assert "DOES NOT FIT" in printed(capsys, *arguments)


def test_fewer_gpus_than_the_cluster_has(capsys: pytest.CaptureFixture[str]) -> None:
    part = answer(capsys, *SMALL, "--cluster", "a100x512", "--gpus", "4")
    whole = answer(capsys, *SMALL, "--cluster", "a100x4")
    assert "508 of 512 devices are not used" in part["notes"]
    assert (part["seconds"], part["devices"]) == (whole["seconds"], 4)


def test_a_sequence_beyond_the_learned_positions_is_noted(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--model", "gpt2-xl", "--cluster", "a100x8", "--global-batch", "8", "--seq", "2048")
    assert answer(capsys, *arguments)["notes"][0] == (
        "gpt2-xl has 1024 learned positions, the sequence 2048 tokens:"
        " counted with a longer table, which must be trained anew"
    )
    rotary = ("--model", "llama2-7b", "--cluster", "a100x8", "--global-batch", "8", "--seq", "8192")
    assert "learned positions" not in " ".join(answer(capsys, *rotary)["notes"])


def test_interleaving_that_does_not_divide_is_noted(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = (*SMALL, "--cluster", "a100x4", "--pp", "2", "--interleave", "2", "--global-batch")
    text = "microbatches are no multiple of 2 stages, which interleaving needs"
    assert text in " ".join(answer(capsys, *arguments, "10")["notes"])
    assert text not in " ".join(answer(capsys, *arguments, "8")["notes"])


def test_sequence_parallelism_alone_is_noted(capsys: pytest.CaptureFixture[str]) -> None:
    plain = answer(capsys, *SMALL, "--cluster", "a100x8")
    noted = answer(capsys, *SMALL, "--cluster", "a100x8", "--sequence-parallel")
    assert set(noted["notes"]) - set(plain["notes"]) == {
        "sequence parallelism without tensor parallelism changes nothing"
    }
    assert noted["seconds"] == plain["seconds"]


def test_a_borrowed_efficiency_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    notes = answer(capsys, *SMALL, "--cluster", "h100x8")["notes"]
    assert any("borrowed from A100-SXM-80GB" in note for note in notes)


def test_a_network_of_images_has_no_tokens(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--model", "resnet-50", "--cluster", "a100x8", "--microbatch", "32", "--global-batch", "256")
    found = answer(capsys, *arguments)
    assert found["tokens_per_second"] is None
    assert found["samples_per_second"] == pytest.approx(256 / found["seconds"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (*SMALL, "--cluster", "a100x16", "--tp", "2", "--pp", "2", "--dp", "2", "--gpus", "16"),
            "tp × pp × dp × cp is not the number of gpus: 2 × 2 × 2 × 1 = 8, gpus 16",
        ),
        (
            (*SMALL, "--cluster", "a100x8", "--tp", "4", "--pp", "4"),
            "tp × pp × dp × cp is not the number of gpus: 4 × 4 × 1 × 1 = 16, gpus 8",
        ),
        (
            (*SMALL, "--cluster", "a100x8", "--gpus", "16"),
            "the degrees need more devices than the cluster has: 1 × 1 × 16 × 1 = 16 of 8",
        ),
        (
            (*SMALL, "--cluster", "a100x8", "--tp", "8"),
            "4x256 cannot be cut so: 4 heads do not divide by tensor 8",
        ),
        ((*SMALL, "--cluster", "a100", "--tp", "-2"), "tp is not positive: -2; allowed: 1 or more"),
        ((*SMALL, "--cluster", "a100x8", "--gpus", "-8"), "gpus is not positive: -8; allowed: 1 or more"),
        ((*SMALL, "--cluster", "a100x8", "--zero", "4"), "unknown ZeRO level: 4; allowed: 0, 1, 2, 3"),
        (
            (*SMALL, "--cluster", "a100x8", "--recompute", "some"),
            "unknown recompute: some; allowed: none, selective, full",
        ),
        (
            (*SMALL, "--cluster", "a100x8", "--attention", "sparse"),
            "unknown attention: sparse; allowed: eager, flash",
        ),
        ((*SMALL, "--cluster", "a100x8", "--dtype", "fp64"), "unknown dtype: fp64; allowed: bf16, fp16, fp8"),
        (
            (*SMALL, "--cluster", "a100x8", "--grad-dtype", "fp8"),
            "unknown gradient type: fp8; allowed: fp32, bf16, fp16",
        ),
        (
            (*SMALL, "--cluster", "a100x8", "--schedule", "gpipe"),
            "unknown schedule: gpipe; allowed: 1f1b, zero-bubble",
        ),
        (SMALL, "no cluster is given; allowed: --cluster NAMExN; try: --cluster a100x64"),
        (
            ("--model", "gpt2-xl", "--cluster", "a100x8"),
            "the global batch is missing; allowed: --global-batch N, sequences of an iteration",
        ),
        (
            ("--model", "gpt2-xl", "--hidden", "64", "--cluster", "a100x8", "--global-batch", "8"),
            "a model is named and described: --hidden",
        ),
        (
            ("--hidden", "64", "--heads", "0", "--layers", "2", "--cluster", "a100x8"),
            "heads is no size: 0; allowed: 1 or more",
        ),
        (
            ("--hidden", "64", "--layers", "2", "--cluster", "a100x8"),
            "no model is given: missing --heads; allowed: --model NAME, or all sizes",
        ),
        ((*SMALL, "--cluster", "a100x8", "--kv-heads", "0"), "kv_heads is no size: 0; allowed: 1 or more"),
        ((*SMALL, "--cluster", "a100x8", "--gpus", "0"), "gpus is not positive: 0; allowed: 1 or more"),
        ((*SMALL, "--cluster", "a100x8", "--dp", "0"), "dp is not positive: 0; allowed: 1 or more"),
        (
            ("--model", "gpt2-xl", "--cluster", "a100x8", "--global-batch", "0"),
            "global_batch is not positive: 0; allowed: 1 or more",
        ),
        (
            ("--model", "gpt2-xl", "--cluster", "a100x8", "--global-batch", "8", "--experts", "8", "--gated"),
            "a model is named and described: --gated, --experts",
        ),
        (
            ("--hidden", "64", "--heads", "3", "--layers", "2", "--seq", "64", "--cluster", "a100x8"),
            "heads does not divide hidden: 64 / 3",
        ),
        (
            ("--hidden", "64", "--heads", "-4", "--layers", "2", "--seq", "64", "--cluster", "a100x8"),
            "heads is no size: -4; allowed: 1 or more",
        ),
        (
            ("--hidden", "64", "--heads", "4", "--layers", "2", "--cluster", "a100x8"),
            "a model of sizes needs the length of its sequences; try: --seq 2048",
        ),
        (
            ("--model", "gpt2-xl", "--cluster", "a100x8", "--global-batch", "8", "--tp", "two"),
            "argument --tp: invalid int value: 'two'; try: intarsia predict --help",
        ),
    ],
)
def test_wrong_flags_are_refused(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str) -> None:
    assert refused(capsys, *arguments) == message
