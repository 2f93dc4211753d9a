"""Typed records from JSON files: one clear message for whatever is wrong with one."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TypeVar

import msgspec

from intarsia.ground.errors import InputError

Record = TypeVar("Record")


def read_record(path: Path, kind: type[Record], *, what: str) -> Record:
    """The file as a record.

    Args:
        path: a JSON file.
        kind: a msgspec struct.
        what: the noun for messages, such as ``chip file``.

    Raises:
        InputError: the file cannot be read, is not JSON, or has a missing, unknown or ill-typed field.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read the {what}", where=str(path), value=error.strerror or str(error)) from error
    return decode_record(content, kind, what=what, where=str(path))


def decode_record(content: bytes, kind: type[Record], *, what: str, where: str) -> Record:
    """The same from bytes; ``where`` names their file."""
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError as error:
        raise InputError(f"the {what} is wrong", where=where, value=str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"the {what} is not JSON", where=where, value=str(error)) from error


def refuse_unknown(name: str, known: tuple[str, ...], *, what: str, where: str = "", hint: str = "") -> InputError:
    """The error for a name that is not in a catalogue, with the nearest names that are."""
    near = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.4)
    return InputError(
        f"unknown {what}", where=where, value=name, allowed=", ".join(known), hint=", ".join(near) or hint
    )
