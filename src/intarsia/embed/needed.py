"""Calls that do something: how many calls of an embedding are needed, and how few any embedding must need.

A lane *works* if its axes are in range, its result is kept, and no factor that it reads is padding of zero (a sum gains
nothing there). A call is *needed* if some lane of it works. Axes that no subscript joins do not limit each other, so
both numbers are products over *parts*: sets of axes that meet in a subscript that can leave its tensor.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import prod

import numpy as np
from numpy.typing import NDArray

from intarsia.embed.digits import Chain
from intarsia.embed.embedding import Embedding, Flat, evaluate
from intarsia.embed.groups import connected
from intarsia.operators import Affine, Operator, Statement

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

LISTED = 1 << 22
"""Iterations of a part that are looked at one by one."""
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """Axes that limit each other, and the iterations in which they work, [extent of each axis]."""

    axes: tuple[str, ...]
    works: Bools


def limits(operator: Operator, body: Statement) -> list[tuple[Affine, int]]:
    """The subscripts that can leave their tensor where nothing is done then, with the sizes there.

    Those of the write, whose results are dropped outside, and those of a sum's factors that read zero outside.
    """
    annihilating = [r for r in body.reads if operator.tensor(r.tensor).pad == 0] if body.combine == "+=" else []
    found = []
    for access in (body.write, *annihilating):
        for subscript, size in zip(access.subscripts, operator.tensor(access.tensor).shape, strict=True):
            steps = [c * (operator.axis(name).extent - 1) for name, c in subscript.terms]
            low = subscript.constant + sum(s for s in steps if s < 0)
            high = subscript.constant + sum(s for s in steps if s > 0)
            if low < 0 or high >= size:
                found.append((subscript, size))
    return found


def parts(operator: Operator, body: Statement) -> tuple[Part, ...] | None:
    """The parts of a statement, every axis in one; None if one is too large to be looked at."""
    links = [{name for name, _ in s.terms} for s, _ in limits(operator, body)]
    found = []
    for names in connected([{a.name} for a in operator.axes], links):
        axes = [a for a in operator.axes if a.name in names]
        if prod(a.extent for a in axes) > LISTED:
            return None
        grid = np.indices([a.extent for a in axes], sparse=True)
        values = {a.name: np.asarray(g, dtype=np.int64) for a, g in zip(axes, grid, strict=True)}
        works = np.ones([a.extent for a in axes], dtype=np.bool_)
        for subscript, size in limits(operator, body):
            if all(name in names for name, _ in subscript.terms):
                position = evaluate(subscript, values)
                works &= (position >= 0) & (position < size)
        found.append(Part(tuple(a.name for a in axes), works))
    return tuple(found)


def needed_calls(embedding: Embedding) -> int:
    """The calls of an embedding in which some lane works, counted one by one, part by part."""
    subscripts = limits(embedding.operator, embedding.body)
    owner = {name: i for i, flat in enumerate(embedding.flats) for name in flat.axes}
    loops = {name: i for i, flat in enumerate(embedding.flats) for name, _ in flat.value.terms}
    links = [{owner[name] for name, _ in s.terms} for s, _ in subscripts]
    links += [{i, loops[name]} for i, f in enumerate(embedding.flats) for s in f.shifts for name, _ in s.terms]
    sets = connected([{i} for i in range(len(embedding.flats))], links)
    return prod(_needed_of([embedding.flats[i] for i in sorted(s)], embedding, subscripts) for s in sets)


def _needed_of(flats: list[Flat], embedding: Embedding, subscripts: list[tuple[Affine, int]]) -> int:
    """The points of the outer loops of some flats at which some choice of their lane loops works."""
    mine = {name for flat in flats for name, _ in flat.value.terms}
    outer = [loop for loop in embedding.outer if loop.name in mine]
    lanes = [loop for loop in embedding.loops if loop.lane and loop.name in mine]
    names = {name for flat in flats for name in flat.axes}
    near = [(s, size) for s, size in subscripts if all(name in names for name, _ in s.terms)]
    width = prod(loop.extent for loop in lanes)
    columns = np.indices([loop.extent for loop in lanes], dtype=np.int64).reshape(len(lanes), width)
    inner = {loop.name: column[None, :] for loop, column in zip(lanes, columns, strict=True)}
    calls, total, step = prod(loop.extent for loop in outer), 0, max(1, CHUNK // width)
    for start in range(0, calls, step):
        numbers = np.arange(start, min(start + step, calls), dtype=np.int64)
        rows = np.unravel_index(numbers, [loop.extent for loop in outer]) if outer else ()
        values = {loop.name: np.asarray(row)[:, None] for loop, row in zip(outer, rows, strict=True)} | inner
        works = np.ones((len(numbers), width), dtype=np.bool_)
        position = {}
        for flat in flats:
            index = evaluate(flat.value, values)
            works &= index < prod(flat.extents)
            for place in range(len(flat.axes) - 1, -1, -1):
                name, extent = flat.axes[place], flat.extents[place]
                own = index % extent if place else index
                position[name] = own + evaluate(flat.shifts[place], values)
                works &= (position[name] >= 0) & (position[name] < embedding.operator.axis(name).extent)
                index = index // extent
        for subscript, size in near:
            read = evaluate(subscript, position)
            works &= (read >= 0) & (read < size)
        total += int(np.count_nonzero(works.any(axis=1)))
    return total


class FewestNeeded:
    """A lower bound on the needed calls of a choice of chains, from some of the chains and the lanes of the others.

    For every point of the outer loops of *known* chains, and every block of values of *blocked* axes that one call may
    hold, the other axes have some tuples of values with a lane that works; a call holds as many of them as the other
    chains have lanes, so it takes at least tuples / lanes calls. A block has no fewer tuples than any value in it, so
    blocks cost least if they take values by falling tuples.
    """

    def __init__(self, found: tuple[Part, ...]) -> None:
        self.parts = found
        self.counts = cache(self._counts)
        self.bound = cache(self._bound)

    def _bound(
        self, axes: frozenset[str], known: tuple[Chain, ...], names: frozenset[str], size: int, lanes: int
    ) -> int:
        """At least so many of the calls that axes make are needed.

        Args:
            axes: a set of whole parts.
            known: chains of single axes among them, without skew.
            names: blocked axes.
            size: the values of blocked axes that one call may hold.
            lanes: the lanes of one call that the other axes take together.
        """
        tuples = np.ones((1, 1), dtype=np.int64)
        for i, part in enumerate(self.parts):
            if not axes.isdisjoint(part.axes):
                mine = tuple(c for c in known if c.axes[0] in part.axes)
                own = self.counts(i, mine, names.intersection(part.axes))
                if tuples.size * own.size > LISTED:
                    return 0
                points, values = (a * b for a, b in zip(tuples.shape, own.shape, strict=True))
                tuples = np.einsum("ab,cd->acbd", tuples, own).reshape(points, values)
        if size > 1:
            tuples = -np.sort(-tuples, axis=1)[:, ::size]
        return int((-(-tuples // lanes)).sum())

    def _counts(self, index: int, known: tuple[Chain, ...], blocked: frozenset[str]) -> Ints:
        """The tuples of a part's other axes that may work, [points of the known chains, values of blocked axes]."""
        part = self.parts[index]
        works = part.works
        for chain in known:
            place = part.axes.index(chain.axes[0])
            works = np.moveaxis(_by_calls(np.moveaxis(works, place, 0), chain), 0, place)
        first = [part.axes.index(chain.axes[0]) for chain in known]
        second = [i for i, name in enumerate(part.axes) if name in blocked]
        works = np.moveaxis(works, first + second, range(len(first + second)))
        points = prod(works.shape[: len(first)])
        values = prod(works.shape[len(first) : len(first + second)])
        rows = works.reshape(points, values, -1)
        return np.asarray(np.count_nonzero(rows, axis=2), dtype=np.int64)


def _by_calls(works: Bools, chain: Chain) -> Bools:
    """From the values of an axis (the first one) to the points of its chain's outer loops: whether some lane works."""
    index = np.zeros(1, dtype=np.int64)
    below = 1
    for gap, digit in zip(chain.gaps, (*chain.digits, None), strict=True):
        index = np.add.outer(index, below * np.arange(gap)).ravel()
        below = digit.top if digit else 0
    lanes = np.zeros(1, dtype=np.int64)
    for digit in chain.digits:
        lanes = np.add.outer(lanes, digit.stride * np.arange(digit.factor)).ravel()
    value = np.add.outer(index, lanes)
    inside = value < chain.extent
    found: Bools = works[np.where(inside, value, 0)]
    found &= inside.reshape(*inside.shape, *[1] * (works.ndim - 1))
    return np.asarray(found.any(axis=1))
