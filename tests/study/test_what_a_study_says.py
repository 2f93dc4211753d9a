"""A study's result against what the commands say by themselves."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from small_studies import GIVEN

from intarsia.flow.planning import plan_training, predict_plan
from intarsia.flow.searching import search_chip
from intarsia.flow.study import Progress, StudyAnswer, decode_study, run_study
from intarsia.flow.study.budgets import space_toml, within
from intarsia.flow.study.embeddings import embedding_records
from intarsia.flow.study.figures import figures_of
from intarsia.flow.study.layers import running
from intarsia.flow.study.neighbours import changes
from intarsia.flow.study.result import Result
from intarsia.ground import InputError
from intarsia.machines.chips import efficiency_of
from intarsia.machines.template import PHAZE, WIDE, TemplateSpace, chip_of, read_space
from intarsia.place import energy_of
from intarsia.place.choices import Choices
from intarsia.place.search import best_plan
from intarsia.solvers import Found

SECTIONS = {
    "chip", "gap", "front", "schedule", "pipeline", "memory", "time", "energy", "sensitivity", "embeddings",
    "baselines",
}  # fmt: skip


def timeless(result: Result) -> object:
    """What does not hang on the clock."""
    search = result.search
    assert search is not None
    return (
        result.sentence, result.chip, {one.name: one for one in result.looked}, result.models, result.figures,
        search.value, search.bound, search.points, search.removed, search.evaluated,
    )  # fmt: skip


def test_the_search_says_the_same(answer: StudyAnswer, place: Path) -> None:
    study, found = answer.result.study, answer.result.search
    only = {name: [str(value) for value in values] for name, values in study.choose.items()}
    alone = search_chip(
        study.models, study.cluster, 8, space=study.space, sequence=256, only=only, workers=1, fresh=True,
        store=place / "other.sqlite",
    )  # fmt: skip
    assert found is not None
    assert found.value == alone.searched.score == answer.result.models[0].plan.seconds
    # A front's bounds leave out how much shorter schedules can be: they are true, and a little lower.
    assert 0.99 * found.value < found.bound <= alone.searched.certificate.bound * (1 + 1e-9)
    assert found.points == sum(found.removed.values()) + found.evaluated == 16
    assert found.audit is not None
    drawn = min(study.audit, found.removed["by bounds for all chips"])
    assert (found.audit.checked, found.audit.beaten) == (drawn, ())
    assert drawn > 0
    assert [one.name for one in answer.result.looked if one.chosen] == [str(alone.searched.point)]


def test_the_front_is_proved(answer: StudyAnswer) -> None:
    """The chips of the chart's line by area are those of the list, the last one the best; each has its bound."""
    front, found = answer.result.front, answer.result.search
    assert found is not None
    assert found.front == "area"
    line = sorted((chip for chip in answer.result.looked if "area" in chip.front), key=lambda chip: chip.area)
    assert [(chip.name, chip.value) for chip in line] == [(one.name, one.value) for one in front]
    assert [chip.chosen for chip in line] == [False] * (len(line) - 1) + [True]
    assert [one.cost for one in front] == pytest.approx([chip.devices * chip.area for chip in line])
    for one, less in zip(front, [*front[1:], None], strict=True):
        assert one.bound <= one.value
        assert one.gap == pytest.approx(1 - one.bound / one.value)
        assert less is None or (less.cost > one.cost and less.value < one.value)


def test_the_plan_says_the_same_again(answer: StudyAnswer, out: Path) -> None:
    again = predict_plan(out / "plans" / "gpt2" / "plan.json")
    plan = answer.result.models[0].plan
    assert again.prediction.seconds == plan.seconds
    assert not any("the plan said" in note for note in again.notes)


def test_parts_fill_the_die(answer: StudyAnswer) -> None:
    chip = answer.result.chip
    assert chip is not None
    assert chip.area == pytest.approx(sum(part.area for part in chip.parts))
    assert chip.area <= (chip.budget or 0) == 120


