"""Evaluations in this process or in several, handed out one by one so that each knows the best so far."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice

from intarsia.graph import Variant
from intarsia.ground.resume import end_with
from intarsia.machines.template import Point
from intarsia.place.branches import Brancher
from intarsia.search.evaluate import Evaluated, evaluate
from intarsia.search.question import Question


@dataclass(frozen=True, slots=True)
class Job:
    """A chip to be evaluated.

    Attributes:
        row, point: which.
        listed: the variants that may be at or below the cutoff, with their bounds.
        cutoff: seconds beyond which nobody wants to know how many.
    """

    row: int
    point: Point
    listed: tuple[tuple[Variant, float], ...]
    cutoff: float


class Desk:
    """One process's memory: what plans on one network and capacity share."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self._branchers: dict[int, Brancher] = {}

    def answer(self, job: Job) -> Evaluated:
        """The evaluation of a job."""
        capacity = job.point.hbm_gib
        if capacity not in self._branchers:
            self._branchers[capacity] = Brancher(self.question.on(job.point))
        return evaluate(self.question, self._branchers[capacity], job.point, job.listed, job.cutoff)


_desk: Desk | None = None


def _begin(question: Question, parent: int) -> None:
    global _desk  # noqa: PLW0603 (a worker process has one)
    end_with(parent)
    _desk = Desk(question)


def _answer(job: Job) -> Evaluated:
    assert _desk is not None
    return _desk.answer(job)


def answers(question: Question, jobs: Iterator[Job], workers: int) -> Iterator[tuple[Job, Evaluated]]:
    """Evaluations as they come; the next job is taken when there is somebody to do it.

    Args:
        question: the search's.
        jobs: what is to be evaluated.
        workers: processes; 1 for this one.
    """
    if workers == 1:
        desk = Desk(question)
        for job in jobs:
            yield job, desk.answer(job)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(question, os.getpid())) as pool:
        running: dict[Future[Evaluated], Job] = {}
        while True:
            for job in islice(jobs, workers - len(running)):
                running[pool.submit(_answer, job)] = job
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield running.pop(future), future.result()
