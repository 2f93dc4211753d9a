"""An embedding becomes a program: search the tiling, emit, pack; the result runs on any data."""

from __future__ import annotations

import time
from math import prod

import numpy as np
from numpy.typing import NDArray

from intarsia.program import CallSpace
from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.lowering.bias import bias_loops, bias_map
from intarsia.targets.vta.lowering.cycles import Candidate
from intarsia.targets.vta.lowering.emit import emit
from intarsia.targets.vta.lowering.epilogue import Epilogue, constant_factor
from intarsia.targets.vta.lowering.packing import output_index, packing
from intarsia.targets.vta.lowering.plan import Addresses, Emitted, Plan
from intarsia.targets.vta.lowering.program import MemoryMap, VtaProgram
from intarsia.targets.vta.lowering.tiling import Tiling, divide
from intarsia.targets.vta.timing import Timing, time_program

ALIGNMENT = 4096


def compile_space(
    space: CallSpace,
    ranked: list[Candidate],
    config: VtaConfig,
    epilogue: Epilogue | None,
    *,
    seconds: float,
) -> VtaProgram | None:
    """The fastest program among ranked tilings by the timing model, None if none of them fits the buffers."""
    embedding = space.embedding
    loops = bias_loops(space) if epilogue is not None and epilogue.bias != "none" else ()
    started = time.monotonic()
    best: tuple[int, Plan, Emitted, Timing, MemoryMap] | None = None
    for candidate in ranked:
        if best is not None and (candidate.bound >= best[0] or time.monotonic() - started > seconds):
            continue
        plan = make_plan(space, config, candidate.tiling, epilogue, loops)
        if plan is None:
            continue
        memory, emitted = place_and_emit(plan)
        timing = time_program(emitted.stream, config)
        if best is None or timing.cycles < best[0]:
            best = (timing.cycles, plan, emitted, timing, memory)
    if best is None:
        return None
    _, plan, emitted, timing, memory = best
    regions = zip(("inp", "wgt"), space.factors, plan.regions, strict=True)
    return VtaProgram(
        embeddings=(embedding,),
        config=config,
        epilogue=epilogue,
        plan=plan,
        stream=emitted.stream,
        uops=emitted.uops,
        memory=memory,
        packings=tuple((name, packing(space, factor, place)) for name, factor, place in regions),
        constants=_constants(config, epilogue),
        bias=bias_map(plan) if epilogue is not None and epilogue.bias != "none" else None,
        output_index=output_index(plan, memory.address("out")),
        timing=timing,
        bound=min(c.bound for c in ranked),
        tiling=str(plan.tiling),
    )


def _constants(config: VtaConfig, epilogue: Epilogue | None) -> tuple[tuple[str, NDArray[np.uint8]], ...]:
    if epilogue is None or not epilogue.by_gemm:
        return ()
    rows = config.batch if epilogue.bias == "wgt" else config.block_out
    return (("constant", constant_factor(rows, config.block_in).view(np.uint8).reshape(-1)),)


def make_plan(
    space: CallSpace, config: VtaConfig, tiling: Tiling, epilogue: Epilogue | None, loops: tuple[str, ...]
) -> Plan | None:
    """The plan of a tiling, None if it does not fit the buffers."""
    sizes = dict(tiling.sizes)
    counts = {loop.name: -(-loop.extent // sizes[loop.name]) for loop in (*space.parallel, *space.reduction)}
    inp, wgt = (prod(counts[name] for name in factor.loops) for factor in space.factors)
    buffers = divide(
        space,
        tiling,
        config,
        kind="none" if epilogue is None else epilogue.bias,
        bias=prod(sizes[name] for name in loops),
        distinct=(inp, wgt, prod(counts[name] for name in loops)),
    )
    if buffers is None:
        return None
    others = tuple(loop.name for loop in space.parallel if loop.name not in loops)
    return Plan(space, config, tiling, buffers, epilogue, loops, (*loops, *others))


def place_and_emit(plan: Plan) -> tuple[MemoryMap, Emitted]:
    """Lay out device memory and emit the stream; micro-operations come last, their number is known afterwards."""
    config = plan.config
    inp, wgt = plan.regions
    sizes = [("inp", inp.tensors, config.inp_bytes), ("wgt", wgt.tensors, config.wgt_bytes)]
    epilogue = plan.epilogue
    if epilogue is not None and epilogue.bias != "none":
        kinds = {"wgt": config.wgt_bytes, "inp": config.inp_bytes, "acc": config.acc_bytes}
        sizes.append(("bias", plan.bias_region.tensors, kinds[epilogue.bias]))
        if epilogue.by_gemm:
            sizes.append(("constant", 1, kinds["inp" if epilogue.bias == "wgt" else "wgt"]))
    sizes.append(("out", plan.out_region.tensors, config.out_bytes))
    regions: list[tuple[str, int, int]] = []
    units: dict[str, int] = {"bias": 0, "constant": 0}
    at = ALIGNMENT
    for name, tensors, unit in sizes:
        step = max(ALIGNMENT, unit)
        at = -(-at // step) * step
        regions.append((name, at, tensors * unit))
        units[name] = at // unit
        at += tensors * unit
    at = -(-at // ALIGNMENT) * ALIGNMENT
    units["uop"] = at // config.uop_bytes
    emitted = emit(plan, Addresses(**units))
    regions.append(("uop", at, len(emitted.uops) * config.uop_bytes))
    end = at + len(emitted.uops) * config.uop_bytes
    return MemoryMap(tuple(regions), -(-end // ALIGNMENT) * ALIGNMENT), emitted
