"""What a search for a chip that serves has found, as the store keeps it, so that an interrupted search continues."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from time import perf_counter
from typing import cast

import numpy as np

from intarsia.ground.store import Json, Store
from intarsia.machines.template import Points
from intarsia.search import Journal, ServingQuestion

EVERY = 1.0
"""Seconds of work that are lost at most where a process is killed."""


@contextmanager
def stored_journal(question: ServingQuestion, store: Store, *, fresh: bool = False) -> Iterator[Journal]:
    """The journal of one question; what was found is kept when it ends, whatever ends it.

    Args:
        question: what is asked.
        store: where it is kept.
        fresh: find it again.
    """
    journal = _Stored(question, store, fresh=fresh)
    try:
        yield journal
    finally:
        journal.keep()


class _Stored:
    """Numbers in parts; each part is kept under the place of its first number, where every run looks for the next."""

    def __init__(self, question: ServingQuestion, store: Store, *, fresh: bool) -> None:
        self._asked: dict[str, Json] = {
            "chip that serves": repr(question.task), "per": question.per.value, "chips": _digest(question.space.points),
        }  # fmt: skip
        self._store, self._over = store, fresh
        self._read: list[float] = []
        self._new: list[float] = []
        self._reached = self._done = 0
        self._kept = perf_counter()

    def recall(self, many: int) -> list[float] | None:
        while not self._over and len(self._read) < many:
            part = self._store.get({**self._asked, "from": self._reached})
            if part is None:
                self._over = True
            else:
                self._read += json.loads(cast("str", part))
                self._reached = self._done + len(self._read)
        if self._over:
            return None
        found, self._read = self._read[:many], self._read[many:]
        self._done += many
        return found

    def note(self, found: Sequence[float]) -> None:
        self._new += found
        if perf_counter() - self._kept > EVERY:
            self.keep()

    def keep(self) -> None:
        """What was noted since the last time; as text, for JSON proper has no infinite numbers."""
        if self._new:
            self._store.put({**self._asked, "from": self._done}, json.dumps(self._new))
        self._done, self._new, self._kept = self._done + len(self._new), [], perf_counter()


def _digest(points: Points) -> str:
    """Of the chips, in their order."""
    total = hashlib.sha256(str(len(points)).encode())
    for field in fields(points):
        column = getattr(points, field.name)
        one = column[:1] if column.strides == (0,) else column
        total.update(f"\n{field.name} {len(one)} {column.dtype}\n".encode() + np.ascontiguousarray(one).tobytes())
    return total.hexdigest()
