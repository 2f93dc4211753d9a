"""Convolutions in one, two and three spatial dimensions: strided, padded, dilated, grouped, depthwise.

``O[n, oc, oh, ow] += I[n, c, s*oh+d*kh-p, s*ow+d*kw-p] * W[oc, c, kh, kw]`` (a cross-correlation, as the field has
it). With groups there is a parallel axis ``g`` and ``oc`` and ``c`` count within a group; depthwise has no ``c`` and,
where a channel has several outputs, an axis ``m`` for them. Tensors: O, I and the constant W.
"""

from __future__ import annotations

from intarsia.operators.library.channels import channels
from intarsia.operators.library.parameters import Sizes, extents, positive, slide, windows
from intarsia.operators.operator import Operator
from intarsia.operators.shorthand import INTEGERS, Dtypes, Key, Shorthand, required
from intarsia.operators.text import parse_operator


def conv(
    name: str,
    size: tuple[int, ...],
    kernel: tuple[int, ...],
    *,
    c: int,
    k: int,
    n: int = 1,
    stride: Sizes = 1,
    pad: Sizes = 0,
    dilation: Sizes = 1,
    groups: int = 1,
    pad_value: float = 0,
    dtypes: Dtypes = INTEGERS,
) -> Operator:
    """A convolution over ``len(size)`` spatial dimensions; the others of this file are cases of it.

    Args:
        name: the operator's name, also in errors.
        size: extents of the input's spatial dimensions (d, h, w: the last ones of them).
        kernel: extents of the kernel's.
        c: input channels.
        k: output channels.
        n: batch.
        stride: one, or one for each dimension.
        pad: one, one for each dimension, or all befores and then all afters.
        dilation: one, or one for each dimension.
        groups: parts of the channels that do not meet.
        pad_value: what is read outside the input (a quantised tensor's zero point).
        dtypes: of I, W and O.

    Returns:
        Shapes O [n, k, *windows], I [n, c, *size], W [k, c / groups, *kernel].

    Raises:
        InputError: for values out of range, a kernel larger than the padded input, groups that do not divide.
    """
    positive(name, n=n)
    spatial = slide(name, size, kernel, stride, pad, dilation=dilation)
    ch = channels(name, c, k, groups)
    out = [windows(name, x) for x in spatial]
    parallel = [("n", n), *ch.parallel, *((f"o{x.letter}", e) for x, e in zip(spatial, out, strict=True))]
    reduction = [*ch.reduction, *((f"k{x.letter}", x.kernel) for x in spatial)]
    write, read = ", ".join(f"o{x.letter}" for x in spatial), ", ".join(x.read for x in spatial)
    tap = ", ".join(f"k{x.letter}" for x in spatial)
    padded = f" pad={pad_value}" if pad_value else ""
    return parse_operator(f"""{name}: {extents(parallel)} ; {extents(reduction)}
  O:{dtypes[2]}{[n, k, *out]} I:{dtypes[0]}{[n, c, *size]}{padded} W:{dtypes[1]}{[k, c // groups, *kernel]} const
  O[n, {ch.o}, {write}] += I[n, {ch.i}, {read}] * W[{ch.o}, {ch.inner_c}, {tap}]""")


def conv1d(
    *,
    c: int,
    w: int,
    k: int,
    s: int,
    n: int = 1,
    stride: Sizes = 1,
    pad: Sizes = 0,
    dilation: Sizes = 1,
    groups: int = 1,
    dtypes: Dtypes = INTEGERS,
) -> Operator:
    """A 1-D convolution of width ``w`` with a kernel of width ``s``; see ``conv``."""
    return conv(
        "conv1d", (w,), (s,), c=c, k=k, n=n, stride=stride, pad=pad, dilation=dilation, groups=groups, dtypes=dtypes
    )


def conv2d(
    *,
    c: int,
    h: int,
    w: int,
    k: int,
    r: int,
    s: int,
    n: int = 1,
    stride: Sizes = 1,
    pad: Sizes = 0,
    dilation: Sizes = 1,
    groups: int = 1,
    dtypes: Dtypes = INTEGERS,
) -> Operator:
    """A 2-D convolution of an ``h`` by ``w`` image with a kernel of height ``r`` and width ``s``; see ``conv``."""
    return conv(
        "conv2d", (h, w), (r, s), c=c, k=k, n=n, stride=stride, pad=pad, dilation=dilation, groups=groups, dtypes=dtypes
    )


def conv3d(
    *,
    c: int,
    d: int,
    h: int,
    w: int,
    k: int,
    t: int,
    r: int,
    s: int,
    n: int = 1,
    stride: Sizes = 1,
    pad: Sizes = 0,
    dilation: Sizes = 1,
    groups: int = 1,
    dtypes: Dtypes = INTEGERS,
) -> Operator:
    """A 3-D convolution with a kernel of depth ``t``, height ``r`` and width ``s``; see ``conv``."""
    size, kernel = (d, h, w), (t, r, s)
    return conv(
        "conv3d", size, kernel, c=c, k=k, n=n, stride=stride, pad=pad, dilation=dilation, groups=groups, dtypes=dtypes
    )


def depthwise(
    *,
    c: int,
    h: int,
    w: int,
    r: int,
    s: int,
    n: int = 1,
    m: int = 1,
    stride: Sizes = 1,
    pad: Sizes = 0,
    dilation: Sizes = 1,
    dtypes: Dtypes = INTEGERS,
) -> Operator:
    """A 2-D depthwise convolution: every channel alone, ``m`` outputs each; see ``conv``."""
    positive("depthwise", c=c, m=m)
    size, kernel = (h, w), (r, s)
    return conv(
        "depthwise", size, kernel, c=c, k=c * m, n=n, stride=stride, pad=pad, dilation=dilation, groups=c, dtypes=dtypes
    )


_STEPS = (Key("stride", "integers"), Key("pad", "integers"), Key("dilation", "integers"))
_COMMON = (Key("n"), *_STEPS, Key("groups"))
SHORTHANDS = (
    Shorthand("conv1d", (*required("c", "w", "k", "s"), *_COMMON), conv1d),
    Shorthand("conv2d", (*required("c", "h", "w", "k", "r", "s"), *_COMMON), conv2d),
    Shorthand("conv3d", (*required("c", "d", "h", "w", "k", "t", "r", "s"), *_COMMON), conv3d),
    Shorthand("depthwise", (*required("c", "h", "w", "r", "s"), Key("n"), Key("m"), *_STEPS), depthwise),
)
