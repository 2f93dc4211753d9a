"""Does a search say the same whoever evaluates, in whichever order: processes, a Ray cluster, workers that are lost?"""

from __future__ import annotations

import fcntl
import socket
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from questions import brute, drawn, score_of, small_question

from intarsia.ground import InputError
from intarsia.search import Known, Searched, crew, first, search
from intarsia.search.evaluate import Desk, Job
from intarsia.search.workers import Answers

CLOSE = 1e-9
MANY = 11
"""A drawn question with two memories and eight chips that are looked at, half of them in full."""


@pytest.fixture(autouse=True)
def _alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No two tests of this file at once: Ray finds any cluster of the machine, another test's too."""
    with (tmp_path_factory.getbasetemp().parent / "ray.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def said(searched: Searched) -> tuple[Any, ...]:
    """Everything but how it came to be."""
    return (
        searched.row, searched.point, searched.seconds, searched.score, searched.certificate, searched.looked,
        searched.removed.tolist(),
    )  # fmt: skip


class Shuffled:
    """Workers whose answers come in any order, each as late as it likes."""

    def __init__(self, desk: Desk, seed: int) -> None:
        self._desk = desk
        self._random = np.random.default_rng(seed)
        self.evaluated: list[tuple[int, float]] = []

    def answers(self, jobs: Iterator[Job]) -> Answers:
        width = int(self._random.integers(1, 12))
        held: list[tuple[Job, tuple[Known, ...]]] = []
        while True:
            while len(held) < width and (job := next(jobs, None)) is not None:
                held.append((job, self._desk.answer(job)))
                self.evaluated.append((job.row, job.limit))
            if not held:
                return
            yield held.pop(int(self._random.integers(len(held))))


@pytest.mark.parametrize("seed", [1, 6])
def test_the_answer_does_not_depend_on_the_order_of_evaluations(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the chips that are evaluated first, so that the best score falls while answers come."""
    monkeypatch.setattr(first, "FIRST", 0)
    question = drawn(seed)
    alone = search(question)
    scores = score_of(question, brute(question))
    assert alone.score == pytest.approx(scores.min(), rel=CLOSE)
    assert alone.certificate.bound <= alone.score
    evaluated, desk = set(), Desk(question)
    for order in range(3):
        hands = Shuffled(desk, order)
        assert said(search(question, crew=hands)) == said(alone)
        evaluated.add(tuple(sorted(hands.evaluated)))
    assert len(evaluated) > 1, "no order changed what anybody was asked, so nothing was tried"


def test_floors_of_looked_at_chips_are_below_their_best_plans() -> None:
    """Of chips that are cut, too: a variant that was not looked at bounds them as well."""
    for seed in (6, 11):
        question = drawn(seed)
        scores = score_of(question, brute(question))
        for one in search(question).looked:
            assert one.floor <= scores[one.row] * (1 + CLOSE)


def test_processes_say_the_same() -> None:
    question = drawn(MANY)
    alone = search(question)
    for workers in (2, 4):
        with crew(question, workers) as hands:
            assert said(search(question, crew=hands)) == said(alone)


@pytest.fixture
def ray() -> ModuleType:
    return pytest.importorskip("ray", reason="the optional extra 'ray' is not installed: pip install -e '.[ray]'")


@pytest.mark.usefixtures("ray")
def test_two_ray_workers_say_the_same() -> None:
    question = drawn(MANY)
    with crew(question, 2, "local") as hands:
        assert said(search(question, crew=hands)) == said(search(question))


def test_a_worker_that_is_lost_is_done_without(ray: ModuleType) -> None:
    """One of two is killed when the first answer has come; the other does what it had to do."""
    question = drawn(MANY)
    with crew(question, 2, "local") as hands:
        kept: list[object] = []

        def keep(point: object, _: object) -> None:
            kept.append(point)
            if len(kept) == 1:
                ray.kill(hands.actors[0])

        assert said(search(question, crew=hands, keep=keep)) == said(search(question))
    assert len(kept) > 1


def test_where_no_worker_is_left_it_says_so(ray: ModuleType) -> None:
    question = drawn(MANY)
    lost = pytest.raises(InputError, match="--ray: no worker of the cluster is left: local; try: ")
    with crew(question, 1, "local") as hands, lost:
        search(question, crew=hands, keep=lambda _point, _known: ray.kill(hands.actors[0]))
    assert not ray.is_initialized()


@pytest.mark.parametrize("address", ["nowhere", "ray://", "http://host:1", "host:port"])
def test_an_address_that_is_none(address: str) -> None:
    wrong = pytest.raises(InputError, match=r"--ray: this is no address of a Ray cluster: .*; allowed: local, auto")
    with wrong, crew(small_question(), 1, address):
        pass


def test_without_ray_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    missing = pytest.raises(InputError, match=r"--ray: Ray is not installed; try: pip install 'intarsia\[ray\]'")
    with missing, crew(small_question(), 1, "local"):
        pass


@pytest.mark.usefixtures("ray")
def test_a_cluster_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(InputError, match="--ray: there is no such Ray cluster"), crew(small_question(), 1, "auto"):
        pass


@pytest.mark.usefixtures("ray")
@pytest.mark.parametrize("kind", ["", "ray://"])
def test_an_address_where_nobody_answers(kind: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"{kind}127.0.0.1:{free.getsockname()[1]}"
    refused = pytest.raises(InputError, match=r"--ray: there is no such Ray cluster .*refused.*; try: ray status")
    with refused, crew(small_question(), 1, address):
        pass
