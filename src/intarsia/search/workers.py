"""Evaluations in this process or in several, handed out one by one so that each knows the best so far."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice
from typing import Protocol

from intarsia.ground.resume import end_with
from intarsia.search.evaluate import Desk, Job, Known
from intarsia.search.question import Question

Answers = Iterator[tuple[Job, tuple[Known, ...]]]


class Crew(Protocol):
    """Who evaluates chips: this process, several, or those of a cluster."""

    def answers(self, question: Question, jobs: Iterator[Job]) -> Answers:
        """Evaluations as they come; the next job is taken when there is somebody to do it."""


class Here:
    """This process."""

    def answers(self, question: Question, jobs: Iterator[Job]) -> Answers:
        """One after the other."""
        desk = Desk(question)
        for job in jobs:
            yield job, desk.answer(job)


class Processes:
    """Several processes of this machine."""

    def __init__(self, count: int) -> None:
        self.count = count

    def answers(self, question: Question, jobs: Iterator[Job]) -> Answers:
        """As they come."""
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(
            self.count, mp_context=context, initializer=_begin, initargs=(question, os.getpid())
        ) as pool:
            running: dict[Future[tuple[Known, ...]], Job] = {}
            while True:
                for job in islice(jobs, self.count - len(running)):
                    running[pool.submit(_answer, job)] = job
                if not running:
                    return
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield running.pop(future), future.result()


def crew(workers: int) -> Crew:
    """So many processes; this one for 1."""
    return Here() if workers == 1 else Processes(workers)


_desk: Desk | None = None


def _begin(question: Question, parent: int) -> None:
    global _desk  # noqa: PLW0603 (a worker process has one)
    end_with(parent)
    _desk = Desk(question)


def _answer(job: Job) -> tuple[Known, ...]:
    assert _desk is not None
    return _desk.answer(job)
