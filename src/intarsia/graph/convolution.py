"""A convolution and its two gradients as contractions; each carries its operator as a spec.

As products: forward is windows × (channels · taps) times (channels · taps) × outputs; the input gradient sums over
outputs, the weight gradient over windows. All three have the same number of multiplications.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from intarsia.graph.work import Contraction

LETTERS = (("d", "t"), ("h", "r"), ("w", "s"))
GRADIENT_BYTES = 4
"""Of an element of a weight's gradient, which is summed over microbatches in single precision."""


@dataclass(frozen=True, slots=True)
class Convolution:
    """A convolution of one sample.

    Attributes:
        size: extents of the input's spatial dimensions, one to three.
        kernel: of the kernel's.
        c: input channels.
        k: output channels.
        stride: of each dimension.
        pad: all befores, then all afters.
        dilation: of each dimension.
        groups: parts of the channels that do not meet.
        images: how many of one sample go through it.
        transposed: what runs forward is the input gradient of this convolution, and the other way round.
    """

    size: tuple[int, ...]
    kernel: tuple[int, ...]
    c: int
    k: int
    stride: tuple[int, ...]
    pad: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int = 1
    images: int = 1
    transposed: bool = False

    @property
    def windows(self) -> tuple[int, ...]:
        """Extents of the result's spatial dimensions."""
        rank = len(self.size)
        columns = zip(self.size, self.kernel, self.stride, self.dilation, range(rank), strict=True)
        return tuple((e + self.pad[i] + self.pad[rank + i] - d * (f - 1) - 1) // s + 1 for e, f, s, d, i in columns)

    @property
    def weights(self) -> int:
        """Elements of the kernel."""
        return self.k * self.c // self.groups * prod(self.kernel)

    @property
    def plain(self) -> bool:
        """Whether it is nothing but products: one tap, no stride, no padding."""
        return {*self.kernel, *self.stride} == {1} and not any(self.pad)


def result_of(conv: Convolution, microbatch: int, element_bytes: int) -> Contraction:
    """The convolution itself."""
    return Contraction(
        conv.groups,
        microbatch * conv.images * prod(conv.windows),
        conv.k // conv.groups,
        conv.c // conv.groups * prod(conv.kernel),
        element_bytes,
        spec="" if conv.plain else _forward_text(conv, microbatch),
        unique_bytes=_bytes(conv, microbatch, (element_bytes, element_bytes, 2)),
    )


def input_gradient_of(conv: Convolution, microbatch: int, element_bytes: int) -> Contraction:
    """The gradient of the input, from that of the result and the weights."""
    return Contraction(
        conv.groups,
        microbatch * conv.images * prod(conv.windows),
        conv.c // conv.groups * prod(conv.kernel),
        conv.k // conv.groups,
        element_bytes,
        spec="" if conv.plain else _gradient_text(conv, microbatch, "input_gradient", "I", ("O", "W")),
        unique_bytes=_bytes(conv, microbatch, (2, element_bytes, element_bytes)),
    )


def weight_gradient_of(conv: Convolution, microbatch: int, element_bytes: int) -> Contraction:
    """The gradient of the weights, from that of the result and the input; added to what is there."""
    return Contraction(
        conv.groups,
        conv.k // conv.groups,
        conv.c // conv.groups * prod(conv.kernel),
        microbatch * conv.images * prod(conv.windows),
        element_bytes,
        GRADIENT_BYTES,
        accumulates=True,
        spec="" if conv.plain else _gradient_text(conv, microbatch, "weight_gradient", "W", ("O", "I")),
        unique_bytes=_bytes(conv, microbatch, (element_bytes, 2 * GRADIENT_BYTES, element_bytes)),
    )


def _bytes(conv: Convolution, microbatch: int, each: tuple[int, int, int]) -> int:
    """Of the image, the weights and the result, each element as many bytes as given; 0 for plain products."""
    if conv.plain:
        return 0
    image, result = conv.c * prod(conv.size), conv.k * prod(conv.windows)
    return microbatch * conv.images * (each[0] * image + each[2] * result) + each[1] * conv.weights


def _forward_text(conv: Convolution, microbatch: int) -> str:
    letters = LETTERS[-len(conv.size) :]
    values: dict[str, str] = {"n": str(microbatch * conv.images), "c": str(conv.c)}
    values |= {size: str(e) for (size, _), e in zip(letters, conv.size, strict=True)}
    values["k"] = str(conv.k)
    values |= {tap: str(e) for (_, tap), e in zip(letters, conv.kernel, strict=True)}
    for name, given, usual in (("stride", conv.stride, 1), ("pad", conv.pad, 0), ("dilation", conv.dilation, 1)):
        if set(given) != {usual}:
            values[name] = str(given[0]) if len(set(given)) == 1 else "x".join(map(str, given))
    if conv.groups > 1:
        values["groups"] = str(conv.groups)
    return f"conv{len(conv.size)}d:" + ",".join(f"{name}={value}" for name, value in values.items())


def _gradient_text(conv: Convolution, microbatch: int, name: str, written: str, read: tuple[str, str]) -> str:
    """The convolution's own axes and accesses with another tensor as the sum."""
    letters = [size for size, _ in LETTERS[-len(conv.size) :]]
    n = microbatch * conv.images
    k, c = conv.k // conv.groups, conv.c // conv.groups
    axes = {"n": n, "g": conv.groups, "k": k, "c": c} if conv.groups > 1 else {"n": n, "k": k, "c": c}
    outputs, inputs = (f"{k}*g+k", f"{c}*g+c") if conv.groups > 1 else ("k", "c")
    axes |= {f"o{x}": e for x, e in zip(letters, conv.windows, strict=True)}
    axes |= {f"k{x}": e for x, e in zip(letters, conv.kernel, strict=True)}
    slide = [
        f"{s}*o{x}+{d}*k{x}-{p}"
        for x, s, d, p in zip(letters, conv.stride, conv.dilation, conv.pad[: len(letters)], strict=True)
    ]
    shapes = {
        "O": (n, conv.k, *conv.windows),
        "I": (n, conv.c, *conv.size),
        "W": (conv.k, c, *conv.kernel),
    }
    places = {
        "O": ["n", outputs, *(f"o{x}" for x in letters)],
        "I": ["n", inputs, *slide],
        "W": [outputs, "c", *(f"k{x}" for x in letters)],
    }
    summed = [axis for axis in axes if not any(axis in _names(place) for place in places[written])]
    parallel = " ".join(f"{a}<{e}" for a, e in axes.items() if a not in summed)
    reduction = " ".join(f"{a}<{axes[a]}" for a in summed)
    tensors = [f"{t}:{'int32' if t == written else 'int8'}{[*shapes[t]]}" for t in (written, *read)]
    accesses = [f"{t}[{', '.join(places[t])}]" for t in (written, *read)]
    statement = f"{accesses[0]} += {accesses[1]} * {accesses[2]}"
    return f"{name}: {parallel} ; {reduction}\n  {' '.join(tensors)}\n  {statement}"


def _names(subscript: str) -> set[str]:
    return {part.split("*")[-1] for part in subscript.replace("-", "+").split("+")}
