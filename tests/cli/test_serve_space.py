"""What does `serve --space` print, as text and as JSON, and what does it refuse?"""

from __future__ import annotations

from pathlib import Path

import pytest
from training import answered, printed, refused

ASKED = ("serve", "gpt2", "--cluster", "tpuv4x2", "--prompt", "64", "--output", "8", "--only", "prompts=1,8")
SPACE = """
name = "small"
[chips]
tensor_cores = [4, 8]
vector_cores = [2]
width = [64]
depth = [64]
buffer_mib = [8, 16]
hbm_gib = [16]
[budget]
area_mm2 = 120
"""


@pytest.fixture
def space(tmp_path: Path) -> str:
    (tmp_path / "small.toml").write_text(SPACE)
    return str(tmp_path / "small.toml")


def test_a_chip_is_printed_with_its_deployment_and_bound(capsys: pytest.CaptureFixture[str], space: str) -> None:
    text = printed(capsys, *ASKED, "--space", space, "--audit", "1", "--objective", "throughput-per-area")
    for name in ("space", "optimum", "it takes", "throughput", "deployment", "score", "bound", "removed", "audit"):
        assert f"\n{name}  " in text
    assert "audit           1 removed chips evaluated, 0 better" in text
    assert "tokens/s each mm²" in text


def test_a_chip_is_json(capsys: pytest.CaptureFixture[str], space: str) -> None:
    answer = answered(capsys, *ASKED, "--space", space, "--objective", "throughput-per-dollar")
    assert (answer["outcome"], answer["points"], answer["audit"]) == ("found", 4, None)
    assert answer["points"] == answer["evaluated"] + answer["removed"]["bounds"] + answer["removed"]["cut"]
    assert answer["score"] == pytest.approx(answer["tokens_per_second"] / (2 * answer["optimum"]["dollars"]))
    assert answer["gap"] == pytest.approx(1 - answer["score"] / answer["bound"])
    assert answer["deployment"]["prompts"] in {1, 8}


def test_limits_that_no_chip_meets_are_an_answer(capsys: pytest.CaptureFixture[str], space: str) -> None:
    answer = answered(capsys, *ASKED, "--space", space, "--ttft", "1e-6")
    assert (answer["outcome"], answer["optimum"], answer["score"]) == ("infeasible", None, None)
    assert "ttft" in answer["because"][0]
    assert "no chip serves so" in printed(capsys, *ASKED, "--space", space, "--ttft", "1e-6")


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (("--audit", "3"), "--audit: there are no chips to choose from: 3; try: --space"),
        (("--hbm", "32"), "--hbm: there are no chips to choose from: 32; try: --space"),
        (("--objective", "throughput-per-watt"), "--objective: there are no chips to choose from"),
        (("--space", "phaze", "--hbm", "many"), "'many' is no list of GiB, such as 32,64,80"),
        (("--space", "phaze", "--audit", "-1"), "audit is negative"),
    ],
)
def test_what_is_wrong_is_refused(capsys: pytest.CaptureFixture[str], wrong: tuple[str, ...], text: str) -> None:
    assert text in refused(capsys, *ASKED, *wrong)
