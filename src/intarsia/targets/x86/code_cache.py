"""Object code on disk: a file for each content, under a name that is the digest of all that made it.

What is read is not trusted: a file names its key and the digest of its code, and one that is cut off, changed or named
for another key counts as absent. A folder that cannot be read or written is told once, in ``problem``; the rest goes on
without.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from intarsia.ground import InputError, write_file
from intarsia.ground.store import default_store

MAGIC = b"intarsia code 1\n"
DIGEST = 64
"""Characters of a digest."""


def default_folder() -> Path:
    """Where code is kept unless a path is given: beside the store of results, in the user's cache folder."""
    return default_store().with_name("code")


def key_of(*parts: str) -> str:
    """The digest of all that decides what code is."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class CodeCache:
    """A dictionary from keys to object code in a folder; several threads and processes may use it at once."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.problem = ""

    def get(self, key: str) -> bytes | None:
        """The code of a key, None if there is none or if it is damaged."""
        if self.folder is None:
            return None
        try:
            content = self._file(self.folder, key).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            self.problem = self.problem or _told(self.folder, "read", error.strerror or str(error))
            return None
        code = content[len(MAGIC) + 2 * DIGEST :]
        return code if content == _sealed(key, code) else None

    def put(self, key: str, code: bytes) -> None:
        """Keep the code of a key; where that fails, ``problem`` says so."""
        if self.folder is None:
            return
        try:
            write_file(self._file(self.folder, key), _sealed(key, code))
        except InputError as error:
            self.problem = self.problem or _told(self.folder, "written", error.what)

    @staticmethod
    def _file(folder: Path, key: str) -> Path:
        return folder / key[:2] / f"{key[2:]}.o"


def _sealed(key: str, code: bytes) -> bytes:
    return MAGIC + key.encode() + hashlib.sha256(code).hexdigest().encode() + code


def _told(folder: Path, verb: str, reason: str) -> str:
    return f"compiled code is not kept: {folder} cannot be {verb} ({reason})"
