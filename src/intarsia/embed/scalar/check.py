"""Whether one call is right, in words, without a solver and without the tables that made it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import product

import numpy as np
from numpy.typing import NDArray

from intarsia.embed.scalar.assignment import Assignment
from intarsia.machines import Instruction
from intarsia.operators import Access, Operator, Statement

Point = tuple[int, ...]
Place = tuple[str, Point]
"""A register or an element: tensor and subscripts."""


def check_call(
    operator: Operator,
    instruction: Instruction,
    assignment: Assignment,
    phi: NDArray[np.int64],
    *,
    statement: int = 0,
    combining: bool = False,
) -> tuple[str, ...]:
    """The rules that a call violates, one sentence for each pair of lanes or lane; empty if it is right.

    Args:
        operator: what is embedded.
        instruction: what it is embedded in.
        assignment: for each read of the instruction the index of the operator's read, or None for the constant 1.
        phi: the iteration of each lane, lanes in lexicographic order, [lanes, d]; rows of -1 are undefined.
        statement: the index of the operator's statement.
        combining: whether one output element may be spread over registers.
    """
    body, meaning = operator.statements[statement], instruction.semantics.statements[0]
    violated = (*_fitting(body, meaning, assignment), *_shape(operator, instruction, phi))
    if violated:
        return violated
    lanes = _lanes(instruction.semantics)
    images = {q: tuple(p) for q, p in zip(lanes, phi.tolist(), strict=True) if p != [-1] * len(p)}
    violated = tuple(_outside(operator, images))
    if violated:
        return violated
    reads = [None if index is None else body.reads[index] for index in assignment]
    call = _Touched(operator, body, instruction.semantics, reads, images)
    return (*_twice(images), *call.operands(), *call.results(combining=combining), *call.padding())


def _fitting(body: Statement, meaning: Statement, assignment: Assignment) -> Iterator[str]:
    if body.combine != meaning.combine:
        yield f"the operator combines by {body.combine}, the instruction by {meaning.combine}"
    if len(assignment) != len(meaning.reads):
        yield f"{len(assignment)} operands are assigned, the instruction reads {len(meaning.reads)}"
    if sorted(i for i in assignment if i is not None) != list(range(len(body.reads))):
        yield f"assignment {assignment} does not hold each of the operator's {len(body.reads)} reads once"


def _shape(operator: Operator, instruction: Instruction, phi: NDArray[np.int64]) -> Iterator[str]:
    expected = (instruction.lanes, len(operator.axes))
    if phi.shape != expected:
        yield f"the map has shape {phi.shape}, expected {expected}"
    elif (phi == -1).all(axis=1).all():
        yield "no lane is defined"


def _outside(operator: Operator, images: Mapping[Point, Point]) -> Iterator[str]:
    for lane, image in images.items():
        if not all(0 <= i < a.extent for i, a in zip(image, operator.axes, strict=True)):
            yield f"lane {lane} computes {image}, outside the operator's box"


def _twice(images: Mapping[Point, Point]) -> Iterator[str]:
    first: dict[Point, Point] = {}
    for lane, image in images.items():
        if image in first:
            yield f"lanes {first[image]} and {lane} both compute {image}"
        first.setdefault(image, lane)


class _Touched:
    """The registers and elements that the lanes of a call touch."""

    def __init__(
        self,
        operator: Operator,
        body: Statement,
        semantics: Operator,
        reads: list[Access | None],
        images: Mapping[Point, Point],
    ) -> None:
        meaning = semantics.statements[0]
        self.combine = body.combine
        self.images = images
        self.registers = {
            q: [_place(semantics, r, q) for r in (meaning.write, *meaning.reads)] for q in _lanes(semantics)
        }
        self.elements = {q: [_place(operator, r, p) for r in (body.write, *reads)] for q, p in images.items()}

    def operands(self) -> Iterator[str]:
        """Two lanes on one register that need two elements."""
        held: dict[Place, tuple[Point, Place]] = {}
        for lane, elements in self.elements.items():
            for register, element in zip(self.registers[lane][1:], elements[1:], strict=True):
                other, known = held.setdefault(register, (lane, element))
                if known != element:
                    needs = f"{_text(known)} and {_text(element)}"
                    yield f"lanes {other} and {lane} read {_text(register)} but need {needs}"

    def results(self, *, combining: bool) -> Iterator[str]:
        """Two elements in one register, or one element in two registers."""
        held: dict[Place, tuple[Point, Place]] = {}
        home: dict[Place, tuple[Point, Place]] = {}
        for lane, elements in self.elements.items():
            register, element = self.registers[lane][0], elements[0]
            other, known = held.setdefault(register, (lane, element))
            if known != element:
                into = f"{_text(known)} and {_text(element)}"
                yield f"lanes {other} and {lane} accumulate in {_text(register)} but belong to {into}"
            other, place = home.setdefault(element, (lane, register))
            if place != register and not combining:
                into = f"{_text(place)} and {_text(register)}"
                yield f"lanes {other} and {lane} accumulate {_text(element)} in {into}"

    def padding(self) -> Iterator[str]:
        """Undefined lanes that change a live result."""
        live = {register for lane in self.images for register in self.registers[lane][1:]}
        brought: dict[Place, list[Point]] = defaultdict(list)
        for lane in self.images:
            brought[self.registers[lane][0]].append(lane)
        for lane, (result, *factors) in self.registers.items():
            if lane in self.images or result not in brought:
                continue
            dead = [register for register in factors if register not in live]
            if dead and (self.combine == "+=" or len(factors) == 1):
                continue
            if self.combine != "+=" and not dead and self._copied(factors, brought[result]):
                continue
            yield f"undefined lane {lane} disturbs {_text(result)}, where lane {brought[result][0]} accumulates"

    def _copied(self, factors: list[Place], lanes: list[Point]) -> bool:
        """Whether one of the lanes needs just what the registers hold."""
        held: dict[Place, Place] = {}
        for lane in self.images:
            held |= dict(zip(self.registers[lane][1:], self.elements[lane][1:], strict=True))
        return any(self.elements[lane][1:] == [held[register] for register in factors] for lane in lanes)


def _lanes(semantics: Operator) -> list[Point]:
    return list(product(*(range(a.extent) for a in semantics.axes)))


def _place(operator: Operator, access: Access | None, point: Point) -> Place:
    if access is None:
        return "1", ()
    here = dict(zip((a.name for a in operator.axes), point, strict=True))
    return access.tensor, tuple(s.constant + sum(c * here[axis] for axis, c in s.terms) for s in access.subscripts)


def _text(place: Place) -> str:
    tensor, subscripts = place
    return f"{tensor}[{', '.join(map(str, subscripts))}]"
