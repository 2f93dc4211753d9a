"""Who has threads when: a call borrows a team, and the last one that was used is borrowed first, for it is awake."""

from __future__ import annotations

import os
import threading
from weakref import WeakValueDictionary

from intarsia.targets.x86.engine import Engine
from intarsia.targets.x86.threads.code import Code
from intarsia.targets.x86.threads.team import Team
from intarsia.targets.x86.threads.work import Work


class Pool:
    """So many threads, the caller included, for whatever is to be shared; safe from several callers at once.

    Pools of the same size share their threads, which are started when they are first needed, and end with the last of
    the pools.

    Attributes:
        threads: how many share the work; 1 once it is closed.
        code: what does phases with a team.
    """

    def __init__(self, threads: int, engine: Engine) -> None:
        self.threads = threads
        self._teams, self._most = _teams_of(threads, engine), threads
        self.code = self._teams.code

    def share(self, work: Work) -> None:
        """Do some work; returns when all is done.

        Raises:
            InputError: the system gives no more threads.
        """
        team = self.borrow()
        try:
            team.share(work)
        finally:
            self.give_back(team)

    def borrow(self) -> Team:
        """Threads that nobody uses; give them back.

        Raises:
            InputError: the system gives no more threads.
        """
        return self._teams.borrow()

    def give_back(self, team: Team) -> None:
        """Somebody else may have them. They end where the pool was closed meanwhile."""
        self._teams.give_back(team)

    def close(self) -> None:
        """End the threads, unless another pool has them, too; what is done later, the caller does alone."""
        self.threads, self._teams = 1, _Teams(self._most, self.code, alone=True)


class _Teams:
    """Teams of one size that nobody uses now. A process that was forked has none of its parent's threads."""

    def __init__(self, threads: int, code: Code, *, alone: bool = False) -> None:
        self._threads, self.code, self._alone = threads, code, alone
        self._process = os.getpid()
        self._idle: list[Team] = []

    def borrow(self) -> Team:
        if self._process != os.getpid():
            self._process, self._idle = os.getpid(), []
        try:
            return self._idle.pop()
        except IndexError:
            return Team(self._threads, self.code, alone=self._alone)

    def give_back(self, team: Team) -> None:
        if team.alone == self._alone:
            self._idle.append(team)


_known: WeakValueDictionary[int, _Teams] = WeakValueDictionary()
_lock = threading.Lock()


def _teams_of(threads: int, engine: Engine) -> _Teams:
    with _lock:
        found = _known.get(threads)
        if found is None:
            found = _known[threads] = _Teams(threads, Code(engine))
        return found
