"""Iterations of a reduction that read only zeros beside a tensor, at borders, and so can be left out."""

from __future__ import annotations

from intarsia.embed import Embedding
from intarsia.embed.layout import subscript_over_loops
from intarsia.targets.x86.lowering.plan import Skip
from intarsia.targets.x86.lowering.subject import Nest, live_of


def skips_of(embedding: Embedding, nest: Nest) -> tuple[Skip, ...]:
    """Reduction loops whose iterations read only zeros beside a tensor at some points of the loops around them."""
    live, tiled = live_of(embedding), dict(nest.tile)
    found: dict[str, Skip] = {}
    for _, access in embedding.pairs()[1:]:
        assert access is not None
        tensor = embedding.operator.tensor(access.tensor)
        for size, subscript in zip(tensor.shape, access.subscripts, strict=True):
            over = subscript_over_loops(embedding, subscript)
            if over is None or tensor.pad or any(n not in live for n, _ in over.terms):
                continue
            own = [(n, c) for n, c in over.terms if n in nest.reduction and c > 0]
            rest = tuple((n, c) for n, c in over.terms if n not in nest.reduction and live[n] > 1)
            if len(own) != 1 or own[0][0] in found or any(n in tiled for n, _ in rest):
                continue
            skip = Skip(own[0][0], rest, over.constant, own[0][1], size)
            if _some_left_out(skip, live):
                found[skip.loop] = skip
    return tuple(found.values())


def _some_left_out(skip: Skip, live: dict[str, int]) -> bool:
    """Whether some iteration is left out at some point, and at none all are."""
    ends = [[c * i for i in range(live[n])] for n, c in skip.terms]
    bases = {skip.constant}
    for steps in ends:
        bases = {b + s for b in bases for s in steps}
    taps = range(live[skip.loop])
    counts = [sum(0 <= base + skip.step * k < skip.size for k in taps) for base in bases]
    return min(counts) > 0 and min(counts) < live[skip.loop]
