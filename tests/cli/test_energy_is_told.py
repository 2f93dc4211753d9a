"""What do commands say of the energy of an iteration, where it is known and where it is not?"""

from __future__ import annotations

from typing import Any

import pytest
from training import answered, printed

from intarsia.machines.template import Point

PARTS = ["products", "padding", "vector", "buffer", "HBM", "links", "rest"]
PLAN = ("plan", "gpt2", "--cluster", "tpuv4-likex4", "--global-batch", "16", "--seq", "256", "--brief")


def adds_up(found: dict[str, Any], seconds: float, devices: int) -> None:
    """The figures of an energy as JSON, each by the others."""
    assert list(found["parts"]) == list(found["watts"]) == list(found["peaks"]) == PARTS
    assert sum(found["watts"].values()) == pytest.approx(found["mean_watts"])
    assert sum(found["parts"].values()) == pytest.approx(found["joules"])
    assert sum(found["peaks"].values()) == pytest.approx(found["peak_watts"])
    assert found["mean_watts"] == pytest.approx(found["joules"] / seconds / devices)
    assert found["mean_watts"] < found["peak_watts"]
    assert found["parts"]["rest"] == pytest.approx(found["peaks"]["rest"] * seconds * devices)


def test_a_plan_says_what_an_iteration_takes(capsys: pytest.CaptureFixture[str]) -> None:
    plan = answered(capsys, *PLAN)
    found = plan["energy"]
    adds_up(found, plan["seconds"], plan["devices"] - plan["idle"])
    assert found["joules_per_sample"] * 16 == pytest.approx(found["joules"])
    assert found["joules_per_token"] * 16 * 256 == pytest.approx(found["joules"])
    assert found["peak_watts"] == pytest.approx(Point(8, 2, 128, 128, 128, 32).watts)
    text = printed(capsys, *PLAN)
    assert f"\n  a device       {found['mean_watts']:.1f} W of {found['peak_watts']:.1f} W at most: products " in text
    assert " J an iteration, " in text
    assert " mJ a token\n" in text


def test_images_have_no_tokens(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("predict", "--model", "mobilenet-v2", "--cluster", "tpuv4-likex2", "--dp", "2", "--global-batch", "64")
    found = answered(capsys, *asked)
    adds_up(found["energy"], found["seconds"], 2)
    assert found["energy"]["joules_per_token"] is None
    assert " mJ an image\n" in printed(capsys, *asked)


def test_of_other_chips_nobody_knows(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("plan", "gpt2", "--cluster", "a100x2", "--global-batch", "4", "--seq", "256", "--brief")
    assert answered(capsys, *asked)["energy"] is None
    assert "\nenergy           not known: A100-SXM-80GB is no chip of the template\n" in printed(capsys, *asked)
