"""Processes of this machine that work for this one, and are started again where one of them was killed.

Each has an executor of its own: one that the system ends (for want of memory, say) takes nothing with it but what it
was at, and it is certain what that was.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from itertools import islice
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from intarsia.ground.errors import InputError

LOOKS = 0.5
"""Seconds after which somebody who waits looks up: Ctrl-C that another thread took does not wake the main one."""
LOSSES = 3
"""Times in a row that a process is lost before it has answered, after which it is not started again."""
Begin = Callable[..., None]
Job = TypeVar("Job")
Answer = TypeVar("Answer")


class Worker:
    """One process, started when it is first asked something, and again where it was killed."""

    def __init__(self, begin: Begin, given: tuple[Any, ...], stack: ExitStack) -> None:
        self._begin, self._given, self._stack = begin, given, stack
        self._losses = 0
        self._now = self._made()

    def submit(self, work: Callable[..., Answer], *given: Any) -> Future[Answer]:
        """Let it do something; if it was lost before, the future says so."""
        with interruptions_held():
            try:
                return self._now.submit(work, *given)
            except BrokenProcessPool as error:
                lost: Future[Answer] = Future()
                lost.set_exception(error)
                return lost

    def answered(self) -> None:
        """It is well."""
        self._losses = 0

    def renew(self, name: str = "") -> None:
        """Start it again: it was lost.

        Args:
            name: of what it was at.

        Raises:
            InputError: it was not the first time, and it has not answered since.
        """
        self._losses += 1
        if self._losses >= LOSSES:
            raise InputError(
                f"a worker process was killed {LOSSES} times in a row before it had answered",
                where="--workers",
                value=name,
                hint="fewer of them, if memory is short; what was found is kept",
            )
        logging.getLogger(__name__).warning("a worker process was lost; its work is done again")
        self._now = self._made()

    def _made(self) -> ProcessPoolExecutor:
        # Fresh processes: a fork would copy the locks of the solvers' and the compiler's threads.
        context = multiprocessing.get_context("spawn")
        others = set(multiprocessing.active_children())
        given = (*self._given, os.getpid())
        made = ProcessPoolExecutor(1, mp_context=context, initializer=self._begin, initargs=given)
        self._stack.enter_context(_ended(made, others))
        return made


class Pool:
    """A few processes that take jobs one by one."""

    def __init__(self, workers: list[Worker]) -> None:
        self._workers = workers

    def each(
        self, work: Callable[[Job], Answer], jobs: Iterable[Job], named: Callable[[Job], str] = lambda _job: ""
    ) -> Iterator[tuple[Job, Answer]]:
        """Jobs with their answers as they come; the next job is taken when there is somebody to do it.

        Args:
            work: a function of a module (it is sent to the processes).
            jobs: what is to be done.
            named: how a job is called.

        Raises:
            InputError: a process is lost again and again over one job; answers that were there came before.
            Exception: what ``work`` raised.
        """
        left = iter(jobs)
        idle = list(self._workers)
        running: dict[Future[Answer], tuple[Worker, Job]] = {}
        while True:
            for job in islice(left, len(idle)):
                worker = idle.pop()
                running[worker.submit(work, job)] = worker, job
            if not running:
                return
            for future in sorted(first_done(running), key=lambda one: one.exception() is not None):
                worker, job = running.pop(future)
                try:
                    answer = future.result()
                except BrokenProcessPool:
                    worker.renew(named(job))
                    running[worker.submit(work, job)] = worker, job
                    continue
                worker.answered()
                idle.append(worker)
                yield job, answer


def first_done(futures: Iterable[Future[Answer]]) -> set[Future[Answer]]:
    """Those of some that are done, as soon as one is; an interruption ends the waiting, whichever thread took it."""
    several = list(futures)
    while True:
        done, _ = wait(several, timeout=LOOKS, return_when=FIRST_COMPLETED)
        if done:
            return done


@contextmanager
def worker(begin: Begin, *given: Any) -> Iterator[Worker]:
    """A process that ends with the block, at once if something interrupts it.

    Args:
        begin: a function of a module, which it calls first, with what is given and this process's number.
        given: see there.
    """
    with ExitStack() as stack:
        yield Worker(begin, given, stack)


@contextmanager
def pool(count: int, begin: Begin, *given: Any) -> Iterator[Pool]:
    """Processes that end with the block, at once if something interrupts it; see ``worker``."""
    with ExitStack() as stack:
        yield Pool([Worker(begin, given, stack) for _ in range(count)])


@contextmanager
def _ended(executor: ProcessPoolExecutor, others: set[BaseProcess]) -> Iterator[None]:
    """Ends an executor with the block; at once if something interrupts it.

    Args:
        executor: of processes.
        others: this process's children that are not the executor's.
    """
    try:
        yield
    except BaseException:
        # What is being computed is lost anyway, and may take minutes: nobody waits for it.
        for process in set(multiprocessing.active_children()) - others:
            process.kill()
        executor.shutdown(wait=False, cancel_futures=True)
        raise
    executor.shutdown()


def end_with(parent: int) -> None:
    """End this process when its parent has ended, however that came: nobody would ever take its answers."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def interruptions_held() -> Iterator[None]:
    """Processes started in here never see Ctrl-C, which a terminal sends to all: it is their parent who ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
