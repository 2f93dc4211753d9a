"""One small study, answered and written once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_studies import written

from intarsia.flow.study import StudyAnswer, read_study, run_study
from intarsia.report import write_study


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the study's file; the store and the written folder come beside it."""
    return tmp_path_factory.mktemp("study")


@pytest.fixture(scope="session")
def answer(place: Path) -> StudyAnswer:
    found = run_study(read_study(written(place)), command="intarsia study small.toml", store=place / "store.sqlite")
    write_study(place / "out", found)
    return found


@pytest.fixture(scope="session")
def out(place: Path, answer: StudyAnswer) -> Path:
    """The written folder."""
    assert answer.result.models
    return place / "out"
