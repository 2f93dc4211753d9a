"""A kernel whose tensors are still named, so that fusion knows which bytes vanish; ``finished`` makes nodes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from intarsia.graph.layer import Node
from intarsia.graph.work import Elementwise, Work

Touch = tuple[str, int]
"""A tensor, and the bytes of it that a kernel reads or writes."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A kernel before fusion.

    Attributes:
        name: unique in its pass.
        work: what it does; the bytes of an ``Elementwise`` are only filled in at the end.
        reads: tensors from memory.
        writes: tensors to memory.
        pointwise: it may follow another kernel element by element.
        core: of the attention core.
        free: tensors that cost no bytes of their own, since another kernel has them on the chip.
    """

    name: str
    work: Work
    reads: tuple[Touch, ...]
    writes: tuple[Touch, ...]
    pointwise: bool = False
    core: bool = False
    free: frozenset[str] = frozenset()


def vector(functions: tuple[str, ...], count: int, *, backward: bool = False) -> Elementwise:
    """Functions that each meet ``count`` elements, their bytes still to be filled in."""
    return Elementwise(tuple((name, count) for name in functions), 0, 0, backward)


def finished(drafts: tuple[Draft, ...], kept: Mapping[str, int]) -> tuple[Node, ...]:
    """Nodes of drafts.

    Args:
        drafts: of one pass, in order.
        kept: bytes of each tensor that the pass leaves for another one.
    """
    made = {tensor: draft.name for draft in drafts for tensor, _ in draft.writes}
    owners = {tensor: _owner(tensor, drafts) for tensor in kept}
    return tuple(
        Node(
            draft.name,
            _priced(draft),
            tuple(dict.fromkeys(made[t] for t, _ in draft.reads if t in made and made[t] != draft.name)),
            sum(size for tensor, size in kept.items() if owners[tensor] == draft.name),
            draft.core,
        )
        for draft in drafts
    )


def _priced(draft: Draft) -> Work:
    if not isinstance(draft.work, Elementwise):
        return draft.work
    read = sum(size for tensor, size in draft.reads if tensor not in draft.free)
    return replace(draft.work, read_bytes=read, written_bytes=sum(n for t, n in draft.writes if t not in draft.free))


def _owner(tensor: str, drafts: tuple[Draft, ...]) -> str:
    """Who makes it; who first reads it, where it comes from outside or the attention core hands it on."""
    maker = next((d for d in drafts if any(t == tensor for t, _ in d.writes)), None)
    readers = [d for d in drafts if any(t == tensor for t, _ in d.reads) and not d.core]
    if maker is None or (maker.core and readers):
        reader = next(iter(readers), None) or next((d for d in drafts if any(t == tensor for t, _ in d.reads)), None)
        return reader.name if reader else ""
    return maker.name
