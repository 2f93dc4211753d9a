"""What a library is asked: whether it is there, and to prepare a problem so that it runs with one call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from numpy.typing import NDArray

from intarsia.flow.native.shapes import Form, Problem
from intarsia.ground import InputError

Array = NDArray[Any]
NAMES = ("torch", "openvino", "onnxruntime")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A problem in a library's hands.

    Attributes:
        run: does it once.
        result: of what ``run`` returned, as an array of the operator's shape.
        form: dtype of the result.
    """

    run: Callable[[], Any]
    result: Callable[[Any], Array]
    form: Form


class Library(Protocol):
    """A library."""

    @property
    def name(self) -> str:
        """Its name and version."""

    @property
    def refusals(self) -> tuple[type[Exception], ...]:
        """What it raises for a problem that it cannot run; anything else is a mistake of ours."""

    def prepare(self, problem: Problem, form: Form) -> Prepared | None:
        """A problem ready to run, None if the library has nothing for this form of result."""


def known(name: str, threads: int) -> Library | None:
    """The library of a name with so many threads, None if it is not installed.

    Raises:
        InputError: if nothing is known of it.
    """
    if name not in NAMES:
        raise InputError("unknown library", where="--against", value=name, allowed=", ".join(NAMES))
    if find_spec(name) is None:
        return None
    made: Library = import_module(f"intarsia.flow.native.libraries.by_{name}").library(threads)
    return made
