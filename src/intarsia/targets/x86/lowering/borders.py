"""Where the rows that a stage weaves leave the tensor: whole rows by the outer loops, columns by what it packs.

Rows outside are read from a row of pad values instead; columns outside are left as they were made, in memory that holds
the pad value from the beginning. So a tensor is woven without a padded copy of it.
"""

from __future__ import annotations

import numpy as np

from intarsia.embed import Embedding
from intarsia.embed.layout import subscript_over_loops
from intarsia.operators import Access
from intarsia.targets.x86.lowering.memory import register_digits
from intarsia.targets.x86.lowering.registers import registers_of
from intarsia.targets.x86.lowering.stages import Borders, RowCheck


def borders_of(
    embedding: Embedding,
    operand: str,
    access: Access,
    fixed: tuple[str, ...],
    dims: tuple[tuple[int, dict[str, int]], ...],
    *,
    pieces: int,
) -> Borders | None:
    """The borders of a stage, None where they are not rows and columns.

    Args:
        embedding: the embedding.
        operand: that is packed.
        access: of the operator.
        fixed: loops outside the stage.
        dims: of what is packed, iterations and the positions that each loop counts there.
        pieces: of a row that are loaded one by one: 1, or as many pieces of 16 bytes as a register has.
    """
    extent = {loop.name: loop.extent for loop in embedding.outer}
    digits, used = register_digits(embedding, operand)
    count = registers_of(embedding).lanes
    each = len(used) // count
    live = used.reshape(count, each)
    if any(live[:, j].any() and not live[:, j].all() for j in range(each)):  # whole pieces are read
        return None
    rows: list[RowCheck] = []
    column, valid = -1, tuple[tuple[bool, ...], ...]()
    for size, subscript in zip(embedding.operator.tensor(access.tensor).shape, access.subscripts, strict=True):
        over = subscript_over_loops(embedding, subscript)
        if over is None:
            return None
        outer = {n: c for n, c in over.terms if n in extent and extent[n] > 1}
        lanes = np.zeros(len(used), dtype=np.int64)
        for name, c in over.terms:
            if name in digits:
                lanes = lanes + c * digits[name]
        low = over.constant + sum(min(0, c * (extent[n] - 1)) for n, c in outer.items()) + int(lanes[used].min())
        high = over.constant + sum(max(0, c * (extent[n] - 1)) for n, c in outer.items()) + int(lanes[used].max())
        if low >= 0 and high < size:
            continue
        grid = lanes.reshape(count, each)
        inner = {n: c for n, c in outer.items() if n not in fixed}
        if not inner:
            for j in range(each):
                places = set(grid[live[:, j], j].tolist())
                if len(places) > 1:
                    return None
                terms = tuple(outer.items())
                rows += [RowCheck(j, terms, over.constant + place, size) for place in places]
            continue
        at = next((i for i, (_, loops) in enumerate(dims) if set(inner) <= set(loops)), -1)
        if set(outer) != set(inner) or at < 0 or column >= 0:
            return None
        ratios = {c / dims[at][1][n] for n, c in inner.items()}
        if len(ratios) > 1 or not set(dims[at][1]) <= set(inner):
            return None
        step = int(ratios.pop())
        found = []
        for piece in range(pieces):
            part = slice(count // pieces * piece, count // pieces * (piece + 1))
            places = set(grid[part][live[part]].tolist())
            if len(places) > 1:
                return None
            found.append(over.constant + places.pop() if places else 0)
        column = at
        valid = tuple(tuple(0 <= f + step * p < size for f in found) for p in range(dims[at][0]))
    return Borders(tuple(rows), column, valid)
