"""One small study of each kind, answered and written once for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import small_serving
from browser import Page, browser, chromium
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


@pytest.fixture(scope="session")
def serving_answer(tmp_path_factory: pytest.TempPathFactory) -> StudyAnswer:
    """A small study that serves."""
    place = tmp_path_factory.mktemp("serving")
    file = small_serving.written(place)
    return run_study(read_study(file), command="intarsia study serving.toml", store=place / "store.sqlite")


@pytest.fixture(scope="session")
def serving_out(serving_answer: StudyAnswer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that was written for it."""
    out = tmp_path_factory.mktemp("served") / "out"
    write_study(out, serving_answer)
    return out


@pytest.fixture(scope="session")
def shown() -> Iterator[Page]:
    """A page of a browser, for tests that are skipped where there is none."""
    with browser(chromium()) as page:
        yield page
