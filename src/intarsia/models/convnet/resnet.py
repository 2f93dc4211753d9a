"""Residual networks for images (He et al., CVPR 2016), with the stride in the 3×3 convolution of a bottleneck.

Parameters and multiplications are those that torchvision publishes for its weights of the same names.
"""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.graph import Steps
from intarsia.models.convnet.builder import Builder, Image

WIDTHS = (64, 128, 256, 512)
EXPANSION = 4


@dataclass(frozen=True, slots=True)
class ResNet:
    """A configuration: blocks of each stage; bottlenecks (1×1, 3×3, 1×1) or two 3×3."""

    blocks: tuple[int, int, int, int]
    bottleneck: bool
    pixels: int = 224
    classes: int = 1000


def resnet(config: ResNet) -> Steps:
    """The graph, with its loss."""
    b = Builder(config.pixels)
    x = b.conv("stem.conv", b.image, 64, 7, stride=2)
    x = b.vector("stem.relu", "relu", b.norm("stem.norm", x))
    x = b.max_pool("stem.pool", x, 3, 2)
    block = _bottleneck if config.bottleneck else _basic
    for stage, (count, width) in enumerate(zip(config.blocks, WIDTHS, strict=True), 1):
        for i in range(1, count + 1):
            x = block(b, f"stage{stage}.block{i}", x, width, 2 if stage > 1 and i == 1 else 1)
    x = b.flat("head.flat", b.mean("head.pool", x))
    return b.loss("loss", b.linear("head.linear", x, config.classes))


def _basic(b: Builder, name: str, x: Image, width: int, stride: int) -> Image:
    y = b.norm(f"{name}.norm1", b.conv(f"{name}.conv1", x, width, 3, stride=stride))
    y = b.vector(f"{name}.relu1", "relu", y)
    y = b.norm(f"{name}.norm2", b.conv(f"{name}.conv2", y, width, 3))
    return _closed(b, name, x, y, stride)


def _bottleneck(b: Builder, name: str, x: Image, width: int, stride: int) -> Image:
    y = b.norm(f"{name}.norm1", b.conv(f"{name}.conv1", x, width, 1))
    y = b.vector(f"{name}.relu1", "relu", y)
    y = b.norm(f"{name}.norm2", b.conv(f"{name}.conv2", y, width, 3, stride=stride))
    y = b.vector(f"{name}.relu2", "relu", y)
    y = b.norm(f"{name}.norm3", b.conv(f"{name}.conv3", y, EXPANSION * width, 1))
    return _closed(b, name, x, y, stride)


def _closed(b: Builder, name: str, x: Image, y: Image, stride: int) -> Image:
    """The sum with the shortcut, which is a convolution where shapes differ."""
    if (x.channels, x.size) != (y.channels, y.size):
        x = b.norm(f"{name}.shortcut.norm", b.conv(f"{name}.shortcut.conv", x, y.channels, 1, stride=stride))
    return b.vector(f"{name}.relu", "relu", b.vector(f"{name}.add", "add", y, x))
