"""Convolutional networks from small built-in configurations."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

from intarsia.graph import Steps
from intarsia.models.convnet.resnet import ResNet, resnet
from intarsia.models.convnet.vgg import Vgg, vgg
from intarsia.models.traced import Traced

__all__ = ["CONVNETS", "convnet"]

_HE = "He et al., Deep Residual Learning for Image Recognition, CVPR 2016; stride as in torchvision"
_SIMONYAN = "Simonyan and Zisserman, Very Deep Convolutional Networks, ICLR 2015"

CONVNETS: dict[str, tuple[Callable[[], Steps], str]] = {
    "resnet-18": (partial(resnet, ResNet((2, 2, 2, 2), bottleneck=False)), _HE),
    "resnet-34": (partial(resnet, ResNet((3, 4, 6, 3), bottleneck=False)), _HE),
    "resnet-50": (partial(resnet, ResNet((3, 4, 6, 3), bottleneck=True)), _HE),
    "resnet-101": (partial(resnet, ResNet((3, 4, 23, 3), bottleneck=True)), _HE),
    "resnet-152": (partial(resnet, ResNet((3, 8, 36, 3), bottleneck=True)), _HE),
    "vgg-16": (partial(vgg, Vgg((2, 2, 3, 3, 3))), _SIMONYAN),
}
"""Name to how the graph is made, and its source."""


@cache
def convnet(name: str) -> Traced:
    """The network of a name of ``CONVNETS``."""
    build, source = CONVNETS[name]
    return Traced(name, build(), source=source)
