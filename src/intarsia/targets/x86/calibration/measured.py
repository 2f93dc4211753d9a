"""Plans of the samples, from likely to unlikely ones, each run and timed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.ground import InputError
from intarsia.machines import Instruction
from intarsia.operators import numpy_dtype, random_inputs
from intarsia.targets.x86.calibration.repeated import Repeated, seconds_of
from intarsia.targets.x86.calibration.samples import Sample
from intarsia.targets.x86.engine import Engine
from intarsia.targets.x86.lowering import Bound, Kernel, Plan, plans
from intarsia.targets.x86.lowering.packed import aligned_copy
from intarsia.targets.x86.measure import calls_per_second

Array = NDArray[Any]
PLACES = (0, 1, 2, 3, 4, 5, 6, 7, 10, 14, 20)
"""Which plans of a sample are run, by their place in the order of the prediction."""
Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Trial:
    """A plan that ran.

    Attributes:
        sample: the name of the sample that it computes.
        plan: what ran.
        cycles: of its fastest run.
    """

    sample: str
    plan: Plan
    cycles: float


def trials(
    given: tuple[Sample, ...], instruction: Instruction, engine: Engine, multiply: float, told: Told | None = None
) -> tuple[Trial, ...]:
    """Run plans of all samples on the core that this thread is on.

    Args:
        given: the samples.
        instruction: what they are made of.
        engine: makes code.
        multiply: calls of the instruction in a cycle; with its calls in a second, measured beside each sample, they
            tell the clock, which moves.
        told: is told how many samples are done, and of how many.

    Raises:
        InputError: no plan feeds the instruction.
    """
    found: list[Trial] = []
    for i, sample in enumerate(given):
        listed = plans(sample.operator, instruction, sample.epilogue, most=PLACES[-1] + 1)
        chosen = [plan for place, (_, plan) in enumerate(listed) if place in PLACES]
        hertz = calls_per_second(engine, instruction.name) / multiply
        seconds = seconds_of([_repeated(sample, plan, engine) for plan in chosen])
        found += [Trial(sample.name, plan, each * hertz) for plan, each in zip(chosen, seconds, strict=True)]
        if told is not None:
            told(i + 1, len(given))
    if not found:
        raise InputError("no sample has a plan", value=instruction.name)
    return tuple(found)


def _repeated(sample: Sample, plan: Plan, engine: Engine) -> Repeated:
    """A plan on random bytes."""
    operator = sample.operator
    drawn = {name: aligned_copy(a.reshape(-1)).reshape(a.shape) for name, a in random_inputs(operator, 0).items()}
    (written,) = operator.outputs
    finish = None
    dtype = written.dtype
    if sample.epilogue is not None:
        channels = written.shape[sample.epilogue.dim]
        finish = np.zeros(channels, np.int32), np.full(channels, 2.0**-12, np.float32)
        dtype = sample.epilogue.dtype
    out = aligned_copy(np.zeros(prod(written.shape), numpy_dtype(dtype))).reshape(written.shape)
    return Repeated(Bound(Kernel(plan, engine), drawn, finish), drawn, out, engine)
