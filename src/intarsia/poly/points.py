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

Point: TypeAlias = dict[str, int]


@dataclass(frozen=True, slots=True)
class Exceeded:
    """The proof took more operations than it may; nothing is known."""

    max_operations: int


Answer: TypeAlias = Point | Literal["empty"] | Exceeded


def find_point(conditions: Conditions, *, max_operations: int) -> Answer:
    """An integer point that meets the conditions, or the proof that there is none."""
    names = conditions.variables

    def proof(context: Any) -> Any:
        return isl.BasicSet.read_from_str(context, _text(names, conditions)).sample_point()

    return _proved(proof, names, max_operations)


def find_unreached(
    box: Conditions, relation: Conditions, names: tuple[str, ...], *, max_operations: int
) -> Answer:
    """A point of the box that no point of the relation has as its ``names``, or the proof that there is none.

    Args:
        box: conditions on ``names`` only.
        relation: conditions on ``names`` and others, which are projected out.
        names: the variables of the box.
        max_operations: the budget.
    """
    hidden = tuple(n for n in relation.variables if n not in names)

    def proof(context: Any) -> Any:
        inside = isl.Set.read_from_str(context, _text(names, box))
        reached = isl.Set.read_from_str(context, _text(names, relation, hidden))
        return inside.subtract(reached).sample_point()

    return _proved(proof, names, max_operations)


def _proved(proof: Callable[[Any], Any], names: tuple[str, ...], max_operations: int) -> Answer:
    context = isl.Context()
    context.set_max_operations(max_operations)
    context.reset_operations()
    try:
        point = proof(context)
    except isl.Error:
        if context.last_error() == isl.error.quota:
            return Exceeded(max_operations)
        raise
    if point.is_void():
        return "empty"
    return {name: _coordinate(point, place) for place, name in enumerate(names)}


def _coordinate(point: Any, place: int) -> int:
    return int(point.get_coordinate_val(isl.dim_type.set, place).to_python())


def _text(names: tuple[str, ...], conditions: Conditions, hidden: tuple[str, ...] = ()) -> str:
    """The set in the library's notation; variables are numbered, their names may have dots."""
    number = {name: f"x{i}" for i, name in enumerate((*names, *hidden))}
    parts = [f"{_form(f, number)} = 0" for f in conditions.zero]
    parts += [f"{_form(f, number)} >= 0" for f in conditions.nonnegative]
    body = " and ".join(parts) or "true"
    if hidden:
        body = f"exists ({', '.join(number[n] for n in hidden)} : {body})"
    return f"{{ [{', '.join(number[n] for n in names)}] : {body} }}"


def _form(form: Linear, number: dict[str, str]) -> str:
    return " + ".join([*(f"({c}*{number[n]})" for n, c in form.terms), f"({form.constant})"])
