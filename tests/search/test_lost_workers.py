"""Does a search go on where one of its worker processes is killed?"""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import astuple, replace
from functools import partial

import numpy as np
import pytest
from questions import drawn

from intarsia.ground import InputError
from intarsia.ground.processes import LOSSES, pool, worker
from intarsia.machines.template import TPUV4_LIKE
from intarsia.search import Moment, Per, Question, Searched, crew, search
from intarsia.search.evaluate import Job
from intarsia.search.shares import Other, Shares, others
from intarsia.search.workers import Processes

SEED = 6
"""A drawn question with five chips that are looked at."""


def said(found: Searched) -> tuple[object, ...]:
    return found.row, found.score, astuple(found.certificate), found.looked, found.front


def question_of(front: Per) -> Question:
    question = drawn(SEED)
    return replace(question, objective=replace(question.objective, front=front))


class Killer:
    """Kills one of this process's children whenever a search says how far it is, a few times."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __call__(self, _moment: Moment) -> None:
        children = multiprocessing.active_children()
        if self.left and children:
            self.left -= 1
            children[0].kill()
            children[0].join()


@pytest.mark.parametrize("front", [Per.CHIP, Per.AREA])
def test_chips_of_a_killed_process_are_evaluated_all_the_same(front: Per, caplog: pytest.LogCaptureFixture) -> None:
    question, killer = question_of(front), Killer(2)
    with crew(question, 2) as hands:
        found = search(question, crew=hands, told=killer)
    assert not killer.left
    assert said(found) == said(search(question))
    assert "a worker process was lost; its work is done again" in caplog.text


@pytest.mark.parametrize("front", [Per.CHIP, Per.AREA])
def test_bounds_of_a_killed_process_are_worked_out_again(front: Per) -> None:
    question, killer = question_of(front), Killer(2)
    with others(question, 2) as handles:
        found = search(question, shares=Shares(handles), told=killer)
    assert not killer.left
    assert said(found) == said(search(question))


def die(_parent: int) -> None:
    os._exit(1)


@pytest.mark.parametrize("whose", ["crew", "shares"])
def test_processes_that_always_die_are_one_message(whose: str, caplog: pytest.LogCaptureFixture) -> None:
    none = np.zeros(0, dtype=np.int64)
    job = Job(0, TPUV4_LIKE, 1, (), (), (), 1.0, ())
    with pool(1, die) as several, worker(die) as one:
        ask = (
            partial(next, Processes(several).answers(iter([job])))
            if whose == "crew"
            else Other(one).ask("rows", none, [])
        )
        with pytest.raises(InputError) as refused:
            ask()
    assert str(refused.value) == (
        "--workers: a worker process was killed 3 times in a row before it had answered;"
        " try: fewer of them, if memory is short; what was found is kept"
    )
    assert caplog.text.count("a worker process was lost") == LOSSES - 1
