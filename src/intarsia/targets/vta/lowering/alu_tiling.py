"""Tilings for the ALU's lowering: an estimate over all that fit, for every way to compute, and bounds that prune."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from intarsia.program import OperandSpace
from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.costs import (
    COMPUTE_OVERHEAD,
    FETCH_CHUNK,
    LOAD_OVERHEAD,
    fetch_cycles,
    load_beats,
    store_burst_cycles,
    store_tensor_cycles,
)
from intarsia.targets.vta.isa import Memory
from intarsia.targets.vta.lowering.alu_space import AluSpace, touched
from intarsia.targets.vta.lowering.alu_window_shape import Windows, window_operations, windows
from intarsia.targets.vta.lowering.cycles import tile_sizes

Ints = NDArray[np.int64]
Floats = NDArray[np.floating]
Way = Literal["sum", "difference", "window", "accumulators"]
"""How outputs are computed: see ``alu_taps`` and ``alu_window``."""

WAYS: tuple[Way, ...] = ("sum", "difference", "window", "accumulators")
MOST_TILINGS = 200_000
SLOTS = 2


@dataclass(frozen=True, slots=True)
class AluTiling:
    """One way to compute, the iterations of each loop in a tile, the order of tiles, the taper of the first and last.

    ``estimate`` orders tilings; ``bound`` is a lower bound on the cycles of this one in the timing model.
    """

    way: Way
    sizes: tuple[tuple[str, int], ...]
    order: tuple[str, ...]
    taper: tuple[str, int]
    bound: int
    estimate: int

    def __str__(self) -> str:
        sizes = " ".join(f"{name}:{size}" for name, size in self.sizes)
        return f"{self.way} {sizes} order {' '.join(self.order)} taper {self.taper[1]}"


def ways(space: AluSpace, config: VtaConfig) -> list[Way]:
    """The ways that an operator can be computed in on a core."""
    if config.block_in != config.block_out:
        return ["accumulators"]
    if space.combine == "+=":
        return ["sum", "accumulators"]
    return ["difference", "accumulators"] if windows(space) is None else ["difference", "window", "accumulators"]


def least_compute(space: AluSpace, way: Way, config: VtaConfig) -> int:
    """Cycles of the compute unit, without the overhead of instructions, that every tiling pays."""
    match way:
        case "sum":
            return space.needed + space.outputs
        case "difference":
            return max(3 * space.needed - space.outputs, 2 * space.outputs)
        case "window":
            return _least_window(space)
        case "accumulators":
            start = 1 if space.combine == "+=" else 2
            loads = sum(load_beats(Memory.ACC, _touched(space, s), config) for s in space.sources)
            return 2 * space.needed + start * space.outputs + loads


def _least_window(space: AluSpace) -> int:
    """As for one tile."""
    shape = windows(space)
    assert shape is not None
    extents = {loop.name: np.array([loop.extent], dtype=np.int64) for loop in space.parallel}
    cycles, _ = window_operations(space, shape, extents, whole=True)
    return int(cycles[0])


def _touched(space: AluSpace, source: OperandSpace) -> int:
    return touched(source, space.parallel, space.reduction)


def least_cycles(space: AluSpace, way: Way, config: VtaConfig) -> dict[str, int]:
    """Lower bounds of a way: of the compute unit, of the read port, of the store unit."""
    inputs = sum(_touched(space, s) for s in space.sources)
    memory = Memory.ACC if way == "accumulators" else Memory.INP
    return {
        "compute": least_compute(space, way, config),
        "read": load_beats(memory, inputs, config),
        "store": store_tensor_cycles(config) * space.outputs,
    }


def tilings(space: AluSpace, config: VtaConfig, way: Way, most: int, *, grid: int = MOST_TILINGS) -> list[AluTiling]:
    """The ``most`` best tilings of a way by estimate that fit the buffers, out of ``grid`` at most."""
    shape = windows(space) if way == "window" else None
    names = [loop.name for loop in (*space.parallel, *space.reduction)]
    sizes = _grid(space, config, way, grid)
    column = {name: sizes[:, i] for i, name in enumerate(names)}
    estimate, fits = _estimate(space, config, way, shape, column, len(sizes))
    chosen = np.flatnonzero(fits)
    best = chosen[np.argsort(estimate[chosen], kind="stable")[:most]]
    bound = max(least_cycles(space, way, config).values())
    order = _order(space)
    found = []
    for i in best.tolist():
        chosen_sizes = tuple((n, int(column[n][i])) for n in names)
        found += [
            AluTiling(way, chosen_sizes, order, (name, times), bound, int(estimate[i]))
            for name, times in _tapers(space, shape, dict(chosen_sizes))
        ]
    return found


def _order(space: AluSpace) -> tuple[str, ...]:
    """The loops that move most inputs outermost, so that what does not move stays on chip."""
    names = [loop.name for loop in space.parallel]
    return tuple(sorted(names, key=lambda n: -sum(n in s.loops for s in space.sources)))


def _tapers(space: AluSpace, shape: Windows | None, sizes: dict[str, int]) -> list[tuple[str, int]]:
    """Where the first and last tile are halved: along the longest loop, rather not one whose pieces overlap."""
    if not space.parallel:
        return [("", 0)]
    sliding = {s.loop for s in shape.slides} if shape else set()
    sliding |= {n for source in space.sources for m in source.moves if len(m) > 1 for n, _ in m}
    name = max((loop.name for loop in space.parallel), key=lambda n: (sizes[n] >= 4 and n not in sliding, sizes[n]))
    deepest = max(sizes[name].bit_length() - 1, 0)
    return [(name, times) for times in sorted({0, min(2, deepest), min(4, deepest)})]


def _grid(space: AluSpace, config: VtaConfig, way: Way, most: int) -> Ints:
    """Combinations of tile sizes, [combinations, loops]; windows are never cut along their taps."""
    options = [np.array(tile_sizes(loop.extent), dtype=np.int64) for loop in space.parallel]
    options = [o[o <= config.acc_depth] for o in options]
    cut = {name for source in space.sources for m in source.moves if len(m) == 1 for name, _ in m}
    for loop in space.reduction:
        whole = np.array([loop.extent], dtype=np.int64)
        sizes = np.array(tile_sizes(loop.extent), dtype=np.int64)
        options.append(sizes if loop.name in cut or way != "window" else whole)
    while prod(map(len, options)) > most:
        longest = max(range(len(options)), key=lambda i: len(options[i]))
        every = options[longest]
        options[longest] = np.union1d(every[::2], every[-1:]) if len(every) > 2 else every[-1:]
    grid = np.stack([g.reshape(-1) for g in np.meshgrid(*options, indexing="ij")], axis=1) if options else None
    if grid is None:
        return np.zeros((1, 0), dtype=np.int64)
    fits = grid[:, : len(space.parallel)].prod(axis=1) <= config.acc_depth
    return np.asarray(grid[fits], dtype=np.int64)


def _estimate(
    space: AluSpace, config: VtaConfig, way: Way, shape: Windows | None, column: dict[str, Ints], count: int
) -> tuple[Floats, NDArray[np.bool_]]:
    one = np.ones(count, dtype=np.int64)
    extent = {loop.name: loop.extent for loop in (*space.parallel, *space.reduction)}
    parts = {n: -(-extent[n] // column[n]) for n in column}
    tiles, acc = one.copy(), one.copy()
    for loop in space.parallel:
        tiles, acc = tiles * parts[loop.name], acc * column[loop.name]
    slots = np.minimum(SLOTS, tiles)
    loads, room, first = np.zeros(count), np.zeros(count, dtype=np.int64), np.zeros(count)
    boxes = [_box(shape, s, column, one) for s in space.sources]
    memory = Memory.ACC if way == "accumulators" else Memory.INP
    beat = load_beats(memory, 16, config) / 16
    steps = tiles.copy()
    for loop in space.reduction:
        steps = steps * parts[loop.name]
    for source, (box, largest, pieces) in zip(space.sources, boxes, strict=True):
        distinct, visits = one.copy(), one.copy()
        order = _order(space)
        last = max((i for i, n in enumerate(order) if n in source.loops), default=-1)
        parted = [loop.name for loop in space.reduction if loop.name in source.loops]
        for name in (*order, *parted):
            distinct = distinct * (parts[name] if name in source.loops else 1)
        again = np.where(np.prod([parts[n] for n in parted], axis=0) > 1, tiles, 0)
        for name in order[: last + 1]:
            visits = visits * parts[name]
        visits = np.maximum(visits, again)
        for name in parted:
            visits = visits * parts[name]
        least = np.minimum(SLOTS, distinct * pieces) if way != "accumulators" else one
        room = room + largest * least
        loads = loads + np.minimum(visits, tiles * steps) * (LOAD_OVERHEAD * pieces + box * beat)
        first = np.maximum(first, LOAD_OVERHEAD + box * beat)
    compute, instructions = _compute(space, way, shape, column, tiles, steps)
    if way == "accumulators":
        fits = (room + acc * slots <= config.acc_depth) & (acc * slots >= 1)
        compute = compute + loads
        loads = np.zeros(count)
    else:
        fits = (room <= config.inp_depth) & (_accumulators(space, shape, column, acc, slots, one) <= config.acc_depth)
    store = (store_tensor_cycles(config) * acc + 2 * store_burst_cycles(config)) * tiles
    chunk = np.minimum(FETCH_CHUNK, instructions)
    fetch = fetch_cycles(0, config) + 16 / config.port_bytes * chunk
    ends = first / 4 + store_tensor_cycles(config) * acc / 4 + compute / np.maximum(tiles, 1) / 8
    return fetch + np.maximum(np.maximum(compute, loads), store) + ends, fits


def _box(shape: Windows | None, source: OperandSpace, column: dict[str, Ints], one: Ints) -> tuple[Ints, Ints, Ints]:
    """Input tensors of a tile's step; of one load of it; the number of loads."""
    if shape is None:
        total = one.copy()
        for moves, (first, last) in zip(source.moves, source.live, strict=True):
            span = one.copy()
            for name, c in moves:
                span = span + abs(c) * (column[name] - 1)
            total = total * np.minimum(span, max(last - first + 1, 1))
        return total, total, one
    planes = one.copy()
    slides = {s.dim: s for s in shape.slides}
    for dim, moves in enumerate(source.moves):
        if dim not in slides:
            for name, _ in moves:
                planes = planes * column[name]
    total, largest, pieces = 0 * one, 0 * one, 0 * one
    for combination in shape.combinations:
        halo = shape.halo(combination)
        box = planes.copy()
        for slide in shape.slides:
            box = box * (column[slide.loop] + halo[slide.loop])
        total, largest, pieces = total + box, np.maximum(largest, box), pieces + 1
    return total, largest, pieces


