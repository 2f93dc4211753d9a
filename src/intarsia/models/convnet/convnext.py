"""ConvNeXt networks for images (Liu et al., CVPR 2022): depthwise 7×7 convolutions and wide pointwise products.

Parameters and multiplications are those that torchvision publishes for its weights of the same names.
"""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.graph import Steps
from intarsia.models.convnet.builder import Builder, Image

EXPANSION = 4


@dataclass(frozen=True, slots=True)
class ConvNeXt:
    """A configuration: blocks and channels of each stage, rows and columns of the image, and classes."""

    blocks: tuple[int, int, int, int]
    widths: tuple[int, int, int, int]
    pixels: int = 224
    classes: int = 1000


def convnext(config: ConvNeXt) -> Steps:
    """The graph, with its loss."""
    b = Builder(config.pixels)
    x = b.image
    for stage, (count, width) in enumerate(zip(config.blocks, config.widths, strict=True), 1):
        if stage == 1:
            x = b.layer_norm("stem.norm", b.patches("stem.conv", x, width, 4))
        else:
            x = b.patches(f"stage{stage}.down.conv", b.layer_norm(f"stage{stage}.down.norm", x), width, 2)
        for i in range(1, count + 1):
            x = _block(b, f"stage{stage}.block{i}", x, drops=(stage, i) != (1, 1))
    x = b.flat("head.flat", b.layer_norm("head.norm", b.mean("head.pool", x)))
    return b.loss("loss", b.linear("head.linear", x, config.classes))


def _block(b: Builder, name: str, x: Image, *, drops: bool) -> Image:
    """Residual; stochastic depth grows with the block's number, so that the first of all is never dropped."""
    y = b.conv(f"{name}.depthwise", x, x.channels, 7, groups=x.channels, bias=True)
    y = b.conv(f"{name}.expand", b.layer_norm(f"{name}.norm", y), EXPANSION * x.channels, 1, bias=True)
    y = b.conv(f"{name}.contract", b.vector(f"{name}.gelu", "gelu", y), x.channels, 1, bias=True)
    y = b.layer_scale(f"{name}.scale", y)
    return b.vector(f"{name}.add", "add", b.stochastic_depth(f"{name}.drop", y) if drops else y, x)
