"""MobileNet for images (Howard et al., arXiv 1704.04861): depthwise 3×3 and 1×1 convolutions in turn.

Its table 1, with the stride of the last depthwise convolution as 1, which the extents there need.
"""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.graph import Steps
from intarsia.models.convnet.builder import Builder

STEM = 32
ROWS = (
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *((512, 1),) * 5,
    *((1024, 2), (1024, 1)),
)
"""Channels and stride of each pair of convolutions."""


@dataclass(frozen=True, slots=True)
class MobileNet:
    """A configuration: rows and columns of the image, and classes."""

    pixels: int = 224
    classes: int = 1000


def mobilenet(config: MobileNet) -> Steps:
    """The graph, with its loss."""
    b = Builder(config.pixels)
    x = b.activated("stem", b.image, STEM, 3, "relu", stride=2)
    for i, (channels, stride) in enumerate(ROWS, 1):
        x = b.activated(f"block{i}.depthwise", x, x.channels, 3, "relu", stride=stride, groups=x.channels)
        x = b.activated(f"block{i}.pointwise", x, channels, 1, "relu")
    x = b.flat("head.flat", b.mean("head.pool", x))
    return b.loss("loss", b.linear("head.linear", x, config.classes))
