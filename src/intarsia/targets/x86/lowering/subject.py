"""An embedding that is being planned: the choices of a plan, and facts that many plans share."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast

from intarsia.embed import Embedding, Flat
from intarsia.targets.x86.lowering.feed import Feed
from intarsia.targets.x86.lowering.packed import access_of
from intarsia.targets.x86.lowering.stages import Stage

T = TypeVar("T")
Way = Literal["direct", "padded", "interleave", "woven", "table"]
WAYS: tuple[Way, ...] = ("direct", "padded", "interleave", "table")
LINE = 64
LARGEST_TABLE = 1 << 24
"""Elements of a table."""


@dataclass(frozen=True, slots=True)
class Nest:
    """The order of the loops and the tile.

    Attributes:
        parallel, reduction: loops of more than one iteration, outermost first.
        tile: loops of the first kind and the factor of each, above 1.
        unroll: as in a plan.
        block: as in a plan.
    """

    parallel: tuple[str, ...]
    tile: tuple[tuple[str, int], ...]
    reduction: tuple[str, ...]
    unroll: int = 1
    block: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Fed:
    """A feed, what must run before it, and the bytes of scratch memory that this takes."""

    feed: Feed
    stages: tuple[Stage, ...]
    scratch: int


class Subject:
    """An embedding with what is found out about it, each thing once, while many plans of it are tried.

    Attributes:
        embedding: the embedding.
        given: element types of tensors that are handed in narrower than the embedding has them: bytes for int16.
    """

    def __init__(self, embedding: Embedding, given: Mapping[str, str] | None = None) -> None:
        self.embedding = embedding
        self.given = dict(given or {})
        self._found: dict[Hashable, Any] = {}

    def once(self, key: Hashable, find: Callable[[], T]) -> T:
        """What ``find`` gives, asked only the first time."""
        if key not in self._found:
            self._found[key] = find()
        return cast("T", self._found[key])


def is_constant(embedding: Embedding, operand: str) -> bool:
    """Whether an operand's tensor is known before the run."""
    return embedding.operator.tensor(access_of(embedding, operand).tensor).constant


def factors_of(embedding: Embedding) -> tuple[str, ...]:
    """The instruction's operands that are read."""
    return tuple(m.tensor for m, _ in embedding.pairs()[1:])


def other(embedding: Embedding, operand: str) -> str:
    """The other factor."""
    return next(o for o in factors_of(embedding) if o != operand)


def live_of(embedding: Embedding) -> dict[str, int]:
    """Iterations of every outer loop."""
    return {loop.name: loop.extent for loop in embedding.outer}


def parallel_flats(embedding: Embedding) -> list[Flat]:
    """The flats of axes that choose the result."""
    return [f for f in embedding.flats if embedding.operator.axis(f.axes[0]).role == "parallel"]


def rounded(size: int) -> int:
    """Bytes up to the end of a line."""
    return -(-size // LINE) * LINE
