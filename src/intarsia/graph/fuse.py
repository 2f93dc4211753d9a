"""Pointwise kernels join the kernel whose result they read, so that what lies between them is never in memory.

Among vector kernels two become one. Behind a contraction the chain stays a node of its own, since its functions take
time, but reads nothing of the contraction's result, and writes in place of it where nobody else wants that.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from intarsia.graph.draft import Draft
from intarsia.graph.work import Contraction, Elementwise


def fuse(drafts: tuple[Draft, ...], wanted: frozenset[str]) -> tuple[Draft, ...]:
    """Fused kernels.

    Args:
        drafts: of one pass, in order.
        wanted: tensors that must be in memory, whoever reads them in this pass.
    """
    readers = Counter(tensor for draft in drafts for tensor in {t for t, _ in draft.reads})
    fused: list[Draft] = []
    for draft in drafts:
        at = _host(fused, draft)
        if at is not None and isinstance(fused[at].work, Elementwise):
            fused[at] = _joined(fused[at], draft, readers, wanted)
        else:
            fused.append(draft)
    return tuple(_behind(draft, fused, readers, wanted) for draft in fused)


def _host(before: list[Draft], draft: Draft) -> int | None:
    """Where the latest maker of its inputs stands, if that makes as much as the draft writes."""
    if not draft.pointwise or not isinstance(draft.work, Elementwise):
        return None
    read = {tensor for tensor, _ in draft.reads}
    places = [i for i, d in enumerate(before) if d is not draft and any(t in read for t, _ in d.writes)]
    if not places:
        return None
    host = before[places[-1]]
    written = max((size for _, size in draft.writes), default=0)
    return places[-1] if any(t in read and size == written for t, size in host.writes) else None


def _joined(host: Draft, draft: Draft, readers: Counter[str], wanted: frozenset[str]) -> Draft:
    assert isinstance(host.work, Elementwise)
    assert isinstance(draft.work, Elementwise)
    made = {tensor for tensor, _ in host.writes}
    read = {tensor for tensor, _ in draft.reads}
    dead = {tensor for tensor in made & read if readers[tensor] == 1 and tensor not in wanted}
    return Draft(
        f"{host.name}+{_within(host.name, draft.name)}",
        replace(host.work, functions=host.work.functions + draft.work.functions),
        tuple(dict.fromkeys((*host.reads, *(touch for touch in draft.reads if touch[0] not in made)))),
        (*(touch for touch in host.writes if touch[0] not in dead), *draft.writes),
        host.pointwise,
        host.core,
    )


def _behind(draft: Draft, drafts: list[Draft], readers: Counter[str], wanted: frozenset[str]) -> Draft:
    """The same, free of the bytes of a contraction's result that it alone reads."""
    at = _host(drafts, draft)
    if at is None or not isinstance(drafts[at].work, Contraction):
        return draft
    (result, size), *_ = drafts[at].writes
    if readers[result] > 1:
        return draft
    instead = next((t for t, n in draft.writes if n == size), "") if result not in wanted else ""
    return replace(draft, free=frozenset(filter(None, (result, instead))))


def _within(host: str, name: str) -> str:
    """A name without the modules that it shares with the host's."""
    shared = next((i for i, (a, b) in enumerate(zip(host, name, strict=False)) if a != b), min(len(host), len(name)))
    return name[max(name.rfind(".", 0, shared), name.rfind("/", 0, shared)) + 1 :]
