"""What a run of a compiled operator is worth: cycles by unit, bytes, how full the lanes were, layout work on the host.

A compiled operator and its run come in; numbers go out. Cycles are the device's. Layout work happens on the host before
and after and is reported beside them: bytes that are written into packed tensors (and read back out), and seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.operators import Operator
from intarsia.targets.vta.lowering.alu_space import alu_space
from intarsia.targets.vta.lowering.bound import LowerBound
from intarsia.targets.vta.operator import CompiledOperator, Data, Run, by_alu
from intarsia.targets.vta.timing import Timing, UnitTime

LARGEST_GRID = 1 << 24
"""Points up to which iterations that read only padding are counted; beyond, all iterations count."""

SOURCE = "measured here, NumPy"


@dataclass(frozen=True, slots=True)
class HostWork:
    """Layout work on the host.

    Attributes:
        run_bytes, run_seconds: at every run: pack what is not constant, unpack the output.
        once_bytes, once_seconds: once for all runs: pack constant tensors and the bias.
        source: where the seconds are from.
    """

    run_bytes: int
    run_seconds: float
    once_bytes: int
    once_seconds: float
    source: str = SOURCE


@dataclass(frozen=True, slots=True)
class Report:
    """One run in numbers.

    Attributes:
        correct: whether the output is the reference's, bit for bit.
        calls: of the instruction for the operator itself, those left out that cannot change a result, because they read
            only padding or repeat another one; what the program adds (bias, start values, moves) is not counted.
        all_calls: those left out included.
        instructions: length of the program.
        cycles, seconds: on the device.
        bound: cycles that no program can beat.
        read, written: bytes through the ports, instructions included.
        utilisation: iterations that can change the result, per lane and cycle, 0 to 1.
        units: unit, to (cause, cycles).
        host: layout work.
        nest: the embedding as a loop nest. tiling: its tiles in words.
    """

    correct: bool
    calls: int
    all_calls: int
    instructions: int
    cycles: int
    seconds: float
    bound: LowerBound
    read: int
    written: int
    utilisation: float
    units: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
    host: HostWork
    nest: str
    tiling: str


def report(compiled: CompiledOperator, data: Data, run: Run) -> Report:
    """The numbers of a run on some inputs."""
    program, timing = compiled.program, compiled.program.timing
    lanes = program.embeddings[0].instruction.lanes
    return Report(
        correct=run.correct,
        calls=(alu_space(program.embeddings) if by_alu(compiled.operator) else program.plan.space).needed,
        all_calls=sum(embedding.calls for embedding in program.embeddings),
        instructions=len(program.stream),
        cycles=timing.cycles,
        seconds=timing.seconds,
        bound=compiled.bound,
        read=timing.read_bytes,
        written=timing.written_bytes,
        utilisation=live_iterations(compiled.operator) * len(program.embeddings) / (lanes * timing.cycles),
        units=units_of(timing),
        host=host_work(compiled, data),
        nest="\n\n".join(map(str, program.embeddings)),
        tiling=program.tiling,
    )


def units_of(timing: Timing) -> tuple[tuple[str, tuple[tuple[str, int], ...]], ...]:
    """Where the cycles of each unit went; they add up to the program's."""
    units = {"load": timing.load, "compute": timing.compute, "store": timing.store, "fetch": timing.fetch}
    causes = [field.name for field in fields(UnitTime)]
    return tuple((unit, tuple((cause, getattr(spent, cause)) for cause in causes)) for unit, spent in units.items())


def host_work(compiled: CompiledOperator, data: Data) -> HostWork:
    """Pack and unpack once more with a clock beside it; the least of two times each."""
    program, operator = compiled.program, compiled.operator
    run_bytes = once_bytes = 0
    run_seconds = once_seconds = 0.0
    for _, part in program.packings:
        seconds = _least_seconds(partial(part.pack, data.inputs[part.tensor]))
        if operator.tensor(part.tensor).constant:
            once_bytes, once_seconds = once_bytes + part.index.size, once_seconds + seconds
        else:
            run_bytes, run_seconds = run_bytes + part.index.size, run_seconds + seconds
    once_bytes += sum(size for name, _, size in program.memory.regions if name in ("bias", "constant", "uop"))
    output = np.zeros(program.memory.size, dtype=np.uint8)
    run_bytes += prod(operator.outputs[0].shape)
    run_seconds += _least_seconds(partial(program.unpack, output))
    return HostWork(run_bytes, run_seconds, once_bytes, once_seconds)


def _least_seconds(work: Callable[[], Any]) -> float:
    clock = [time.perf_counter()]
    for _ in range(2):
        work()
        clock.append(time.perf_counter())
    return min(after - before for before, after in pairwise(clock))


def live_iterations(operator: Operator) -> int:
    """Iterations that read no padding; exact while the axes that share subscripts span at most ``LARGEST_GRID``."""
    total = operator.iterations
    for names in _components(operator):
        extents = [operator.axis(name).extent for name in names]
        if prod(extents) <= LARGEST_GRID:
            total = total // prod(extents) * int(_inside(operator, names).sum())
    return total


def _components(operator: Operator) -> list[list[str]]:
    """The axes, joined where a subscript of a read has several of them."""
    parts: list[set[str]] = []
    for read in operator.statements[0].reads:
        for subscript in read.subscripts:
            names = {name for name, _ in subscript.terms}
            touching = [part for part in parts if part & names]
            parts = [part for part in parts if not part & names]
            parts.append(names.union(*touching))
    return [sorted(part) for part in parts if part]


def _inside(operator: Operator, names: list[str]) -> NDArray[np.bool_]:
    """Whether every read over these axes is inside its tensor, on the grid of the axes."""
    grid = dict(zip(names, np.ogrid[tuple(slice(operator.axis(n).extent) for n in names)], strict=True))
    inside = np.ones([operator.axis(n).extent for n in names], dtype=np.bool_)
    for read in operator.statements[0].reads:
        for subscript, size in zip(read.subscripts, operator.tensor(read.tensor).shape, strict=True):
            if {name for name, _ in subscript.terms} & set(names):
                position = subscript.constant + sum(c * grid[name] for name, c in subscript.terms)
                inside &= (position >= 0) & (position < size)
    return inside
