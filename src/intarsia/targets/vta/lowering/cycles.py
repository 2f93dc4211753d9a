"""Bounds on the cycles of a tiling, for all tilings at once: what the search over tilings prunes with."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations, product
from math import prod

import numpy as np
from numpy.typing import NDArray

from intarsia.program import CallSpace, OperandSpace
from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.costs import FETCH_CHUNK, fetch_cycles, store_tensor_cycles
from intarsia.targets.vta.lowering.epilogue import Epilogue
from intarsia.targets.vta.lowering.pipeline import estimate as pipeline_estimate
from intarsia.targets.vta.lowering.tiling import MOST_SLOTS, RESIDENT_BIASES, Tiling

Ints = NDArray[np.int64]

LOAD_LATENCY = 23
ISSUE = 7
HARDWARE_LOOPS = 2
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


@dataclass(frozen=True, slots=True)
class Work:
    """Cycles that every tiling of a call space pays, in the compute unit and on the ports."""

    outputs: int
    calls: int
    per_output: int
    instructions: int

    @property
    def compute(self) -> int:
        """Cycles of the compute unit without the overhead of instructions."""
        return self.calls + self.outputs * self.per_output


def per_output(epilogue: Epilogue | None) -> int:
    """Cycles of the compute unit for an output tensor besides its calls: reset, shift, bias, bounds."""
    if epilogue is None:
        return 2
    return 3 + (1 if epilogue.shift else 0) + {"wgt": 1, "inp": 1, "acc": 2, "none": 0}[epilogue.bias]


def work(space: CallSpace, epilogue: Epilogue | None) -> Work:
    """The unavoidable cycles of a call space with an epilogue."""
    outputs = prod(loop.extent for loop in space.parallel)
    instructions = 2 if epilogue is None else 3 + (1 if epilogue.shift else 0) + (0 if epilogue.bias == "none" else 1)
    return Work(outputs, space.needed, per_output(epilogue), instructions)


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
        figures = _figures(space, config, epilogue, bias_loops, column, order, slots)
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
        figures = _figures(space, config, epilogue, bias_loops, column, order, slots)
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
    figures: _Figures,
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


def _tile_counts(space: CallSpace, column: dict[str, Ints]) -> dict[str, Ints]:
    return {loop.name: -(-loop.extent // column[loop.name]) for loop in (*space.parallel, *space.reduction)}


def _box(operand: OperandSpace, column: dict[str, Ints], like: Ints) -> tuple[Ints, Ints]:
    """Tensors of the largest tile, and the number of transfers that one tile takes."""
    total = np.ones_like(like)
    sliding = 0
    for d, (moves, (first, last)) in enumerate(zip(operand.moves, operand.live, strict=True)):
        span = np.ones_like(like)
        for name, c in moves:
            span = span + abs(c) * (column[name] - 1)
        span = np.minimum(span, max(last - first + 1, 1))
        total = total * span
        sliding += operand.sliding(d)
    transfers = np.ones_like(like)
    if sliding > 2:
        for d in [d for d in range(len(operand.moves)) if operand.sliding(d)][: sliding - 2]:
            span = np.ones_like(like)
            for name, c in operand.moves[d]:
                span = span + abs(c) * (column[name] - 1)
            transfers = transfers * span
    return total, transfers


def _misses(
    loops: frozenset[str], order: tuple[str, ...], reduction: tuple[str, ...], counts: dict[str, Ints], slots: Ints
) -> Ints:
    """Loads of an operand's tiles: tiles are reused inside the longest run of inner loops whose tiles fit the slots."""
    nest = [*order, *reduction]
    inner = np.ones_like(slots)
    misses = np.ones_like(slots)
    open_ = np.ones(slots.shape, dtype=np.bool_)
    for name in reversed(nest):
        moving = name in loops
        grown = inner * counts[name] if moving else inner
        fits = open_ & (grown <= slots)
        # Inside the reused part a loop that does not move the operand is free; the rest pays for every iteration.
        misses = np.where(fits, grown, misses * counts[name])
        open_ = fits
        inner = np.where(fits, grown, inner)
    return misses


@dataclass(frozen=True, slots=True, eq=False)
class _Figures:
    """Of every tiling in the grid, for one order and one choice of slots: [tilings], fields [tilings, FIELDS]."""

    fits: NDArray[np.bool_]
    bound: NDArray[np.float64]
    estimate: NDArray[np.float64]
    steps: Ints
    fields: Ints


