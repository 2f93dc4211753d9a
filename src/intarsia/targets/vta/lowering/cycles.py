"""Tilings worth emitting: all of them ranked by a closed form, the best of these tile by tile."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations, product
from math import prod

import numpy as np
from numpy.typing import NDArray

from intarsia.program import CallSpace
from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.lowering.epilogue import Epilogue
from intarsia.targets.vta.lowering.figures import Figures, figures_of
from intarsia.targets.vta.lowering.pipeline import estimate as pipeline_estimate
from intarsia.targets.vta.lowering.tiling import MOST_SLOTS, Tiling

Ints = NDArray[np.int64]

RANKED = 100
"""Tilings of each order and choice of slots that are ranked tile by tile."""
PROMISING = 1000
"""Tilings of a few orders that are kept for all orders."""
STEPS = 400_000
"""Steps that this ranking may take for each order and choice of slots."""
SLOTS = ((2, 2, 2), (2, MOST_SLOTS, 2), (MOST_SLOTS, 2, 2), (MOST_SLOTS, MOST_SLOTS, 2))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A tiling, a lower bound on its cycles in the timing model, and an estimate to order candidates by."""

    tiling: Tiling
    bound: int
    estimate: int


def tile_sizes(extent: int) -> list[int]:
    """One tile size for every number of tiles: the smallest that gives this number."""
    return sorted({-(-extent // parts) for parts in range(1, extent + 1)})


def candidates(
    space: CallSpace, config: VtaConfig, epilogue: Epilogue | None, bias_loops: tuple[str, ...], most: int
) -> list[Candidate]:
    """The ``most`` best tilings by estimate that fit, each with a lower bound; the list is sorted by estimate.

    All tilings are ranked by a closed form first; the best of these tile by tile (``pipeline``).
    """
    loops = [*space.parallel, *space.reduction]
    options = [np.array(tile_sizes(loop.extent), dtype=np.int64) for loop in loops]
    options = _thin(options, [loop.extent for loop in loops])
    sizes = _grid(space, config, options)
    names = [loop.name for loop in loops]
    column = {name: sizes[:, i] for i, name in enumerate(names)}
    column = _promising(space, config, epilogue, bias_loops, column)
    found: list[Candidate] = []
    steps = 0
    for order, slots in product(_orders(space), SLOTS):
        figures = figures_of(space, config, epilogue, bias_loops, column, order, slots)
        chosen = np.flatnonzero(figures.fits)
        best = chosen[np.argsort(figures.estimate[chosen], kind="stable")[:RANKED]]
        budget = np.cumsum(figures.steps[best]) <= STEPS
        budget[:most] = True
        best = best[budget]
        steps += int(figures.steps[best].sum())
        for i, cycles in zip(best.tolist(), _pipelined(space, bias_loops, column, order, figures, best), strict=True):
            tiling = Tiling(tuple((n, int(column[n][i])) for n in names), order, slots)
            found.append(Candidate(tiling, int(figures.bound[i]), cycles))
    unique: dict[tuple[object, ...], Candidate] = {}
    for candidate in sorted(found, key=lambda c: c.estimate):
        unique.setdefault(_effect(space, candidate), candidate)
    return list(unique.values())[:most]


def _promising(
    space: CallSpace, config: VtaConfig, epilogue: Epilogue | None, bias_loops: tuple[str, ...], column: dict[str, Ints]
) -> dict[str, Ints]:
    """The best tilings by the closed form, for one order with each loop innermost: the rest is hardly ever best."""
    names = [loop.name for loop in space.parallel]
    chosen: list[Ints] = []
    for last, slots in product(names or [""], (SLOTS[0], SLOTS[-1])):
        order = (*(n for n in names if n != last), *(n for n in names if n == last))
        figures = figures_of(space, config, epilogue, bias_loops, column, order, slots)
        fitting = np.flatnonzero(figures.fits)
        chosen.append(fitting[np.argsort(figures.estimate[fitting], kind="stable")[:PROMISING]])
    kept = np.unique(np.concatenate(chosen))
    return {name: sizes[kept] for name, sizes in column.items()}


def _effect(space: CallSpace, candidate: Candidate) -> tuple[object, ...]:
    """What distinguishes a tiling: loops in one tile have no place in the order, and equal estimates equal slots."""
    extent = {loop.name: loop.extent for loop in space.parallel}
    sizes = dict(candidate.tiling.sizes)
    order = tuple(n for n in candidate.tiling.order if sizes[n] < extent[n])
    return candidate.tiling.sizes, order, candidate.estimate


def _pipelined(
    space: CallSpace,
    bias_loops: tuple[str, ...],
    column: dict[str, Ints],
    order: tuple[str, ...],
    figures: Figures,
    chosen: Ints,
) -> list[int]:
    nest = [*order, *(loop.name for loop in space.reduction)]
    if not nest:
        return [int(v) for v in figures.estimate[chosen]]
    extent = {loop.name: loop.extent for loop in (*space.parallel, *space.reduction)}
    counts = np.stack([-(-extent[n] // column[n][chosen]) for n in nest], axis=1)
    inp, wgt = space.factors
    moves = np.array([[n in inp.loops for n in nest], [n in wgt.loops for n in nest], [n in bias_loops for n in nest]])
    return [int(v) for v in pipeline_estimate(counts, moves, len(order), figures.fields[chosen])]


def _thin(options: list[Ints], extents: list[int]) -> list[Ints]:
    """All tile sizes while the grid stays below some millions; else powers of two and the extent for long loops."""
    while prod(len(o) for o in options) > 4_000_000:
        longest = max(range(len(options)), key=lambda i: len(options[i]))
        options[longest] = (
            options[longest][len(options[longest]) % 2 :: 2] if len(options[longest]) > 2 else options[longest][-1:]
        )
        if options[longest][-1] != extents[longest]:
            options[longest] = np.append(options[longest], extents[longest])
        if len(options[longest]) <= 2:
            break
    return options


def _grid(space: CallSpace, config: VtaConfig, options: list[Ints]) -> Ints:
    """All combinations whose accumulator tile fits, [combinations, loops]."""
    count = len(space.parallel)
    parallel = _product(options[:count])
    parallel = parallel[parallel.prod(axis=1) <= config.acc_depth] if count else parallel
    reduction = _product(options[count:])
    left = np.repeat(parallel, len(reduction), axis=0)
    right = np.tile(reduction, (len(parallel), 1))
    return np.concatenate([left, right], axis=1)


def _product(options: list[Ints]) -> Ints:
    if not options:
        return np.zeros((1, 0), dtype=np.int64)
    return np.stack([g.reshape(-1) for g in np.meshgrid(*options, indexing="ij")], axis=1)


def _orders(space: CallSpace) -> list[tuple[str, ...]]:
    names = [loop.name for loop in space.parallel]
    if len(names) <= 4:
        return list(permutations(names))
    return [tuple(names), tuple(reversed(names))] + [(*[m for m in names if m != n], n) for n in names]
