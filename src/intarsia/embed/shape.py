"""From digits to the noun: an embedding with named loops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations, product
from math import prod
from typing import TypeAlias

from intarsia.embed.digits import Chain, mergeable
from intarsia.embed.embedding import Embedding, Flat, Loop
from intarsia.embed.operands import Operands
from intarsia.embed.problem import EmbeddingProblem
from intarsia.operators import Affine

Place: TypeAlias = tuple[int, int]
"""A digit as (index of its chain, index in the chain)."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One call and its repetition: an assignment of operands and a chain for every operator axis.

    Attributes:
        operands: the assignment.
        chains: every operator axis in exactly one of them.
        order: for each instruction axis that has digits, its digits, the least significant first; empty for the
            standing order, which follows the order in which elements lie in the tensor (see ``places``).
    """

    operands: Operands
    chains: tuple[Chain, ...]
    order: tuple[tuple[str, tuple[Place, ...]], ...] = ()

    @property
    def calls(self) -> int:
        """Calls."""
        total = 1
        for chain in self.chains:
            total *= chain.calls
        return total


def complete(problem: EmbeddingProblem, chains: Sequence[Chain]) -> tuple[Chain, ...]:
    """The chains and an empty one for every axis without, in the order of the operator's axes."""
    names = [a.name for a in problem.operator.axes]
    given = {name for chain in chains for name in chain.axes}
    rest = [Chain((a.name,), (a.extent,)) for a in problem.operator.axes if a.name not in given]
    return tuple(sorted([*chains, *rest], key=lambda chain: min(names.index(n) for n in chain.axes)))


def places(problem: EmbeddingProblem, shape: Shape) -> dict[str, tuple[Place, ...]]:
    """The digits of each instruction axis in the standing order.

    A digit whose step is short in memory comes first, in the first tensor that it moves (tensors that are not constant
    going first), so that packing follows the tensor where it can.
    """
    found: dict[str, list[tuple[tuple[int, int], Place]]] = {}
    for i, chain in enumerate(shape.chains):
        for j, digit in enumerate(chain.digits):
            key = (_step(problem, chain.axes[-1]) * digit.stride, -i)
            found.setdefault(digit.lane, []).append((key, (i, j)))
    return {lane: tuple(place for _, place in sorted(digits)) for lane, digits in found.items()}


def _step(problem: EmbeddingProblem, axis: str) -> int:
    body = problem.operator.statements[problem.statement]
    reads = sorted(body.reads, key=lambda read: problem.operator.tensor(read.tensor).constant)
    for access in (*reads, body.write):
        shape = problem.operator.tensor(access.tensor).shape
        inner = [prod(shape[i + 1 :]) for i in range(len(shape))]
        step = sum(abs(s.coefficient(axis)) * size for s, size in zip(access.subscripts, inner, strict=True))
        if step:
            return step
    return 0


def build(problem: EmbeddingProblem, shape: Shape) -> Embedding:
    """The embedding: outer loops in the order of the operator's axes, parallel ones first; lanes as ordered.

    The digits of a chain are named from the top: ``oc.0`` the outermost, then ``oc.1`` and so on; gaps of one iteration
    below the top are left out.
    """
    named = [_names(chain) for chain in shape.chains]
    order = {**places(problem, shape), **dict(shape.order)}
    lanes = [
        Loop(named[i].lanes[j], shape.chains[i].digits[j].factor, axis.name)
        for axis in problem.instruction.semantics.axes
        for i, j in order.get(axis.name, ())
    ]
    role = {a.name: a.role for a in problem.operator.axes}
    parallel = [i for i, c in enumerate(shape.chains) if role[c.axes[0]] == "parallel"]
    rest = [i for i in range(len(shape.chains)) if i not in parallel]
    outer = [loop for i in (*parallel, *rest) for loop in named[i].outer]
    flats = tuple(
        Flat(chain.axes, chain.extents, named[i].value, tuple(_shift(shape, named, a) for a in chain.axes))
        for i, chain in enumerate(shape.chains)
    )
    return Embedding(
        problem.operator,
        problem.statement,
        problem.instruction,
        shape.operands,
        (*outer, *lanes),
        flats,
    )


@dataclass(frozen=True, slots=True)
class _Named:
    outer: tuple[Loop, ...]
    lanes: tuple[str, ...]
    value: Affine


def _names(chain: Chain) -> _Named:
    base = ".".join(chain.axes)
    outer: list[Loop] = []
    lanes: list[str] = []
    terms: list[tuple[str, int]] = []
    number = 0
    gaps = chain.gaps
    for place in range(len(gaps) - 1, -1, -1):
        if place == len(gaps) - 1 or gaps[place] > 1:
            outer.append(Loop(f"{base}.{number}", gaps[place]))
            terms.append((outer[-1].name, chain.digits[place - 1].top if place else 1))
            number += 1
        if place:
            lanes.append(f"{base}.{number}")
            terms.append((lanes[-1], chain.digits[place - 1].stride))
            number += 1
    return _Named(tuple(outer), tuple(reversed(lanes)), Affine(tuple(terms)))


def _shift(shape: Shape, named: list[_Named], axis: str) -> Affine:
    terms: list[tuple[str, int]] = []
    constant = 0
    for i, chain in enumerate(shape.chains):
        for j, digit in enumerate(chain.digits):
            coefficient = dict(digit.skew).get(axis, 0)
            if coefficient:
                terms.append((named[i].lanes[j], coefficient))
                constant -= max(0, coefficient) * (digit.factor - 1)
    return Affine(tuple(terms), constant)


def orders(problem: EmbeddingProblem, shape: Shape) -> Iterator[tuple[tuple[str, tuple[Place, ...]], ...]]:
    """Every order of the digits on their instruction axes in which no two neighbours are one digit written as two."""

    def canonical(order: tuple[Place, ...]) -> bool:
        return not any(
            low[0] == high[0] and mergeable(shape.chains[low[0]].digits[low[1]], shape.chains[high[0]].digits[high[1]])
            for low, high in pairwise(order)
        )

    options = [
        [(lane, order) for order in permutations(digits) if canonical(order)]
        for lane, digits in places(problem, shape).items()
    ]
    yield from product(*options)
