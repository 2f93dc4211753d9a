"""Where nothing fits, the answer names what is over and a change that helps."""

from __future__ import annotations

import pytest
from small_plans import EFFICIENCY

from intarsia.ground import InputError
from intarsia.machines.clusters import read_cluster
from intarsia.models.transformer import find_model
from intarsia.place import Choices, best_plan
from intarsia.solvers import Found, Infeasible


def test_the_item_that_is_over_is_named() -> None:
    outcome = best_plan(find_model("gpt3-175b"), read_cluster("a100x32"), EFFICIENCY, 64, 2048)
    assert isinstance(outcome, Infeasible)
    assert "more than a device's 85.9 GB, in the leanest plan: tensor" in outcome.because[0]
    assert "most of it is optimizer" in outcome.because[1]
    assert outcome.relaxation == "40 devices"
    more = best_plan(find_model("gpt3-175b"), read_cluster("a100x40"), EFFICIENCY, 64, 2048, compare=False)
    assert isinstance(more, Found)


def test_a_restriction_that_is_to_blame_is_named() -> None:
    model, cluster = find_model("llama3-8b"), read_cluster("a100x8")
    tight = {"tensor": [1], "pipeline": [1], "zero": [0], "recompute": ["none"]}
    outcome = best_plan(model, cluster, EFFICIENCY, 64, 8192, Choices().only(tight))
    assert isinstance(outcome, Infeasible)
    assert "zero 3" in outcome.relaxation
    freed = best_plan(model, cluster, EFFICIENCY, 64, 8192, Choices().only({**tight, "zero": [3]}), compare=False)
    assert isinstance(freed, Found)


def test_restrictions_that_no_strategy_meets() -> None:
    with pytest.raises(InputError, match="no strategy for llama3-8b on 8 devices meets the choices"):
        best_plan(find_model("llama3-8b"), read_cluster("a100x8"), EFFICIENCY, 64, 8192, Choices(pipeline=(64,)))


@pytest.mark.parametrize(
    ("restricted", "text"),
    [
        ({"colour": [1]}, "unknown choice: colour; allowed: tensor, pipeline"),
        ({"tensor": [0]}, "tensor is not positive: 0"),
        ({"zero": [4]}, "unknown ZeRO level: 4; allowed: 0, 1, 2, 3"),
        ({"recompute": ["some"]}, "recompute cannot be so: some; allowed: none, selective, full"),
        ({"tensor": ["x"]}, "tensor cannot be so: x; allowed: whole numbers"),
        ({"sequence_parallel": ["maybe"]}, "sequence_parallel cannot be so: maybe; allowed: 0, 1"),
        ({"tensor": []}, "tensor has no value"),
        ({"dtype": ["bf16", "fp8"]}, "dtype is not chosen"),
    ],
)
def test_choices_that_are_none(restricted: dict[str, list[object]], text: str) -> None:
    with pytest.raises(InputError, match=text):
        Choices().only(restricted)


def test_choices_are_read() -> None:
    read = Choices().only({"tensor": ["8"], "sequence_parallel": ["1"], "recompute": ["full"], "order": ["1f1b"]})
    assert (read.tensor, read.sequence_parallel) == ((8,), (True,))
    assert [mode.value for mode in read.recompute] == ["full"]
