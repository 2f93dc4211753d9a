"""How answers look: JSON for programs, tables for readers; a table that goes into a pipe is never cut."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from intarsia.ground.units import seconds_text

if TYPE_CHECKING:
    from intarsia.flow.predictions import Ranks

PIPE_WIDTH = 240
NARROWEST = 30
"""Columns that a wrapped text is given at least."""


def to_json(answer: Any) -> str:
    """An answer as the text of one JSON document."""
    return json.dumps(answer, indent=2, ensure_ascii=False, allow_nan=False)


def print_json(answer: Any) -> None:
    """One JSON document on stdout."""
    print(to_json(answer))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()) -> None:
    """A table on stdout.

    Args:
        columns: the headings.
        rows: one text a column.
        right: the headings of columns that are set to the right, as numbers are.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console(width=_columns() or PIPE_WIDTH, markup=False, highlight=False, emoji=False).print(table)


def print_fields(fields: Iterable[tuple[str, str]]) -> None:
    """Names and values, one pair a line, the values in one column; pairs without a value are left out."""
    shown = [(name, value) for name, value in fields if value]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        print_wrapped(f"{name:<{width}}  ", value)


def print_wrapped(head: str, text: str) -> None:
    """A head and a text, which on a terminal is wrapped under its own beginning."""
    columns = _columns()
    room = columns and max(columns - len(head), NARROWEST)
    lines = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) if room else [text]
    print(head + ("\n" + " " * len(head)).join(lines))


def ranks_text(ranks: Mapping[str, Ranks]) -> str:
    """Where the devices of each degree are, those of one left out."""
    parts = [
        f"{name} {of.ranks} " + ("in a node" if of.nodes == 1 else f"over {of.nodes} nodes")
        for name, of in ranks.items()
        if of.ranks > 1
    ]
    return ", ".join(parts) or "one device"


def _columns() -> int:
    """The width of the terminal, or the one in COLUMNS; 0 in a pipe, where nothing is wrapped."""
    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        return 0
    return shutil.get_terminal_size().columns


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr with the time left, gone at the end; where stderr is no terminal, a line for each that is done.

    What it gives is told how many are done, and of how many.
    """
    if not sys.stderr.isatty():
        started = time.perf_counter()
        yield lambda done, total: print(
            f"{what}: {done} of {total}, {seconds_text(time.perf_counter() - started)}", file=sys.stderr, flush=True
        )
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(what, total=None)

    def told(done: int, total: int) -> None:
        bar.start()  # only now: who is refused sees one message and nothing else
        bar.update(task, completed=done, total=total)

    try:
        yield told
    finally:
        if bar.live.is_started:
            bar.stop()
