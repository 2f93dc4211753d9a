"""Does a run over many questions keep what it has, and continue where it stopped?"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from intarsia.ground.resume import answer_all
from intarsia.ground.store import Json, Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "s.sqlite") as opened:
        yield opened


def square(question: Json) -> Json:
    assert isinstance(question, int)
    return question * question


@pytest.mark.parametrize("workers", [1, 2])
def test_answers_come_in_the_order_of_the_questions(store: Store, workers: int) -> None:
    told: list[tuple[int, int]] = []
    answers = answer_all([3, 1, 2, 1], square, store=store, workers=workers, told=lambda *seen: told.append(seen))
    assert answers == [9, 1, 4, 1]
    assert told[0] == (0, 4)
    assert told[-1] == (4, 4)


def test_a_run_continues_where_it_stopped(store: Store) -> None:
    asked: list[Json] = []

    def breaks_at_two(question: Json) -> Json:
        asked.append(question)
        if question == 2:
            raise RuntimeError
        return square(question)

    with pytest.raises(RuntimeError):
        answer_all([1, 2, 3], breaks_at_two, store=store, workers=1)

    def again(question: Json) -> Json:
        asked.append(question)
        return square(question)

    assert answer_all([1, 2, 3], again, store=store, workers=1) == [1, 4, 9]
    assert asked == [1, 2, 2, 3]


def test_a_fresh_run_asks_again(store: Store) -> None:
    store.put(2, 5)
    assert answer_all([2], square, store=store) == [5]
    assert answer_all([2], square, store=store, fresh=True) == [4]
    assert store.get(2) == 4


ORPHAN = """
import os, subprocess, sys
code = "import os, time; from intarsia.ground.resume import end_with; end_with(os.getppid()); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", code])
print(child.pid, flush=True)
import time; time.sleep(3)
os.kill(os.getpid(), 9)
"""


def test_a_worker_ends_when_its_parent_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", ORPHAN], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
    deadline = time.monotonic() + 60
    while alive(worker):
        assert time.monotonic() < deadline, "the worker lives on"
        time.sleep(0.2)


def alive(process: int) -> bool:
    """Whether a process runs; one that has ended and waits to be reaped does not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")
    return not status.exists() or status.read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
