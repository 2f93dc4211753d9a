"""The cost model's constants fitted to this machine: plans of small operators are run, timed, and explained."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from math import log

from intarsia.ground import InputError
from intarsia.machines import find_instruction
from intarsia.targets.x86 import Engine, Processor, calls_per_second, host_processor, pinned, rates_of
from intarsia.targets.x86.calibration import (
    Calibrated,
    Quality,
    bytes_turned,
    fitted,
    keep,
    key_for,
    quality,
    samples,
    trials,
)
from intarsia.targets.x86.callable.source import WIDENED, instruction_of_bytes
from intarsia.targets.x86.lowering import Speeds, speeds_of

Told = Callable[[int, int], None]
CALLS = (0.5, 1.0, 2.0)
"""Calls of an instruction that a core may do in a cycle. Which of them it is, the clock in code without vectors tells;
in vector code the clock may be lower, and is the measured calls over these."""
LOOKS = 3
"""Times that calls are measured; the most count, as others may use the core meanwhile."""


@dataclass(frozen=True, slots=True)
class NativeCalibration:
    """What was fitted, and what it is worth.

    Attributes:
        processor: its name.
        instruction: whose plans were run.
        samples, plans: operators, and plans of them that were run.
        seconds: of all of it.
        shipped, fitted: the constants before and after.
        before, after: how well plans are ranked with the shipped constants, and with those fitted to other samples.
        file: where the constants are kept, empty if they could not be.
        notes: what a user should know.
    """

    processor: str
    instruction: str
    samples: int
    plans: int
    seconds: float
    shipped: Speeds
    fitted: Speeds
    before: Quality
    after: Quality
    file: str
    notes: tuple[str, ...] = ()

    def constants(self) -> dict[str, tuple[float, float]]:
        """Shipped and fitted constant by name."""
        first, second = _flat(self.shipped), _flat(self.fitted)
        return {name: (value, second[name]) for name, value in first.items()}


def calibrate_native(told: Told | None = None) -> NativeCalibration:
    """Run plans of small operators on the last core of this process, fit the constants, and keep them.

    Args:
        told: is told how many operators are done, and of how many.

    Raises:
        InputError: the processor has no instruction that is calibrated.
    """
    processor, engine, began = host_processor(), Engine(), time.perf_counter()
    name = instruction_of_bytes(engine.features)
    if name == WIDENED:
        raise InputError("only instructions that multiply bytes are calibrated", value=name)
    rates = rates_of(processor, engine)
    given, instruction = samples(), find_instruction(name)
    with pinned(processor.cores[-1]):
        calls = max(rates.rates.calls[name], *(calls_per_second(engine, name) for _ in range(LOOKS)))
        multiply = min(CALLS, key=lambda each: abs(log(calls / rates.rates.hertz / each)))
        ran = trials(given, instruction, engine, multiply, told)
        turned = bytes_turned(engine, calls / multiply)
    start = _of_processor(replace(speeds_of(instruction), multiply=multiply, turned=turned), processor)
    found, before, after = fitted(ran, start), quality(ran, start, fitting=False), quality(ran, start)
    record = Calibrated(key_for(processor, name), name, found, len(ran), after.tau, after.regret)
    file, notes = "", rates.notes
    try:
        file = str(keep(processor, record))
    except InputError as error:
        notes = (*notes, f"fitted constants are not kept: {error}")
    return NativeCalibration(
        processor=processor.name,
        instruction=name,
        samples=len(given),
        plans=len(ran),
        seconds=time.perf_counter() - began,
        shipped=start,
        fitted=found,
        before=before,
        after=after,
        file=file,
        notes=notes,
    )


def _of_processor(speeds: Speeds, processor: Processor) -> Speeds:
    """With the sizes of the processor's caches, as far as the system tells them."""
    sizes = [cache.size for cache in processor.caches]
    return replace(
        speeds, caches=tuple((sizes[i] if i < len(sizes) else old, rate) for i, (old, rate) in enumerate(speeds.caches))
    )


def _flat(speeds: Speeds) -> dict[str, float]:
    single = {name: value for name, value in asdict(speeds).items() if name != "caches"}
    return single | {f"beyond {size >> 10} KiB": rate for size, rate in speeds.caches}
