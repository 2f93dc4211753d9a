"""Where an operand's bytes are: boxes of memory, and byte addresses that are affine in an embedding's loops.

In comes an embedding with one of its operands and a box that holds the tensor; out goes the address of every byte of
the operand's register, or None where no affine form exists (axes flattened that do not lie behind each other).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod

import numpy as np

from intarsia.embed import Embedding, Flat, Loop
from intarsia.embed.embedding import Ints
from intarsia.machines import Instruction
from intarsia.operators import DTYPES, Access, Affine, Tensor


@dataclass(frozen=True, slots=True)
class Box:
    """Bytes that hold the elements ``low <= position < high`` of a tensor, row-major.

    Attributes:
        low, high: for each dimension; a tensor as it is given has 0 and its shape.
        item: bytes of an element.
        before, after: bytes that may be read in front of the first element and behind the last.
    """

    low: tuple[int, ...]
    high: tuple[int, ...]
    item: int
    before: int = 0
    after: int = 0

    @property
    def strides(self) -> tuple[int, ...]:
        """Bytes from an element to the next one, for each dimension."""
        sizes = [h - l for l, h in zip(self.low, self.high, strict=True)]
        return tuple(self.item * prod(sizes[i + 1 :]) for i in range(len(sizes)))

    @property
    def bytes(self) -> int:
        """All bytes."""
        inner = prod(h - l for l, h in zip(self.low, self.high, strict=True)) * self.item
        return self.before + inner + self.after


@dataclass(frozen=True, slots=True)
class Address:
    """``constant + sum(bytes * loop)`` is where a register begins, and ``lanes`` how far behind each element lies.

    Attributes:
        terms: outer loop and bytes for each of its steps.
        constant: bytes from the beginning of the memory to the lowest element where all loops are 0.
        lanes: bytes from there, for every element of the operand in row-major order.
    """

    terms: tuple[tuple[str, int], ...]
    constant: int
    lanes: tuple[int, ...]

    def step(self, loop: str) -> int:
        """Bytes from one iteration of a loop to the next."""
        return next((c for name, c in self.terms if name == loop), 0)

    def reach(self, extents: dict[str, int], width: int) -> tuple[int, int]:
        """First byte and the one after the last that registers of ``width`` bytes cover over all outer loops."""
        ends = [c * (extents[name] - 1) for name, c in self.terms]
        low = self.constant + sum(e for e in ends if e < 0)
        high = self.constant + sum(e for e in ends if e > 0)
        return low, high + width


def given_box(tensor: Tensor) -> Box:
    """A tensor as it is handed in."""
    return Box((0,) * len(tensor.shape), tensor.shape, DTYPES[tensor.dtype])


def padded_box(embedding: Embedding, access: Access) -> Box:
    """A tensor with all that an operator reads beside it."""
    tensor = embedding.operator.tensor(access.tensor)
    low, high = [], []
    for size, subscript in zip(tensor.shape, access.subscripts, strict=True):
        ends = [c * (embedding.operator.axis(name).extent - 1) for name, c in subscript.terms]
        low.append(min(0, subscript.constant + sum(e for e in ends if e < 0)))
        high.append(max(size, subscript.constant + sum(e for e in ends if e > 0) + 1))
    return Box(tuple(low), tuple(high), DTYPES[tensor.dtype])


def outside(embedding: Embedding, access: Access) -> bool:
    """Whether some iteration reads beside the tensor."""
    return padded_box(embedding, access) != given_box(embedding.operator.tensor(access.tensor))


def register_digits(embedding: Embedding, operand: str) -> tuple[dict[str, Ints], np.ndarray]:
    """For each element of an operand, of one lane that reads it (a used one if any): lane digits, and whether used."""
    lanes = tuple(loop for loop in embedding.loops if loop.lane)
    return _digits(embedding.instruction, lanes, operand)


@lru_cache(maxsize=1024)
def _digits(instruction: Instruction, lanes: tuple[Loop, ...], operand: str) -> tuple[dict[str, Ints], np.ndarray]:
    """The same by what it depends on: many embeddings have the same lanes."""
    axes = instruction.semantics.axes
    grid = np.indices([a.extent for a in axes], dtype=np.int64).reshape(len(axes), -1)
    positions = {a.name: grid[i] for i, a in enumerate(axes)}
    used = np.ones(grid.shape[1], dtype=np.bool_)
    digits: dict[str, Ints] = {}
    for axis in axes:
        rest = positions[axis.name]
        for loop in (lane for lane in lanes if lane.lane == axis.name):
            digits[loop.name] = rest % loop.extent
            rest = rest // loop.extent
        used &= rest == 0
    statement = instruction.semantics.statements[0]
    meaning = next(m for m in (statement.write, *statement.reads) if m.tensor == operand)
    shape = instruction.semantics.tensor(operand).shape
    index = np.ravel_multi_index([np.broadcast_to(_value(s, positions), used.shape) for s in meaning.subscripts], shape)
    first = np.full(prod(shape), -1, dtype=np.int64)
    order = np.argsort(used, kind="stable")
    first[index[order]] = order
    found = {name: array[first] for name, array in digits.items()}
    live: np.ndarray = used[first]
    for array in (*found.values(), live):
        array.flags.writeable = False  # it is shared
    return found, live


def address_of(embedding: Embedding, operand: str, access: Access, box: Box) -> Address | None:
    """The address of an operand's register in a box, None if it is not affine.

    Where an axis is out of its range the address is some other one, which may lie outside the box.
    """
    total: dict[str, int] = {}
    constant = box.before
    for stride, low, subscript in zip(box.strides, box.low, access.subscripts, strict=True):
        constant += stride * (subscript.constant - low)
    for flat in embedding.flats:
        steps = [_moves(access, box, axis) for axis in flat.axes]
        if not any(steps):
            continue
        if not contiguous(flat, steps):
            return None
        for value, step in ((flat.value, steps[-1]), *zip(flat.shifts, steps, strict=True)):
            constant += step * value.constant
            for name, c in value.terms:
                total[name] = total.get(name, 0) + step * c
    digits, _ = register_digits(embedding, operand)
    shape = embedding.instruction.semantics.tensor(operand).shape
    lanes = np.zeros(prod(shape), dtype=np.int64)
    for name, array in digits.items():
        lanes = lanes + total.get(name, 0) * array
    least = int(lanes.min())
    outer = tuple((loop.name, total[loop.name]) for loop in embedding.outer if total.get(loop.name))
    return Address(outer, constant + least, tuple(int(x) - least for x in lanes))


def contiguous(flat: Flat, steps: list[int]) -> bool:
    """Whether flattened axes lie behind each other: each step is the next one's times its extent."""
    return all(steps[i] == steps[i + 1] * flat.extents[i + 1] for i in range(len(flat.axes) - 1))


def _moves(access: Access, box: Box, axis: str) -> int:
    return sum(s.coefficient(axis) * stride for s, stride in zip(access.subscripts, box.strides, strict=True))


def _value(affine: Affine, positions: dict[str, Ints]) -> Ints:
    total = np.asarray(affine.constant, dtype=np.int64)
    for name, c in affine.terms:
        total = total + c * positions[name]
    return total
