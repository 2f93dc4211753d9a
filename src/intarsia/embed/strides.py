"""Chains as subscripts see them: how far they reach, in which steps, and how many vectors they give an operand."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd, prod

from intarsia.embed.digits import Chain
from intarsia.operators import Access

Taken = tuple[int, ...]
"""Lanes on each instruction axis."""


@dataclass(frozen=True, slots=True)
class Stride:
    """A chain as subscripts see it: how far its outer loops reach, and the common step of those that loop (0: none)."""

    chain: Chain
    taken: Taken
    reach: int
    step: int


def stride_of(chain: Chain, lanes: tuple[str, ...]) -> Stride:
    """A chain with the lanes that it takes on each of some instruction axes."""
    below = (1, *(digit.top for digit in chain.digits))
    loops = [(step, gap) for step, gap in zip(below, chain.gaps, strict=True) if gap > 1]
    taken = tuple(chain.factor(lane) for lane in lanes)
    return Stride(chain, taken, sum(s * (g - 1) for s, g in loops), gcd(*(s for s, _ in loops)))


def vectors_of(access: Access, made: tuple[Stride, ...]) -> int:
    """The vectors that a component's chains give an operand: see ``layout.dims_of``."""
    chained = {name: s for s in made for name in s.chain.axes}
    mine = [s.terms for s in access.subscripts if any(name in chained for name, _ in s.terms)]
    flat = [terms for terms in mine if any(len(chained[name].chain.axes) > 1 for name, _ in terms)]
    behind = {chained[name].chain for terms in flat for name, _ in terms}
    total = prod(chain.calls for chain in behind)
    seen = set()
    for terms in mine:
        moving = [(name, c) for name, c in terms if chained[name].reach]
        if terms in flat or terms in seen or all(chained[name].chain in behind for name, _ in moving):
            continue
        seen.add(terms)
        reach = sum(abs(c) * chained[name].reach for name, c in moving)
        total *= reach // gcd(*(c * chained[name].step for name, c in moving)) + 1
    return total
