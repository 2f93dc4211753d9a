"""Does a run over many questions keep what it has, and continue where it stopped?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from intarsia.ground import InputError
from intarsia.ground.processes import LOSSES
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


def perilous(question: Json) -> Json:
    """Answers with its number; kills its process as often as it says, and not before all others have answered."""
    assert isinstance(question, dict)
    number, deaths, folder = question["number"], question["deaths"], Path(str(question["folder"]))
    assert isinstance(deaths, int)
    if deaths:
        wait_for(lambda: len(list(folder.glob("answered-*"))) == question["others"])
        died = len(list(folder.glob("died-*")))
        if died < deaths:
            (folder / f"died-{died}").touch()
            os.kill(os.getpid(), signal.SIGKILL)
    (folder / f"answered-{number}").touch()
    return number


def questions(folder: Path, deaths: int) -> list[Json]:
    """Four of them, of which the second is perilous."""
    return [{"number": n, "deaths": deaths * (n == 1), "folder": str(folder), "others": 3} for n in range(4)]


def test_a_question_is_asked_again_where_its_process_was_killed(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    deaths = LOSSES - 1
    told: list[tuple[int, int]] = []
    asked = questions(tmp_path, deaths)
    answers = answer_all(asked, perilous, store=store, workers=2, told=lambda *seen: told.append(seen))
    assert answers == [0, 1, 2, 3]
    assert told == [(done, 4) for done in range(5)]
    assert len(list(tmp_path.glob("died-*"))) == deaths
    assert caplog.text.count("a worker process was lost; its work is done again") == deaths


@pytest.mark.parametrize(("names", "name"), [((), "question 2 of 4"), (("a", "b", "c", "d"), "b")])
def test_a_question_that_always_kills_its_process_is_named(
    store: Store, tmp_path: Path, names: tuple[str, ...], name: str
) -> None:
    asked = questions(tmp_path, 1_000_000)
    with pytest.raises(InputError) as refused:
        answer_all(asked, perilous, store=store, workers=2, names=names)
    assert str(refused.value) == (
        f"--workers: a worker process was killed 3 times in a row before it had answered: {name};"
        " try: fewer of them, if memory is short; what was found is kept"
    )
    assert len(list(tmp_path.glob("died-*"))) == LOSSES
    assert [store.get(question) for question in asked] == [0, None, 2, 3]


def wait_for(is_so: Callable[[], bool]) -> None:
    """Returns when it is, within a minute."""
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline, "nothing came of it in a minute"
        time.sleep(0.05)


ORPHAN = """
import os, subprocess, sys
code = "import os, time; from intarsia.ground.processes import end_with; end_with(os.getppid()); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", code])
print(child.pid, flush=True)
import time; time.sleep(3)
os.kill(os.getpid(), 9)
"""


def test_a_worker_ends_when_its_parent_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", ORPHAN], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
    wait_for(lambda: not alive(worker))


def alive(process: int) -> bool:
    """Whether a process runs; one that has ended and waits to be reaped does not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")
    return not status.exists() or status.read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"


ELSEWHERE = """
import signal, sys, threading, time
from pathlib import Path
from intarsia.ground.resume import answer_all
from intarsia.ground.store import Store

def answer(question):
    if question:
        Path(sys.argv[1], f"began-{question}").touch()
        time.sleep(600)
    return question

def interrupt():
    # As the system does where the main thread holds signals off when one comes: another thread takes it.
    while len(list(Path(sys.argv[1]).glob("began-*"))) < 2:
        time.sleep(0.05)
    time.sleep(0.5)
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)

if __name__ == "__main__":
    threading.Thread(target=interrupt, daemon=True).start()
    with Store(Path(sys.argv[1]) / "s.sqlite") as store:
        try:
            answer_all([1, 2], answer, store=store, workers=2)
        except KeyboardInterrupt:
            print("interrupted")
"""


def test_an_interruption_that_another_thread_takes_ends_the_waiting(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(ELSEWHERE)
    command = [sys.executable, str(script), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("interrupted\n", "")
