"""Outer loops by what they move: the factors, the reduction, or neither; orders and tiles are made of these."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from intarsia.embed import Embedding
from intarsia.operators import Affine
from intarsia.targets.x86.lowering.packed import access_of
from intarsia.targets.x86.lowering.subject import factors_of


@dataclass(frozen=True, slots=True)
class Movement:
    """Outer loops of more than one iteration by what they move."""

    first: tuple[str, ...]
    second: tuple[str, ...]
    both: tuple[str, ...]
    neither: tuple[str, ...]
    reduction: tuple[str, ...]


def movement(embedding: Embedding) -> Movement:
    """The loops by the factors that they move."""
    parallel: set[str] = set()
    for flat in embedding.flats:
        if embedding.operator.axis(flat.axes[0]).role == "parallel":
            parallel |= {name for name, _ in flat.value.terms}
    moved = [_moved(embedding, operand) for operand in factors_of(embedding)]
    kinds: dict[tuple[bool, bool], list[str]] = {}
    reduction = []
    for loop in embedding.outer:
        if loop.extent == 1:
            continue
        if loop.name in parallel:
            kinds.setdefault((loop.name in moved[0], loop.name in moved[1]), []).append(loop.name)
        else:
            reduction.append(loop.name)
    steps = _steps(embedding)
    return Movement(
        tuple(kinds.get((True, False), ())),
        tuple(kinds.get((False, True), ())),
        tuple(kinds.get((True, True), ())),
        tuple(kinds.get((False, False), ())),
        tuple(sorted(reduction, key=lambda name: -steps.get(name, 0))),
    )


def _loops(embedding: Embedding, subscript: Affine) -> dict[str, int]:
    """How far a subscript moves with each step of a loop; of flattened axes by the flattened index."""
    total: dict[str, int] = {}
    for axis, c in subscript.terms:
        flat = next(f for f in embedding.flats if axis in f.axes)
        last = axis == flat.axes[-1]
        for value, scale in ((flat.value, c if last else 0), (flat.shift(axis), c)):
            for name, inner in value.terms:
                total[name] = total.get(name, 0) + scale * inner
        if not last:
            total |= {name: total.get(name, 0) or 1 for name, _ in flat.value.terms}
    return total


def _moved(embedding: Embedding, operand: str) -> set[str]:
    found: set[str] = set()
    for subscript in access_of(embedding, operand).subscripts:
        found |= {name for name, c in _loops(embedding, subscript).items() if c}
    return found


def _steps(embedding: Embedding) -> dict[str, int]:
    """Elements that each loop moves in the factor that is not constant."""
    operator = embedding.operator
    accesses = [access_of(embedding, o) for o in factors_of(embedding)]
    moving = next((a for a in accesses if not operator.tensor(a.tensor).constant), accesses[0])
    shape, found = operator.tensor(moving.tensor).shape, dict[str, int]()
    for i, subscript in enumerate(moving.subscripts):
        for name, c in _loops(embedding, subscript).items():
            found[name] = found.get(name, 0) + c * prod(shape[i + 1 :])
    return found
