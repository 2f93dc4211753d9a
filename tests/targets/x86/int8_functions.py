"""Small quantised operators with arrays for all of their inputs, and what a compiled one gives beside the reference."""

from __future__ import annotations

import native_levels as levels
import numpy as np
from threads_in_turn import InTurn

from intarsia.operators import evaluate_quantised, parse_operator, quantised
from intarsia.targets.x86.callable import compiled, kernels
from intarsia.targets.x86.transposing import kernel as copies

NATIVE = levels.HAS_AVX2
REASON = "the processor lacks AVX2"


def convolution(x="uint8", w="int8", *, n=1, c=5, k=18, size=7, kernel=3, stride=1, pad=1):
    """A convolution with the channels last."""
    out = (size + 2 * pad - kernel) // stride + 1
    return parse_operator(
        f"conv: n<{n} oc<{k} oh<{out} ow<{out} ; c<{c} kh<{kernel} kw<{kernel}\n"
        f"  O:int32[{n}, {out}, {out}, {k}] I:{x}[{n}, {size}, {size}, {c}] W:{w}[{k}, {c}, {kernel}, {kernel}] const\n"
        f"  O[n, oh, ow, oc] += I[n, {stride}*oh+kh-{pad}, {stride}*ow+kw-{pad}, c] * W[oc, c, kh, kw]"
    )


def product(x="uint8", w="int8", *, m=7, n=35, k=21, out="int32", constant=True):
    """A product of activations and weights."""
    return parse_operator(
        f"product: m<{m} n<{n} ; k<{k}\n"
        f"  O:{out}[{m}, {n}] I:{x}[{m}, {k}] W:{w}[{k}, {n}]{' const' if constant else ''}\n"
        "  O[m, n] += I[m, k] * W[k, n]"
    )


def arrays(q, seed=0):
    """Arrays of a quantised operator's inputs: bytes over their range, a bias, scales that use the result's range."""
    random = np.random.default_rng(seed)
    terms = q.operator.iterations / np.prod(q.result.shape)
    found = {}
    for tensor in q.inputs:
        if tensor.dtype == "float32":
            found[tensor.name] = (random.uniform(0.5, 1.5, tensor.shape) / (300 * terms**0.5)).astype(np.float32)
        elif tensor.dtype == "int32":
            found[tensor.name] = random.integers(-9999, 9999, tensor.shape, dtype=np.int32)
        else:
            low, high = np.iinfo(tensor.dtype).min, np.iinfo(tensor.dtype).max
            found[tensor.name] = random.integers(low, high, tensor.shape, dtype=tensor.dtype, endpoint=True)
    return found


def parted(q, inputs):
    """Constants, and what changes with every call."""
    factors = {tensor.name for tensor in q.factors}
    varying = {t.name for t in q.inputs if t.name in factors and not t.constant}
    return (
        {name: a for name, a in inputs.items() if name not in varying},
        {name: a for name, a in inputs.items() if name in varying},
    )


def agrees(q, inputs, **options):
    """Whether a compiled operator gives the reference's bits, whatever several threads do in which order."""
    constants, varying = parted(q, inputs)
    function, expected = compiled(q, constants, **options), evaluate_quantised(q, inputs)
    try:
        found = [function(**varying) for _ in range(3)]
    finally:
        function.close()
    if options.get("threads", 1) > 1 and function.native:
        body = function._built(varying).body
        for seed in range(5):
            found.append(np.zeros_like(expected))
            body.run(varying, found[-1], InTurn(options["threads"], seed))
    return all(np.array_equal(one, expected) for one in found)


def split_everything(monkeypatch):
    """However little work there is, threads share it."""
    for where, name in ((kernels, "GRAIN"), (kernels, "COPIED"), (copies, "GRAIN")):
        monkeypatch.setattr(where, name, 1)


def requantised(operator, dtype="uint8", **more):
    """With a bias and a scale for each channel, and zero points of activations and result."""
    one, channels = (1,) * len(operator.outputs[0].shape), (1,) * (len(operator.outputs[0].shape) - 1)
    channels = (*channels, operator.outputs[0].shape[-1])
    settings = {"left_zero": one, "bias": channels, "scale": channels, "zero": one} | more
    return quantised(operator, dtype, **settings)
