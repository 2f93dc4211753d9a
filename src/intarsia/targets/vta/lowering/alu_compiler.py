"""An operator of the ALU becomes a program: maxima, minima and sums of one read, statement by statement.

Embeddings of all statements in ``vta.alu`` come in, on the same lanes; a program goes out. How the outputs are computed
(``alu_taps``, ``alu_window``) and the tiling are chosen by predicted cycles.
"""

from __future__ import annotations

import time
from dataclasses import replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from intarsia.embed.embedding import Embedding
from intarsia.ground import InputError
from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.isa import Memory
from intarsia.targets.vta.lowering.alu_space import AluSpace, alu_space
from intarsia.targets.vta.lowering.alu_stream import Emission
from intarsia.targets.vta.lowering.alu_taps import TapPlanner
from intarsia.targets.vta.lowering.alu_tiles import output_rows, rings, tiles
from intarsia.targets.vta.lowering.alu_tiling import SLOTS, AluTiling, Way, tilings, ways
from intarsia.targets.vta.lowering.alu_window import WindowPlanner
from intarsia.targets.vta.lowering.alu_window_shape import floor_of, largest_load, window_region, windows
from intarsia.targets.vta.lowering.packing import Packing, output_index, packing
from intarsia.targets.vta.lowering.plan import Emitted, Plan
from intarsia.targets.vta.lowering.program import MemoryMap, VtaProgram
from intarsia.targets.vta.lowering.tiling import Buffers, Region, Tiling, largest_box, region
from intarsia.targets.vta.timing import Timing, time_program

ALIGNMENT = 4096

HOPELESS = 1.25
"""A tiling that is estimated to be so many times slower than the best one is not made."""


def compile_alu(
    embeddings: tuple[Embedding, ...],
    config: VtaConfig,
    *,
    way: Way | None = None,
    evaluations: int = 8,
    seconds: float = 4.0,
) -> VtaProgram:
    """The fastest program that was found.

    Args:
        embeddings: one for each statement of the operator, in their order, with the same digits.
        config: the core.
        way: how the outputs are computed; None for the way with the fewest cycles.
        evaluations: tilings of each way that are timed exactly.
        seconds: after which no more are.

    Raises:
        InputError: the operator is refused, the way does not exist for it, or no tiling fits the buffers.
    """
    space = alu_space(embeddings)
    possible = ways(space, config)
    if way is not None and way not in possible:
        raise InputError(
            "this way to compute is not open to the operator on this core",
            where=f"{space.operator.name} on {config}",
            value=way,
            allowed=", ".join(possible),
        )
    found = [t for w in ([way] if way else possible) for t in tilings(space, config, w, evaluations)]
    found.sort(key=lambda t: t.estimate)
    best: _Built | None = None
    started = time.monotonic()
    for tiling in found:
        if best is not None and (
            tiling.bound >= best.timing.cycles
            or tiling.estimate > HOPELESS * best.timing.cycles
            or time.monotonic() - started > seconds
        ):
            continue
        built = _build(space, config, tiling)
        if built is not None and (best is None or built.timing.cycles < best.timing.cycles):
            best = built
    if best is None:
        raise InputError(
            "no tiling of this operator fits the buffers", where=str(config), hint="a configuration with larger buffers"
        )
    return best.program(min(t.bound for t in found))


class _Built:
    """A tiling made into a stream."""

    def __init__(
        self,
        space: AluSpace,
        config: VtaConfig,
        tiling: AluTiling,
        plan: Plan,
        regions: list[Region],
        memory: MemoryMap,
        emitted: Emitted,
    ) -> None:
        self.space, self.config, self.tiling, self.plan = space, config, tiling, plan
        self.regions, self.memory, self.emitted = regions, memory, emitted
        self.timing: Timing = time_program(emitted.stream, config)

    def program(self, bound: int) -> VtaProgram:
        """The compiled operator."""
        wide = self.tiling.way == "accumulators"
        packed = [
            (f"inp.{i}", _packed(packing(s, s.factors[0], place), wide=wide))
            for i, (s, place) in enumerate(zip(self.space.statements, self.regions, strict=True))
        ]
        constant = weights(self.space, self.config, self.tiling.way).view(np.uint8).reshape(-1)
        return VtaProgram(
            embeddings=self.space.embeddings,
            config=self.config,
            epilogue=None,
            plan=self.plan,
            stream=self.emitted.stream,
            uops=self.emitted.uops,
            memory=self.memory,
            packings=tuple(packed),
            constants=(("wgt", constant),) if constant.size else (),
            bias=None,
            output_index=output_index(self.plan, self.memory.address("out")),
            timing=self.timing,
            bound=bound,
            tiling=str(self.tiling),
            initial=self.space.neutral,
            places=tuple(
                (f"inp.{i}", s, r) for i, (s, r) in enumerate(zip(self.space.sources, self.regions, strict=True))
            ),
        )


