"""Typed records from TOML files: an unknown key is answered with the nearest one that is known."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any, TypeVar, get_args

import msgspec

from intarsia.ground.errors import InputError

Record = TypeVar("Record", bound=msgspec.Struct)


def read_toml(path: Path, kind: type[Record], *, what: str) -> Record:
    """The file as a record.

    Args:
        path: a TOML file.
        kind: a msgspec struct; of a field that is a struct, the table's keys are looked at too.
        what: the noun for messages, such as ``study file``.

    Raises:
        InputError: the file cannot be read, is not TOML, or has a missing, unknown or ill-typed key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot read the {what}", where=str(path), value=error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise InputError(f"the {what} is not UTF-8", where=str(path), value=str(error)) from error
    return decode_toml(text, kind, what=what, where=str(path))


def decode_toml(text: str, kind: type[Record], *, what: str, where: str) -> Record:
    """The same from a text; ``where`` names its file."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"the {what} is not TOML", where=where, value=str(error)) from error
    refuse_keys(content, kind, where=where)
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        raise InputError(f"the {what} is wrong", where=where, value=str(error)) from error


def refuse_keys(content: dict[str, Any], kind: type[msgspec.Struct], *, where: str) -> None:
    """Says nothing where every key is a field of the record, in its tables too.

    Raises:
        InputError: with the nearest field.
    """
    known = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    for key, value in content.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            raise InputError("unknown key", where=where, value=key, allowed=", ".join(known), hint="".join(near))
        table = _table(known[key])
        if isinstance(value, dict) and table is not None:
            refuse_keys(value, table, where=f"{where}, [{key}]")


def _table(kind: Any) -> type[msgspec.Struct] | None:
    """The record that a field is, or is one of the alternatives of, if any."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    return next((found for each in get_args(kind) if (found := _table(each)) is not None), None)
