"""How a register is made of memory, by where its elements lie."""

from __future__ import annotations

import numpy as np

from intarsia.embed import Embedding
from intarsia.targets.x86.lowering.feed import Form
from intarsia.targets.x86.lowering.memory import Address, register_digits
from intarsia.targets.x86.lowering.registers import registers_of

WIDTHS = (4, 8, 16, 32, 64)


def lane_rows(embedding: Embedding, operand: str, address: Address, item: int) -> tuple[np.ndarray, np.ndarray]:
    """Byte offset of each element [lanes, elements of a double word] and whether it is used."""
    each = 4 // item
    _, used = register_digits(embedding, operand)
    return np.array(address.lanes).reshape(-1, each), used.reshape(-1, each)


def form_of(embedding: Embedding, operand: str, address: Address, item: int) -> Form | None:
    """The form of a register: double words in order or repeated, or elements of as many bytes shuffled; else None.

    Elements that no lane uses may hold anything.
    """
    size = registers_of(embedding).size
    rows, used = lane_rows(embedding, operand, address, item)
    starts = [_word(row, live, item) for row, live in zip(rows, used, strict=True)]
    if -1 not in starts:
        for width in (w for w in WIDTHS if w <= size):
            if all(s is None or s == (4 * i) % width for i, s in enumerate(starts)):
                return Form(width, size=size)
        known = [s for s in starts if s is not None]
        if all(s % 4 == 0 and s <= size - 4 for s in known):
            pick = tuple(0 if s is None else s // 4 for s in starts)
            return Form(_width(max(known) + 4), pick, 4, size)
    flat, live = rows.reshape(-1), used.reshape(-1)
    span = int(flat[live].max()) + item
    if span > size or any(int(x) % item for x in flat[live]):
        return None
    pick = tuple(int(x) // item if on else -1 for x, on in zip(flat, live, strict=True))
    return Form(_width(span), pick, item, size)


def _width(span: int) -> int:
    return next(w for w in WIDTHS if w >= span)


def _word(row: np.ndarray, live: np.ndarray, item: int) -> int | None:
    """Where the elements of a double word begin, -1 if they are not behind each other, None if none is used."""
    bases = {int(row[j]) - j * item for j in range(len(row)) if live[j]}
    if not bases:
        return None
    return bases.pop() if len(bases) == 1 and min(bases) >= 0 else -1
