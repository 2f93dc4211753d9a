"""Code is run once on random inputs and compared with the reference interpreter before anybody gets a result of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.operators import (
    Operator,
    Quantised,
    evaluate,
    evaluate_quantised,
    is_floating,
    numpy_dtype,
    random_inputs,
)
from intarsia.targets.x86.callable.body import Body
from intarsia.targets.x86.callable.source import Source
from intarsia.targets.x86.lowering.packed import aligned_copy

Array = NDArray[Any]
EPSILON = 2.0**-23
"""Of float32."""


def is_right(given: Operator | Quantised, inputs: Mapping[str, Array], found: Array) -> bool:
    """Whether a result is the reference's: integers bit for bit, sums of floats within twice their error bound.

    Args:
        given: what is computed.
        inputs: by name, all of them.
        found: the result.
    """
    if isinstance(given, Quantised):
        return bool(np.array_equal(found, evaluate_quantised(given, inputs)))
    name = given.outputs[0].name
    expected = evaluate(given, inputs)[name]
    if not is_floating(given.tensor(name).dtype):
        return bool(np.array_equal(found, expected))
    sizes = evaluate(given, {n: np.abs(array) for n, array in inputs.items()})[name]
    terms = max(1, given.iterations // expected.size)
    return bool((np.abs(found - expected) <= 2 * terms * EPSILON * sizes).all())


def prove(source: Source, body: Body, settings: Mapping[str, Array]) -> None:
    """Compare a body with the reference.

    Args:
        source: what it was made of.
        body: what runs.
        settings: its constants and parameters by name; other inputs are drawn at random.

    Raises:
        AssertionError: it computes something else.
    """
    given = source.given
    drawn = random_inputs(source.operator, 0)
    factors = {
        t.name: aligned_copy(drawn[t.name].reshape(-1)).reshape(t.shape)
        for t in source.operator.inputs
        if t.name not in settings
    }
    result = source.operator.outputs[0] if source.q is None else source.q.result
    out = np.empty(result.shape, numpy_dtype(result.dtype))
    body.run(factors, out, None)
    if not is_right(given, {**factors, **settings}, out):
        raise AssertionError(f"native code differs from the reference interpreter on {source.operator}")
