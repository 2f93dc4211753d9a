"""A Hugging Face ``config.json``, read key by key; every wrong key is one message."""

from __future__ import annotations

import json
from collections.abc import Mapping
from difflib import get_close_matches
from os import PathLike
from pathlib import Path
from typing import Any

from intarsia.ground.errors import InputError

LARGEST_FILE = 4 * 1024 * 1024
SAME_WORD = 0.75


class Config:
    """The keys of a configuration; remembers which were asked for.

    Attributes:
        where: the file, for messages.
    """

    __slots__ = ("_asked", "_values", "where")

    def __init__(self, values: Mapping[str, Any], where: str) -> None:
        self.where = where
        self._values = values
        self._asked: set[str] = set()

    def has(self, key: str) -> bool:
        """Whether a key is there and not null."""
        self._asked.add(key)
        return self._values.get(key) is not None

    def empty(self, key: str) -> bool:
        """Whether a key is there as an empty list."""
        return self.has(key) and self._values[key] == []

    def size(self, *keys: str, default: int | None = None, least: int = 1) -> int:
        """A whole number under the first of the keys that is there.

        Raises:
            InputError: if none is there and there is no default, or it is no whole number, or too small.
        """
        key = next((k for k in keys if self.has(k)), "")
        if not key:
            if default is None:
                raise self._missing(keys[0])
            return default
        value = self._values[key]
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise InputError(
                f"{key} is no size", where=self.where, value=repr(value), allowed=f"whole, {least} or more"
            )
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false.

        Raises:
            InputError: if it is something else.
        """
        if not self.has(key):
            return default
        value = self._values[key]
        if not isinstance(value, bool):
            raise InputError(f"{key} is no truth value", where=self.where, value=repr(value), allowed="true, false")
        return value

    def number(self, key: str, *, default: float) -> float:
        """A number of 0 or more.

        Raises:
            InputError: if it is something else.
        """
        if not self.has(key):
            return default
        value = self._values[key]
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise InputError(f"{key} is no number", where=self.where, value=repr(value), allowed="0 or more")
        return float(value)

    def word(self, *keys: str, allowed: Mapping[str, Any], default: str = "") -> str:
        """One of the allowed words.

        Raises:
            InputError: if it is something else, or missing without a default.
        """
        key = next((k for k in keys if self.has(k)), keys[0])
        value = self.text(key, default=default)
        if value not in allowed:
            raise InputError(f"unknown {key}", where=self.where, value=value, allowed=", ".join(sorted(allowed)))
        return value

    def text(self, key: str, *, default: str = "") -> str:
        """A word.

        Raises:
            InputError: if it is something else, or missing without a default.
        """
        if not self.has(key):
            if not default:
                raise self._missing(key)
            return default
        value = self._values[key]
        if not isinstance(value, str):
            raise InputError(f"{key} is no word", where=self.where, value=repr(value))
        return value

    def words(self, key: str) -> tuple[str, ...]:
        """A list of words; empty if it is not there.

        Raises:
            InputError: if it is something else.
        """
        if not self.has(key):
            return ()
        value = self._values[key]
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise InputError(f"{key} is no list of words", where=self.where, value=repr(value))
        return tuple(value)

    def divided(self, what: str, whole: int, by: str, parts: int) -> int:
        """``whole`` over ``parts``.

        Raises:
            InputError: if it does not divide.
        """
        if whole % parts:
            raise InputError(f"{by} does not divide {what}", where=self.where, value=f"{whole} / {parts}")
        return whole // parts

    def refuse(self, what: str, key: str, allowed: str) -> InputError:
        """An error about a key that the family cannot have so."""
        return InputError(what, where=self.where, value=f"{key} {self._values.get(key)!r}", allowed=allowed)

    def finish(self, others: frozenset[str]) -> None:
        """Refuse keys that look like misspelt ones: unknown, and near to one that was asked for and is not there.

        Args:
            others: keys that configurations have beside those that are asked for.

        Raises:
            InputError: with the key that was probably meant.
        """
        absent = [key for key in self._asked if key not in self._values]
        for key in self._values:
            near = get_close_matches(key, absent, n=1, cutoff=SAME_WORD)
            if key not in self._asked and key not in others and near:
                raise InputError("unknown key", where=self.where, value=key, hint=near[0])

    def _missing(self, key: str) -> InputError:
        unread = [name for name in self._values if name not in self._asked]
        near = get_close_matches(key, unread, n=1, cutoff=0.6)
        return InputError(f"{key} is missing", where=self.where, hint=f"rename {near[0]}" if near else "")


def load(source: str | PathLike[str] | Mapping[str, Any]) -> Config:
    """The keys of a file, or of what was parsed from one.

    Raises:
        InputError: if the file cannot be read or is no JSON object.
    """
    if isinstance(source, Mapping):
        return Config(source, "config")
    where = str(source)
    path = Path(source)
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InputError("too large for a configuration", where=where, allowed=f"{LARGEST_FILE} bytes")
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError("no such file", where=where) from error
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=where) from error
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InputError("not JSON", where=where, value=str(error)) from error
    if not isinstance(values, dict):
        raise InputError("not a JSON object", where=where, value=type(values).__name__)
    return Config(values, where)
