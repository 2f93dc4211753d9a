"""Does a search for the chip that serves best go on where it was stopped, and end as if nothing had happened?"""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from serving_questions import FEW, QUESTIONS, asked

from intarsia.flow import serving_journal
from intarsia.flow.serving_journal import stored_journal
from intarsia.ground.store import Store
from intarsia.search import search_serving
from intarsia.search.serving import search as searching

NAMES = ("plain", "watt", "ttft", "experts", "no tpot")
RUN = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from test_stopped_searches_for_chips_that_serve import QUESTIONS, told

told(QUESTIONS["watt"], Path(sys.argv[1]), every=0.0, watch=lambda moment: print("moment", flush=True))
input()
"""


def told(question, path, *, every=1.0, fresh=False, watch=lambda _: None):
    """What a search says that keeps a journal in a store."""
    serving_journal.EVERY = every
    with Store(path) as store, stored_journal(question, store, fresh=fresh) as journal:
        found = search_serving(question, journal=journal, watch=watch)
    return said(found)


def said(found):
    return found.row, found.point, found.score, found.served, found.certificate, found.bounds, found.looked


@pytest.fixture(autouse=True)
def second():
    yield
    serving_journal.EVERY = 1.0


class Work(list):
    """What is worked out in this process, until it is interrupted."""

    left = sys.maxsize

    def append(self, name):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        super().append(name)


@pytest.fixture
def work(monkeypatch):
    done = Work()

    def counted(module, name):
        real = getattr(module, name)

        def call(*given, **more):
            done.append(name)
            return real(*given, **more)

        monkeypatch.setattr(module, name, call)

    for name in ("bound_with_messages", "rated_cuts", "ceilings"):
        counted(searching, name)
    counted(searching.RatedCuts, "most_tokens")
    return done


@pytest.mark.parametrize("name", NAMES)
def test_what_was_found_is_not_worked_out_again(name, work, tmp_path):
    question = QUESTIONS[name]
    right = said(search_serving(question))
    once = len(work)
    work.clear()
    assert told(question, tmp_path / "s.sqlite") == right
    assert len(work) == once
    work.clear()
    assert told(question, tmp_path / "s.sqlite") == right
    evaluated = right[4].evaluated
    assert work.count("most_tokens") == evaluated  # the few chips that were better than all before
    assert set(work) <= {"most_tokens", "rated_cuts"}
    work.clear()
    assert told(question, tmp_path / "s.sqlite", fresh=True) == right
    assert len(work) == once


@pytest.mark.parametrize("every", [0.0, 1.0])
@pytest.mark.parametrize("name", NAMES)
def test_a_search_that_is_interrupted_again_and_again_ends_with_the_same_answer(name, every, work, tmp_path):
    question = QUESTIONS[name]
    right = said(search_serving(question))
    once, evaluated, chance, answer, stops = len(work), right[4].evaluated, random.Random(7), None, 0
    work.clear()
    while answer is None:
        work.left = 2 * evaluated + chance.randrange(1, 9)  # those that were better are looked at again
        try:
            answer = told(question, tmp_path / "s.sqlite", every=every)
        except KeyboardInterrupt:
            stops += 1
        assert stops < 100
    assert answer == right
    assert stops >= once // (2 * evaluated + 9)
    assert work.count("bound_with_messages") <= right[5]


def test_a_search_that_is_killed_ends_with_the_same_answer(tmp_path):
    path, chance = tmp_path / "s.sqlite", random.Random(3)
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(chance.randrange(1, 4)):
            assert process.stdout.readline() == "moment\n"
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert told(QUESTIONS["watt"], path) == said(search_serving(QUESTIONS["watt"]))


def test_what_is_damaged_is_worked_out_again(tmp_path):
    path, question = tmp_path / "s.sqlite", QUESTIONS["ttft"]
    right = told(question, path, every=0.0)
    with sqlite3.connect(path) as file:
        keys = [key for (key,) in file.execute("SELECT key FROM result ORDER BY key")]
        assert len(keys) > 5
        for key in keys[::3]:
            file.execute("UPDATE result SET answer = replace(answer, '1', '2') WHERE key = ?", (key,))
    assert told(question, path) == right  # in other parts than before, between which some old ones lie
    assert told(question, path) == right


def test_other_questions_have_other_journals(tmp_path):
    path, others = tmp_path / "s.sqlite", asked(replace(FEW, vector_cores=(1, 6)))
    assert repr(others.task) == repr(QUESTIONS["plain"].task)  # only the other chips are others
    for question in [*QUESTIONS.values(), others, asked(prompt=101), asked(devices=2)]:
        assert told(question, path) == said(search_serving(question))
