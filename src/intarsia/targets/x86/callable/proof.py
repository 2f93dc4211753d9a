"""Code is run once on random inputs and compared with the reference interpreter before anybody gets a result of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
from intarsia.operators.quantised import STORED
from intarsia.targets.x86.callable.body import Body
from intarsia.targets.x86.callable.source import Source
from intarsia.targets.x86.lowering.packed import aligned_copy

Array = NDArray[Any]
EPSILON = 2.0**-23
"""Of float32."""
BETWEEN = 0.25
"""The part of requantised results that must be neither the least nor the greatest one: the rest may be cut off, which
hides what is wrong."""
NEARER = ((16, 1.0), (4, 1.0), (1, 1.0), (1, 0.1), (1, 0.01))
"""How far integers are from their zero point at most, and the part of them that are away from it."""


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
    if not is_floating(given.tensor(name).dtype):
        return bool(np.array_equal(found, evaluate(given, inputs)[name]))
    with np.errstate(all="ignore"):
        return _near(given, inputs, found)


def _near(given: Operator, inputs: Mapping[str, Array], found: Array) -> bool:
    """Whether sums of floats are the same numbers but for rounding.

    Infinite ones are the same, and so are those that are no numbers. Where finite products may add up to more than
    float32 holds, their order decides what comes out, and anything may.
    """
    name = given.outputs[0].name
    expected = evaluate(given, inputs)[name]
    sizes = evaluate(given, {n: np.abs(array) for n, array in inputs.items()})[name]
    terms = max(1, given.iterations // expected.size)
    near = np.abs(found - expected) <= 2 * terms * EPSILON * sizes
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    finite = np.isfinite(expected) & np.isfinite(sizes)
    whole = all(np.isfinite(array.astype(np.float32)).all() for array in inputs.values())
    overflowing = np.isinf(sizes) & whole
    return bool((same | (near & finite) | overflowing).all())


def prove(source: Source, body: Body, settings: Mapping[str, Array]) -> None:
    """Compare a body with the reference.

    On integers over their whole range and, where most results are cut off by their bounds, on smaller and smaller ones
    until enough are between them.

    Args:
        source: what it was made of.
        body: what runs.
        settings: its constants and parameters by name; other inputs are drawn at random.

    Raises:
        AssertionError: it computes something else.
    """
    given = source.given
    result = source.operator.outputs[0] if source.q is None else source.q.result
    out = np.empty(result.shape, numpy_dtype(result.dtype))
    for factors in _draws(source, settings):
        body.run(factors, out, None)
        if not is_right(given, {**factors, **settings}, out):
            raise AssertionError(f"native code differs from the reference interpreter on {source.operator}")
        if source.q is None or result.dtype not in STORED or _between(out) >= BETWEEN:
            return


def _draws(source: Source, settings: Mapping[str, Array]) -> Iterator[dict[str, Array]]:
    """Factors that are not constant, first over their whole range, then nearer and nearer to their zero points."""
    drawn = random_inputs(source.operator, 0)
    free = [t for t in source.operator.inputs if t.name not in settings]
    yield {t.name: _aligned(drawn[t.name]) for t in free}
    q = source.q
    if q is None:
        return
    random = np.random.default_rng(1)
    zeroes = {t.name: z for t, z in zip(q.factors, (q.left_zero, q.right_zero), strict=True)}
    for most, share in NEARER:
        found = {}
        for t in free:
            zero, kind = zeroes[t.name], np.iinfo(numpy_dtype(t.dtype))
            middle = np.zeros(1, np.int16) if zero is None else settings[zero.name].astype(np.int16)
            away = random.integers(-most, most, t.shape, np.int16, endpoint=True)
            values = middle + np.where(random.random(t.shape) < share, away, np.int16(0))
            found[t.name] = _aligned(np.clip(values, kind.min, kind.max).astype(numpy_dtype(t.dtype)))
        yield found


def _between(found: Array) -> float:
    """The part of results that are neither the least nor the greatest one."""
    return float(((found > found.min()) & (found < found.max())).mean())


def _aligned(array: Array) -> Array:
    return aligned_copy(array.reshape(-1)).reshape(array.shape)
