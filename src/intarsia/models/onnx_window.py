"""How the window of an ONNX convolution or pooling slides: extents, strides, dilations, padding."""

from __future__ import annotations

from intarsia.ground.errors import InputError
from intarsia.models.onnx_node import Node


def spatial(image: tuple[int, ...], weights: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The spatial extents of an image and of a kernel.

    Raises:
        InputError: if they are not one to three, and as many.
    """
    size, kernel = image[2:], weights[2:]
    if not 1 <= len(size) <= 3 or len(size) != len(kernel):
        raise InputError("spatial dimensions", value=f"{len(size)} and {len(kernel)}", allowed="1, 2 or 3, and as many")
    return size, kernel


def steps(node: Node, name: str, size: tuple[int, ...]) -> tuple[int, ...]:
    """``strides`` or ``dilations``, one for each spatial dimension."""
    return tuple(int(v) for v in node.attributes.get(name, (1,) * len(size)))


def auto_pad(node: Node) -> str:
    """How the padding follows from the shapes; ``NOTSET`` where it is given."""
    given = node.attributes.get("auto_pad", b"NOTSET")
    return given.decode() if isinstance(given, bytes) else str(given)


def padding(
    node: Node, size: tuple[int, ...], kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
) -> tuple[int, ...]:
    """All paddings before, then all after, by ONNX's ``pads`` or ``auto_pad``."""
    auto = auto_pad(node)
    if auto == "VALID":
        return (0,) * (2 * len(size))
    if auto == "NOTSET":
        return tuple(int(v) for v in node.attributes.get("pads", (0,) * (2 * len(size))))
    totals = [
        max(0, (-(-e // s) - 1) * s + d * (f - 1) + 1 - e)
        for e, f, s, d in zip(size, kernel, stride, dilation, strict=True)
    ]
    less, more = tuple(t // 2 for t in totals), tuple(t - t // 2 for t in totals)
    return (*less, *more) if auto == "SAME_UPPER" else (*more, *less)
