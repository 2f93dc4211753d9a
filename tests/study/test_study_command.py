"""`intarsia study`: the file in, the folder out; bad input is one message before any work, and nothing is written."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from small_studies import GIVEN, STUDY

from intarsia.cli import main
from intarsia.cli.study_progress import progress_text
from intarsia.flow.study import Progress, read_study

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart.toml"


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def given(folder: Path) -> Path:
    file = folder / "given.toml"
    file.write_text(GIVEN.replace('["gpt2", "bert-base"]', '["gpt2"]'))
    return file


def test_the_way_through(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", str(given(tmp_path)), "-o", str(tmp_path / "out")]) == 0
    said = capsys.readouterr()
    assert f"report  {tmp_path / 'out' / 'report.html'}" in said.out
    assert "gpt2: plans on other chips" in said.err
    assert (tmp_path / "out" / "report.html").is_file()
    assert main(["study", str(tmp_path / "given.toml"), "-o", str(tmp_path / "out"), "--json"]) == 0
    printed = capsys.readouterr().out
    assert printed == (tmp_path / "out" / "result.json").read_text()
    assert json.loads(printed)["made"]["command"] == f"intarsia study {tmp_path / 'given.toml'}"


def test_bad_input_is_one_message_and_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(STUDY.replace("global_batch", "globalbatch"))
    out = tmp_path / "out"
    assert main(["study", str(file), "-o", str(out)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.endswith("try: global_batch\n")
    assert not out.exists()


def test_an_unwritable_folder_is_refused_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    started = time.perf_counter()
    assert main(["study", str(given(tmp_path)), "-o", str(tmp_path / "given.toml" / "out")]) == 2
    assert time.perf_counter() - started < 5
    assert "cannot be written" in capsys.readouterr().err


def test_an_interrupted_study_writes_nothing_and_says_how_to_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("intarsia.flow.study.modelled.schedule_gantt", interrupted)
    assert main(["study", str(given(tmp_path)), "-o", str(tmp_path / "out")]) == 130
    assert "what is evaluated is kept: the same command continues" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["study", "compare"])
def test_help_fits_a_screen_and_shows_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    said = capsys.readouterr().out
    assert len(said.splitlines()) <= 24
    assert f"example:\n  intarsia {name} " in said


def test_the_quickstart_is_a_study() -> None:
    assert read_study(QUICKSTART).space == "phaze"


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (Progress("the plan"), "the plan"),
        (
            Progress("chips", 5, 20, "467 ms", "458 ms", 0.0193, 12.3),
            "chips: 5 of 20, best 467 ms, bound 458 ms, gap 1.9 %, about 12.3 s left",
        ),
        (Progress("chips", 0, 9, "none fits yet", "1 s"), "chips: 0 of 9, best none fits yet, bound 1 s"),
    ],
)
def test_progress_in_a_line(progress: Progress, text: str) -> None:
    assert progress_text(progress) == text
