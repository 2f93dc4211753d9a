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

    def conv(self, name: str, x: Image, k: int, kernel: int, *, stride: int = 1, bias: bool = False) -> Image:
        """A square convolution that keeps the extents but for the stride."""
        pad = (kernel // 2,) * 4
        kind = Convolution(x.size, (kernel, kernel), x.channels, k, (stride, stride), pad, (1, 1))
        rows, columns = kind.windows
        result = Image(name, k, (rows, columns))
        weights = (kind.weights, k) if bias else (kind.weights,)
        return self._add(result, kind, (x,), weights)

    def norm(self, name: str, x: Image) -> Image:
        """Batch normalisation, a scale and a shift for each channel."""
        return self._add(
            Image(name, x.channels, x.size), Vector("batch-norm", x.elements), (x,), (x.channels, x.channels)
        )

    def vector(self, name: str, rule: str, *inputs: Image) -> Image:
        """Pointwise work by a rule."""
        x = inputs[0]
        return self._add(Image(name, x.channels, x.size), Vector(rule, x.elements), inputs)

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
