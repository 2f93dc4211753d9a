"""Embeddings in the ALU for all statements of an operator, on the same lanes: which parallel axes lie on them.

Axes that no window slides along are flattened in subsets, so that rounding up is paid once; the sliding ones may be
cut into bands, one band a lane, so that neighbours share inputs. What needs few calls is priced in estimated cycles.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from heapq import nsmallest
from itertools import combinations
from math import prod

from intarsia.embed.constraints import Rules
from intarsia.embed.digits import Chain, Digit
from intarsia.embed.embedding import Embedding
from intarsia.embed.operands import assignments
from intarsia.embed.problem import EmbeddingProblem
from intarsia.embed.shape import Shape, build, complete
from intarsia.operators import Operator
from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.lowering.alu_space import alu_instruction, alu_space, check_operator
from intarsia.targets.vta.lowering.alu_tiling import tilings, ways

PRICED = 6
"""Choices of lanes that are priced, those with the fewest calls."""

TRIED = 6
"""Choices of factors on one instruction axis that are tried, those that leave the fewest calls."""

COARSE = 5_000
"""Tilings that a choice of lanes is priced with."""

MANY = 1 << 62
"""More cycles than any program takes."""

MOST_FLATTENED = 6
"""Parallel axes of which every subset is tried; beyond, the first ones alone, and all together."""


@dataclass(frozen=True, slots=True)
class Part:
    """Axes that share a chain of digits; in bands where windows slide."""

    axes: tuple[str, ...]
    extents: tuple[int, ...]
    bands: bool
    exact: bool

    @property
    def extent(self) -> int:
        """What the flattened index counts to."""
        return prod(self.extents)


def alu_embeddings(operator: Operator, config: VtaConfig) -> tuple[Embedding, ...]:
    """One embedding for each statement, all with the same digits: the best by estimated cycles.

    Raises:
        InputError: the operator is refused.
    """
    check_operator(operator)
    instruction = alu_instruction(operator.statements[0].combine, config)
    problems = [
        EmbeddingProblem(operator, instruction, statement=i, dtypes="ignore") for i in range(len(operator.statements))
    ]
    operands = [assignments(p)[0] for p in problems]
    rules = [Rules(p, o) for p, o in zip(problems, operands, strict=True)]
    choices: dict[tuple[Chain, ...], int] = {}
    for parts in _partitions(operator, rules):
        ranked = sorted(_chains(parts, config), key=_rank)
        for chains in ranked[:2]:
            choices[chains] = prod(chain.calls for chain in chains)
    least = min(choices.values())
    near = sorted((c for c in choices if choices[c] <= 2 * least), key=_rank)
    made = []
    for chains in near[: PRICED if any(_shared(operator, r) for r in rules) else 1]:
        first = build(problems[0], Shape(operands[0], complete(problems[0], list(chains))))
        made.append(tuple(replace(first, statement=i, operands=o) for i, o in enumerate(operands)))
    return min(made, key=lambda embeddings: _price(embeddings, config))


def _shared(operator: Operator, rules: Rules) -> bool:
    """Whether outputs share inputs, so that calls are not all that lanes decide."""
    parallel = [a.name for a in operator.axes if a.role == "parallel" and a.extent > 1]
    read = rules.body.reads[0]
    alone = {s.terms[0][0] for s in read.subscripts if len(s.terms) == 1}
    return not alone.issuperset(parallel)


def _rank(chains: tuple[Chain, ...]) -> tuple[int, int, int]:
    """Few calls; then few loops, which tiles cut the more freely; then few digits."""
    loops = sum(1 for c in chains if c.calls > 1)
    return prod(c.calls for c in chains), loops, sum(len(c.digits) for c in chains)


def _price(embeddings: tuple[Embedding, ...], config: VtaConfig) -> int:
    """The least cycles that are estimated for any tiling out of a coarse grid."""
    space = alu_space(embeddings)
    found = [t.estimate for way in ways(space, config) for t in tilings(space, config, way, 1, grid=COARSE)]
    return min(found, default=MANY)


def _partitions(operator: Operator, rules: list[Rules]) -> Iterator[tuple[Part, ...]]:
    """Every subset of the axes that do not slide as one part, the other axes alone."""
    live = [a for a in operator.axes if a.role == "parallel" and a.extent > 1]
    able = [a.name for a in live if all(r.serves(a.name) for r in rules)]
    sliding = {n for n in able if not all(_alone(r, n) for r in rules)}
    still = [n for n in able if n not in sliding]
    sizes = range(1, len(still) + 1) if len(still) <= MOST_FLATTENED else (1, len(still))
    subsets = [s for size in sizes for s in combinations(still, size)] or [()]
    for subset in subsets:
        groups = [subset] if subset else []
        groups += [(n,) for n in able if n not in subset]
        yield tuple(
            Part(
                g,
                tuple(operator.axis(n).extent for n in g),
                bands=g[0] in sliding,
                exact=not all(r.guarded(g) for r in rules),
            )
            for g in groups
        )


def _alone(rules: Rules, name: str) -> bool:
    """Whether every read names the axis alone in its subscripts."""
    subscripts = [s for read in rules.body.reads for s in read.subscripts if s.coefficient(name)]
    return all(s.terms == ((name, 1),) for s in subscripts)


def _chains(parts: tuple[Part, ...], config: VtaConfig) -> Iterator[tuple[Chain, ...]]:
    """Choices of factors on n and b, the most promising on n first and then on b."""
    for columns in _factors(parts, config.block_out):
        left = [-(-p.extent // f) for p, f in zip(parts, columns, strict=True)]
        rest = tuple(Part(p.axes, (e,), p.bands, p.exact) for p, e in zip(parts, left, strict=True))
        for rows in _factors(rest, config.batch):
            found = [_chain(p, n, b) for p, n, b in zip(parts, columns, rows, strict=True)]
            if all(c is not None for c in found):
                yield tuple(c for c in found if c is not None)


def _factors(parts: tuple[Part, ...], room: int) -> list[tuple[int, ...]]:
    """Factors of the parts within the room that leave the fewest calls; on few parts if several leave as many."""
    options = []
    for part in parts:
        tight = {-(-part.extent // -(-part.extent // f)) for f in range(1, min(room, part.extent) + 1)}
        options.append([f for f in sorted(tight) if not (part.exact and part.extent % f)])
    chosen: list[tuple[int, ...]] = [()]
    for factors in options:
        chosen = [(*c, f) for c in chosen for f in factors if prod(c) * f <= room]

    def left(factors: tuple[int, ...]) -> tuple[int, int]:
        calls = prod(-(-p.extent // f) for p, f in zip(parts, factors, strict=True))
        return calls, sum(f > 1 for f in factors)

    return nsmallest(TRIED, chosen, key=left)


def _chain(part: Part, n: int, b: int) -> Chain | None:
    """The chain of a part: lanes side by side, or a band each."""
    lanes = n * b
    stride = -(-part.extent // lanes) if part.bands else 1
    digits = []
    if n > 1:
        digits.append(Digit("n", stride, n))
    if b > 1:
        digits.append(Digit("b", stride * n, b))
    reach = sum(d.stride * (d.factor - 1) for d in digits)
    if reach >= part.extent or (part.exact and part.extent % (stride * lanes)):
        return None
    return Chain(part.axes, part.extents, tuple(digits))
