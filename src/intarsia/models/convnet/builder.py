"""Steps of a convolutional network written down one after the other, with shapes followed along."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

from intarsia.graph import Convolution, Kind, Product, Step, Steps, Vector, View

IMAGE = "image"
CHANNELS = 3


@dataclass(frozen=True, slots=True)
class Image:
    """A tensor on the way: the step that makes it, and its channels and extents for one sample."""

    name: str
    channels: int
    size: tuple[int, int]

    @property
    def elements(self) -> int:
        """Of one sample."""
        return self.channels * prod(self.size)


@dataclass(slots=True)
class Builder:
    """Collects steps; each method adds one and returns what it makes."""

    pixels: int
    steps: list[Step] = field(default_factory=list)

    @property
    def image(self) -> Image:
        """The input."""
        return Image(IMAGE, CHANNELS, (self.pixels, self.pixels))

    def conv(
        self, name: str, x: Image, k: int, kernel: int, *, stride: int = 1, groups: int = 1, bias: bool = False
    ) -> Image:
        """A convolution with an odd square kernel that keeps the extents but for the stride."""
        pad = (kernel // 2,) * 4
        kind = Convolution(x.size, (kernel, kernel), x.channels, k, (stride, stride), pad, (1, 1), groups)
        return self._convolved(name, x, kind, bias=bias)

    def patches(self, name: str, x: Image, k: int, kernel: int) -> Image:
        """A convolution whose windows touch and do not overlap, with a bias."""
        square = (kernel, kernel)
        kind = Convolution(x.size, square, x.channels, k, square, (0, 0, 0, 0), (1, 1))
        return self._convolved(name, x, kind, bias=True)

    def _convolved(self, name: str, x: Image, kind: Convolution, *, bias: bool) -> Image:
        rows, columns = kind.windows
        weights = (kind.weights, kind.k) if bias else (kind.weights,)
        return self._add(Image(name, kind.k, (rows, columns)), kind, (x,), weights)

    def norm(self, name: str, x: Image) -> Image:
        """Batch normalisation, a scale and a shift for each channel."""
        return self._weighted(name, "batch-norm", x, (x.channels, x.channels))

    def layer_norm(self, name: str, x: Image) -> Image:
        """Normalisation over the channels of each pixel, a scale and a shift for each channel."""
        return self._weighted(name, "norm", x, (x.channels, x.channels))

    def layer_scale(self, name: str, x: Image) -> Image:
        """Each channel times a weight (Touvron et al., ICCV 2021)."""
        return self._weighted(name, "layer-scale", x, (x.channels,))

    def _weighted(self, name: str, rule: str, x: Image, weights: tuple[int, ...]) -> Image:
        return self._add(Image(name, x.channels, x.size), Vector(rule, x.elements), (x,), weights)

    def vector(self, name: str, rule: str, *inputs: Image) -> Image:
        """Pointwise work by a rule, shaped as its first input."""
        x = inputs[0]
        return self._add(Image(name, x.channels, x.size), Vector(rule, x.elements), inputs)

    def stochastic_depth(self, name: str, x: Image) -> Image:
        """A sample's whole tensor times 0 or 1/kept (Huang et al., ECCV 2016); dropped samples are computed as well."""
        return self.vector(name, "scale", x)

    def activated(
        self, name: str, x: Image, k: int, kernel: int, rule: str, *, stride: int = 1, groups: int = 1
    ) -> Image:
        """A convolution, its batch normalisation, and an activation unless the rule is empty."""
        y = self.norm(f"{name}.norm", self.conv(f"{name}.conv", x, k, kernel, stride=stride, groups=groups))
        return self.vector(f"{name}.{rule}", rule, y) if rule else y

    def squeezed(self, name: str, x: Image, inner: int, rules: tuple[str, str]) -> Image:
        """Squeeze and excitation (Hu et al., CVPR 2018): each channel times a number made of all channels' means.

        Args:
            name: of the block.
            x: what is scaled.
            inner: channels between the two products.
            rules: of the activation behind each product.
        """
        y = self.conv(f"{name}.squeeze", self.mean(f"{name}.pool", x), inner, 1, bias=True)
        y = self.conv(f"{name}.excite", self.vector(f"{name}.{rules[0]}1", rules[0], y), x.channels, 1, bias=True)
        return self.vector(f"{name}.gate", "gate", x, self.vector(f"{name}.{rules[1]}2", rules[1], y))

    def max_pool(self, name: str, x: Image, window: int, stride: int) -> Image:
        """The maximum of each window, padded so that the stride alone decides the extents."""
        pad = (window - 1) // 2
        rows, columns = ((e + 2 * pad - window) // stride + 1 for e in x.size)
        result = Image(name, x.channels, (rows, columns))
        return self._add(result, Vector("max-pool", result.elements * window * window), (x,))

    def mean(self, name: str, x: Image) -> Image:
        """The mean of each channel."""
        return self._add(Image(name, x.channels, (1, 1)), Vector("mean-pool", x.elements), (x,))

    def flat(self, name: str, x: Image) -> Image:
        """All elements as channels."""
        return self._add(Image(name, x.elements, (1, 1)), View(), (x,))

    def linear(self, name: str, x: Image, n: int) -> Image:
        """A matrix of weights and a bias."""
        return self._add(Image(name, n, (1, 1)), Product(1, 1, n, x.channels, weight=True), (x,), (x.channels * n, n))

    def loss(self, name: str, x: Image) -> Steps:
        """The cross-entropy, which ends the graph."""
        end = self._add(Image(name, 1, (1, 1)), Vector("loss", x.elements), (x,))
        return Steps(((IMAGE, self.image.elements),), tuple(self.steps), end.name)

    def _add(self, result: Image, kind: Kind, inputs: tuple[Image, ...], weights: tuple[int, ...] = ()) -> Image:
        named = tuple(zip((f"{result.name}.weight", f"{result.name}.bias"), weights, strict=False))
        self.steps.append(Step(result.name, kind, tuple(x.name for x in inputs), result.elements, named))
        return result
