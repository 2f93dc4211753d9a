"""Does a search that is killed at any moment go on where it was, and end as if nothing had happened?"""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import astuple, replace
from pathlib import Path
from typing import IO

import pytest
from questions import drawn, small_question, training

from intarsia.flow.evaluations import Book
from intarsia.ground.store import Store
from intarsia.search import Objective, Per, Question, search
from intarsia.search import evaluate as evaluating

KILLS = 10
KEPT = 4
"""Evaluations in the store at the end of the last of them."""
SEED = 32
"""A drawn question with twelve chips that are looked at."""
RUN = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from test_killed_searches import SEED, drawn, told

print(told(drawn(SEED), Path(sys.argv[1]), lambda moment: print("moment", flush=True)), flush=True)
input()
"""


def told(question: Question, path: Path, watch: object = lambda _: None) -> tuple[object, ...]:
    """What a search says that keeps its evaluations in a store."""
    with Store(path) as store:
        book = Book(question, [str(at) for at in range(len(question.trainings))], store)
        found = search(question, told=watch, remember=book.read, keep=book.write)
    return found.row, found.score, found.seconds, astuple(found.certificate), tuple(map(str, found.looked))


def kept(path: Path) -> int:
    """How many evaluations a store has."""
    with sqlite3.connect(path) as file:
        (count,) = file.execute("SELECT count(*) FROM result").fetchone()
    return int(count)


@pytest.fixture
def evaluations(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Filled with the chips that are evaluated in this process."""
    chips: list[object] = []
    real = evaluating.evaluate

    def counted(*given: object, prove: bool) -> object:
        chips.append(given[3])
        return real(*given, prove=prove)  # type: ignore[arg-type]

    monkeypatch.setattr(evaluating, "evaluate", counted)
    return chips


def started(path: Path) -> subprocess.Popen[str]:
    """A search in a process of its own; it says when it is a step further, and what it has found."""
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def lines_of(process: subprocess.Popen[str]) -> IO[str]:
    assert process.stdout is not None
    return process.stdout


def test_a_search_that_is_killed_ten_times_ends_with_the_same_answer(tmp_path: Path, evaluations: list[object]) -> None:
    question = drawn(SEED)
    whole = told(question, tmp_path / "fresh.sqlite")
    from_scratch, shared, moments = len(evaluations), tmp_path / "shared.sqlite", random.Random(0)
    evaluations.clear()
    for kill in range(KILLS):
        with started(shared) as process:
            for _ in range(moments.randrange(4)):
                lines_of(process).readline()
            while kill == KILLS - 1:  # on a slow machine none may have come so far before
                if lines_of(process).readline() != "moment\n" or kept(shared) >= KEPT:
                    break
            time.sleep(moments.random() * 0.2)
            process.kill()
        assert process.returncode == -signal.SIGKILL
    left_by_the_killed = kept(shared)
    assert left_by_the_killed >= KEPT
    assert told(question, shared) == whole
    assert len(evaluations) < from_scratch


def test_two_searches_at_once_on_one_store_agree(tmp_path: Path) -> None:
    whole = told(drawn(SEED), tmp_path / "fresh.sqlite")
    shared = tmp_path / "shared.sqlite"
    with started(shared) as one, started(shared) as other:
        for process in (one, other):
            assert next(line for line in lines_of(process) if line != "moment\n") == f"{whole}\n"
            process.communicate("\n", timeout=60)


def test_what_other_searches_have_stored_changes_nothing(tmp_path: Path) -> None:
    """Searches with another objective, or for several models: they looked less far, or at other variants."""
    few = replace(drawn(SEED).space, tensor_cores=(3, 8))
    choices = drawn(SEED).trainings[0].choices
    first, second = training(layers=1, batch=4, choices=choices), training(hidden=1024, layers=1, choices=choices)
    alone, both = (replace(small_question(*own), space=few) for own in ((first,), (first, second)))
    both = replace(both, objective=Objective(Per.DOLLAR, references=(0.01, 0.02)))
    area = replace(alone, objective=Objective(Per.AREA))
    front = replace(alone, objective=Objective(front=Per.AREA))
    asked = (alone, area, both, front)
    fresh = [told(question, tmp_path / f"{at}.sqlite") for at, question in enumerate(asked)]
    for number, order in enumerate(((3, 2, 1, 0), (0, 1, 2, 3))):
        for at in order:
            assert told(asked[at], tmp_path / f"shared{number}.sqlite") == fresh[at]
