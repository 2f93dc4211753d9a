"""What is measured: small operators, each with something else that takes its time."""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.operators import Operator, parse_operator
from intarsia.targets.x86.lowering import Epilogue


@dataclass(frozen=True, slots=True)
class Sample:
    """An operator of bytes, and how its results are stored.

    Attributes:
        name: what it is.
        operator: uint8 activations, int8 weights that are constant.
        epilogue: None for sums in int32.
    """

    name: str
    operator: Operator
    epilogue: Epilogue | None = None


def samples() -> tuple[Sample, ...]:
    """Products and convolutions of many kinds; each runs below a millisecond."""
    return (
        Sample("product in the caches", _product(192, 256, 256)),
        Sample("weights from the second cache", _product(48, 768, 768)),
        Sample("short sums", _product(512, 64, 48)),
        Sample("a vector", _product(1, 512, 768)),
        _bytes("product in bytes", _product(128, 256, 512)),
        Sample("3x3", _convolution(64, 64, 14, 3)),
        _bytes("3x3 in bytes", _convolution(32, 64, 20, 3)),
        _bytes("1x1 in bytes", _convolution(64, 64, 28, 1)),
        Sample("channels first", _channels_first(16, 32, 14, 3)),
        _bytes("three channels", _convolution(3, 32, 56, 3, stride=2)),
        _bytes("odd channels", _convolution(17, 17, 28, 3)),
        _bytes("few results", _convolution(64, 3, 32, 3)),
        _bytes("depthwise", _depthwise(96, 28, 1)),
        _bytes("depthwise with a stride", _depthwise(96, 56, 2)),
        _bytes("grouped", _grouped(16, 4, 28)),
    )


def _bytes(name: str, operator: Operator) -> Sample:
    return Sample(name, operator, Epilogue("uint8", len(operator.outputs[0].shape) - 1))


def _product(m: int, n: int, k: int) -> Operator:
    return parse_operator(
        f"product: m<{m} n<{n} ; k<{k}\n"
        f"  O:int32[{m}, {n}] I:uint8[{m}, {k}] W:int8[{k}, {n}] const\n"
        "  O[m, n] += I[m, k] * W[k, n]"
    )


def _convolution(c: int, k: int, size: int, kernel: int, stride: int = 1) -> Operator:
    pad, out = kernel // 2, (size - 1) // stride + 1
    return parse_operator(
        f"convolution: oc<{k} oh<{out} ow<{out} ; c<{c} kh<{kernel} kw<{kernel}\n"
        f"  O:int32[{out}, {out}, {k}] I:uint8[{size}, {size}, {c}] W:int8[{k}, {c}, {kernel}, {kernel}] const\n"
        f"  O[oh, ow, oc] += I[{stride}*oh+kh-{pad}, {stride}*ow+kw-{pad}, c] * W[oc, c, kh, kw]"
    )


def _channels_first(c: int, k: int, size: int, kernel: int) -> Operator:
    pad = kernel // 2
    return parse_operator(
        f"convolution: oc<{k} oh<{size} ow<{size} ; c<{c} kh<{kernel} kw<{kernel}\n"
        f"  O:int32[{k}, {size}, {size}] I:uint8[{c}, {size}, {size}] W:int8[{k}, {c}, {kernel}, {kernel}] const\n"
        f"  O[oc, oh, ow] += I[c, oh+kh-{pad}, ow+kw-{pad}] * W[oc, c, kh, kw]"
    )


def _depthwise(c: int, size: int, stride: int) -> Operator:
    out = (size - 1) // stride + 1
    return parse_operator(
        f"depthwise: g<{c} oh<{out} ow<{out} ; kh<3 kw<3\n"
        f"  O:int32[{out}, {out}, {c}] I:uint8[{size}, {size}, {c}] W:int8[{c}, 3, 3] const\n"
        f"  O[oh, ow, g] += I[{stride}*oh+kh-1, {stride}*ow+kw-1, g] * W[g, kh, kw]"
    )


def _grouped(groups: int, each: int, size: int) -> Operator:
    c = groups * each
    return parse_operator(
        f"grouped: g<{groups} oc<{each} oh<{size} ow<{size} ; c<{each} kh<3 kw<3\n"
        f"  O:int32[{size}, {size}, {c}] I:uint8[{size}, {size}, {c}] W:int8[{c}, {each}, 3, 3] const\n"
        f"  O[oh, ow, {each}*g+oc] += I[oh+kh-1, ow+kw-1, {each}*g+c] * W[{each}*g+oc, c, kh, kw]"
    )
