"""Transposed convolutions, in the gather form that is affine.

Input position ``i`` and kernel tap ``k`` meet in output ``s*i + k - p``. With ``k = s*j + a`` (tap ``j`` of phase
``a``, ``a < s``) every output of phase ``a`` is a plain convolution, so along each dimension there are two parallel
axes, ``y`` and ``a``, and a reduction ``j``::

    O[n, oc, s*y+a-(p mod s)] += I[n, c, y-j+(p div s)] * W[c, oc, s*j+a]

Taps ``s*j+a`` beyond the kernel read W's pad value 0; outputs outside O are dropped. With stride 1 there is one phase
and no axis ``a``. Dilation is 1.
"""

from __future__ import annotations

from intarsia.ground.errors import InputError
from intarsia.operators.library.channels import channels
from intarsia.operators.library.parameters import Sizes, extents, per_dimension, positive, sides
from intarsia.operators.operator import Operator
from intarsia.operators.shorthand import INTEGERS, Dtypes, Key, Shorthand, required
from intarsia.operators.text import parse_operator


def deconv(
    name: str,
    size: tuple[int, ...],
    kernel: tuple[int, ...],
    *,
    c: int,
    k: int,
    n: int = 1,
    stride: Sizes = 1,
    pad: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
    dtypes: Dtypes = INTEGERS,
) -> Operator:
    """A transposed convolution over ``len(size)`` spatial dimensions.

    Args:
        name: the operator's name, also in errors.
        size: extents of the input's spatial dimensions (h, w: the last ones of d, h, w).
        kernel: extents of the kernel's.
        c: input channels.
        k: output channels.
        n: batch.
        stride: one, or one for each dimension.
        pad: what is cut from the full result: one, one for each dimension, or all befores and then all afters.
        output_padding: what is added after the result, below the stride: one, or one for each dimension.
        groups: parts of the channels that do not meet.
        dilation: 1.
        dtypes: of I, W and O.

    Returns:
        Shapes O [n, k, *out] with out = (size-1)*stride + kernel - pads + output_padding, I [n, c, *size],
        W [c, k / groups, *kernel].

    Raises:
        InputError: for values out of range, a dilation, an empty output, groups that do not divide.
    """
    letters = "dhw"[-len(size) :]
    positive(name, n=n, **dict(zip(letters, size, strict=True)))
    positive(name, **{f"kernel {x}": v for x, v in zip(letters, kernel, strict=True)})
    strides = per_dimension(name, "stride", stride, len(size))
    if set(per_dimension(name, "dilation", dilation, len(size))) != {1}:
        raise InputError("dilation of a transposed convolution", where=name, value=str(dilation), allowed="1")
    pads = sides(name, pad, len(size))
    extra = _output_padding(name, output_padding, strides)
    ch = channels(name, c, k, groups)
    out = tuple((e - 1) * s + f - sum(p) + o for e, f, s, p, o in zip(size, kernel, strides, pads, extra, strict=True))
    positive(name, **{f"output {x}": v for x, v in zip(letters, out, strict=True)})
    parallel, reduction = [("n", n), *ch.parallel], [*ch.reduction]
    write, read, tap = "", "", ""
    for x, extent, f, s, (p, _) in zip(letters, out, kernel, strides, pads, strict=True):
        parallel += [(f"y{x}", -(-(extent + p % s) // s))] + ([(f"a{x}", s)] if s > 1 else [])
        reduction += [(f"j{x}", -(-f // s))]
        phase = f"+a{x}" if s > 1 else ""
        write += f", {s}*y{x}{phase}-{p % s}"
        read += f", y{x}-j{x}+{p // s}"
        tap += f", {s}*j{x}{phase}"
    return parse_operator(f"""{name}: {extents(parallel)} ; {extents(reduction)}
  O:{dtypes[2]}{[n, k, *out]} I:{dtypes[0]}{[n, c, *size]} W:{dtypes[1]}{[c, k // groups, *kernel]} const
  O[n, {ch.o}{write}] += I[n, {ch.i}{read}] * W[{ch.i}, {ch.inner_o}{tap}]""")


def _output_padding(name: str, output_padding: Sizes, strides: tuple[int, ...]) -> tuple[int, ...]:
    given = (output_padding,) if isinstance(output_padding, int) else tuple(output_padding)
    given = given * len(strides) if len(given) == 1 else given
    if len(given) != len(strides) or any(not 0 <= o < s for o, s in zip(given, strides, strict=True)):
        shown = "x".join(map(str, given))
        allowed = f"integers from 0, below the stride {'x'.join(map(str, strides))}"
        raise InputError("output_padding out of range", where=name, value=shown, allowed=allowed)
    return given


def deconv1d(
    *,
    c: int,
    w: int,
    k: int,
    s: int,
    n: int = 1,
    stride: Sizes = 1,
    pad: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
    dtypes: Dtypes = INTEGERS,
) -> Operator:
    """A 1-D transposed convolution with a kernel of width ``s``; see ``deconv``."""
    return deconv(
        "deconv1d",
        (w,),
        (s,),
        c=c,
        k=k,
        n=n,
        stride=stride,
        pad=pad,
        output_padding=output_padding,
        groups=groups,
        dilation=dilation,
        dtypes=dtypes,
    )


def deconv2d(
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
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
    dtypes: Dtypes = INTEGERS,
) -> Operator:
    """A 2-D transposed convolution with a kernel of height ``r`` and width ``s``; see ``deconv``."""
    return deconv(
        "deconv2d",
        (h, w),
        (r, s),
        c=c,
        k=k,
        n=n,
        stride=stride,
        pad=pad,
        output_padding=output_padding,
        groups=groups,
        dilation=dilation,
        dtypes=dtypes,
    )


_COMMON = (
    Key("n"),
    Key("stride", "integers"),
    Key("pad", "integers"),
    Key("output_padding", "integers"),
    Key("groups"),
    Key("dilation", "integers"),
)
SHORTHANDS = (
    Shorthand("deconv1d", (*required("c", "w", "k", "s"), *_COMMON), deconv1d),
    Shorthand("deconv2d", (*required("c", "h", "w", "k", "r", "s"), *_COMMON), deconv2d),
)
