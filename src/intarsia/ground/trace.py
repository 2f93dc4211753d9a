"""The ladder of verbosity, and the dump folder: what the steps of a flow tell about themselves.

The ladder, climbed by ``-v`` on the command line, each rung adding to those below it; all of it goes to stderr::

    0 ANSWER   only the answer (a progress bar where something takes minutes, notes of what went amiss)
    1 STEPS    -v     one line for each step, with its seconds
    2 TEXTS    -vv    what each step made, as text
    3 SOLVERS  -vvv   the solvers' own logs

With a dump folder every step's text is a file there, numbered in order, whatever the rung.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from intarsia.ground.atomic import write_file
from intarsia.ground.units import seconds_text


class Verbosity(IntEnum):
    """How much is told; see the module's docstring."""

    ANSWER = 0
    STEPS = 1
    TEXTS = 2
    SOLVERS = 3


@dataclass(frozen=True, slots=True)
class Trace:
    """Handed down a flow; tells what happens to whoever asked.

    Attributes:
        verbosity: the rung of the ladder.
        dump: the folder that gets every step's text, or None.
    """

    verbosity: Verbosity = Verbosity.ANSWER
    dump: Path | None = None

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Times a step; tells its name and seconds when it ends, also when it fails."""
        start = time.perf_counter()
        try:
            yield
        finally:
            if self.verbosity >= Verbosity.STEPS:
                print(f"{name}: {seconds_text(time.perf_counter() - start)}", file=sys.stderr)

    def note(self, text: str) -> None:
        """Tells what a user should know although the flow goes on, on every rung."""
        print(f"intarsia: {text}", file=sys.stderr)

    def text(self, name: str, content: object) -> None:
        """Tells what a step made; ``str(content)`` is only taken where somebody reads it.

        Raises:
            InputError: if the dump folder cannot be written.
        """
        if self.verbosity >= Verbosity.TEXTS:
            print(f"{name}:\n{content}", file=sys.stderr)
        if self.dump is not None:
            number = 1 + sum(1 for _ in self.dump.glob("[0-9][0-9]-*.txt"))
            write_file(self.dump / f"{number:02}-{name}.txt", f"{content}\n")


QUIET = Trace()
"""Tells nothing."""
