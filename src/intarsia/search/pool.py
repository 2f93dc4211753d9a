"""Processes of this machine that are started again where one of them was killed."""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from typing import Any

from intarsia.ground import InputError
from intarsia.ground.resume import ended, interruptions_held

LOSSES = 3
"""Times in a row that processes are lost before one of them has answered, after which they are not started again."""
Begin = Callable[..., None]


class Pool:
    """A few processes. Where one of them ends by itself all of them do, as ``ProcessPoolExecutor`` has it."""

    def __init__(self, count: int, begin: Begin, given: tuple[Any, ...], stack: ExitStack) -> None:
        self.count = count
        self._begin, self._given, self._stack = begin, given, stack
        self._losses = 0
        self._now = self._started()

    def submit(self, work: Callable[..., Any], *given: Any) -> Future[Any]:
        """Let one of them do something; if it was lost before, the future says so."""
        with interruptions_held():
            try:
                return self._now.submit(work, *given)
            except BrokenProcessPool as error:
                lost: Future[Any] = Future()
                lost.set_exception(error)
                return lost

    def answered(self) -> None:
        """They are well."""
        self._losses = 0

    def renew(self) -> None:
        """Start all of them again: one was lost.

        Raises:
            InputError: it was not the first time, and none has answered since.
        """
        self._losses += 1
        if self._losses >= LOSSES:
            raise InputError(
                f"worker processes were killed {LOSSES} times in a row before one had answered",
                where="--workers",
                hint="fewer of them, if memory is short; what was found is kept",
            )
        logging.getLogger(__name__).warning("a worker process was lost; its work is done again")
        self._now = self._started()

    def _started(self) -> ProcessPoolExecutor:
        # Fresh processes: a fork would copy the locks of the solvers' and the compiler's threads.
        context = multiprocessing.get_context("spawn")
        others = set(multiprocessing.active_children())
        given = (*self._given, os.getpid())
        made = ProcessPoolExecutor(self.count, mp_context=context, initializer=self._begin, initargs=given)
        self._stack.enter_context(ended(made, others))
        return made


@contextmanager
def pool(count: int, begin: Begin, *given: Any) -> Iterator[Pool]:
    """Processes that end with the block, at once if something interrupts it.

    Args:
        count: how many.
        begin: a function of a module, which each calls first, with what is given and this process's number.
        given: see there.
    """
    with ExitStack() as stack:
        yield Pool(count, begin, given, stack)
