"""Proofs over integer sets: is there a point, and what does a box hold that a relation does not reach.

The only file that calls the polyhedral library. Every proof has a context and a budget of its own (the library's
counter of operations is cumulative), and a proof that exceeds it is an answer: neither empty nor a point.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import islpy as isl

from intarsia.poly.linear import Conditions, Linear

QUOTA = "maximal number of operations exceeded"
"""What the library says when a budget is spent; it has no other way to tell."""

Point: TypeAlias = dict[str, int]


@dataclass(frozen=True, slots=True)
class Exceeded:
    """The proof took more operations than it may; nothing is known."""

    max_operations: int


Answer: TypeAlias = Point | Literal["empty"] | Exceeded


def find_point(conditions: Conditions, *, max_operations: int) -> Answer:
    """An integer point that meets the conditions, or the proof that there is none."""
    names = conditions.variables
    context = isl.Context()
    points = _set(context, names, conditions)
    return _proved(context, points.sample_point, names, max_operations)


def find_unreached(box: Conditions, relation: Conditions, names: tuple[str, ...], *, max_operations: int) -> Answer:
    """A point of the box that no point of the relation has as its ``names``, or the proof that there is none.

    Args:
        box: conditions on ``names`` only.
        relation: conditions on ``names`` and others, which are projected out.
        names: the variables of the box.
        max_operations: the budget.
    """
    hidden = tuple(n for n in relation.variables if n not in names)
    context = isl.Context()
    inside = _set(context, names, box).to_set()
    related = _set(context, (*names, *hidden), relation)

    def proof() -> Any:
        reached = related.project_out(isl.dim_type.set, len(names), len(hidden)).to_set()
        return inside.subtract(reached).sample_point()

    return _proved(context, proof, names, max_operations)


def _proved(context: Any, proof: Callable[[], Any], names: tuple[str, ...], max_operations: int) -> Answer:
    """The answer of a proof; only what it does itself, not how its sets were read, counts against the budget."""
    context.reset_operations()
    context.set_max_operations(max_operations)
    try:
        point = proof()
    except isl.Error as error:
        if QUOTA not in str(error):
            raise
        return Exceeded(max_operations)
    context.set_max_operations(0)
    if point.is_void():
        return "empty"
    return {name: _coordinate(point, place) for place, name in enumerate(names)}


def _coordinate(point: Any, place: int) -> int:
    return int(point.get_coordinate_val(isl.dim_type.set, place).to_python())


def _set(context: Any, names: tuple[str, ...], conditions: Conditions) -> Any:
    """The points in the library's notation; variables are numbered, their names may have dots."""
    number = {name: f"x{i}" for i, name in enumerate(names)}
    parts = [f"{_form(f, number)} = 0" for f in conditions.zero]
    parts += [f"{_form(f, number)} >= 0" for f in conditions.nonnegative]
    text = f"{{ [{', '.join(number.values())}] : {' and '.join(parts) or 'true'} }}"
    return isl.BasicSet.read_from_str(context, text)


def _form(form: Linear, number: dict[str, str]) -> str:
    return " + ".join([*(f"({c}*{number[n]})" for n, c in form.terms), f"({form.constant})"])
