"""Cycles of the embeddings of a product in systolic arrays, in closed form.

An embedding of the family chooses which operand stays, and for each pair of axes that slide along each other a patch of
the outer one that lies on n, as a banded matrix of w; everything else is flattened. It makes calls, a cycle each, with
some *tiles*: different contents of the array. Filling the array takes ``depth`` cycles, while the tile before is used.
A tile that is smaller than the array leaves room for others beside and below it: these are loaded together, their rows
of x are zero elsewhere, and columns of o that no row asks for are never read. So an embedding is ``loads`` of the array
and ``stream`` rows for each, which are dealt out to the cores; the stream may be cut, each part with its own load.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray

from intarsia.embed.stationary.role import Role

Ints = NDArray[np.int64]
Patch = tuple[int, ...]
"""Values of the outer axis of each slide that lie on n together."""


@dataclass(frozen=True, slots=True)
class Fit:
    """The embeddings of a role in an array, by patch and by how many tiles are loaded together.

    Attributes:
        role: which operand stays.
        patch: of each slide.
        together: tiles loaded together.
        calls: rows that enter in all, a cycle each.
        tiles: contents of the array.
    """

    role: Role
    patch: Patch
    together: int
    calls: int
    tiles: int

    @property
    def loads(self) -> int:
        """How often the array is filled."""
        return -(-self.tiles // self.together)

    @property
    def stream(self) -> int:
        """Rows for each load."""
        return self.calls // self.tiles * self.together

    def cycles(self, cores: int, width: int, depth: int) -> int:
        """On so many arrays, the filling and draining of the pipe included."""
        best = max(self.stream, depth) * -(-self.loads // cores)
        cut = 2
        while cut <= cores:
            best = min(best, -(-self.loads * cut // cores) * max(-(-self.stream // cut), depth))
            cut *= 2
        return best + width + depth


def best_fit(roles: tuple[Role, ...], cores: int, width: int, depth: int) -> Fit:
    """The embedding of fewest cycles on so many arrays of ``width`` columns n and ``depth`` rows k."""
    return min(front(roles, width, depth), key=lambda fit: fit.cycles(cores, width, depth))


@lru_cache(maxsize=65536)
def front(roles: tuple[Role, ...], width: int, depth: int) -> tuple[Fit, ...]:
    """The embeddings of which no other has as few loads and as short streams: one of them has the fewest cycles."""
    every = [fit for role in roles for patch in patches(role, width) for fit in _fits(role, patch, width, depth)]
    kept: list[Fit] = []
    for fit in sorted(every, key=lambda fit: (fit.loads, fit.stream)):
        if not kept or fit.stream < kept[-1].stream:
            kept.append(fit)
    return tuple(kept)


def cycles(roles: tuple[Role, ...], cores: Ints, width: Ints, depth: Ints) -> Ints:
    """The fewest cycles on chips with ``cores`` arrays of ``width`` × ``depth``; each [chips]."""
    if any(role.slides for role in roles):
        return _by_fronts(roles, cores, width, depth)
    best = np.full(len(cores), np.iinfo(np.int64).max)
    for role in roles:
        tiles = role.batch * -(-role.columns // width) * -(-role.depth // depth)
        slots = np.maximum(width // role.columns, 1) * np.maximum(depth // role.depth, 1)
        for together in _together(np.minimum(slots, tiles), role.rows, depth):
            best = np.minimum(best, _dealt(-(-tiles // together), role.rows * together, cores, depth))
    return best + width + depth


def least_cycles(roles: tuple[Role, ...], cores: Ints, width: Ints, depth: Ints) -> Ints:
    """``cycles`` or a little less, each [chips]: cycles that no product with larger extents takes less than.

    ``cycles`` may fall as an extent grows, for of the ways to load several tiles together it tries but a few. Here any
    number that leaves room may be loaded together, and they are dealt out evenly. For products without windows.
    """
    assert not any(role.slides for role in roles), "windows have patches"
    best = np.full(len(cores), np.iinfo(np.int64).max)
    for role in roles:
        tiles = role.batch * -(-role.columns // width) * -(-role.depth // depth)
        slots = np.maximum(width // role.columns, 1) * np.maximum(depth // role.depth, 1)
        dealt = np.maximum(-(-role.rows * tiles // cores), -(-depth * tiles // (slots * cores)))
        alone = _dealt(tiles, np.full(len(cores), role.rows), cores, depth)
        own = np.where(slots > 1, np.minimum(alone, np.maximum(dealt, depth)), alone)
        best = np.minimum(best, own)
    return best + width + depth


def patches(role: Role, width: int) -> list[Patch]:
    """Patches on at most ``width`` columns: of those that make as many rows the smallest."""
    sizes: list[list[int]] = []
    for slide in role.slides:
        found: dict[int, int] = {}
        for size in range(1, min(slide.outer_extent, width) + 1):
            found.setdefault(slide.rows(size), size)
        sizes.append(list(found.values()))
    return [patch for patch in product(*sizes) if prod(patch) <= width]


def _fits(role: Role, patch: Patch, width: int, depth: int) -> list[Fit]:
    """Those of one patch."""
    rows, reach = role.rows, role.depth
    for slide, size in zip(role.slides, patch, strict=True):
        rows *= slide.rows(size)
        reach *= slide.reach(size)
    room = width // prod(patch)
    tiles = role.batch * -(-role.columns // room) * -(-reach // depth)
    slots = (width // (prod(patch) * min(room, role.columns))) * max(depth // reach, 1)
    every = {int(q) for q in _together(np.array(min(slots, tiles)), rows, np.array(depth))}
    return [Fit(role, patch, q, tiles * rows, tiles) for q in sorted(every)]


def _together(most: Ints, rows: int | Ints, depth: Ints) -> tuple[Ints, Ints, Ints]:
    """How many tiles to load together: one, as many as hide the loading, as many as fit."""
    return np.ones_like(most), np.minimum(most, -(-depth // rows)), most


def _dealt(loads: Ints, stream: Ints, cores: Ints, depth: Ints) -> Ints:
    """Cycles of loads that are dealt out to cores, each stream cut into the best power of two of parts."""
    best: Ints = np.maximum(stream, depth) * -(-loads // cores)
    cut, most = 2, int(np.max(cores))
    while cut <= most:
        parts: Ints = -(-loads * cut // cores) * np.maximum(-(-stream // cut), depth)
        best = np.where(cut <= cores, np.minimum(best, parts), best)
        cut *= 2
    return best


def _by_fronts(roles: tuple[Role, ...], cores: Ints, width: Ints, depth: Ints) -> Ints:
    """The same where patches are tried: the front of each kind of array, on every number of cores."""
    arrays, which = np.unique(np.stack([width, depth], axis=1), axis=0, return_inverse=True)
    tried = [(role, _tried(role, int(width.max()))) for role in roles]
    best = np.empty(len(cores), dtype=np.int64)
    for at, (w, d) in enumerate(arrays.tolist()):
        own = which.ravel() == at
        loads, stream = _front([_loaded(role, *columns, w, d) for role, columns in tried])
        best[own] = _dealt(loads[:, None], stream[:, None], cores[own], np.array(d)).min(axis=0) + w + d
    return best


@lru_cache(maxsize=4096)
def _tried(role: Role, width: int) -> tuple[Ints, Ints, Ints]:
    """Of every patch on at most ``width`` columns: its columns, the rows that are left, and what k counts to."""
    found = patches(role, width)
    every = np.array(found, dtype=np.int64).reshape(len(found), len(role.slides))
    rows, reach = np.full(len(every), role.rows), np.full(len(every), role.depth)
    for slide, sizes in zip(role.slides, every.T, strict=True):
        rows = rows * np.array([slide.rows(size) for size in sizes.tolist()], dtype=np.int64)
        reach = reach * (slide.inner_extent + slide.inner_step * (sizes - 1))
    return every.prod(axis=1), rows, reach


def _loaded(role: Role, lanes: Ints, rows: Ints, reach: Ints, width: int, depth: int) -> tuple[Ints, Ints]:
    """Loads and streams of the embeddings with these patches, so far as they fit the array."""
    fits = lanes <= width
    lanes, rows, reach = lanes[fits], rows[fits], reach[fits]
    room = width // lanes
    tiles = role.batch * -(-role.columns // room) * -(-reach // depth)
    slots = (width // (lanes * np.minimum(room, role.columns))) * np.maximum(depth // reach, 1)
    every = _together(np.minimum(slots, tiles), rows, np.array(depth))
    return np.concatenate([-(-tiles // q) for q in every]), np.concatenate([rows * q for q in every])


def _front(found: list[tuple[Ints, Ints]]) -> tuple[Ints, Ints]:
    """Those of which no other has as few loads and as short streams."""
    loads, stream = (np.concatenate(columns) for columns in zip(*found, strict=True))
    order = np.lexsort((stream, loads))
    loads, stream = loads[order], stream[order]
    kept = np.r_[True, stream[1:] < np.minimum.accumulate(stream)[:-1]]
    return loads[kept], stream[kept]
