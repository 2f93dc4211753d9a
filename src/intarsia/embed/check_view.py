"""One operand over the lanes of some calls: registers, vectors, and the elements that are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from intarsia.embed.check_calls import Bools, Ints, Match, Table, elements, registers, vectors
from intarsia.embed.check_text import element_text, register_text
from intarsia.embed.layout import Layout
from intarsia.operators import Tensor

ZERO = -1
"""A register of a packed vector that is loaded with zero (``PAD``: with the tensor's pad value)."""


@dataclass(frozen=True, slots=True)
class View:
    """One operand over the lanes of a table.

    Attributes:
        match: the accesses.
        layout: where its vectors are.
        register: register of each lane [lanes].
        vector: vector of each call [calls].
        exists: the layout has that vector [calls].
        place: vector and register as one number [calls, lanes].
        element: what the operator's access asks for [calls, lanes], ``PAD`` outside the tensor.
    """

    match: Match
    layout: Layout
    register: Ints
    vector: Ints
    exists: Bools
    place: Ints
    element: Ints

    @property
    def tensor(self) -> Tensor:
        """The operator's tensor."""
        return self.layout.tensor


def view_of(match: Match, layout: Layout, table: Table) -> View:
    """Of one access over the lanes of a table."""
    assert match.access is not None
    assert match.tensor is not None
    shape = table.defined.shape
    register = registers(match, table.positions)
    vector, exists = vectors(layout, table.calls, shape[0])
    place = vector[:, None] * prod(match.operand.shape) + register[None, :]
    element = elements(match.access, match.tensor.shape, table.axes, shape)
    return View(match, layout, register, vector, exists, place, element)


def held_text(tensor: Tensor, content: int) -> str:
    """What a register holds, for a message."""
    return "zero" if content == ZERO else element_text(tensor, content)


def place_text(view: View, place: int) -> str:
    """A vector and register, for a message."""
    vector, register = divmod(place, prod(view.match.operand.shape))
    return f"{register_text(view.match, register)} of vector {vector}"
