"""How far a study is: a line that moves on a terminal, plain lines elsewhere; on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from intarsia.ground.units import percent_text, seconds_text

if TYPE_CHECKING:
    from intarsia.flow.study import Progress

EVERY = 5.0
"""Seconds between plain lines about the same thing."""


def progress_text(progress: Progress) -> str:
    """One line: what is done, of how much, the best and the bound, the time left."""
    parts = [progress.what + (f": {progress.done} of {progress.of}" if progress.of else "")]
    if progress.best:
        parts.append(f"best {progress.best}")
    if progress.bound:
        parts.append(f"bound {progress.bound}")
    if progress.gap is not None:
        parts.append(f"gap {percent_text(progress.gap, 1)}")
    if progress.left:
        parts.append(f"about {seconds_text(progress.left)} left")
    return ", ".join(parts)


@contextmanager
def study_progress() -> Iterator[Callable[[Progress], None]]:
    """What it gives is told how far the study is."""
    if sys.stderr.isatty():
        with _live() as watch:
            yield watch
        return
    started = time.perf_counter()
    said = ("", -EVERY)

    def plain(progress: Progress) -> None:
        nonlocal said
        now = time.perf_counter() - started
        if progress.what != said[0] or now - said[1] >= EVERY:
            said = (progress.what, now)
            print(f"{seconds_text(now)}: {progress_text(progress)}", file=sys.stderr, flush=True)

    yield plain


@contextmanager
def _live() -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True, markup=False, highlight=False)
    columns = (TimeElapsedColumn(), BarColumn(bar_width=20), TextColumn("{task.description}", markup=False))
    bars = Bars(*columns, console=console, transient=True)
    task = bars.add_task("", total=None)

    def watch(progress: Progress) -> None:
        bars.start()  # only now: who is refused sees one message and nothing else
        bars.update(task, description=progress_text(progress), completed=progress.done, total=progress.of or None)

    try:
        yield watch
    finally:
        if bars.live.is_started:
            bars.stop()
