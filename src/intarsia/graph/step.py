"""A graph before training is derived from it: steps on tensors of one sample, as a front end reads them.

``forward`` and ``backward`` make kernels of steps at any microbatch.
"""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.graph.convolution import Convolution


@dataclass(frozen=True, slots=True)
class Product:
    """``batch`` products of m×k by k×n for one sample.

    Attributes:
        batch: independent products.
        m: rows of the first operand.
        n: columns of the second.
        k: length of the reduction.
        weight: the second operand is a weight, so that samples are more rows; otherwise they are more products.
    """

    batch: int
    m: int
    n: int
    k: int
    weight: bool


@dataclass(frozen=True, slots=True)
class Vector:
    """Work on vectors by a rule of ``intarsia.graph.rules``.

    Attributes:
        rule: its name.
        count: elements that each function meets for one sample (a pooling meets each window's).
    """

    rule: str
    count: int


@dataclass(frozen=True, slots=True)
class Gather:
    """Rows of a table of weights, chosen by indices."""

    rows: int
    width: int


@dataclass(frozen=True, slots=True)
class SelfAttention:
    """Scores, softmax and weighted values of one sample; inputs are queries, keys, values."""

    heads: int
    key_heads: int
    queries: int
    keys: int
    query_width: int
    value_width: int
    causal: bool


@dataclass(frozen=True, slots=True)
class View:
    """Another shape of its first input, or a part of it; costs nothing."""


Kind = Product | Convolution | Vector | Gather | SelfAttention | View


@dataclass(frozen=True, slots=True)
class Step:
    """One operation; its result has its name.

    Attributes:
        name: unique in the graph; dots and slashes part the names of nested modules.
        kind: what it does.
        inputs: steps or inputs of the graph whose results it reads; weights are not among them.
        elements: of its result for one sample.
        weights: name and elements of each weight that it reads; equal names are one weight.
        note: how its pricing departs from what it does, empty if it does not.
    """

    name: str
    kind: Kind
    inputs: tuple[str, ...]
    elements: int
    weights: tuple[tuple[str, int], ...] = ()
    note: str = ""

    @property
    def parameters(self) -> int:
        """Elements of its weights."""
        return sum(elements for _, elements in self.weights)


@dataclass(frozen=True, slots=True)
class Steps:
    """A whole graph.

    Attributes:
        inputs: name and elements of one sample of each input; none of them wants a gradient.
        steps: in an order in which inputs come first.
        output: the step whose gradient starts the backward pass.
    """

    inputs: tuple[tuple[str, int], ...]
    steps: tuple[Step, ...]
    output: str
