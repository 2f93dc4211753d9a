"""Networks of inverted residual blocks: 1×1 convolutions around a depthwise one, narrow between blocks, wide inside.

MobileNetV2 (Sandler et al., CVPR 2018), MobileNetV3 (Howard et al., ICCV 2019) and EfficientNet (Tan and Le, ICML
2019). Parameters and multiplications are those that torchvision publishes for its weights of the same names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from intarsia.graph import Steps
from intarsia.models.convnet.builder import Builder, Image


@dataclass(frozen=True, slots=True)
class Block:
    """One inverted residual block.

    Attributes:
        kernel: rows and columns of the depthwise convolution.
        wide: channels inside; those of the input leave the first convolution out.
        narrow: channels of the result.
        stride: of the depthwise convolution.
        activation: behind both convolutions inside.
        squeeze: channels inside squeeze and excitation; 0 for none.
    """

    kernel: int
    wide: int
    narrow: int
    stride: int
    activation: str
    squeeze: int = 0


@dataclass(frozen=True, slots=True)
class Inverted:
    """A configuration.

    Attributes:
        blocks: in order.
        stem: channels of the first convolution.
        head: channels of the last one.
        activation: behind these two.
        squeeze: the two activations of squeeze and excitation.
        hidden: channels of a product between head and classes; 0 for none.
        drops: residual blocks are dropped at random, but for the first of all.
        pixels: rows and columns of the image.
        classes: of the last product.
    """

    blocks: tuple[Block, ...]
    stem: int
    head: int
    activation: str
    squeeze: tuple[str, str] = ("relu", "sigmoid")
    hidden: int = 0
    drops: bool = False
    pixels: int = 224
    classes: int = 1000


def _stages(
    rows: tuple[tuple[int, int, int, int, int], ...], stem: int, activation: str, fraction: int
) -> Iterator[Block]:
    """Blocks of rows of expansion, kernel, stride, channels and number; 1/fraction of the input's are squeezed to."""
    channels = stem
    for expansion, kernel, stride, narrow, times in rows:
        for i in range(times):
            squeeze = channels // fraction if fraction else 0
            yield Block(kernel, expansion * channels, narrow, 1 if i else stride, activation, squeeze)
            channels = narrow


_V2 = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 3, 2, 32, 3),
    (6, 3, 2, 64, 4),
    (6, 3, 1, 96, 3),
    (6, 3, 2, 160, 3),
    (6, 3, 1, 320, 1),
)
"""Sandler et al., table 2."""
_B0 = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
"""Tan and Le, table 1."""
MOBILENET_V2 = Inverted(tuple(_stages(_V2, 32, "relu6", 0)), 32, 1280, "relu6")
EFFICIENTNET_B0 = Inverted(
    tuple(_stages(_B0, 32, "silu", 4)), 32, 1280, "silu", squeeze=("silu", "sigmoid"), drops=True
)
MOBILENET_V3_LARGE = Inverted(
    (
        Block(3, 16, 16, 1, "relu"),
        Block(3, 64, 24, 2, "relu"),
        Block(3, 72, 24, 1, "relu"),
        Block(5, 72, 40, 2, "relu", 24),
        Block(5, 120, 40, 1, "relu", 32),
        Block(5, 120, 40, 1, "relu", 32),
        Block(3, 240, 80, 2, "hard-swish"),
        Block(3, 200, 80, 1, "hard-swish"),
        Block(3, 184, 80, 1, "hard-swish"),
        Block(3, 184, 80, 1, "hard-swish"),
        Block(3, 480, 112, 1, "hard-swish", 120),
        Block(3, 672, 112, 1, "hard-swish", 168),
        Block(5, 672, 160, 2, "hard-swish", 168),
        Block(5, 960, 160, 1, "hard-swish", 240),
        Block(5, 960, 160, 1, "hard-swish", 240),
    ),
    16,
    960,
    "hard-swish",
    squeeze=("relu", "clip"),  # a hard sigmoid, as the front ends price it
    hidden=1280,
)
"""Howard et al., table 1; squeezed to the multiple of 8 nearest to a quarter."""


def inverted(config: Inverted) -> Steps:
    """The graph, with its loss."""
    b = Builder(config.pixels)
    x = b.activated("stem", b.image, config.stem, 3, config.activation, stride=2)
    for i, block in enumerate(config.blocks):
        x = _block(b, f"block{i + 1}", x, block, config, drops=config.drops and i > 0)
    x = b.activated("head", x, config.head, 1, config.activation)
    x = b.flat("classifier.flat", b.mean("classifier.pool", x))
    if config.hidden:
        x = b.vector("classifier.activation", config.activation, b.linear("classifier.hidden", x, config.hidden))
    x = b.vector("classifier.dropout", "dropout", x)
    return b.loss("loss", b.linear("classifier.linear", x, config.classes))


def _block(b: Builder, name: str, x: Image, block: Block, config: Inverted, *, drops: bool) -> Image:
    y = x
    if block.wide != x.channels:
        y = b.activated(f"{name}.expand", y, block.wide, 1, block.activation)
    y = b.activated(
        f"{name}.depthwise", y, block.wide, block.kernel, block.activation, stride=block.stride, groups=block.wide
    )
    if block.squeeze:
        y = b.squeezed(f"{name}.squeeze", y, block.squeeze, config.squeeze)
    y = b.activated(f"{name}.project", y, block.narrow, 1, "")
    if (x.channels, x.size) != (y.channels, y.size):
        return y
    return b.vector(f"{name}.add", "add", b.stochastic_depth(f"{name}.drop", y) if drops else y, x)
