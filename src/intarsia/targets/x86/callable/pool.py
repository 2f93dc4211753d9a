"""Threads that share the work of a kernel; the code lets go of the interpreter's lock while it runs."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


class Pool:
    """Persistent threads, started when they are first needed; the caller is one of them.

    Attributes:
        threads: how many share the work.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._others = ThreadPoolExecutor(threads - 1, "intarsia") if threads > 1 else None

    def each(self, part: Callable[[int], None], parts: int) -> None:
        """Do the parts 0 to ``parts - 1``, one a thread; returns when all are done."""
        if self._others is None:
            for i in range(parts):
                part(i)
            return
        waiting = [self._others.submit(part, i) for i in range(1, parts)]
        try:
            part(0)
        finally:
            for future in waiting:
                future.result()

    def close(self) -> None:
        """End the threads."""
        if self._others is not None:
            self._others.shutdown()
