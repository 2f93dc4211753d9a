"""The layers of each stage of a replica: blocks dealt out evenly, the embedding in the first, the head in the last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from intarsia.graph import ServedLayer

Counts = tuple[int, ...]
"""How many layers of each kind, in the order of the chain."""


@dataclass(frozen=True, slots=True)
class Stages:
    """Stages of a replica, equal ones once.

    Attributes:
        counts: of each different one, the first stage first.
        repeat: how many are equal to it.
    """

    counts: tuple[Counts, ...]
    repeat: tuple[int, ...]


def split(layers: Sequence[ServedLayer], pipeline: int) -> tuple[Counts, ...]:
    """The layers of every stage; where the blocks do not divide, stages in the middle have one more."""
    return _split(tuple((layer.repeat, layer.block) for layer in layers), pipeline)


def stages_of(layers: Sequence[ServedLayer], pipeline: int) -> Stages:
    """The same, equal stages once; the first one, which waits for no other, is always by itself."""
    return _stages(tuple((layer.repeat, layer.block) for layer in layers), pipeline)


@lru_cache(maxsize=4096)
def _stages(kinds: tuple[tuple[int, bool], ...], pipeline: int) -> Stages:
    first, *others = _split(kinds, pipeline)
    found: dict[Counts, int] = {}
    for counts in others:
        found[counts] = found.get(counts, 0) + 1
    return Stages((first, *found), (1, *found.values()))


@lru_cache(maxsize=4096)
def _split(kinds: tuple[tuple[int, bool], ...], pipeline: int) -> tuple[Counts, ...]:
    blocks = sum(repeat for repeat, block in kinds if block)
    sizes = [blocks // pipeline] * pipeline
    inner_first = sorted(range(pipeline), key=lambda stage: (abs(2 * stage - pipeline + 1), stage))
    for stage in inner_first[: blocks % pipeline]:
        sizes[stage] += 1
    counts = [[0] * len(kinds) for _ in range(pipeline)]
    stage, begun = 0, False
    for kind, (repeat, block) in enumerate(kinds):
        begun = begun or block
        left = repeat
        if not block:
            counts[-1 if begun else 0][kind], left = repeat, 0
        while left:
            stage += sizes[stage] == 0
            taken = min(left, sizes[stage])
            counts[stage][kind] += taken
            sizes[stage] -= taken
            left -= taken
    return tuple(tuple(row) for row in counts)
