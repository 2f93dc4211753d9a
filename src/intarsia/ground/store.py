"""Results that were computed before, kept in one file so that a long run continues where it stopped.

A question is any JSON value; its key is the digest of its canonical text together with the digest of the package's own
sources, so that an answer is never taken from other code than would compute it now. What is read is not trusted: an
answer whose text is not the one that was kept counts as absent.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

from intarsia.ground.errors import InputError

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

SECONDS_TO_WAIT = 60.0
"""How long one process waits for another that writes."""

SEAL = 64
"""Characters of the digest that stands before an answer."""


def default_store() -> Path:
    """Where results are kept unless a path is given: the user's cache folder."""
    cache_home = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(cache_home) if cache_home else Path.home() / ".cache"
    return base / "intarsia" / "results.sqlite"


def digest(question: Json) -> str:
    """The key of a question: the same for equal JSON values, whatever the order of their fields."""
    text = json.dumps(question, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(f"{sources()}\n{text}".encode()).hexdigest()


def _sealed(key: str, text: str) -> str:
    """The text of an answer behind its digest, which is of the key, too."""
    return hashlib.sha256(f"{key}\n{text}".encode(errors="replace")).hexdigest() + text


@cache
def sources() -> str:
    """The digest of every file of the installed package."""
    root = Path(__file__).parents[1]
    total = hashlib.sha256()
    for file in sorted(root.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            total.update(f"{file.relative_to(root)}\n{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


class Store:
    """A dictionary from questions to answers in one SQLite file; several processes may use it at once."""

    def __init__(self, path: Path) -> None:
        """Open a store, made if it does not exist.

        Raises:
            InputError: if the file cannot be made, or is no store.
        """
        self._path = path
        with self._explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(path, timeout=SECONDS_TO_WAIT, isolation_level=None)
            try:
                self._file.execute("CREATE TABLE IF NOT EXISTS result (key TEXT PRIMARY KEY, answer TEXT NOT NULL)")
            except sqlite3.Error:
                self._file.close()
                raise

    def get(self, question: Json) -> Json:
        """The answer to a question, or None if there is none yet, or one that is damaged."""
        key = digest(question)
        with self._explained():
            row = self._file.execute("SELECT answer FROM result WHERE key = ?", (key,)).fetchone()
        found = "" if row is None else str(row[0])
        text = found[SEAL:]
        return json.loads(text) if found and found == _sealed(key, text) else None

    def put(self, question: Json, answer: Json) -> None:
        """Keep an answer, at once and for good; a second answer replaces the first."""
        text = json.dumps(answer, allow_nan=False)
        with self._explained():
            key = digest(question)
            self._file.execute("INSERT OR REPLACE INTO result VALUES (?, ?)", (key, _sealed(key, text)))

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            reason = getattr(error, "strerror", None) or str(error)
            hint = "another path, or remove the file"
            where = repr(str(self._path))
            raise InputError(f"the store of results cannot be used ({reason})", where=where, hint=hint) from error
