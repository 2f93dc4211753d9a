"""Functions that are compiled when first called, and kept on disk for later processes where that is possible.

They are kept beside the source or, where that cannot be written, in the user's cache folder (``NUMBA_CACHE_DIR`` names
another). Where neither can be written, every process compiles them anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from inspect import getfile
from pathlib import Path
from typing import Any

import numba
from numba.core import event

SETTINGS: Any = numba.config


def compiled(function: Callable[..., Any]) -> Any:
    """A function that is compiled into those that call it."""
    return numba.njit(function)


def kept(function: Callable[..., Any]) -> Any:
    """A function that is compiled, with all that it calls, and kept.

    Numba takes up what it kept as long as the file of the function is the same, but the functions and constants of
    other files are compiled into it: each state of the function's package therefore has a folder of its own.
    """
    try:
        folder = Path(str(numba.njit(cache=True)(function).stats.cache_path))
    except RuntimeError:  # no folder can be written
        return compiled(function)
    before = SETTINGS.CACHE_DIR
    SETTINGS.CACHE_DIR = str(folder / _state(Path(getfile(function)).parent))
    try:
        return numba.njit(cache=True)(function)
    finally:
        SETTINGS.CACHE_DIR = before


@contextmanager
def compiling(told: Callable[[], None]) -> Iterator[None]:
    """Tells once that a function is being compiled in the block; what was kept is not compiled.

    Args:
        told: is called when it begins.
    """
    with event.install_listener("numba:compile", _First(told)):
        yield


class _First(event.Listener):
    """Tells of the first event of its kind."""

    def __init__(self, told: Callable[[], None]) -> None:
        self._told: Callable[[], None] | None = told

    def on_start(self, event: object) -> None:  # noqa: ARG002 (numba's signature)
        if self._told is not None:
            self._told()
            self._told = None

    def on_end(self, event: object) -> None:
        """Nothing is told of it."""


def _state(package: Path) -> str:
    """A name for what the sources of a package say."""
    digest = sha256()
    for file in sorted(package.glob("*.py")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
