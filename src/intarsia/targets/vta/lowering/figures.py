"""The cycles of tilings in closed form, for all tilings of a grid at once: a lower bound, and an estimate."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from intarsia.program import CallSpace, OperandSpace
from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.costs import FETCH_CHUNK, fetch_cycles, store_tensor_cycles
from intarsia.targets.vta.lowering.epilogue import Epilogue
from intarsia.targets.vta.lowering.tiling import RESIDENT_BIASES

Ints = NDArray[np.int64]

LOAD_LATENCY = 23
ISSUE = 7
HARDWARE_LOOPS = 2


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
class Figures:
    """Of every tiling in the grid, for one order and one choice of slots: [tilings], fields [tilings, FIELDS]."""

    fits: NDArray[np.bool_]
    bound: NDArray[np.float64]
    estimate: NDArray[np.float64]
    steps: Ints
    fields: Ints


def figures_of(
    space: CallSpace,
    config: VtaConfig,
    epilogue: Epilogue | None,
    bias_loops: tuple[str, ...],
    column: dict[str, Ints],
    order: tuple[str, ...],
    most: tuple[int, int, int],
) -> Figures:
    """Of every tiling in a grid.

    Args:
        space: the calls.
        config: the core.
        epilogue: of the program; none if accumulators are stored as they are.
        bias_loops: parallel loops that move the bias.
        column: of each loop, its tile sizes, [tilings].
        order: of the parallel loops, outermost first.
        most: slots of inputs, of weights and of accumulators, at most.
    """
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
    return Figures(fits, bound, estimate, steps, table)


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