def _packed(made: Packing, *, wide: bool) -> Packing:
    return replace(made, wide=wide)


def weights(space: AluSpace, config: VtaConfig, way: Way) -> NDArray[np.int8]:
    """The weight tensors of a way to compute, [tensors, block_out, block_in]."""
    one = np.eye(config.block_out, config.block_in, dtype=np.int8)
    match way:
        case "sum":
            return np.stack([one, 0 * one]) if space.bare else one[None]
        case "difference":
            return np.stack([one, -one])
        case "window":
            return one[None]
        case "accumulators":
            return one[:0]


def _build(space: AluSpace, config: VtaConfig, tiling: AluTiling) -> _Built | None:
    """The program of a tiling, None if it does not fit."""
    sizes = dict(tiling.sizes)
    extents = {loop.name: loop.extent for loop in (*space.parallel, *space.reduction)}
    number = prod(-(-loop.extent // sizes[loop.name]) for loop in space.parallel)
    slots = SLOTS if number > 1 or tiling.taper[1] else 1
    shape = windows(space) if tiling.way == "window" else None
    order = shape.order if shape is not None else tiling.order
    wide = tiling.way == "accumulators"
    largest = [
        largest_box(s, sizes) if shape is None else largest_load(space, shape, i, sizes)
        for i, s in enumerate(space.sources)
    ]
    floor = floor_of(space, shape, sizes, slots) if shape is not None else None
    outputs = prod(sizes[loop.name] for loop in space.parallel) * slots if floor is None else floor.tensors
    if outputs > config.acc_depth:
        return None
    pieces = len(shape.combinations) if shape is not None else 1
    distinct = [
        (2 if tiling.taper[1] else 1) * pieces * prod(-(-extents[n] // sizes[n]) for n in extents if n in s.loops)
        for s in space.sources
    ]
    base, depth = (outputs, config.acc_depth) if wide else (0, config.inp_depth)
    # More slots than a load and a use need would be more micro-operations, whose loads wait behind those of inputs.
    for slots_of_input in (1,) if wide else (max(SLOTS, pieces), SLOTS):
        counts = [min(slots_of_input, d) for d in distinct]
        if base + sum(n * c for n, c in zip(largest, counts, strict=True)) <= depth:
            break
    else:
        return None
    placed = rings(base, largest, counts)
    regions = [region(s, sizes) if shape is None else window_region(s, shape, sizes) for s in space.sources]
    buffers = Buffers((sum(largest), SLOTS), (0, 0), (0, 0), (outputs // slots, slots))
    plan = Plan(space.statements[0], config, Tiling(tiling.sizes, order), buffers, None, (), order)
    constants = len(weights(space, config, tiling.way))
    places, addresses, size = _memory(config, regions, constants, plan.out_region, wide=wide)
    emission = Emission(config, addresses[-1], addresses[-2], slots)
    planner: TapPlanner | WindowPlanner
    if shape is not None and floor is not None:
        planner = WindowPlanner(space, config, shape, sizes, floor, placed, regions, addresses)
    else:
        assert tiling.way != "window"
        planner = TapPlanner(space, config, tiling.way, sizes, order, placed, regions, addresses, slots)
    if constants:  # whoever waits for the first input has them too
        emission.builder.load(Memory.WGT, dram_base=addresses[len(regions)], x_size=constants)
    parallel = {loop.name: loop.extent for loop in space.parallel}
    for tile in tiles(parallel, sizes, tiling.order, tiling.taper):
        base, moves = planner.place(tile)
        groups = planner.groups(tile, emission)
        emission.tile(tile.number, groups, output_rows(plan.out_region, order, tile, base, moves))
    emission.finish()
    emitted = Emitted(emission.builder.build(), emission.uops.columns())
    end = size + len(emitted.uops) * config.uop_bytes
    memory = MemoryMap((*places, ("uop", size, len(emitted.uops) * config.uop_bytes)), -(-end // ALIGNMENT) * ALIGNMENT)
    return _Built(space, config, tiling, plan, regions, memory, emitted)


def _memory(
    config: VtaConfig, regions: list[Region], constants: int, out: Region, *, wide: bool
) -> tuple[list[tuple[str, int, int]], list[int], int]:
    """Regions of device memory; their addresses in elements (inputs, weights, output, micro-operations); their end."""
    unit = config.acc_bytes if wide else config.inp_bytes
    parts = [(f"inp.{i}", r.tensors, unit) for i, r in enumerate(regions)]
    parts.append(("wgt", constants, config.wgt_bytes))
    parts.append(("out", out.tensors, config.out_bytes))
    found, addresses, at = [], [], ALIGNMENT
    for name, tensors, size in parts:
        step = max(ALIGNMENT, size)
        at = -(-at // step) * step
        if tensors:
            found.append((name, at, tensors * size))
        addresses.append(at // size)
        at += tensors * size
    at = -(-at // ALIGNMENT) * ALIGNMENT
    return found, [*addresses, at // config.uop_bytes], at
