"""A plan that is kept: reads back as it was, predicts the same again, and says what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from plans import planned, strategy_of

from intarsia.graph import Recompute
from intarsia.ground import InputError
from intarsia.models import read_model
from intarsia.models.transformer import from_sizes
from intarsia.place import Split
from intarsia.place.plan_file import planned_model, predict_again
from intarsia.place.plan_json import plan_of, plan_text, read_plan, write_plan

SMALL = from_sizes(hidden=512, heads=8, layers=6, sequence=1024, vocab=1000)
UNEVEN = Split(((1, 1, 0, 0), (0, 3, 0, 0), (0, 2, 1, 1)), (Recompute.FULL, Recompute.NONE, Recompute.SELECTIVE))
STRATEGY = strategy_of(tensor=2, pipeline=3, data=2, global_batch=16, sequence_parallel=True)


def small_file() -> dict[str, Any]:
    plan, _ = planned(SMALL, "a100x12", STRATEGY, split=UNEVEN)
    found: dict[str, Any] = json.loads(plan_text(plan))
    return found


@pytest.mark.parametrize("name", ["llama3-8b", "mistral-7b", "mixtral-8x7b", "deepseek-v3", "gpt2-xl", "resnet-50"])
def test_round_trip(tmp_path: Path, name: str) -> None:
    model = read_model(name)
    sequence = model.sequence
    tensor = 1 if name in {"resnet-50", "gpt2-xl"} else 2
    plan, _ = planned(model, "h100x8", strategy_of(tensor=tensor, data=4, global_batch=16, sequence=sequence))
    write_plan(tmp_path / "plan.json", plan)
    assert read_plan(tmp_path / "plan.json") == plan


def test_the_same_is_predicted_again() -> None:
    plan, prediction = planned(SMALL, "a100x12", STRATEGY, split=UNEVEN)
    model, cluster, again = predict_again(plan_of(plan_text(plan).encode(), where="plan.json"))
    assert again == prediction
    assert (model, cluster.devices) == (SMALL, 12)
    assert plan.seconds == again.seconds


def test_the_text(golden: Callable[[str, str], None]) -> None:
    plan, _ = planned(SMALL, "a100x12", STRATEGY, split=UNEVEN)
    round_numbers = replace(plan, seconds=1.5, interval=(1.0, 2.0), parts={"compute": 1.5}, bound=1.25, runners_up=())
    golden("plan", plan_text(round_numbers))


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        ("version", 2, "p: unknown version of a plan file: 2; allowed: 1"),
        ("version", None, "p: unknown version of a plan file: none; allowed: 1"),
        (
            "strategy.tensor",
            3,
            "p: tensor × pipeline × data × context is not the number of devices: 3 × 3 × 2 × 1 = 18, ",
        ),
        ("strategy.data", 0, "p: data is not positive: 0; allowed: 1 or more"),
        ("strategy.zero", 4, "p: unknown ZeRO level: 4; allowed: 0, 1, 2, 3"),
        ("strategy.global_batch", 1, "p: the global batch is less than one microbatch for each replica: 1 < 2 × 1"),
        ("model.transformer.heads", 0, "p: the model's heads is not positive: 0; allowed: 1 or more"),
        ("efficiency.memory", 0, "p: memory is no fraction: 0.0; allowed: 0 < fraction ≤ 1"),
        ("strategy.order", "2f2b", "p: the plan file is wrong: Invalid enum value '2f2b' - at `$.strategy.order`"),
        ("strategy.tenser", 2, "p: the plan file is wrong: unknown field `tenser` - at `$.strategy`"),
        ("strategy.tensor", "2", "p: the plan file is wrong: Expected `int`, got `str` - at `$.strategy.tensor`"),
        ("strategy.tensor", None, "p: the plan file is wrong: Expected `int`, got `null` - at `$.strategy.tensor`"),
        ("notes", [], "p: the plan file is wrong: Object contains unknown field `notes`"),
        ("stages.1.layers.block", 2, "p: the stages do not cover the layers: 5 of 6 block layers"),
        ("stages.1.layers.embedding", 1, "p: the stages are out of order: embedding in stage 1"),
        ("stages.1.layers.heads", 1, "p: a stage has layers that the model lacks: heads; allowed: embedding, block, "),
        ("stages.1.layers", {}, "p: a stage has no layers: stage 1"),
        (
            "stages.1.bytes_per_device.wieghts",
            2,
            "p: the plan file is wrong: unknown field `wieghts` - at `$.stages[1].",
        ),
        ("model.transformer.hiden", 2, "p: the plan file is wrong: unknown field `hiden` - at `$.model.transformer`"),
    ],
)
def test_what_is_wrong(path: str, value: object, text: str) -> None:
    raw = small_file()
    *way, last = path.split(".")
    place: Any = raw
    for key in way:
        place = place[int(key) if key.isdigit() else key]
    place[last] = value
    with pytest.raises(InputError) as raised:
        plan_of(json.dumps(raw).encode(), where="p")
    assert str(raised.value).startswith(text)


@pytest.mark.parametrize("field", ["cluster", "strategy", "stages", "efficiency", "seconds", "bound", "runners_up"])
def test_what_is_missing(field: str) -> None:
    raw = small_file()
    del raw[field]
    with pytest.raises(InputError) as raised:
        plan_of(json.dumps(raw).encode(), where="p")
    assert str(raised.value) == f"p: the plan file is wrong: Object missing required field `{field}`"


def test_too_few_stages() -> None:
    raw = small_file()
    raw["stages"][1:] = []
    with pytest.raises(InputError) as raised:
        plan_of(json.dumps(raw).encode(), where="p")
    assert str(raised.value) == "p: there are not as many stages as the pipeline has: 1 stages, pipeline 3"


def test_no_file_and_no_json(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read the plan file: No such file"):
        read_plan(tmp_path / "plan.json")
    with pytest.raises(InputError, match="p: the plan file is not JSON"):
        plan_of(b"{", where="p")
    with pytest.raises(InputError, match="p: the plan file is wrong: Expected `object`"):
        plan_of(b"[]", where="p")


def test_a_name_that_stands_for_another_model() -> None:
    plan, _ = planned(read_model("resnet-50"), "a100x1", strategy_of(sequence=0))
    with pytest.raises(InputError, match=r"^resnet-101: the model's layers are not those of the plan: "):
        planned_model(replace(plan, model="resnet-101"))
