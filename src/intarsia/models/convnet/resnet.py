"""Residual networks for images (He et al., CVPR 2016), with the stride in the 3×3 convolution of a bottleneck.

With groups it is a ResNeXt (Xie et al., CVPR 2017). Parameters and multiplications are those that torchvision publishes
for its weights of the same names.
"""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.graph import Steps
from intarsia.models.convnet.builder import Builder, Image

WIDTHS = (64, 128, 256, 512)
EXPANSION = 4


@dataclass(frozen=True, slots=True)
class ResNet:
    """A configuration.

    Attributes:
        blocks: of each stage.
        bottleneck: 1×1, 3×3 and 1×1 convolutions, or two 3×3.
        groups: of a bottleneck's 3×3 convolution.
        per_group: its channels in each group where the stage's width is 64.
        pixels: rows and columns of the image.
        classes: of the head.
    """

    blocks: tuple[int, int, int, int]
    bottleneck: bool
    groups: int = 1
    per_group: int = 64
    pixels: int = 224
    classes: int = 1000


def resnet(config: ResNet) -> Steps:
    """The graph, with its loss."""
    b = Builder(config.pixels)
    x = b.conv("stem.conv", b.image, 64, 7, stride=2)
    x = b.vector("stem.relu", "relu", b.norm("stem.norm", x))
    x = b.max_pool("stem.pool", x, 3, 2)
    for stage, (count, width) in enumerate(zip(config.blocks, WIDTHS, strict=True), 1):
        for i in range(1, count + 1):
            name, stride = f"stage{stage}.block{i}", 2 if stage > 1 and i == 1 else 1
            if config.bottleneck:
                x = _bottleneck(b, name, x, width, stride, config)
            else:
                x = _basic(b, name, x, width, stride)
    x = b.flat("head.flat", b.mean("head.pool", x))
    return b.loss("loss", b.linear("head.linear", x, config.classes))


def _basic(b: Builder, name: str, x: Image, width: int, stride: int) -> Image:
    y = b.norm(f"{name}.norm1", b.conv(f"{name}.conv1", x, width, 3, stride=stride))
    y = b.vector(f"{name}.relu1", "relu", y)
    y = b.norm(f"{name}.norm2", b.conv(f"{name}.conv2", y, width, 3))
    return _closed(b, name, x, y, stride)


def _bottleneck(b: Builder, name: str, x: Image, width: int, stride: int, config: ResNet) -> Image:
    inner = config.groups * config.per_group * width // WIDTHS[0]
    y = b.norm(f"{name}.norm1", b.conv(f"{name}.conv1", x, inner, 1))
    y = b.vector(f"{name}.relu1", "relu", y)
    y = b.norm(f"{name}.norm2", b.conv(f"{name}.conv2", y, inner, 3, stride=stride, groups=config.groups))
    y = b.vector(f"{name}.relu2", "relu", y)
    y = b.norm(f"{name}.norm3", b.conv(f"{name}.conv3", y, EXPANSION * width, 1))
    return _closed(b, name, x, y, stride)


def _closed(b: Builder, name: str, x: Image, y: Image, stride: int) -> Image:
    """The sum with the shortcut, which is a convolution where shapes differ."""
    if (x.channels, x.size) != (y.channels, y.size):
        x = b.norm(f"{name}.shortcut.norm", b.conv(f"{name}.shortcut.conv", x, y.channels, 1, stride=stride))
    return b.vector(f"{name}.relu", "relu", b.vector(f"{name}.add", "add", y, x))
