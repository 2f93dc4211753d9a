"""What a search found, in the order in which it asks: the same question asks the same, so what is known goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Journal(Protocol):
    """Numbers, one after the other."""

    def recall(self, many: int) -> list[float] | None:
        """The next numbers; None where so many are not known, and from then on."""

    def note(self, found: Sequence[float]) -> None:
        """More numbers, which were not known."""


class _Nowhere:
    """Remembers nothing."""

    def recall(self, many: int) -> list[float] | None:  # noqa: ARG002 (as a journal has it)
        return None

    def note(self, found: Sequence[float]) -> None:
        pass


nowhere = _Nowhere()