def test_seconds_and_bytes_add_up(answer: StudyAnswer) -> None:
    model = answer.result.models[0]
    assert sum(model.time.parts.values()) == pytest.approx(model.plan.seconds)
    shares = sum(one.share for one in model.time.operators)
    whole = sum(one.seconds for one in model.time.operators) / shares
    assert whole * (1 - shares) == pytest.approx(model.time.others)
    assert len(model.memory.stages) == 2
    assert all(0 < sum(stage.values()) <= model.memory.capacity for stage in model.memory.stages)


def test_timelines_have_no_two_bars_at_once_on_a_line(answer: StudyAnswer) -> None:
    model = answer.result.models[0]
    for gantt in (model.schedule, model.pipeline):
        assert gantt is not None
        assert gantt.bars
        for line in range(len(gantt.lines)):
            bars = sorted((bar for bar in gantt.bars if bar.line == line), key=lambda bar: bar.start)
            assert bars
            assert bars[-1].finish <= gantt.end * (1 + 1e-9)
            assert all(a.finish <= b.start * (1 + 1e-9) for a, b in itertools.pairwise(bars))


def test_neighbours_are_planned_anew(answer: StudyAnswer) -> None:
    """Each row against the search for plans alone, which has none of the chip search's bounds."""
    chosen, study = answer.chosen, answer.result.study
    planned = chosen.planned[0]
    rows = {(one.resource, one.change): one for one in answer.result.models[0].neighbours}
    changed = {(one.resource, one.change): one for one in changes(chosen)}
    assert rows.keys() == changed.keys()
    assert {name for name, _ in rows} == {
        "tensor cores", "vector cores", "width of a tensor core", "shared buffer", "HBM", "HBM bandwidth", "clock",
        "network within the node",
    }  # fmt: skip
    for key in [
        ("tensor cores", "less"),
        ("clock", "more"),
        ("network within the node", "less"),
        ("HBM bandwidth", "more"),
    ]:
        one = changed[key]
        point = one.point
        cluster = one.cluster if point is None else replace(one.cluster, chip=chip_of(point))
        outcome = best_plan(
            planned.model, cluster, chosen.efficiency, 8, 256, Choices().only(study.choose), compare=False
        )
        assert isinstance(outcome, Found)
        assert rows[key].seconds == pytest.approx(outcome.value.seconds)
        assert rows[key].times == pytest.approx(outcome.value.seconds / planned.plan.seconds)


def test_baselines_are_planned_by_themselves(answer: StudyAnswer) -> None:
    study = answer.result.study
    only = {name: [str(value) for value in values] for name, values in study.choose.items()}
    for name, one in zip(study.baselines, answer.result.models[0].baselines, strict=True):
        alone = plan_training("gpt2", f"{name}x4", 8, sequence=256, only=only, compare=False)
        assert alone.plan is not None
        assert one.seconds == alone.plan.seconds
        assert one.efficiency == efficiency_of(alone.cluster.chip).source


def test_embeddings_are_right(answer: StudyAnswer) -> None:
    planned, cluster = answer.chosen.planned[0], answer.chosen.cluster
    run = running(planned.model, planned.plan, cluster)
    records = tuple(embedding_records(run))
    assert records == answer.result.models[0].embeddings
    assert all(0 < one.utilisation <= 1 and one.nest.startswith("for ") for one in records)
    assert [one.share for one in records] == sorted((one.share for one in records), reverse=True)


def test_energy_is_that_of_the_plan(answer: StudyAnswer) -> None:
    chosen, record = answer.chosen, answer.result.models[0].plan
    its = chosen.planned[0]
    found = energy_of(its.model, chosen.cluster, its.plan.prediction)
    assert found is not None
    assert record.energy is not None
    said = record.energy
    assert (said.parts, said.watts, said.peaks) == (found.parts, found.watts, found.peaks)
    assert record.energy.joules == pytest.approx(sum(found.parts.values()))
    assert record.energy.mean_watts == pytest.approx(record.energy.joules / record.seconds / its.plan.strategy.devices)
    assert answer.result.chip is not None
    assert record.energy.peak_watts == pytest.approx(sum(part.watts or 0.0 for part in answer.result.chip.parts))


