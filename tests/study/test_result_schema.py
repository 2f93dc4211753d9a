"""A result is read in its own schema; older ones are migrated step by step, or refused; newer ones are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from intarsia.flow.study import SCHEMA, StudyAnswer, read_result, result_text
from intarsia.ground import InputError
from intarsia.report.html import report_html


def changed(out: Path, to: Path, **fields: Any) -> Path:
    to.write_text(json.dumps({**json.loads((out / "result.json").read_text()), **fields}))
    return to


def refused(path: Path) -> str:
    with pytest.raises(InputError) as error:
        read_result(path)
    return str(error.value)


def test_what_was_written_is_read(out: Path, answer: StudyAnswer) -> None:
    assert json.loads((out / "result.json").read_text())["schema"] == SCHEMA == "intarsia.result/2"
    assert read_result(out) == read_result(out / "result.json") == answer.result
    assert result_text(read_result(out)) == result_text(answer.result)


def test_a_newer_one_is_refused(out: Path, tmp_path: Path) -> None:
    said = refused(changed(out, tmp_path / "r.json", schema="intarsia.result/3"))
    assert (
        "the result was written by a newer version: intarsia.result/3; allowed: intarsia.result/2; try: a newer" in said
    )


def test_an_older_one_without_a_way_is_refused(out: Path, tmp_path: Path) -> None:
    said = refused(changed(out, tmp_path / "r.json", schema="intarsia.result/0"))
    assert "the result was written by an older version, and cannot be read as one of this: intarsia.result/0" in said
    assert said.endswith("try: intarsia study with the same file once more")


def first_version(content: dict[str, Any]) -> dict[str, Any]:
    """A result as version 1 had it: values for each mm² were those of one chip, fronts were smaller areas."""

    def of_one(one: dict[str, Any], *names: str, drop: tuple[str, ...] = ()) -> dict[str, Any]:
        kept = {key: value for key, value in one.items() if key not in drop}
        return {**kept, **{name: one[name] and one[name] / content["devices"] for name in names}}

    study = {key: value for key, value in content["study"].items() if key not in {"total", "tolerance"}}
    return {
        **content,
        "schema": "intarsia.result/1",
        "study": {**study, "front": [90.0], "objective": "throughput-per-area"},
        "search": of_one(content["search"], "value", "bound", drop=("sizes", "front")),
        "history": [of_one(one, "best", "bound") for one in content["history"]],
        "looked": [of_one(one, "value", "bound", drop=("devices",)) for one in content["looked"]],
        "front": [{"budget": 90.0, "name": "", "area": None, "value": None, "bound": None, "gap": 0.0, "seconds": 1.0}],
    }


def test_an_older_one_is_migrated_and_says_so(out: Path, tmp_path: Path, answer: StudyAnswer) -> None:
    file, told = tmp_path / "older.json", []
    file.write_text(json.dumps(first_version(json.loads((out / "result.json").read_text()))))
    found, now = read_result(file, told=told.append), answer.result
    assert told == [f"{file}: intarsia.result/1 read as intarsia.result/2"]
    assert (found.front, found.study.front, found.study.objective) == ((), "", "throughput-per-area")
    assert [one.value for one in found.looked] == [pytest.approx(one.value) for one in now.looked]
    assert [one.devices for one in found.looked] == [now.devices] * len(now.looked)
    assert found.search is not None
    assert now.search is not None
    assert (found.search.value, found.search.bound) == (
        pytest.approx(now.search.value),
        pytest.approx(now.search.bound),
    )
    assert found.search.sizes == {str(now.devices): now.search.points}
    assert (found.models, found.chip, found.made) == (now.models, now.chip, now.made)


def test_one_without_energies_is_read(out: Path, tmp_path: Path, answer: StudyAnswer) -> None:
    """Plans of a result that was written before energies were counted, in this schema or in an older one."""
    content = json.loads((out / "result.json").read_text())
    assert answer.result.models[0].plan.energy is not None
    del content["models"][0]["plan"]["energy"]
    for number, older in enumerate((content, first_version(content))):
        file = tmp_path / f"{number}.json"
        file.write_text(json.dumps(older))
        found = read_result(file)
        assert found.models[0].plan.energy is None
        assert "the result is older than energies of plans" in report_html(found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "the result is not JSON"),
        ("[]", "this is no result of a study"),
        ('{"schema": "plan/1"}', "this is no result of a study: plan/1; allowed: intarsia.result/2"),
        ('{"schema": "intarsia.result/2"}', "the result is wrong: Object missing required field `made`"),
    ],
)
def test_what_is_no_result(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "r.json"
    file.write_text(text)
    assert said in refused(file)


def test_unknown_fields_and_missing_files(out: Path, tmp_path: Path) -> None:
    assert "unknown field `more`" in refused(changed(out, tmp_path / "r.json", more=1))
    assert "cannot read the result: No such file" in refused(tmp_path / "none.json")
    assert "cannot read the result" in refused(tmp_path)
