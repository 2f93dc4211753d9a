"""One call from an operator to a function: its source, an engine, plans, and the function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.ground import QUIET, InputError, Trace
from intarsia.operators import Operator, Quantised, Tensor, random_inputs
from intarsia.targets.x86.callable.body import Body
from intarsia.targets.x86.callable.build import Builder
from intarsia.targets.x86.callable.compiled import Compiled
from intarsia.targets.x86.callable.source import Source, source_of
from intarsia.targets.x86.engine import Engine
from intarsia.targets.x86.features import Features
from intarsia.targets.x86.lowering.packed import aligned_copy
from intarsia.targets.x86.measure import fastest
from intarsia.targets.x86.threads import MOST

Array = NDArray[Any]


def compiled(
    given: Operator | Quantised,
    constants: Mapping[str, Array] | None = None,
    *,
    threads: int = 1,
    measure: int = 0,
    features: Features | None = None,
    store: Path | None = None,
    trace: Trace = QUIET,
) -> Compiled:
    """An operator as a function on NumPy arrays.

    Args:
        given: one statement that adds products of two tensors, quantised or not.
        constants: weights, zero points, bias and scale by name, those that are known.
        threads: how many share the work of a call; the result has the same bits with any number.
        measure: how many plans are measured, of which the fastest is taken; 0 for the one that is predicted to be.
        features: what code may use; the processor's own for None.
        store: where chosen plans are kept; the user's cache folder for None.
        trace: told when compiled code cannot be kept.

    Raises:
        InputError: the processor has no instruction for the operator, or a constant is wrong.
    """
    for name, value, least in (("threads", threads, 1), ("measure", measure, 0)):
        if value < least:
            raise InputError(f"{name} is too small", value=str(value), allowed=f"{least} or more")
    if threads > MOST:
        raise InputError("threads is too large", value=str(threads), allowed=f"1 to {MOST}")
    source = source_of(given)
    engine = Engine(features, trace=trace)
    timed = _timer(source) if measure > 1 else None
    builder = Builder(source, engine, store=store, measure=measure, timed=timed)
    return Compiled(source, builder, constants or {}, threads=threads)


def at_line(array: Array) -> Array:
    """A copy that begins on a cache line."""
    return aligned_copy(array.reshape(-1)).reshape(array.shape)


def _timer(source: Source) -> Callable[[Body], float]:
    """Times bodies on random factors."""
    operator = source.operator
    result: Tensor = operator.outputs[0] if source.q is None else source.q.result
    drawn = random_inputs(operator, 0)
    factors = {t.name: at_line(drawn[t.name]) for t in operator.inputs if not t.constant}
    out = at_line(np.zeros(result.shape, result.dtype))
    return lambda body: fastest(lambda: body.run(factors, out, None))
