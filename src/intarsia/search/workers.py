"""Evaluations in this process, in several or on a cluster, handed out one by one so that each knows the best so far."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from intarsia.ground.processes import Pool, cores, end_with, pool
from intarsia.search.evaluate import Desk, Job
from intarsia.search.known import Known
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
    """Several processes of this machine. The job of one that is lost is done again."""

    def __init__(self, several: Pool) -> None:
        self._pool = several

    def answers(self, jobs: Iterator[Job]) -> Answers:
        """As they come.

        Raises:
            InputError: processes are lost again and again.
        """
        return self._pool.each(_answer, jobs)


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
    with pool(count, _begin, question) as several:
        yield Processes(several)


_desk: Desk | None = None


def _begin(question: Question, parent: int) -> None:
    global _desk  # noqa: PLW0603 (a worker process has one)
    end_with(parent)
    _desk = Desk(question)


def _answer(job: Job) -> tuple[Known, ...]:
    assert _desk is not None
    return _desk.answer(job)
