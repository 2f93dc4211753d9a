"""What a study file may say: everything else is one message, with the nearest key."""

from __future__ import annotations

from pathlib import Path

import pytest

from intarsia.flow.study import decode_study, run_study, searched
from intarsia.ground import InputError
from intarsia.machines.clusters import read_clusters

ASKED = 'model = "gpt2"\ncluster = "a100x4"\nglobal_batch = 8\n'
SEARCHED = ASKED + 'space = "phaze"\n'


def refused(text: str) -> str:
    with pytest.raises(InputError) as error:
        decode_study(text, where="s.toml")
    return str(error.value)


@pytest.mark.parametrize(
    ("typed", "nearest"),
    [("globl_batch", "global_batch"), ("modle", "model"), ("worker", "workers"), ("baseline", "baselines")],
)
def test_an_unknown_key_is_answered_with_the_nearest_one(typed: str, nearest: str) -> None:
    said = refused(f"{ASKED}{typed} = 1\n")
    assert said.startswith(f"s.toml: unknown key: {typed}; allowed: cluster, global_batch, model, ")
    assert said.endswith(f"; try: {nearest}")


def test_a_key_that_is_near_to_none() -> None:
    assert "try:" not in refused(f"{ASKED}zzz = 1\n")


def test_an_unknown_choice_of_plans() -> None:
    said = refused(f"{ASKED}[choose]\npipelin = 2\n")
    assert said.startswith("s.toml, [choose]: unknown choice: pipelin; allowed: tensor, pipeline, ")
    assert said.endswith("try: pipeline")


@pytest.mark.parametrize(
    ("table", "typed", "nearest"),
    [
        ("budget", "area", "area_mm2"),
        ("total", "dollar", "dollars"),
        ("choose", "zro", "zero"),
        ("serving", "tttf", "ttft"),
    ],
)
def test_an_unknown_key_of_a_table_is_answered_too(table: str, typed: str, nearest: str) -> None:
    required = "prompt = 8\noutput = 8\n" if table == "serving" else ""
    said = refused(f"{SEARCHED}[{table}]\n{required}{typed} = 1\n")
    assert said.startswith(f"s.toml, [{table}]: unknown ")
    assert f": {typed}; allowed: " in said
    assert said.endswith(f"try: {nearest}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('cluster = "a100x4"\nglobal_batch = 8\n', "s.toml: a study has a model or models: neither"),
        (ASKED + 'models = ["bert-base"]\n', "s.toml: a study has a model or models: both"),
        (SEARCHED + 'chip = "h100"\n', "s.toml: a chip is searched for or given: space phaze, chip h100"),
        (ASKED.replace("= 8", "= 0"), "s.toml: global_batch is not possible: 0; allowed: 1 or more"),
        (SEARCHED + "audit = -1\n", "s.toml: audit is not possible: -1; allowed: 0 or more"),
        (ASKED + "audit = 5\n", "s.toml: audit is for a search of chips: 5"),
        (ASKED + 'objective = "throughput"\n', "s.toml: objective is for a search of chips"),
        (ASKED + "[budget]\narea_mm2 = 100\n", "s.toml: budget is for a search of chips"),
        (SEARCHED + "front = [100]\n", "s.toml: the study file is wrong: Expected `str`, got `array`"),
        (ASKED + 'front = "area"\n', "s.toml: front is for a search of chips: area"),
        (
            ASKED.replace('"a100x4"', '["a100x4", "a100x8"]'),
            "s.toml: one of several clusters is for a search of chips: a100x4,a100x8; try: space = ",
        ),
        (SEARCHED + 'costs = "pads"\n', "s.toml: unknown costs: pads; allowed: embedded, padded"),
        (ASKED + "[choose]\nzero = 7\n", "s.toml, [choose]: unknown ZeRO level: 7; allowed: 0, 1, 2, 3"),
        (ASKED.replace("8", '"eight"'), "s.toml: the study file is wrong: Expected `int`, got `str`"),
        (ASKED.replace('cluster = "a100x4"\n', ""), "s.toml: the study file is wrong: Object missing required"),
        (ASKED + "=\n", "s.toml: the study file is not TOML: Invalid statement (at line 4, column 1)"),
    ],
)
def test_what_is_refused(text: str, said: str) -> None:
    assert refused(text).startswith(said)


def test_several_clusters_are_a_list_or_a_text() -> None:
    listed = decode_study(SEARCHED.replace('"a100x4"', '["a100x4", "a100x8"]'), where="s.toml")
    text = decode_study(SEARCHED.replace('"a100x4"', '"a100x4,8"'), where="s.toml")
    assert (listed.cluster, text.cluster) == ("a100x4,a100x8", "a100x4,8")
    assert [[one.devices for one in read_clusters(study.cluster)] for study in (listed, text)] == [[8, 4], [8, 4]]


def test_a_ray_cluster_is_handed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The address goes to the search as it was written; the rest of the study does not know of it."""
    asked: list[str] = []

    def search(*_: object, ray: str, **__: object) -> None:
        asked.append(ray)
        raise InputError("no Ray here", value=ray)

    monkeypatch.setattr(searched, "search_chip", search)
    study = decode_study(SEARCHED + 'ray = "ray://head:10001"\n', where="s.toml")
    with pytest.raises(InputError, match="no Ray here"):
        run_study(study, store=tmp_path / "store.sqlite")
    assert asked == [study.ray] == ["ray://head:10001"]


def test_one_value_is_a_list_of_one() -> None:
    one = decode_study(ASKED + "[choose]\ntensor = 2\n", where="s.toml")
    several = decode_study(ASKED.replace('model = "gpt2"', 'models = ["gpt2"]') + "[choose]\ntensor = [2]\n", where="s")
    assert one == several
    assert one.name == "gpt2 on a100x4"
