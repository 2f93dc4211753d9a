"""The embeddings of one operator that are worth pricing, whatever the price: the optima of each family, and trade-offs.

The fewest calls are not always the fewest cycles: duplicated bytes pass the read port, and calls that read only padding
are left out. So besides the optima those embeddings are offered that need a few more calls and move fewer bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, islice, product
from math import prod

from intarsia.embed import Embedding, EmbeddingProblem, Family, fixed_embedding, layouts, optimise
from intarsia.embed.check import check
from intarsia.embed.constraints import Rules
from intarsia.embed.digits import Chain, Digit
from intarsia.embed.operands import representatives
from intarsia.embed.problem import Dtypes
from intarsia.embed.shape import Shape, build, complete
from intarsia.embed.space import Space, space_of
from intarsia.machines import Instruction
from intarsia.operators import Operator
from intarsia.program import call_space
from intarsia.solvers import Found, Infeasible, OutOfTime

SLACK = 1.5
"""How many times the fewest calls a trade-off may need."""
BEST_CHOICES = 6
"""Choices for each instruction axis that are combined."""
MEASURED = 24
"""Trade-offs that are measured."""
KEPT = 4
"""Trade-offs that are offered."""
SKEW_GAIN = 1.2
"""How many times fewer calls a skewed embedding must need to be offered: its weights are packed larger."""
SEARCH_SECONDS = 4.0
"""Limit of each search."""

Choice = tuple[tuple[str, int], ...]
"""Operator axes with the factor of each, on one instruction axis."""


@dataclass(frozen=True, slots=True)
class _Offer:
    embedding: Embedding
    needed: int
    moved: int

    def beats(self, other: _Offer) -> bool:
        """At least as good in both."""
        return self.needed <= other.needed and self.moved <= other.moved


def offers(operator: Operator, instruction: Instruction, *, dtypes: Dtypes = "exact") -> tuple[Embedding, ...]:
    """Embeddings worth pricing, each once and each checked, the fixed one first.

    Args:
        operator: of one statement.
        instruction: what it is embedded in.
        dtypes: "ignore" where the written tensor keeps the low bits of its accumulator.

    Raises:
        InputError: the operands cannot hold the tensors.
    """
    problem = EmbeddingProblem(operator, instruction, "fused", dtypes=dtypes, limit=SEARCH_SECONDS)
    found = [_offer(fixed_embedding(operator, instruction, dtypes=dtypes))]
    for family in ("aligned", "fused"):
        _add(found, _optimum(problem, family))
    for embedding in trade_offs(problem, least=min(o.embedding.calls for o in found)):
        _add(found, embedding)
    least = min(o.embedding.calls for o in found)
    if least * instruction.lanes >= operator.iterations * SKEW_GAIN:  # else no embedding can be so much better
        skewed = _optimum(problem, "skewed")
        if skewed is not None and skewed.calls * SKEW_GAIN <= least:
            _add(found, skewed)
    ignore = dtypes == "ignore"
    return tuple(o.embedding for o in found if check(o.embedding, ignore_dtypes=ignore).good)


def _offer(embedding: Embedding) -> _Offer:
    return _Offer(embedding, call_space(embedding).needed, sum(layout.bytes for layout in layouts(embedding)))


def _add(found: list[_Offer], embedding: Embedding | None) -> None:
    """Offer an embedding unless one is there that is at least as good."""
    offer = None if embedding is None else _offer(embedding)
    if offer is not None and not any(o.beats(offer) for o in found):
        found.append(offer)


def _optimum(problem: EmbeddingProblem, family: Family) -> Embedding | None:
    own = EmbeddingProblem(problem.operator, problem.instruction, family, dtypes=problem.dtypes, limit=problem.limit)
    match optimise(own):
        case Found(best):
            return best
        case OutOfTime(best):
            return best
        case Infeasible():
            return None


def trade_offs(problem: EmbeddingProblem, least: int) -> list[Embedding]:
    """Embeddings of few calls, those of which none is better in both needed calls and moved bytes.

    One or two operator axes on each instruction axis, each in one digit; exhaustive search is ``optimise``'s.
    """
    shapes: list[Shape] = []
    for operands in representatives(problem):
        shapes += _shapes(problem, space_of(Rules(problem, operands)))
    near = sorted((s for s in shapes if s.calls <= SLACK * least), key=lambda s: s.calls)
    front: list[_Offer] = []
    for shape in islice(near, MEASURED):
        _add(front, build(problem, shape))
    return [o.embedding for o in front if not any(p is not o and p.beats(o) for p in front)][:KEPT]


def _shapes(problem: EmbeddingProblem, space: Space) -> Iterator[Shape]:
    menus = [_choices(space, lane, room) for lane, room in space.rooms.items() if room > 1]
    lanes = [lane for lane, room in space.rooms.items() if room > 1]
    for chosen in product(*menus):
        placed = [(name, lane, factor) for lane, choice in zip(lanes, chosen, strict=True) for name, factor in choice]
        names = [name for name, _, _ in placed]
        if len(names) == len(set(names)):
            chains = [Chain((n,), (space.extents[n],), (Digit(lane, 1, f),)) for n, lane, f in placed]
            yield Shape(space.rules.operands, complete(problem, chains))


def _choices(space: Space, lane: str, room: int) -> list[Choice]:
    """The best ways to fill an instruction axis by the calls that they leave."""
    able = [name for name, lanes in space.serves.items() if lane in lanes]
    total = prod(space.extents[name] for name in able)
    found: dict[Choice, float] = {(): float(total)}
    for count in (1, 2):
        for names in combinations(able, count):
            for factors in product(*(_factors(space, name, room) for name in names)):
                if prod(factors) <= room:
                    calls = prod(
                        -(-space.extents[n] // f) / space.extents[n] for n, f in zip(names, factors, strict=True)
                    )
                    found[tuple(zip(names, factors, strict=True))] = total * calls
    return sorted(found, key=lambda choice: found[choice])[:BEST_CHOICES]


def _factors(space: Space, name: str, room: int) -> list[int]:
    extent = space.extents[name]
    tight = {-(-extent // parts) for parts in range(1, extent + 1)}
    exact = space.exact((name,))
    return [f for f in sorted(tight) if 1 < f <= room and not (exact and extent % f)]
