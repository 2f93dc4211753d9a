"""Pooling: the maximum, the minimum or the sum of each window of each channel.

``O[n, c, oh, ow] max= I[n, c, s*oh+d*kh-p, ...]``. Outside the image a maximum reads the least value of the dtype, a
minimum the greatest, a sum 0. Average pooling is the sum: the division is a scaling of the result and stands apart.
"""

from __future__ import annotations

from functools import partial

from intarsia.operators.element import identity
from intarsia.operators.library.parameters import Sizes, extents, positive, slide, windows
from intarsia.operators.operator import Combine, Operator
from intarsia.operators.shorthand import Dtypes, Key, Shorthand, required
from intarsia.operators.text import parse_operator

EXTREME: Dtypes = ("int8", "int8", "int8")
SUM: Dtypes = ("int8", "int8", "int32")


def pool(
    name: str,
    combine: Combine,
    size: tuple[int, ...],
    kernel: tuple[int, ...],
    *,
    c: int,
    n: int = 1,
    stride: Sizes = 1,
    pad: Sizes = 0,
    dilation: Sizes = 1,
    dtypes: Dtypes = EXTREME,
) -> Operator:
    """Pooling over ``len(size)`` spatial dimensions.

    Args:
        name: the operator's name, also in errors.
        combine: of the elements of a window.
        size: extents of the input's spatial dimensions.
        kernel: extents of a window.
        c: channels.
        n: batch.
        stride: one, or one for each dimension.
        pad: one, one for each dimension, or all befores and then all afters.
        dilation: one, or one for each dimension.
        dtypes: of I and O (first and last).

    Returns:
        Shapes O [n, c, *windows], I [n, c, *size].

    Raises:
        InputError: for values out of range or a window larger than the padded input.
    """
    positive(name, n=n, c=c)
    spatial = slide(name, size, kernel, stride, pad, dilation=dilation)
    out = [windows(name, x) for x in spatial]
    parallel = [("n", n), ("c", c), *((f"o{x.letter}", e) for x, e in zip(spatial, out, strict=True))]
    reduction = [(f"k{x.letter}", x.kernel) for x in spatial]
    write, read = ", ".join(f"o{x.letter}" for x in spatial), ", ".join(x.read for x in spatial)
    return parse_operator(f"""{name}: {extents(parallel)} ; {extents(reduction)}
  O:{dtypes[2]}{[n, c, *out]} I:{dtypes[0]}{[n, c, *size]} pad={identity(combine, dtypes[0])}
  O[n, c, {write}] {combine} I[n, c, {read}]""")


def pool2d(
    name: str,
    combine: Combine,
    *,
    c: int,
    h: int,
    w: int,
    r: int,
    s: int,
    n: int = 1,
    stride: Sizes | None = None,
    pad: Sizes = 0,
    dilation: Sizes = 1,
    dtypes: Dtypes = EXTREME,
) -> Operator:
    """2-D pooling of windows of height ``r`` and width ``s``, by default side by side; see ``pool``."""
    steps = (r, s) if stride is None else stride
    return pool(name, combine, (h, w), (r, s), c=c, n=n, stride=steps, pad=pad, dilation=dilation, dtypes=dtypes)


_KEYS = (
    *required("c", "h", "w", "r", "s"),
    Key("n"),
    Key("stride", "integers"),
    Key("pad", "integers"),
    Key("dilation", "integers"),
)
SHORTHANDS = (
    Shorthand("maxpool2d", _KEYS, partial(pool2d, "maxpool2d", "max="), EXTREME),
    Shorthand("minpool2d", _KEYS, partial(pool2d, "minpool2d", "min="), EXTREME),
    Shorthand("avgpool2d", _KEYS, partial(pool2d, "avgpool2d", "+="), SUM),
)
