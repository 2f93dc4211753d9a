"""Shapes that kernels and libraries are compared on: convolutions with the channels last, and products."""

from __future__ import annotations

from dataclasses import dataclass
from math import log2, prod, sqrt
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from intarsia.operators import Operator, Quantised, parse_operator, quantised

Array = NDArray[Any]
Form = Literal["uint8", "int32"]
"""Dtypes of results: requantised, or the sums."""

RMS = 147.0 * 74.0
"""Root mean square of random uint8 times that of random int8."""
SPREAD = 32.0
"""At least the standard deviation of requantised results, at most twice as much."""


@dataclass(frozen=True, slots=True)
class Convolution:
    """A convolution of uint8 images [n, size, c] with int8 weights [k, c / groups, kernel]; one or two dimensions."""

    c: int
    k: int
    size: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...] = (1, 1)
    pad: tuple[int, ...] = (0, 0)
    groups: int = 1
    n: int = 1

    @property
    def outputs(self) -> tuple[int, ...]:
        """Extents of the result."""
        each = zip(self.size, self.kernel, self.stride, self.pad, strict=False)
        return tuple((size + 2 * pad - kernel) // stride + 1 for size, kernel, stride, pad in each)

    @property
    def terms(self) -> int:
        """Products of a sum."""
        return self.c // self.groups * prod(self.kernel)

    @property
    def operator(self) -> Operator:
        """The convolution, its sums in int32."""
        letters = "hw"[-len(self.size) :]
        c, k = self.c // self.groups, self.k // self.groups
        depthwise = self.groups > 1 and c == k == 1
        grouped = self.groups > 1 and not depthwise
        parallel = [f"n<{self.n}", *([f"g<{self.groups}"] if self.groups > 1 else [])]
        parallel += [] if depthwise else [f"oc<{k}"]
        parallel += [f"o{x}<{n}" for x, n in zip(letters, self.outputs, strict=True)]
        reduction = ([] if depthwise else [f"c<{c}"]) + [f"k{x}<{n}" for x, n in zip(letters, self.kernel, strict=True)]
        channel = f"{k}*g+oc" if grouped else "g" if depthwise else "oc"
        read = f"{c}*g+c" if grouped else "g" if depthwise else "c"
        spots = ", ".join(f"{s}*o{x}+k{x}-{p}" for x, s, p in zip(letters, self.stride, self.pad, strict=False))
        taps = ", ".join(f"k{x}" for x in letters)
        out = [self.n, *self.outputs, self.k]
        image, weights = [self.n, *self.size, self.c], [self.k, c, *self.kernel]
        return parse_operator(
            f"conv: {' '.join(parallel)} ; {' '.join(reduction)}\n"
            f"  O:int32{out} I:uint8{image} W:int8{weights} const\n"
            f"  O[n, {', '.join(f'o{x}' for x in letters)}, {channel}] += "
            f"I[n, {spots}, {read}] * W[{channel}, {'0' if depthwise else 'c'}, {taps}]"
        )


@dataclass(frozen=True, slots=True)
class Product:
    """uint8 activations [m, k] times int8 weights [k, n]."""

    m: int
    n: int
    k: int

    @property
    def terms(self) -> int:
        """Products of a sum."""
        return self.k

    @property
    def operator(self) -> Operator:
        """The product, its sums in int32."""
        return parse_operator(
            f"gemm: m<{self.m} n<{self.n} ; k<{self.k}\n"
            f"  O:int32[{self.m}, {self.n}] I:uint8[{self.m}, {self.k}] W:int8[{self.k}, {self.n}] const\n"
            "  O[m, n] += I[m, k] * W[k, n]"
        )


Shape: TypeAlias = Convolution | Product


@dataclass(frozen=True, slots=True)
class Problem:
    """A shape with its arrays; every multiplication by the scale is exact, so that all results are defined.

    Attributes:
        shape: the shape.
        x, w: activations and weights.
        scale: a power of two, by which sums are multiplied to be requantised; zero points are 0.
    """

    shape: Shape
    x: Array
    w: Array
    scale: float

    def given(self, form: Form) -> Operator | Quantised:
        """What computes results of a form."""
        operator = self.shape.operator
        if form == "int32":
            return operator
        return quantised(operator, "uint8", scale=(1,) * len(operator.outputs[0].shape))

    def inputs(self, form: Form) -> dict[str, Array]:
        """Its inputs."""
        found = {"I": self.x, "W": self.w}
        if form == "uint8":
            rank = len(self.shape.operator.outputs[0].shape)
            found["scale"] = np.full((1,) * rank, self.scale, np.float32)
        return found


def problem(shape: Shape, seed: int) -> Problem:
    """Arrays of a shape from a seed: integers over their whole range."""
    random = np.random.default_rng(seed)
    operator = shape.operator
    x = random.integers(0, 256, operator.tensor("I").shape, np.uint8)
    w = random.integers(-128, 128, operator.tensor("W").shape, np.int8)
    return Problem(shape, x, w, 2.0 ** -int(log2(RMS * sqrt(shape.terms) / SPREAD)))
