"""Many questions answered by several processes, each answer kept at once, so that an interrupted run continues.

Questions and answers are JSON values. What goes in is the list of questions and a function; what comes out is the list
of answers in the same order, whoever computed them and whenever.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import TypeAlias

from intarsia.ground.store import Json, Store

Told: TypeAlias = Callable[[int, int], None]
"""Is told how many answers there are, and of how many."""


def answer_all(
    questions: Sequence[Json],
    answer: Callable[[Json], Json],
    *,
    store: Store,
    workers: int = 0,
    fresh: bool = False,
    told: Told | None = None,
) -> list[Json]:
    """The answers to all questions.

    Args:
        questions: what is asked; equal questions are asked once.
        answer: a function of a module (it is sent to other processes); None is no answer.
        store: where answers are found and kept.
        workers: processes; 0 for one to each core, 1 to stay in this process.
        fresh: ask again what has been answered.
        told: called when an answer is there, with how many there are and of how many.

    Raises:
        Exception: what ``answer`` raised; the answers before it are kept.
    """
    found = [None if fresh else store.get(q) for q in questions]
    left = [i for i, one in enumerate(found) if one is None and questions[i] not in questions[:i]]
    done = len(questions) - sum(one is None for one in found)

    def keep(index: int, one: Json) -> None:
        nonlocal done
        store.put(questions[index], one)
        for i, question in enumerate(questions):
            if found[i] is None and question == questions[index]:
                found[i] = one
                done += 1
        if told is not None:
            told(done, len(questions))

    if told is not None:
        told(done, len(questions))
    if workers == 1 or len(left) <= 1:
        for index in left:
            keep(index, answer(questions[index]))
    else:
        _in_processes([(i, questions[i]) for i in left], answer, workers or cores(), keep)
    return found


def _in_processes(
    asked: list[tuple[int, Json]],
    answer: Callable[[Json], Json],
    workers: int,
    keep: Callable[[int, Json], None],
) -> None:
    # Fresh processes: a fork would copy the locks of the solvers' and the compiler's threads.
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(
        min(workers, len(asked)), mp_context=context, initializer=end_with, initargs=(os.getpid(),)
    )
    with ended(pool, others):
        with interruptions_held():
            futures = {pool.submit(answer, question): index for index, question in asked}
        for future in as_completed(futures):
            keep(futures[future], future.result())


@contextmanager
def ended(pool: ProcessPoolExecutor, others: set[BaseProcess]) -> Iterator[None]:
    """A pool that ends with the block; at once if something interrupts it.

    Args:
        pool: of processes.
        others: this process's children that are not the pool's.
    """
    try:
        yield
    except BaseException:
        # What is being computed is lost anyway, and may take minutes: nobody waits for it.
        for worker in set(multiprocessing.active_children()) - others:
            worker.kill()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


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
