"""Convolutional networks from small built-in configurations."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

from intarsia.graph import Steps
from intarsia.models.convnet.convnext import ConvNeXt, convnext
from intarsia.models.convnet.inverted import EFFICIENTNET_B0, MOBILENET_V2, MOBILENET_V3_LARGE, inverted
from intarsia.models.convnet.mobilenet import MobileNet, mobilenet
from intarsia.models.convnet.regnet import RegNet, regnet
from intarsia.models.convnet.resnet import ResNet, resnet
from intarsia.models.convnet.vgg import Vgg, vgg
from intarsia.models.traced import Traced

__all__ = ["CONVNETS", "convnet"]

_HE = "He et al., Deep Residual Learning for Image Recognition, CVPR 2016; stride as in torchvision"
_XIE = "Xie et al., Aggregated Residual Transformations for Deep Neural Networks, CVPR 2017"
_MOBILE = "Howard et al., MobileNets, arXiv 1704.04861 (2017)"
_SANDLER = "Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks, CVPR 2018"
_MOBILE_V3 = "Howard et al., Searching for MobileNetV3, ICCV 2019"
_TAN = "Tan and Le, EfficientNet: Rethinking Model Scaling, ICML 2019"
_RADOSAVOVIC = "Radosavovic et al., Designing Network Design Spaces, CVPR 2020"
_LIU = "Liu et al., A ConvNet for the 2020s, CVPR 2022"
_SIMONYAN = "Simonyan and Zisserman, Very Deep Convolutional Networks, ICLR 2015"

CONVNETS: dict[str, tuple[Callable[[], Steps], str]] = {
    "resnet-18": (partial(resnet, ResNet((2, 2, 2, 2), bottleneck=False)), _HE),
    "resnet-34": (partial(resnet, ResNet((3, 4, 6, 3), bottleneck=False)), _HE),
    "resnet-50": (partial(resnet, ResNet((3, 4, 6, 3), bottleneck=True)), _HE),
    "resnet-101": (partial(resnet, ResNet((3, 4, 23, 3), bottleneck=True)), _HE),
    "resnet-152": (partial(resnet, ResNet((3, 8, 36, 3), bottleneck=True)), _HE),
    "resnext50-32x4d": (partial(resnet, ResNet((3, 4, 6, 3), bottleneck=True, groups=32, per_group=4)), _XIE),
    "mobilenet-v1": (partial(mobilenet, MobileNet()), _MOBILE),
    "mobilenet-v2": (partial(inverted, MOBILENET_V2), _SANDLER),
    "mobilenet-v3-large": (partial(inverted, MOBILENET_V3_LARGE), _MOBILE_V3),
    "efficientnet-b0": (partial(inverted, EFFICIENTNET_B0), _TAN),
    "regnety-400mf": (partial(regnet, RegNet((1, 3, 6, 6), (48, 104, 208, 440), 8)), _RADOSAVOVIC),
    "regnety-16gf": (partial(regnet, RegNet((2, 4, 11, 1), (224, 448, 1232, 3024), 112)), _RADOSAVOVIC),
    "convnext-tiny": (partial(convnext, ConvNeXt((3, 3, 9, 3), (96, 192, 384, 768))), _LIU),
    "vgg-16": (partial(vgg, Vgg((2, 2, 3, 3, 3))), _SIMONYAN),
}
"""Name to how the graph is made, and its source."""


@cache
def convnet(name: str) -> Traced:
    """The network of a name of ``CONVNETS``."""
    build, source = CONVNETS[name]
    return Traced(name, build(), source=source)
