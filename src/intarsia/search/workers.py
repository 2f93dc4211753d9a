"""Evaluations in this process, in several or on a cluster, handed out one by one so that each knows the best so far."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
from typing import Protocol

from intarsia.ground.resume import cores, end_with, ended, interruptions_held
from intarsia.search.evaluate import Desk, Job, Known
from intarsia.search.question import Question

Answers = Iterator[tuple[Job, tuple[Known, ...]]]


class Crew(Protocol):
    """Who evaluates chips for one search: this process, several, or those of a cluster."""

    def answers(self, jobs: Iterator[Job]) -> Answers:
        """Evaluations as they come, in any order; the next job is taken when there is somebody to do it."""


class Here:
    """This process."""

    def __init__(self, question: Question) -> None:
        self._desk = Desk(question)

    def answers(self, jobs: Iterator[Job]) -> Answers:
        """One after the other."""
        for job in jobs:
            yield job, self._desk.answer(job)


class Processes:
    """Several processes of this machine."""

    def __init__(self, pool: ProcessPoolExecutor, count: int) -> None:
        self._pool, self._count = pool, count

    def answers(self, jobs: Iterator[Job]) -> Answers:
        """As they come."""
        running: dict[Future[tuple[Known, ...]], Job] = {}
        while True:
            for job in islice(jobs, self._count - len(running)):
                with interruptions_held():
                    running[self._pool.submit(_answer, job)] = job
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield running.pop(future), future.result()


@contextmanager
def crew(question: Question, workers: int = 0, address: str = "") -> Iterator[Crew]:
    """Who evaluates; they end with the block.

    Args:
        question: the search's.
        workers: so many; 0 for one to each core, of this machine or of the cluster. One is this process.
        address: of a Ray cluster; none, and processes of this machine, if empty.

    Raises:
        InputError: Ray is not installed, or there is no such cluster.
    """
    count = workers or cores()
    if address:
        from intarsia.search.ray_crew import ray_crew

        with ray_crew(question, address, workers) as far:
            yield far
    elif count == 1:
        yield Here(question)
    else:
        with processes(question, count) as several:
            yield several


@contextmanager
def processes(question: Question, count: int) -> Iterator[Processes]:
    """Several processes of this machine, which end with the block, at once if something interrupts it."""
    # Fresh processes: a fork would copy the locks of the solvers' and the compiler's threads.
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(count, mp_context=context, initializer=_begin, initargs=(question, os.getpid()))
    with ended(pool, others):
        yield Processes(pool, count)


_desk: Desk | None = None


def _begin(question: Question, parent: int) -> None:
    global _desk  # noqa: PLW0603 (a worker process has one)
    end_with(parent)
    _desk = Desk(question)


def _answer(job: Job) -> tuple[Known, ...]:
    assert _desk is not None
    return _desk.answer(job)