def test_every_section_says_how_it_was_made(answer: StudyAnswer) -> None:
    figures = figures_of(answer.result.study, answer.chosen)
    assert {one.section for one in figures} == SECTIONS
    assert all(one.made and one.rests for one in figures)
    assert answer.result.absent == answer.result.models[0].absent == {}


def test_an_interrupted_study_continues(answer: StudyAnswer, tmp_path: Path) -> None:
    study = answer.result.study

    def stop(progress: Progress) -> None:
        if progress.what.endswith("plans on other chips") and progress.done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_study(study, store=tmp_path / "store.sqlite", watch=stop)
    counted: list[Progress] = []
    again = run_study(study, store=tmp_path / "store.sqlite", watch=counted.append)
    assert next(one.done for one in counted if one.what.endswith("plans on other chips")) == 3
    assert timeless(again.result) == timeless(answer.result)


def test_a_given_chip_and_two_models(tmp_path: Path) -> None:
    found = run_study(decode_study(GIVEN, where="given.toml"), store=tmp_path / "store.sqlite").result
    assert found.search is None
    assert found.absent == {
        "gap": "the chip was given, not searched for",
        "front": "the chip was given, not searched for",
        "parts": "no areas are known of the parts of A100-SXM-80GB",
    }
    assert [one.name for one in found.models] == ["gpt2", "bert-base"]
    assert [one.folder for one in found.models] == ["plans/gpt2", "plans/bert-base"]
    unknown = "nobody knows what work takes on A100-SXM-80GB: it is no chip of the template"
    assert all(one.absent == {"baselines": "the study names none", "energy": unknown} for one in found.models)
    assert all(one.plan.energy is None for one in found.models)
    assert all(one.embeddings and "nvidia.mma" in one.embeddings[0].instruction for one in found.models)
    assert found.sentence.startswith("On 4 devices with A100-SXM-80GB, gpt2 takes ")
    for one in found.models:
        alone = plan_training(
            one.name, "a100x4", 8, sequence=128, only={"tensor": ["1"], "pipeline": ["1"]}, compare=False
        )
        assert alone.plan is not None
        assert one.plan.seconds == alone.plan.seconds


@pytest.mark.parametrize(("cluster", "floats"), [("tpuv4x2", "bfloat16"), ("a100x2", "float16")])
def test_gradients_of_convolutions_have_embeddings_too(cluster: str, floats: str, tmp_path: Path) -> None:
    text = f'model = "mobilenet-v2"\ncluster = "{cluster}"\nglobal_batch = 4\nbaselines = []\n'
    text += "[choose]\ntensor = 1\nmicrobatch = 1\n"
    (model,) = run_study(decode_study(text, where="s.toml"), store=tmp_path / "store.sqlite").result.models
    gradients = [one for one in model.embeddings if one.operator.startswith("weight_gradient: ")]
    assert gradients
    for one in gradients:
        assert "  W:float32[" in one.operator
        assert f" O:{floats}[" in one.operator
        assert f" I:{floats}[" in one.operator


def test_nothing_fits(tmp_path: Path) -> None:
    text = 'model = "gpt3-175b"\ncluster = "a100x2"\nglobal_batch = 4\nbaselines = []\n'
    found = run_study(decode_study(text, where="s.toml"), store=tmp_path / "store.sqlite").result
    assert found.chip is None
    assert found.models == ()
    assert found.sentence.startswith("Nothing fits on 2 devices of a100: gpt3-175b: ")


@pytest.mark.parametrize("space", [PHAZE, WIDE], ids=["phaze", "wide"])
def test_a_space_within_other_budgets_is_read_as_it_was_written(space: TemplateSpace, tmp_path: Path) -> None:
    asked = within(space.name, {"area_mm2": 150.5, "watts": 400.0})
    file = tmp_path / "space.toml"
    file.write_text(space_toml(asked))
    assert read_space(file) == asked
    assert asked.budgets == {"area": 150.5, "watts": 400.0}


def test_an_unknown_budget() -> None:
    with pytest.raises(InputError, match="unknown budget: area; allowed: area_mm2, watts, dollars; try: area_mm2"):
        within("phaze", {"area": 1.0})
