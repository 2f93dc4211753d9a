"""Threads that share the work of a kernel; the code lets go of the interpreter's lock while it runs."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


class Pool:
    """Persistent threads, started when they are first needed; the caller is one of them.

    A process that was forked has none of its parent's threads, and starts its own.

    Attributes:
        threads: how many share the work.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._process = os.getpid()
        self._others = self._started()

    def each(self, part: Callable[[int], None], parts: int) -> None:
        """Do the parts 0 to ``parts - 1``, one a thread; returns when all are done."""
        if self._others is not None and self._process != os.getpid():
            self._process, self._others = os.getpid(), self._started()
        others = self._others
        if others is None:
            for i in range(parts):
                part(i)
            return
        waiting = [others.submit(part, i) for i in range(1, parts)]
        try:
            part(0)
        finally:
            for future in waiting:
                future.result()

    def close(self) -> None:
        """End the threads; what is done later, the caller does alone."""
        others, self._others = self._others, None
        if others is not None and self._process == os.getpid():
            others.shutdown()

    def _started(self) -> ThreadPoolExecutor | None:
        return ThreadPoolExecutor(self.threads - 1, "intarsia") if self.threads > 1 else None
