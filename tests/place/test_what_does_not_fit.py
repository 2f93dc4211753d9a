"""Where nothing fits, the answer names what is over and a change that helps."""

from __future__ import annotations

import pytest
from small_plans import EFFICIENCY, with_capacity

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
    assert outcome.relaxation == "tensor 2; or pipeline 2; or zero 1"
    for text in outcome.relaxation.split("; or "):
        choice, value = text.split()
        freed = best_plan(
            model, cluster, EFFICIENCY, 64, 8192, Choices().only({**tight, choice: [value]}), compare=False
        )
        assert isinstance(freed, Found), text


@pytest.mark.parametrize(("gib", "mode"), [(17, "selective"), (12, "full")])
def test_the_least_recomputation_that_helps_is_named(gib: int, mode: str) -> None:
    model, cluster = find_model("gpt2"), with_capacity(read_cluster("a100x1"), gib * 2**30)
    only = {"attention": ["eager"], "microbatch": ["16"]}

    def planned(mode: str) -> object:
        choices = Choices().only({**only, "recompute": [mode]})
        return best_plan(model, cluster, EFFICIENCY, 16, 1024, choices, compare=False)

    outcome = planned("none")
    assert isinstance(outcome, Infeasible)
    assert f"recompute {mode}" in outcome.relaxation
    assert isinstance(planned(mode), Found)
    assert mode == "selective" or isinstance(planned("selective"), Infeasible)


def test_the_rest_of_a_node_may_be_enough() -> None:
    model, cluster = find_model("llama2-7b"), with_capacity(read_cluster("a100x3"), 30 * 2**30)
    choices = Choices(zero=(3,), data=(1,), tensor=(1, 2, 4))
    outcome = best_plan(model, cluster, EFFICIENCY, 8, 4096, choices)
    assert isinstance(outcome, Infeasible)
    assert outcome.relaxation == "8 devices"


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
