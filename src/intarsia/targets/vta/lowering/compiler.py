"""An embedding becomes a program: search the tiling, emit, pack; the result runs on any data."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from intarsia.embed.embedding import Embedding
from intarsia.ground import InputError
from intarsia.program import CallSpace, call_space
from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.encoding import encode, encode_uops
from intarsia.targets.vta.lowering.bias import BiasMap, bias_count, bias_loops, bias_map, bias_shape
from intarsia.targets.vta.lowering.cycles import candidates
from intarsia.targets.vta.lowering.emit import Addresses, Emitted, Plan, emit
from intarsia.targets.vta.lowering.epilogue import Epilogue, bias_weights, constant_input
from intarsia.targets.vta.lowering.packing import Packing, output_index, packing
from intarsia.targets.vta.lowering.tiling import Tiling, divide
from intarsia.targets.vta.timing import Timing, time_program

ALIGNMENT = 4096
FILLER = 0xA5


@dataclass(frozen=True, slots=True)
class MemoryMap:
    """(name, address, bytes) of each region of device memory, and the size of all of it."""

    regions: tuple[tuple[str, int, int], ...]
    size: int

    def address(self, name: str) -> int:
        """Byte address of a region."""
        return next(a for n, a, _ in self.regions if n == name)


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """A compiled operator: pack any inputs, run, unpack.

    Attributes:
        plan, emitted, timing: what runs and how long it takes in the timing model.
        bound: proved lower bound on the cycles over all tilings that were considered.
        memory: where everything lies.
        packings: the index maps of the two factors, input operand first.
        bias: the index map of the bias, None without one.
        output_index: byte address of every output element.
    """

    plan: Plan
    emitted: Emitted
    timing: Timing
    bound: int
    memory: MemoryMap
    packings: tuple[Packing, Packing]
    bias: BiasMap | None
    output_index: NDArray[np.int64]

    def program(self) -> bytes:
        """The binary instruction stream."""
        return encode(self.emitted.stream, self.plan.config)

    def image(self, inputs: Mapping[str, NDArray[np.int8]], bias: NDArray[np.int32] | None) -> NDArray[np.uint8]:
        """Device memory before the run for some inputs, [memory.size] bytes."""
        memory = np.zeros(self.memory.size, dtype=np.uint8)
        config = self.plan.config

        def put(name: str, data: NDArray[np.generic]) -> None:
            raw = np.ascontiguousarray(data).view(np.uint8).reshape(-1)
            at = self.memory.address(name)
            memory[at : at + raw.size] = raw

        for name, part in zip(("inp", "wgt"), self.packings, strict=True):
            put(name, part.pack(inputs[part.tensor]))
        epilogue = self.plan.epilogue
        if self.bias is not None and epilogue is not None and bias is not None:
            flat = np.append(bias.reshape(-1).astype(np.int64), 0)
            values = flat[self.bias.index]
            if epilogue.bias == "gemm":
                columns = values.reshape(-1, config.batch, config.block_out)
                rows = self.bias.index.reshape(columns.shape)
                chosen = np.take_along_axis(columns, rows.argmax(axis=1)[:, None, :], axis=1)[:, 0, :]
                put("bias", bias_weights(chosen, config.block_in))
                put("constant", constant_input(config.batch, config.block_in))
            else:
                put("bias", values.astype(np.int32))
        put("uop", encode_uops(*self.emitted.uops.T, config))
        at, size = next((a, s) for n, a, s in self.memory.regions if n == "out")
        memory[at : at + size] = FILLER
        return memory

    def unpack(self, memory: NDArray[np.uint8]) -> NDArray[np.int8]:
        """The logical output from device memory after the run."""
        return memory[self.output_index].view(np.int8)


def compile_embedding(
    embedding: Embedding,
    config: VtaConfig,
    epilogue: Epilogue | None,
    *,
    evaluations: int = 12,
    seconds: float = 4.0,
) -> Compiled:
    """The fastest program of an embedding that was found, with a bound over all tilings considered."""
    space = call_space(embedding)
    loops = bias_loops(space) if epilogue is not None and epilogue.bias != "none" else ()
    ranked = candidates(space, config, epilogue, loops, evaluations)
    if not ranked:
        raise InputError(
            "no tiling of this embedding fits the buffers", where=str(config), hint="a configuration with larger buffers"
        )
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
        raise InputError("no tiling of this embedding fits the buffers", where=str(config))
    _, plan, emitted, timing, memory = best
    inp, wgt = (
        packing(space, f, r) for f, r in zip(space.factors, plan.regions, strict=True)
    )
    biases = bias_map(plan) if loops or (epilogue is not None and epilogue.bias != "none") else None
    return Compiled(
        plan,
        emitted,
        timing,
        min(c.bound for c in ranked),
        memory,
        (inp, wgt),
        biases,
        output_index(plan, memory.address("out")),
    )


def make_plan(
    space: CallSpace, config: VtaConfig, tiling: Tiling, epilogue: Epilogue | None, loops: tuple[str, ...]
) -> Plan | None:
    """The plan of a tiling, None if it does not fit the buffers."""
    sizes = dict(tiling.sizes)
    counts = {
        loop.name: -(-loop.extent // sizes[loop.name]) for loop in (*space.parallel, *space.reduction)
    }
    distinct = []
    for factor in space.factors:
        number = 1
        for name in factor.loops:
            number *= counts[name]
        distinct.append(number)
    with_bias = epilogue is not None and epilogue.bias != "none"
    bias = 1
    for name in loops:
        bias *= sizes[name]
    buffers = divide(
        space,
        tiling,
        config,
        bias=bias if with_bias else 0,
        biases=bias_count(space, loops) if with_bias else 0,
        distinct=(distinct[0], distinct[1]),
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
        kind = config.wgt_bytes if epilogue.bias == "gemm" else config.acc_bytes
        sizes.append(("bias", plan.bias_region.tensors, kind))
        sizes.append(("constant", 1, config.inp_bytes))
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


def default_epilogue(embedding: Embedding, shift: int) -> Epilogue:
    """The reference's epilogue for an embedding."""
    return Epilogue(shift=shift)


def shape_of_bias(embedding: Embedding) -> tuple[int, ...]:
    """Shape of the bias that the epilogue of an embedded operator takes."""
    return bias_shape(embedding.operator, embedding.statement)


def with_alu_bias(epilogue: Epilogue) -> Epilogue:
    """The epilogue for biases beyond the reach of the GEMM trick."""
    return replace(epilogue, bias="alu")
