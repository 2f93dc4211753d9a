"""Iterations of a reduction that read only zeros beside a tensor, at borders, and so can be left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from intarsia.embed import Embedding
from intarsia.embed.layout import subscript_over_loops
from intarsia.operators import is_floating
from intarsia.targets.x86.lowering.plan import Skip
from intarsia.targets.x86.lowering.subject import Nest, live_of


def skips_of(embedding: Embedding, nest: Nest) -> tuple[Skip, ...]:
    """Reduction loops whose iterations read only zeros beside a tensor at some points of the loops around them.

    Where the points alone decide, the whole reduction is left out: its loop has no name. Of floats nothing is left out:
    zero times infinity is no number.
    """
    live, tiled = live_of(embedding), dict(nest.tile)
    found: dict[str, Skip] = {}
    for _, access in embedding.pairs()[1:]:
        assert access is not None
        tensor = embedding.operator.tensor(access.tensor)
        for size, subscript in zip(tensor.shape, access.subscripts, strict=True):
            over = subscript_over_loops(embedding, subscript)
            if over is None or tensor.pad or is_floating(tensor.dtype) or any(n not in live for n, _ in over.terms):
                continue
            own = [(n, c) for n, c in over.terms if n in nest.reduction]
            rest = tuple((n, c) for n, c in over.terms if n not in nest.reduction and live[n] > 1)
            loop, step = own[0] if own else ("", 0)
            if len(own) > 1 or step < 0 or loop in found or any(n in tiled for n, _ in rest):
                continue
            skip = Skip(loop, rest, over.constant, step, size)
            counts = _left(skip, live)
            if 0 < min(counts) < live.get(loop, 0) or (not loop and 0 < sum(counts) < len(counts)):
                found[loop] = replace(skip, average=sum(counts) / len(counts))
    return tuple(found.values())


def _left(skip: Skip, live: dict[str, int]) -> list[int]:
    """How many iterations are left at each point of the loops around them."""
    bases = Counter([skip.constant])
    for loop, c in skip.terms:
        moved: Counter[int] = Counter()
        for base, times in bases.items():
            for i in range(live[loop]):
                moved[base + c * i] += times
        bases = moved
    taps = range(live.get(skip.loop, 1))
    left = {base: sum(0 <= base + skip.step * k < skip.size for k in taps) for base in bases}
    return [left[base] for base in bases.elements()]
