"""A result is read in its own schema; older ones are migrated step by step, or refused; newer ones are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from intarsia.flow.study import SCHEMA, StudyAnswer, read_result, result_text
from intarsia.ground import InputError


def changed(out: Path, to: Path, **fields: Any) -> Path:
    to.write_text(json.dumps({**json.loads((out / "result.json").read_text()), **fields}))
    return to


def refused(path: Path) -> str:
    with pytest.raises(InputError) as error:
        read_result(path)
    return str(error.value)


def test_what_was_written_is_read(out: Path, answer: StudyAnswer) -> None:
    assert json.loads((out / "result.json").read_text())["schema"] == SCHEMA == "intarsia.result/1"
    assert read_result(out) == read_result(out / "result.json") == answer.result
    assert result_text(read_result(out)) == result_text(answer.result)


def test_a_newer_one_is_refused(out: Path, tmp_path: Path) -> None:
    said = refused(changed(out, tmp_path / "r.json", schema="intarsia.result/2"))
    assert (
        "the result was written by a newer version: intarsia.result/2; allowed: intarsia.result/1; try: a newer" in said
    )


def test_an_older_one_without_a_way_is_refused(out: Path, tmp_path: Path) -> None:
    said = refused(changed(out, tmp_path / "r.json", schema="intarsia.result/0"))
    assert "the result was written by an older version, and cannot be read as one of this: intarsia.result/0" in said
    assert said.endswith("try: intarsia study with the same file once more")


def test_an_older_one_is_migrated_and_says_so(out: Path, tmp_path: Path, answer: StudyAnswer) -> None:
    """Version 0 is made up: what this one calls ``title`` was ``name``."""
    content = json.loads((out / "result.json").read_text())
    older = {**content, "schema": "intarsia.result/0", "name": content["title"]}
    del older["title"]
    file = tmp_path / "older.json"
    file.write_text(json.dumps(older))
    told: list[str] = []

    def step(old: dict[str, Any]) -> dict[str, Any]:
        return {**{key: value for key, value in old.items() if key != "name"}, "title": old["name"]}

    assert read_result(file, told=told.append, steps={0: step}) == answer.result
    assert told == [f"{file}: intarsia.result/0 read as intarsia.result/1"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "the result is not JSON"),
        ("[]", "this is no result of a study"),
        ('{"schema": "plan/1"}', "this is no result of a study: plan/1; allowed: intarsia.result/1"),
        ('{"schema": "intarsia.result/1"}', "the result is wrong: Object missing required field `made`"),
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
