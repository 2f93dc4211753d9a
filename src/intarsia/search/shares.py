"""Shares of the variants, in this process or one to a process, asked as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from intarsia.graph import Variant
from intarsia.ground.processes import Worker, cores, end_with, first_done, worker
from intarsia.machines.template import Point
from intarsia.place.space import variants
from intarsia.search.bounding import Share, Step
from intarsia.search.question import Question

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Columns = list[tuple[int, Floats]]
WORTH = 4_000_000
"""Pairs of a variant and a chip from which processes of their own save more than their start takes."""
ALL = ("begin", "rows", "climb", "own", "plans")
FORGETS: dict[str, tuple[str, ...]] = {"begin": ALL, "rows": ALL[1:], "climb": (), "own": (), "plans": ()}
"""What changes a share; and of each, which changes before do not matter any more."""


class Handle(Protocol):
    """Somebody who has a share."""

    def ask(self, name: str, *given: Any) -> Callable[[], Any]:
        """Call a method of the share; what comes back waits for its answer."""


class Own:
    """A share of this process."""

    def __init__(self, question: Question) -> None:
        self._share = Share(question)

    def ask(self, name: str, *given: Any) -> Callable[[], Any]:
        """Done at once."""
        answer = getattr(self._share, name)(*given)
        return lambda: answer


class Other:
    """A share of a process of its own. One that is lost is made anew, and asked again what has changed it."""

    def __init__(self, one: Worker) -> None:
        self._worker = one
        self._asked: list[tuple[str, tuple[Any, ...]]] = []

    def ask(self, name: str, *given: Any) -> Callable[[], Any]:
        """Done meanwhile.

        Raises:
            InputError: processes are lost again and again; when the answer is waited for.
        """
        future = self._worker.submit(_asked, name, given)
        return lambda: self._answer(future, name, given)

    def _answer(self, future: Future[Any], name: str, given: tuple[Any, ...]) -> Any:
        while True:
            first_done((future,))
            try:
                answer = future.result()
            except BrokenProcessPool:
                self._worker.renew()
                for before in self._asked:
                    self._worker.submit(_asked, *before)
                future = self._worker.submit(_asked, name, given)
                continue
            self._worker.answered()
            if name in FORGETS:
                self._asked = [*(one for one in self._asked if one[0] not in FORGETS[name]), (name, given)]
            return answer


class Shares:
    """All variants of every training; what they answer does not depend on who has which."""

    def __init__(self, handles: Sequence[Handle]) -> None:
        self._handles = handles
        self._variants: list[tuple[Variant, ...]] = []

    def begin(self, point: Point, every: Sequence[tuple[Variant, ...]], devices: int = 0) -> list[Floats]:
        """Ladders with the memory and the links of a point.

        Args:
            point: whose.
            every: of each training, the variants.
            devices: which cluster; the question's own for 0.

        Returns:
            of each training, a bound on the plans of each variant on every chip, [variants].
        """
        self._variants = list(every)
        number = len(self._handles)
        dealt = [[tuple(enumerate(own))[at::number] for own in every] for at in range(number)]
        asked = [handle.ask("begin", point, own, devices) for handle, own in zip(self._handles, dealt, strict=True)]
        found = [np.empty(len(own)) for own in every]
        for answer in asked:
            for column, own in zip(found, answer(), strict=True):
                for n, least in own:
                    column[n] = least
        return found

    def guess(self, at: int, rows: Ints, limit: float) -> Columns:
        """What plans of a training may take on some chips, by variant; see ``Share.guess``."""
        return sorted((pair for part in self._all("guess", at, rows, limit) for pair in part), key=lambda pair: pair[0])

    def least_guess(self, at: int, rows: Ints, limit: float) -> Floats:
        """The least of them, [rows]."""
        return np.asarray(np.minimum.reduce(self._all("least_guess", at, rows, limit)))

    def rows(self, rows: Ints, most: Sequence[float]) -> None:
        """The chips to bound; see ``Share.rows``."""
        self._all("rows", rows, most)

    def climb(self, at: int, step: Step, cutoffs: Floats) -> Floats:
        """One step of a training's ladders: its least bound on each chip, [rows]."""
        return np.asarray(np.minimum.reduce(self._all("climb", at, step, cutoffs)))

    def own(self, at: int, places: Ints, cutoffs: Floats) -> Floats:
        """Some chips' own bounds on the plans of a training, the least of each, [places]; see ``Share.own``."""
        return np.asarray(np.minimum.reduce(self._all("own", at, places, cutoffs)))

    def plans(self, at: int, places: Ints, most: Floats, cutoffs: Floats) -> Floats:
        """Sharper ones of the variants that decide, the least of each, [places]; see ``Share.plans``."""
        return np.asarray(np.minimum.reduce(self._all("plans", at, places, most, cutoffs)))

    def tables(self, places: Ints) -> list[Columns]:
        """Of each training, for each variant that is left its bounds on some of the chips."""
        parts = self._all("tables", places)
        return [
            sorted((pair for part in parts for pair in part[at]), key=lambda pair: pair[0])
            for at in range(len(self._variants))
        ]

    def _all(self, name: str, *given: Any) -> list[Any]:
        asked = [handle.ask(name, *given) for handle in self._handles]
        return [answer() for answer in asked]


@contextmanager
def shares(question: Question, workers: int = 0) -> Iterator[Shares]:
    """The shares of a search; their processes end with the block.

    Args:
        question: the search's.
        workers: so many; 0 for one to each core. One is this process, and so are all where little is to be done.
    """
    count = workers or cores()
    point = question.space.points.point(0)
    number = sum(sum(1 for _ in variants(question.on(point, at))) for at in range(len(question.trainings)))
    if count == 1 or number * len(question.space.points) < WORTH:
        yield Shares([Own(question)])
        return
    with others(question, count) as handles:
        yield Shares(handles)


@contextmanager
def others(question: Question, count: int) -> Iterator[list[Other]]:
    """Processes with a share each, which end with the block, at once if something interrupts it."""
    with ExitStack() as stack:
        yield [Other(stack.enter_context(worker(_begin, question))) for _ in range(count)]


_share: Share | None = None


def _begin(question: Question, parent: int) -> None:
    global _share  # noqa: PLW0603 (a worker process has one)
    end_with(parent)
    _share = Share(question)


def _asked(name: str, given: tuple[Any, ...]) -> Any:
    assert _share is not None
    return getattr(_share, name)(*given)
