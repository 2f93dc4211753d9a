"""RegNetY networks for images (Radosavovic et al., CVPR 2020): grouped convolutions of one group width, with gates.

Parameters and multiplications are those that torchvision publishes for its weights of the same names.
"""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.graph import Steps
from intarsia.models.convnet.builder import Builder, Image

STEM = 32
SQUEEZE = 4


@dataclass(frozen=True, slots=True)
class RegNet:
    """A configuration.

    Attributes:
        blocks: of each stage.
        widths: channels of each stage, multiples of the group width.
        group: channels of a group.
        pixels: rows and columns of the image.
        classes: of the head.
    """

    blocks: tuple[int, int, int, int]
    widths: tuple[int, int, int, int]
    group: int
    pixels: int = 224
    classes: int = 1000


def regnet(config: RegNet) -> Steps:
    """The graph, with its loss."""
    b = Builder(config.pixels)
    x = b.activated("stem", b.image, STEM, 3, "relu", stride=2)
    for stage, (count, width) in enumerate(zip(config.blocks, config.widths, strict=True), 1):
        for i in range(1, count + 1):
            x = _block(b, f"stage{stage}.block{i}", x, width, 2 if i == 1 else 1, config.group)
    x = b.flat("head.flat", b.mean("head.pool", x))
    return b.loss("loss", b.linear("head.linear", x, config.classes))


def _block(b: Builder, name: str, x: Image, width: int, stride: int, group: int) -> Image:
    """Residual; squeezed to a quarter of the input's channels."""
    y = b.activated(f"{name}.reduce", x, width, 1, "relu")
    y = b.activated(f"{name}.grouped", y, width, 3, "relu", stride=stride, groups=width // group)
    y = b.squeezed(f"{name}.squeeze", y, round(x.channels / SQUEEZE), ("relu", "sigmoid"))
    y = b.activated(f"{name}.expand", y, width, 1, "")
    if (x.channels, x.size) != (y.channels, y.size):
        x = b.activated(f"{name}.shortcut", x, width, 1, "", stride=stride)
    return b.vector(f"{name}.relu", "relu", b.vector(f"{name}.add", "add", y, x))
