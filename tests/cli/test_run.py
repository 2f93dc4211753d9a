"""Does `run` compare with the reference and with the fixed embedding, on vta and on the generic target?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from intarsia.cli import main

pytestmark = pytest.mark.usefixtures("simulator")

FIRST = "conv2d:n=1,c=3,h=16,w=16,k=16,r=3,s=3,pad=1"


def answered(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert main(("run", *arguments, "--json")) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(("run", *arguments)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err.removeprefix("intarsia: ").removesuffix("\n")


def test_a_first_layer_is_faster_than_fixed(capsys: pytest.CaptureFixture[str]) -> None:
    answer = answered(capsys, FIRST, "--target", "vta")
    assert answer["correct"] is True
    chosen, fixed = answer["chosen"], answer["fixed"]
    assert chosen["calls"] < fixed["calls"]
    assert answer["speedup"] == fixed["device"]["cycles"] / chosen["device"]["cycles"] > 1.5
    device = chosen["device"]
    assert device["lower_bound"] == max(device["lower_bounds"].values()) <= device["cycles"]
    assert all(sum(unit.values()) == device["cycles"] for name, unit in device["units"].items() if name != "fetch")
    assert 0 < device["utilisation"] <= 1
    assert device["seconds"] == pytest.approx(device["cycles"] / 100e6)
    assert device["host"]["run_bytes"] > 16 * 16 * 16
    assert device["host"]["source"].startswith("measured")


def test_fixed_runs_only_the_fixed_one(capsys: pytest.CaptureFixture[str]) -> None:
    answer = answered(capsys, FIRST, "--target", "vta", "--fixed")
    assert answer["chosen"] == answer["fixed"]
    assert answer["speedup"] == 1


def test_the_table_shows_the_nest_and_where_the_time_goes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("run", "gemm:m=20,n=9,k=30", "--target", "vta")) == 0
    out = capsys.readouterr().out
    assert "yes, bit for bit" in out
    assert "vta.gemm(" in out
    for word in ("calls", "cycles", "lower bound", "on the device", "compute", "host, every run", "measured"):
        assert word in out


def test_on_a_core_with_a_batch(capsys: pytest.CaptureFixture[str]) -> None:
    answer = answered(capsys, FIRST, "--target", "vta", "--config", "batch16")
    assert answer["correct"] is True
    assert answer["fewer_calls"] > 10


def test_an_int8_output_has_no_epilogue(capsys: pytest.CaptureFixture[str]) -> None:
    assert answered(capsys, "einsum:ij,jk->ik;i=5,j=20,k=19,out=int8", "--target", "vta")["correct"] is True


def test_a_tensor_times_itself(capsys: pytest.CaptureFixture[str]) -> None:
    text = "gram: i<20 j<17 ; k<9\n  O:int32[20, 17] A:int8[20, 9]\n  O[i, j] += A[i, k] * A[j, k]"
    assert answered(capsys, text, "--target", "vta")["correct"] is True


def test_the_timeline_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "trace.json"
    answer = answered(capsys, "gemm:m=20,n=9,k=30", "--target", "vta", "--timeline", str(file))
    events = json.loads(file.read_text())["traceEvents"]
    assert (
        max(e["args"]["start"] + e["args"]["cycles"] for e in events if e["ph"] == "X")
        <= (answer["chosen"]["device"]["cycles"])
    )


@pytest.mark.parametrize(
    ("spec", "instruction"),
    [
        ("conv2d:n=1,c=3,h=8,w=8,k=5,r=3,s=3,pad=1", "dot:16"),
        ("conv2d:n=1,c=3,h=8,w=8,k=5,r=3,s=3,x=uint8", "x86.vpdpbusd"),
        ("einsum:ij,jk->ik;i=5,j=20,k=19,dtype=float16,out=float32", "nvidia.mma.m16n8k16"),
    ],
)
def test_the_generic_target_runs_any_instruction(
    spec: str, instruction: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = answered(capsys, spec, "--target", "generic", "--instr", instruction)
    assert answer["correct"] is True
    assert answer["chosen"]["calls"] > 0
    assert answer["chosen"]["device"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--target", "tpu"), "unknown target: tpu; allowed: vta, generic, x86"),
        (("--target", "generic"), "the generic target needs an instruction; try: --instr NAME"),
        (
            ("--target", "vta", "--instr", "dot:4"),
            "vta has its own instruction: dot:4; try: --target generic",
        ),
        (
            ("--target", "generic", "--instr", "dot:4", "--timeline", "x.json"),
            "the generic target has no timing model; try: --target vta",
        ),
        (
            ("--target", "generic", "--instr", "dot:4", "--config", "batch16"),
            "the generic target has no configuration; try: --target vta",
        ),
    ],
)
def test_wrong_options(arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "gemm:m=2,n=3,k=4", *arguments) == message


def test_an_instruction_that_does_not_fit(capsys: pytest.CaptureFixture[str]) -> None:
    message = refused(capsys, "gemm:m=2,n=3,k=4", "--target", "generic", "--instr", "x86.vdpbf16ps")
    assert message.startswith("gemm on x86.vdpbf16ps: the instruction does not fit the operator")


def test_a_timeline_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "no" / "trace.json"
    message = refused(capsys, "gemm:m=2,n=3,k=4", "--target", "vta", "--timeline", str(file))
    assert message.startswith(f"{file}: cannot write the timeline: ")


def test_an_operator_of_the_alu_has_no_more_calls_than_its_embedding(capsys: pytest.CaptureFixture[str]) -> None:
    spec = "maxpool2d:n=1,c=6,h=14,w=14,r=3,s=3,stride=2,pad=1,dtype=int8"
    assert main(["run", spec, "--target", "vta", "--json"]) == 0
    chosen = json.loads(capsys.readouterr().out)["chosen"]
    assert 0 < chosen["calls"] <= chosen["all_calls"]
