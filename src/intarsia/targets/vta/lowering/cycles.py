"""Bounds on the cycles of a tiling, for all tilings at once: what the search over tilings prunes with."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations, product
from math import prod

import numpy as np
from numpy.typing import NDArray

from intarsia.program import CallSpace, OperandSpace
from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.lowering.epilogue import Epilogue
from intarsia.targets.vta.lowering.tiling import MOST_SLOTS, Tiling

Ints = NDArray[np.int64]

LOAD_LATENCY = 23
ISSUE = 7
FETCH_START = 20
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
    """The ``most`` best tilings by estimate that fit, each with a lower bound; the list is sorted by estimate."""
    loops = [*space.parallel, *space.reduction]
    options = [np.array(tile_sizes(loop.extent), dtype=np.int64) for loop in loops]
    options = _thin(options, [loop.extent for loop in loops])
    sizes = _grid(space, config, [o for o in options])
    names = [loop.name for loop in loops]
    column = {name: sizes[:, i] for i, name in enumerate(names)}
    ranked: list[tuple[float, float, int, tuple[str, ...], tuple[int, int, int]]] = []
    for order, slots in product(_orders(space), SLOTS):
        estimate, bound, fits = _evaluate(space, config, epilogue, bias_loops, column, order, slots)
        chosen = np.flatnonzero(fits)
        best = chosen[np.argsort(estimate[chosen], kind="stable")[:most]]
        ranked += [(float(estimate[i]), float(bound[i]), int(i), order, slots) for i in best]
    ranked.sort(key=lambda r: r[0])
    return [
        Candidate(Tiling(tuple((n, int(column[n][i])) for n in names), order, slots), int(bound), int(estimate))
        for estimate, bound, i, order, slots in ranked[:most]
    ]


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


def _evaluate(
    space: CallSpace,
    config: VtaConfig,
    epilogue: Epilogue | None,
    bias_loops: tuple[str, ...],
    column: dict[str, Ints],
    order: tuple[str, ...],
    most: tuple[int, int, int],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    like = next(iter(column.values())) if column else np.ones(1, dtype=np.int64)
    counts = _tile_counts(space, column)
    reduction = tuple(loop.name for loop in space.reduction)
    parallel = tuple(loop.name for loop in space.parallel)
    one = np.ones_like(like)
    acc = one.copy()
    tiles = one.copy()
    for name in parallel:
        acc = acc * column[name]
        tiles = tiles * counts[name]
    steps = tiles.copy()
    for name in reduction:
        steps = steps * counts[name]
    bias = one.copy()
    bias_tiles = one.copy()
    for name in bias_loops:
        bias = bias * column[name]
        bias_tiles = bias_tiles * counts[name]
    kind = "none" if epilogue is None else epilogue.bias
    depth = {"inp": config.inp_depth, "wgt": config.wgt_depth, "acc": config.acc_depth, "none": 0}
    bias_slots = np.where(bias * bias_tiles > depth[kind] // 16, np.minimum(2, bias_tiles), bias_tiles)
    used = {name: bias * bias_slots if name == kind else 0 * one for name in depth}
    constant = {"wgt": (1, 0), "inp": (0, 1)}.get(kind, (0, 0))
    free = (config.inp_depth - constant[0] - used["inp"], config.wgt_depth - constant[1] - used["wgt"])
    fits = acc * np.minimum(2, tiles) + used["acc"] <= config.acc_depth
    port = config.port_bytes
    beats = (config.inp_bytes / port, config.wgt_bytes / port)
    loads = np.zeros(like.shape)
    first = np.zeros(like.shape)
    busiest = np.zeros(like.shape)
    combinations = one.copy()
    for factor, room, beat, limit in zip(space.factors, free, beats, most[:2], strict=True):
        size, transfers = _box(factor, column, like)
        distinct = one.copy()
        for name in factor.loops:
            distinct = distinct * counts[name]
        slots = np.minimum(np.minimum(np.maximum(room, 0) // size, distinct), limit)
        combinations = combinations * slots
        fits &= slots >= np.minimum(2, distinct)
        misses = _misses(factor.loops, order, reduction, counts, slots)
        cost = LOAD_LATENCY * transfers + size * beat
        loads += misses * cost
        first += cost
        busiest += cost
    if kind in ("wgt", "inp"):
        bias_loads = _misses(frozenset(bias_loops), order, reduction, counts, bias_slots)
        loads += np.minimum(bias_loads, tiles) * (LOAD_LATENCY + bias * beats[kind == "wgt"])
    job = work(space, epilogue)
    sweeps = steps * _groups(space)
    compute = job.compute + ISSUE * (sweeps + tiles * job.instructions)
    store = 3.0 * config.out_bytes / config.port_bytes / 2 * job.outputs + 4 * tiles
    instructions = np.minimum(128, sweeps + tiles * (job.instructions + 2) + steps)
    start = FETCH_START + 2.0 * instructions + first
    tail = 3 * np.minimum(acc, np.sqrt(28.0 * acc / 3)) + 10
    # A bound must not count what may be smaller: the first tile can be clipped, the instructions few.
    least = FETCH_START + 2.0 * np.minimum(128, steps + tiles * (job.instructions + 1))
    issue = job.compute + ISSUE * (np.minimum(steps, job.calls) + tiles * job.instructions)
    bound = np.maximum(np.maximum(least + LOAD_LATENCY + issue, least + _least_loads(space, config)), store)
    estimate = np.maximum(np.maximum(start + compute, start + loads + compute / steps), store) + tail
    # Where loads are nearly as long as the computation, uneven steps stall: penalise the share that cannot hide.
    estimate = estimate + np.minimum(loads, compute) * 0.02 + np.where(combinations > 16, steps * 20, 0)
    return estimate, bound, fits


def _least_loads(space: CallSpace, config: VtaConfig) -> float:
    """Cycles of the read port to load every needed vector of both factors once."""
    total = 0.0
    for factor, size in zip(space.factors, (config.inp_bytes, config.wgt_bytes), strict=True):
        live = prod(max(last - first + 1, 0) for first, last in factor.live) if space.needed else 0
        total += live * size / config.port_bytes if not _skips(factor) else 0
    return total


def _skips(factor: OperandSpace) -> bool:
    """Whether positions of a dim can go unused: a stride leaves gaps, or im2col vectors are all padding."""
    return any(len(moves) > 1 for moves in factor.moves) or not factor.moves


def _groups(space: CallSpace) -> int:
    """Different output ranges among the reduction points: the GEMM instructions that a step takes at its worst."""
    both = np.concatenate([space.ranges.low, space.ranges.high], axis=1)
    return max(1, len(np.unique(both, axis=0))) if both.size else 1
