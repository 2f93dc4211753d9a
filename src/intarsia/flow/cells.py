"""From a CSV file that people wrote to rows of cells with their line numbers, and from cells to numbers."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from intarsia.ground import InputError

TRUTH = {"true": 1, "false": 0, "yes": 1, "no": 0, "1": 1, "0": 0}


@dataclass(frozen=True, slots=True)
class Cells:
    """A table: its columns, and for each row its line in the file (from 1) and its cells."""

    columns: tuple[str, ...]
    rows: tuple[tuple[int, dict[str, str]], ...]


def read_csv(path: Path, *, what: str) -> Cells:
    """The rows of a CSV file, one on each line; empty lines and lines that begin with # are left out.

    Args:
        path: the file.
        what: the noun for messages, such as ``table``.

    Raises:
        InputError: it cannot be read, has no rows, a column twice, or a row with more or fewer cells than columns.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"the {what} is not a text file", where=str(path), allowed="UTF-8 text") from error
    except OSError as error:
        raise InputError(f"cannot read the {what}", where=str(path), value=error.strerror or str(error)) from error
    lines = [(at, line) for at, line in enumerate(text.splitlines(), 1) if line.strip() and not line.startswith("#")]
    if len(lines) < 2:
        raise InputError(f"{what} without rows", where=str(path), allowed="a line of columns, then a row on each line")
    columns = _split(path, *lines[0])
    twice = [name for at, name in enumerate(columns) if name in columns[:at]]
    if twice:
        raise InputError("a column stands there twice", where=f"{path}, line {lines[0][0]}", value=twice[0])
    rows = []
    for number, line in lines[1:]:
        cells = _split(path, number, line)
        if len(cells) != len(columns):
            raise InputError(
                "the row has more or fewer cells than the table has columns",
                where=f"{path}, line {number}",
                value=f"{len(cells)} cells",
                allowed=f"{len(columns)}",
            )
        rows.append((number, dict(zip(columns, cells, strict=True))))
    return Cells(tuple(columns), tuple(rows))


def _split(path: Path, number: int, line: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], strict=True))]
    except csv.Error as error:
        raise InputError("the line is no CSV", where=f"{path}, line {number}", value=str(error)) from error


def read_whole(text: str, name: str, where: str, *, least: int = 0, default: int | None = None) -> int:
    """A whole number of at least ``least``; ``default`` where the cell is empty.

    Raises:
        InputError: it is none, or empty without a default.
    """
    allowed = f"a whole number, {least} or more"
    if not text:
        if default is None:
            raise InputError(f"{name} is empty", where=where, allowed=allowed)
        return default
    try:
        value = int(text)
    except ValueError:
        raise InputError(f"{name} is no whole number", where=where, value=text, allowed=allowed) from None
    if value < least:
        raise InputError(f"{name} is too small", where=where, value=text, allowed=allowed)
    return value


def read_truth(text: str, name: str, where: str) -> bool:
    """Whether a cell says yes; an empty one says no.

    Raises:
        InputError: it says neither.
    """
    if text and text.lower() not in TRUTH:
        raise InputError(f"{name} is neither true nor false", where=where, value=text, allowed=", ".join(TRUTH))
    return bool(text and TRUTH[text.lower()])


def read_positive(text: str, name: str, where: str) -> float:
    """A number more than 0.

    Raises:
        InputError: it is none.
    """
    try:
        value = float(text)
    except ValueError:
        raise InputError(f"{name} is no number", where=where, value=text or "empty", allowed="more than 0") from None
    if not 0 < value < float("inf"):
        raise InputError(f"{name} is not positive", where=where, value=text, allowed="more than 0")
    return value