def _figures(
    space: CallSpace,
    config: VtaConfig,
    epilogue: Epilogue | None,
    bias_loops: tuple[str, ...],
    column: dict[str, Ints],
    order: tuple[str, ...],
    most: tuple[int, int, int],
) -> _Figures:
    like = next(iter(column.values())) if column else np.ones(1, dtype=np.int64)
    counts = _tile_counts(space, column)
    one = np.ones_like(like)
    reduction = tuple(loop.name for loop in space.reduction)
    acc, tiles = _products(one, column, counts, [loop.name for loop in space.parallel])
    points, reductions = _products(one, column, counts, list(reduction))
    steps = tiles * reductions
    bias, bias_tiles = _products(one, column, counts, list(bias_loops))
    kind = "none" if epilogue is None else epilogue.bias
    depth = {"inp": config.inp_depth, "wgt": config.wgt_depth, "acc": config.acc_depth, "none": 0}
    bias_slots = np.where(bias * bias_tiles > depth[kind] // RESIDENT_BIASES, np.minimum(2, bias_tiles), bias_tiles)
    used = {name: bias * bias_slots if name == kind else 0 * one for name in depth}
    constant = {"wgt": (1, 0), "inp": (0, 1)}.get(kind, (0, 0))
    free = (config.inp_depth - constant[0] - used["inp"], config.wgt_depth - constant[1] - used["wgt"])
    fits = acc * np.minimum(2, tiles) + used["acc"] <= config.acc_depth
    beats = (config.inp_bytes / config.port_bytes, config.wgt_bytes / config.port_bytes)
    loads = np.zeros(like.shape)
    costs: list[Ints] = []
    slots: list[Ints] = []
    for factor, room, beat, limit in zip(space.factors, free, beats, most[:2], strict=True):
        size, transfers = _box(factor, column, like)
        _, distinct = _products(one, column, counts, sorted(factor.loops))
        slots.append(np.minimum(np.minimum(np.maximum(room, 0) // size, distinct), limit))
        fits &= slots[-1] >= np.minimum(2, distinct)
        costs.append(np.ceil(LOAD_LATENCY * transfers + size * beat).astype(np.int64))
        loads += _misses(factor.loops, order, reduction, counts, slots[-1]) * costs[-1]
    bias_cost = 0 * one
    if kind in ("wgt", "inp"):
        bias_cost = np.ceil(LOAD_LATENCY + bias * beats[kind == "wgt"]).astype(np.int64)
        loads += np.minimum(_misses(frozenset(bias_loops), order, reduction, counts, bias_slots), tiles) * bias_cost
    job = work(space, epilogue)
    sweeps = steps * _groups(space)
    compute = job.compute + ISSUE * (sweeps + tiles * job.instructions)
    per_store = store_tensor_cycles(config)
    store = per_store * job.outputs + 4.0 * tiles
    instructions = np.minimum(FETCH_CHUNK, sweeps + tiles * (job.instructions + 2) + steps)
    fetch = np.array([fetch_cycles(count, config) for count in range(FETCH_CHUNK + 1)], dtype=np.int64)
    start = fetch[instructions]
    chunk = np.minimum(acc, np.ceil(np.sqrt(28.0 * acc / per_store))).astype(np.int64)
    tail = per_store * chunk + ISSUE * (job.instructions - 1) * (-(-acc // chunk) - 1) + 10
    # A bound must not count what may be smaller: the first tile can be clipped, steps that read only padding left out.
    needed = np.minimum(steps, -(-job.calls // (acc * points)))
    least = fetch[np.minimum(FETCH_CHUNK, needed + tiles * (job.instructions + 1))]
    issue = job.compute + ISSUE * (needed + tiles * job.instructions)
    bound = np.maximum(np.maximum(least + LOAD_LATENCY + issue, least + _least_loads(space, config)), store)
    ahead = start + costs[0] + costs[1]
    estimate = np.maximum(np.maximum(ahead + compute, ahead + loads + compute / steps), store) + tail
    step = -(-job.calls // steps) + ISSUE * _groups(space)
    fields = (
        costs[0], costs[1], bias_cost, slots[0], slots[1], np.maximum(bias_slots, 1), np.minimum(2, tiles), start,
        ISSUE + acc, step, (job.per_output - 1) * acc + ISSUE * (job.instructions - 1), per_store * acc + 4, tail,
        _micro_operations(space, column, one), one * config.uop_depth,
    )  # fmt: skip
    table = np.stack([np.broadcast_to(f, like.shape) for f in fields], axis=1).astype(np.int64)
    return _Figures(fits, bound, estimate, steps, table)


def _products(one: Ints, column: dict[str, Ints], counts: dict[str, Ints], names: list[str]) -> tuple[Ints, Ints]:
    """Product of the tile sizes and of the tile counts of some loops."""
    size, count = one, one
    for name in names:
        size, count = size * column[name], count * counts[name]
    return size, count


def _micro_operations(space: CallSpace, column: dict[str, Ints], one: Ints) -> Ints:
    """Micro-operations of a step: all loops of a tile but the two longest."""
    names = [loop.name for loop in (*space.parallel, *space.reduction)]
    if len(names) <= HARDWARE_LOOPS:
        return one * _groups(space)
    sizes = np.sort(np.stack([column[n] for n in names], axis=1), axis=1)
    return np.asarray(sizes[:, :-HARDWARE_LOOPS].prod(axis=1))


def _least_loads(space: CallSpace, config: VtaConfig) -> float:
    """Cycles of the read port to load every needed vector of both factors once; nothing is said of halos."""
    sizes = (config.inp_bytes, config.wgt_bytes)
    return sum(
        needed_vectors(space, factor) * size / config.port_bytes
        for factor, size in zip(space.factors, sizes, strict=True)
        if all(len(moves) <= 1 for moves in factor.moves)
    )


def needed_vectors(space: CallSpace, factor: OperandSpace) -> int:
    """Vectors that needed calls read, of a factor of which no dim is moved by several loops; at least so many."""
    if not space.needed:
        return 0
    mine = [i for i, loop in enumerate(space.reduction) if loop.name in factor.loops]
    wide = [i for i, loop in enumerate(space.parallel) if loop.name in factor.loops]
    ranges = space.ranges
    count = np.prod((ranges.high - ranges.low)[:, wide], axis=1, dtype=np.int64)
    if not mine:
        return int(count.max())
    _, place = np.unique(ranges.points[:, mine], axis=0, return_inverse=True)
    most = np.zeros(place.max() + 1, dtype=np.int64)
    np.maximum.at(most, place.reshape(-1), count)
    return int(most.sum())


def _groups(space: CallSpace) -> int:
    """Different output ranges among the reduction points: the GEMM instructions that a step takes at its worst."""
    both = np.concatenate([space.ranges.low, space.ranges.high], axis=1)
    return max(1, len(np.unique(both, axis=0))) if both.size else 1
