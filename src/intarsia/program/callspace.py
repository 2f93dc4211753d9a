"""The calls of an embedding as a program generator sees them: loops, and for every operand affine vector positions.

What comes in is an embedding; what goes out says, for each loop, how far each operand's vector moves, which loops
choose the result (parallel) and which accumulate (reduction), and which calls read something else than padding.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from intarsia.embed.embedding import Embedding, Ints, Loop, evaluate, lane_positions
from intarsia.embed.layout import Dim, Layout, gather, layout_of, subscript_over_loops
from intarsia.operators import Access, Affine

JOINT_LIMIT = 1 << 22
"""Vectors of an im2col layout up to which padding-only calls are looked for one by one."""


@dataclass(frozen=True, slots=True)
class OperandSpace:
    """One operand's vectors.

    Attributes:
        layout: its dims and registers.
        access: the operator's access.
        moves: for each dim, (loop, positions moved per step of the loop), loops of extent 1 left out.
        starts: for each dim, its position where all loops are 0.
        live: for each dim, first and last position that holds an element of the tensor (last < first: none does).
    """

    layout: Layout
    access: Access
    moves: tuple[tuple[tuple[str, int], ...], ...]
    starts: tuple[int, ...]
    live: tuple[tuple[int, int], ...]

    @property
    def loops(self) -> frozenset[str]:
        """The loops that change the vector."""
        return frozenset(name for dim in self.moves for name, _ in dim)

    def sliding(self, dim: int) -> bool:
        """Whether boxes of the dim overlap, or begin anywhere: several loops move it, or one moves it back."""
        return len(self.moves[dim]) > 1 or any(c < 0 for _, c in self.moves[dim])


@dataclass(frozen=True, slots=True)
class Ranges:
    """For every point of the reduction loops, which outputs need its call.

    Attributes:
        points: index of each reduction loop, [points, reduction loops].
        low, high: for each parallel loop the first index and the one after the last, [points, parallel loops].
    """

    points: Ints
    low: Ints
    high: Ints


@dataclass(frozen=True, slots=True)
class CallSpace:
    """All calls of an embedding.

    Attributes:
        parallel, reduction: outer loops of more than one iteration that choose the result, that accumulate.
        written, factors: the operands, factors in the instruction's order.
        ranges: calls that read something else than padding.
        needed: how many those are.
    """

    embedding: Embedding
    parallel: tuple[Loop, ...]
    reduction: tuple[Loop, ...]
    written: OperandSpace
    factors: tuple[OperandSpace, ...]
    ranges: Ranges
    needed: int


def call_space(embedding: Embedding) -> CallSpace:
    """The calls of an embedding whose operands all hold tensors."""
    pairs = [(m, a) for m, a in embedding.pairs() if a is not None]
    spaces = [_operand(embedding, m.tensor, a) for m, a in pairs]
    written, factors = spaces[0], tuple(spaces[1:])
    live = tuple(loop for loop in embedding.outer if loop.extent > 1)
    parallel = tuple(loop for loop in live if loop.name in written.loops)
    reduction = tuple(loop for loop in live if loop.name not in written.loops)
    factors = tuple(_kept_whole(f, {loop.name for loop in parallel}) for f in factors)
    ranges = _ranges(embedding, parallel, reduction, factors)
    needed = int(np.prod(ranges.high - ranges.low, axis=1, dtype=np.int64).sum()) if len(ranges.points) else 0
    return CallSpace(embedding, parallel, reduction, written, factors, ranges, needed)


def _operand(embedding: Embedding, operand: str, access: Access) -> OperandSpace:
    layout = layout_of(embedding, operand, access)
    extent = {loop.name: loop.extent for loop in embedding.outer}
    moves = tuple(
        tuple((name, c // dim.step) for name, c in dim.value.terms if extent[name] > 1) for dim in layout.dims
    )
    starts = tuple((dim.value.constant - dim.origin) // dim.step for dim in layout.dims)
    live = tuple(_live(embedding, access, dim) for dim in layout.dims)
    return OperandSpace(layout, access, moves, starts, live)


def _live(embedding: Embedding, access: Access, dim: Dim) -> tuple[int, int]:
    """First and last position of a sliding dim at which some lane reads inside the tensor."""
    _, digits, used = lane_positions(embedding)
    low, high = 0, dim.extent - 1
    outer = {loop.name for loop in embedding.outer}
    shape = embedding.operator.tensor(access.tensor).shape
    base = dim.origin + dim.step * np.arange(dim.extent, dtype=np.int64)
    for size, subscript in zip(shape, access.subscripts, strict=True):
        over = subscript_over_loops(embedding, subscript)
        if over is None or Affine(tuple((n, c) for n, c in over.terms if n in outer)) != dim.value:
            continue
        inner = Affine(tuple((n, c) for n, c in over.terms if n not in outer), over.constant)
        offsets = np.unique(np.broadcast_to(evaluate(inner, digits), used.shape)[used])
        inside = np.zeros(dim.extent, dtype=np.bool_)
        for offset in offsets.tolist():
            inside |= (base + offset >= 0) & (base + offset < size)
        positions = np.flatnonzero(inside)
        if not len(positions):
            return 0, -1
        low, high = max(low, int(positions[0])), min(high, int(positions[-1]))
    return low, high


def _kept_whole(factor: OperandSpace, parallel: set[str]) -> OperandSpace:
    """Without trimming dims that several parallel loops move: a box of outputs may need positions beside the tensor."""
    several = [sum(name in parallel for name, _ in moves) > 1 for moves in factor.moves]
    live = tuple(
        (0, dim.extent - 1) if whole else span
        for dim, whole, span in zip(factor.layout.dims, several, factor.live, strict=True)
    )
    return replace(factor, live=live)


def _ranges(
    embedding: Embedding, parallel: tuple[Loop, ...], reduction: tuple[Loop, ...], factors: tuple[OperandSpace, ...]
) -> Ranges:
    extents = [loop.extent for loop in reduction]
    points = np.indices(extents, dtype=np.int64).reshape(len(extents), prod(extents)).T
    low = np.zeros((len(points), len(parallel)), dtype=np.int64)
    high = np.broadcast_to(np.array([loop.extent for loop in parallel], dtype=np.int64), low.shape).copy()
    names = [loop.name for loop in parallel]
    column = {loop.name: points[:, i] for i, loop in enumerate(reduction)}
    alive = np.ones(len(points), dtype=np.bool_)
    for factor in factors:
        for dim in range(len(factor.layout.dims)):
            _narrow(factor, dim, names, column, low, high, alive)
        _narrow_jointly(embedding, factor, parallel, reduction, points, low, high, alive)
    alive &= (high > low).all(axis=1)
    return Ranges(points[alive], low[alive], high[alive])


def _narrow(
    factor: OperandSpace,
    dim: int,
    names: list[str],
    column: dict[str, Ints],
    low: Ints,
    high: Ints,
    alive: NDArray[np.bool_],
) -> None:
    """Keep the outputs whose position on a dim is live; a dim moved by two parallel loops is left as it is."""
    first, last = factor.live[dim]
    movers = [(n, c) for n, c in factor.moves[dim] if n in names]
    if len(movers) > 1:
        return
    rest = np.full(len(alive), factor.starts[dim], dtype=np.int64)
    for name, c in factor.moves[dim]:
        if name in column:
            rest = rest + c * column[name]
    if not movers:
        alive &= (rest >= first) & (rest <= last)
        return
    name, c = movers[0]
    at = names.index(name)
    below, above = (first - rest, last - rest) if c > 0 else (last - rest, first - rest)
    low[:, at] = np.maximum(low[:, at], -(-below // c))
    high[:, at] = np.minimum(high[:, at], above // c + 1)


def _narrow_jointly(
    embedding: Embedding,
    factor: OperandSpace,
    parallel: tuple[Loop, ...],
    reduction: tuple[Loop, ...],
    points: Ints,
    low: Ints,
    high: Ints,
    alive: NDArray[np.bool_],
) -> None:
    """For im2col layouts: the hull of the outputs whose vector holds an element, for each reduction point."""
    single = all(len(m) <= 1 for m in factor.moves)
    flattened = any(subscript_over_loops(embedding, s) is None for s in factor.access.subscripts)
    if not (single and flattened) or factor.layout.vectors > JOINT_LIMIT:
        return
    _, holds = gather(embedding, factor.access, factor.layout)
    grid = holds.any(axis=1).reshape([d.extent for d in factor.layout.dims])
    backwards = tuple(i for i, m in enumerate(factor.moves) if m and m[0][1] < 0)
    grid = np.flip(grid, backwards)  # from positions to the loops' indices
    dims = {m[0][0]: i for i, m in enumerate(factor.moves) if m}
    mine = [i for i, loop in enumerate(reduction) if loop.name in dims]
    wanted = [loop.name for loop in parallel if loop.name in dims]
    order = [dims[reduction[i].name] for i in mine] + [dims[name] for name in wanted]
    fixed = [i for i in range(grid.ndim) if i not in order]
    view = np.transpose(grid, [*order, *fixed]).reshape([grid.shape[i] for i in order])
    reduced = view.reshape([prod(view.shape[: len(mine)]), *view.shape[len(mine) :]])
    index = np.ravel_multi_index([points[:, i] for i in mine], view.shape[: len(mine)]) if mine else 0
    row = np.broadcast_to(np.asarray(index), (len(points),))
    some = np.asarray(reduced.reshape(len(reduced), -1).any(axis=1))
    alive &= some[row]
    for k, name in enumerate(wanted):
        others = tuple(1 + j for j in range(len(wanted)) if j != k)
        line: NDArray[np.bool_] = np.asarray(reduced.any(axis=others))
        first = line.argmax(axis=1)
        last = line.shape[1] - line[:, ::-1].argmax(axis=1)
        at = [loop.name for loop in parallel].index(name)
        low[:, at] = np.maximum(low[:, at], first[row])
        high[:, at] = np.minimum(high[:, at], last[row])