def _accumulators(
    space: AluSpace, shape: Windows | None, column: dict[str, Ints], acc: Ints, slots: Ints, one: Ints
) -> Ints:
    """Accumulators that a tiling takes, when inputs go through the input buffer."""
    if shape is None:
        return acc * slots
    total, largest = 0 * one, 0 * one
    for combination in shape.combinations:
        halo = shape.halo(combination)
        box = one.copy()
        for name in shape.order:
            box = box * (column[name] + halo.get(name, 0))
        total = total + box * (slots if not any(combination) else 1)
        largest = np.maximum(largest, box)
    deepest = 0 * one
    for source in space.sources:
        depth, whole = one.copy(), np.full(one.shape, len(space.sources) == 1)
        for loop in space.reduction:
            if any(len(m) == 1 and m[0][0] == loop.name for m in source.moves):
                depth = depth * column[loop.name]
                whole &= column[loop.name] == loop.extent
        deepest = np.maximum(deepest, depth - whole)
    return total + deepest * largest


def _compute(
    space: AluSpace,
    way: Way,
    shape: Windows | None,
    column: dict[str, Ints],
    tiles: Ints,
    steps: Ints,
) -> tuple[Floats, Floats]:
    """(cycles of the compute unit, instructions) of all tiles."""
    if shape is not None:
        cycles, count = window_operations(space, shape, column)
        many: Floats = tiles * count + 2.0 * (steps - tiles)
        return cycles * tiles + COMPUTE_OVERHEAD * many, many
    instructions: Floats
    taps = sum(len(s.ranges.points) for s in space.statements)
    match way:
        case "sum":
            kinds = sum(_kinds(s.ranges.low, s.ranges.high) for s in space.statements)
            core, instructions = space.needed + space.outputs, 1.0 * tiles + steps * kinds
        case "difference":
            core, instructions = 3 * space.needed - space.outputs, 2.0 * tiles * taps
        case _:
            start = 1 if space.combine == "+=" else 2
            core, instructions = 2 * space.needed + start * space.outputs, tiles * (2.0 + taps)
    return core + COMPUTE_OVERHEAD * instructions, instructions + 2.0 * steps


def _kinds(low: Ints, high: Ints) -> int:
    both = np.concatenate([low, high], axis=1)
    return max(1, len(np.unique(both, axis=0))) if both.size else 1
