"""Threads that wait for work, and the memory over which they meet."""

from __future__ import annotations

import os
import threading
import weakref

import numpy as np
from numpy.typing import NDArray

from intarsia.ground import InputError
from intarsia.targets.x86.threads.code import Code
from intarsia.targets.x86.threads.layout import LINE, memory_of
from intarsia.targets.x86.threads.work import Work

Memory = NDArray[np.uint8]


class Team:
    """A caller's helpers. They end with this object, or with the process.

    Attributes:
        threads: who share the work, at most, the caller included.
        alone: whether the caller has no helpers.
        place: where the memory begins over which they meet.
    """

    def __init__(self, threads: int, code: Code, *, alone: bool = False) -> None:
        """Start them.

        Args:
            threads: how many may share a work, the caller included.
            code: what they run.
            alone: start none: the caller does what is meant for all.

        Raises:
            InputError: the system gives no more threads.
        """
        self.threads, self.alone = threads, alone
        memory = self._memory = np.zeros(memory_of(threads) + LINE, np.uint8)  # calls may come after the end
        self.place = _place(memory)
        self._code = code
        code.begin(self.place, threads)
        helpers: list[threading.Thread] = []
        self._end = weakref.finalize(self, _ended, code, memory, threads, helpers, os.getpid())
        for thread in range(1, 1 if alone else threads):
            helper = threading.Thread(target=_help, args=(code, memory, thread), name="intarsia", daemon=True)
            try:
                helper.start()
            except RuntimeError as error:
                self._end()
                raise InputError(f"{error}", where="threads", value=str(threads), hint="fewer of them") from None
            helpers.append(helper)

    def share(self, work: Work) -> None:
        """Do some work with those who come; for one caller at a time."""
        assert work.parts <= self.threads, "no words for so many threads"
        self._code.share(self.place, work.address)


def _place(memory: Memory) -> int:
    """Where the first whole line begins."""
    begin = int(memory.ctypes.data)
    return begin + -begin % LINE


def _help(code: Code, memory: Memory, thread: int) -> None:
    """What a thread does all its life."""
    code.wait(_place(memory), thread)


def _ended(code: Code, memory: Memory, threads: int, helpers: list[threading.Thread], process: int) -> None:
    """Ends the threads, unless they are those of the process that this one was forked from."""
    if os.getpid() != process:
        return
    code.end(_place(memory), threads)
    for helper in helpers:
        if helper is not threading.current_thread():
            helper.join()
