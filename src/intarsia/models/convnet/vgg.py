"""VGG networks for images (Simonyan and Zisserman, ICLR 2015), without batch normalisation."""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.graph import Steps
from intarsia.models.convnet.builder import Builder

WIDTHS = (64, 128, 256, 512, 512)
HIDDEN = 4096


@dataclass(frozen=True, slots=True)
class Vgg:
    """A configuration: 3×3 convolutions before each of the five poolings."""

    convolutions: tuple[int, int, int, int, int]
    pixels: int = 224
    classes: int = 1000


def vgg(config: Vgg) -> Steps:
    """The graph, with its loss."""
    b = Builder(config.pixels)
    x = b.image
    for stage, (count, width) in enumerate(zip(config.convolutions, WIDTHS, strict=True), 1):
        for i in range(1, count + 1):
            name = f"stage{stage}.layer{i}"
            x = b.vector(f"{name}.relu", "relu", b.conv(f"{name}.conv", x, width, 3, bias=True))
        x = b.max_pool(f"{name}.pool", x, 2, 2)
    x = b.flat("classifier1.flat", x)
    for i in (1, 2):
        x = b.vector(f"classifier{i}.relu", "relu", b.linear(f"classifier{i}.linear", x, HIDDEN))
        x = b.vector(f"classifier{i}.dropout", "dropout", x)
    return b.loss("loss", b.linear("head", x, config.classes))
