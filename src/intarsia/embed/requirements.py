"""Requirements on a finished embedding, one class each.

Dense and no-padding also cut the search itself (``Space.exact``, ``Allocation.full``); what stands here is their
meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from intarsia.embed.constraints import Rules
from intarsia.embed.duplication import count_layout
from intarsia.embed.embedding import Embedding, Ints, evaluate, iterations, lane_positions
from intarsia.embed.layout import gather, layout_of
from intarsia.embed.problem import Requirement
from intarsia.embed.shape import Shape, build, orders
from intarsia.operators import Affine


class Demand(Protocol):
    """A property that an embedding has or has not."""

    def met(self, embedding: Embedding) -> bool:
        """Whether the embedding has it."""


@dataclass(frozen=True, slots=True)
class Dense:
    """Every lane of every call works: calls * lanes = iterations."""

    def met(self, embedding: Embedding) -> bool:
        """Whether no lane is padding."""
        return embedding.padded_lanes == 0


@dataclass(frozen=True, slots=True)
class NoPadding:
    """No operator axis is rounded up: each flat counts exactly to its extent, and nothing is skewed.

    Lanes beyond the digits of an instruction axis may idle; to forbid that as well is ``dense``.
    """

    def met(self, embedding: Embedding) -> bool:
        """Whether every loop of every flat divides what it is taken from."""
        extent = {loop.name: loop.extent for loop in embedding.loops}
        for flat in embedding.flats:
            count = prod(extent[name] for name, _ in flat.value.terms)
            if prod(flat.extents) != count or any(s.terms for s in flat.shifts):
                return False
        return True


@dataclass(frozen=True, slots=True)
class NoDuplication:
    """Every input's layout is a permutation of the elements it holds: as many slots as different elements."""

    def met(self, embedding: Embedding) -> bool:
        """Whether nothing is packed twice."""
        return count_layout(embedding) == 0


@dataclass(frozen=True, slots=True)
class InputsOnce:
    """No duplication of inputs that are not constant; constant ones, which are packed once and for all, may repeat.

    This is what a banded weight matrix asks for: it repeats weights so that activations need not be repeated.
    """

    def met(self, embedding: Embedding) -> bool:
        """Whether nothing but constants is packed twice."""
        return count_layout(embedding, constants=False) == 0


@dataclass(frozen=True, slots=True)
class ConstantOnly:
    """Only constant tensors are rearranged, which costs once, before the run.

    Every other tensor, the output included, keeps its row-major order: read vector by vector and register by register,
    its packed form names its elements in rising order, none twice; what is not an element (rounding up) may stand
    between them.
    """

    def met(self, embedding: Embedding) -> bool:
        """Whether every tensor that is not constant is packed in its own order."""
        for meaning, access in embedding.pairs():
            if access is None or embedding.operator.tensor(access.tensor).constant:
                continue
            index, held = gather(embedding, access, layout_of(embedding, meaning.tensor, access))
            if np.any(np.diff(index[held]) <= 0):
                return False
        return True


DEMANDS: dict[Requirement, Demand] = {
    "dense": Dense(),
    "no-padding": NoPadding(),
    "no-duplication": NoDuplication(),
    "inputs-once": InputsOnce(),
    "constant-only": ConstantOnly(),
}


def satisfied(rules: Rules, embedding: Embedding) -> bool:
    """Whether an embedding meets the requirements, and what the families do not say of every axis by itself."""
    demands = (DEMANDS[name] for name in rules.problem.require if name in DEMANDS)
    dropped = rules.problem.dropped
    lanes = rules.plain or (lanes_agree(embedding, dropped) and ("padding" in dropped or idle_lanes_vanish(embedding)))
    return lanes and filled(rules, embedding) and all(d.met(embedding) for d in demands)


def meeting(rules: Rules, shape: Shape) -> Embedding | None:
    """The embedding of a set of lanes that meets the requirements, None if there is none.

    Which digit of an instruction axis comes first matters to the order of elements alone; the standing order is tried
    first.
    """
    embedding = build(rules.problem, shape)
    if satisfied(rules, embedding):
        return embedding
    if "constant-only" not in rules.problem.require:
        return None
    others = (build(rules.problem, replace(shape, order=order)) for order in orders(rules.problem, shape))
    return next((e for e in others if e != embedding and satisfied(rules, e)), None)


def filled(rules: Rules, embedding: Embedding) -> bool:
    """Whether digits fill the instruction axes whose idle lanes would change a result."""
    extent = {axis.name: axis.extent for axis in embedding.instruction.semantics.axes}
    return all(prod(loop.extent for loop in embedding.lane_loops(a)) == extent[a] for a in rules.filled)


def idle_lanes_vanish(embedding: Embedding) -> bool:
    """IDLE LANES ARE HARMLESS, lane by lane: beyond the digits no lane adds to a result that a digit has.

    For sums it may if a factor's register is one that no digit has, for that is zero.
    """
    positions, _, used = lane_positions(embedding)
    everywhere = np.ones_like(used)
    risky = ~used
    for number, (meaning, access) in enumerate(embedding.pairs()):
        if access is not None and (number == 0 or embedding.body.combine == "+="):
            register = _address(meaning.subscripts, positions, everywhere)
            risky &= np.isin(register, register[used])
    return not risky.any()


def lanes_agree(embedding: Embedding, dropped: frozenset[str] = frozenset()) -> bool:
    """OPERANDS and RESULT lane by lane, for instructions whose registers are not addressed by single axes.

    All lanes of the first call: directions are the same in every call, so what holds of their differences there holds
    everywhere. Two lanes in one factor's register have one element, two lanes have one result register exactly if they
    have one output element. A family that is dropped is not looked at.
    """
    positions, _, used = lane_positions(embedding)
    found, _ = iterations(embedding, {loop.name: np.zeros(1, dtype=np.int64) for loop in embedding.outer})
    images = {name: np.broadcast_to(values, (1, used.size))[0] for name, values in found.items()}
    for number, (meaning, access) in enumerate(embedding.pairs()):
        if access is None or ("operands" if number else "result") in dropped:
            continue
        register = _address(meaning.subscripts, positions, used)
        element = _address(access.subscripts, images, used)
        pairs = np.unique(np.stack([register, element]), axis=1).shape[1]
        if pairs != np.unique(register).size or (number == 0 and pairs != np.unique(element).size):
            return False
    return True


def _address(subscripts: tuple[Affine, ...], values: Mapping[str, Ints], used: NDArray[np.bool_]) -> Ints:
    rows = [np.broadcast_to(evaluate(s, values), used.shape)[used] for s in subscripts]
    _, codes = np.unique(np.stack(rows), axis=1, return_inverse=True)
    return np.asarray(codes.ravel(), dtype=np.int64)
