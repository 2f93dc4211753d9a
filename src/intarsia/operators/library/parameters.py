"""What the parameters of the library's operators must be, said once: extents, strides, the sides of a padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from intarsia.ground.errors import InputError

Sizes = int | Sequence[int]
"""One integer for every spatial dimension, or one each; paddings also all befores, then all afters."""


def positive(where: str, **values: int) -> None:
    """Refuse a value below 1.

    Raises:
        InputError: naming the parameter.
    """
    for name, value in values.items():
        if value < 1:
            raise InputError(f"{name} must be positive", where=where, value=str(value), allowed="integers from 1")


def per_dimension(where: str, name: str, sizes: Sizes, dimensions: int) -> tuple[int, ...]:
    """One positive value for each spatial dimension."""
    values = (sizes,) * dimensions if isinstance(sizes, int) else tuple(sizes)
    if len(values) == 1:
        values *= dimensions
    if len(values) != dimensions:
        shown = "x".join(map(str, values))
        raise InputError(f"{name} has {len(values)} values", where=where, value=shown, allowed=f"1 or {dimensions}")
    positive(where, **{f"{name}[{i}]" if dimensions > 1 else name: v for i, v in enumerate(values)})
    return values


def sides(where: str, pad: Sizes, dimensions: int) -> tuple[tuple[int, int], ...]:
    """The padding before and after, for each spatial dimension."""
    values = (pad,) if isinstance(pad, int) else tuple(pad)
    shown = "x".join(map(str, values))
    if any(v < 0 for v in values):
        raise InputError("pad must not be negative", where=where, value=shown, allowed="integers from 0")
    if len(values) == 1:
        values *= dimensions
    if len(values) == dimensions:
        values *= 2
    if len(values) != 2 * dimensions:
        allowed = f"1, {dimensions} or {2 * dimensions} (all befores, then all afters)"
        raise InputError(f"pad has {len(values)} values", where=where, value=shown, allowed=allowed)
    return tuple(zip(values[:dimensions], values[dimensions:], strict=True))


@dataclass(frozen=True, slots=True)
class Along:
    """A kernel sliding along one spatial dimension (d, h or w); ``pad`` is before and after."""

    letter: str
    size: int
    kernel: int
    stride: int
    pad: tuple[int, int]
    dilation: int

    @property
    def read(self) -> str:
        """The subscript of the input."""
        return f"{self.stride}*o{self.letter}+{self.dilation}*k{self.letter}-{self.pad[0]}"


def slide(
    where: str, size: Sequence[int], kernel: Sequence[int], stride: Sizes, pad: Sizes, *, dilation: Sizes
) -> tuple[Along, ...]:
    """The spatial dimensions of a convolution or a pooling; letters are the last of d, h, w.

    Raises:
        InputError: for values out of range.
    """
    letters = "dhw"[-len(size) :]
    positive(where, **dict(zip(letters, size, strict=True)))
    positive(where, **{f"kernel {x}": v for x, v in zip(letters, kernel, strict=True)})
    strides = per_dimension(where, "stride", stride, len(size))
    dilations = per_dimension(where, "dilation", dilation, len(size))
    columns = zip(letters, size, kernel, strides, sides(where, pad, len(size)), dilations, strict=True)
    return tuple(Along(*column) for column in columns)


def windows(where: str, along: Along) -> int:
    """How many windows of the kernel fit into the padded dimension, a stride apart.

    Raises:
        InputError: if none does.
    """
    padded, reach = along.size + sum(along.pad), along.dilation * (along.kernel - 1) + 1
    if reach > padded:
        raise InputError(
            f"the kernel is larger than the padded input along {along.letter}",
            where=where,
            value=f"{reach} > {padded}",
            hint="a smaller kernel or dilation, or more padding",
        )
    return (padded - reach) // along.stride + 1


def divides(where: str, **channels: int) -> None:
    """Refuse groups that do not divide a number of channels; ``groups`` is the first keyword."""
    (_, groups), *others = channels.items()
    for name, value in others:
        if value % groups:
            raise InputError(f"groups do not divide {name}", where=where, value=f"{value} / {groups}")


def extents(axes: Sequence[tuple[str, int]]) -> str:
    """Axes as the text form declares them."""
    return " ".join(f"{name}<{extent}" for name, extent in axes)
