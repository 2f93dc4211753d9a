"""What a node does, in terms that a cost model prices: contractions, vector work, attention, look-ups, collectives.

All sizes are those of one device. Bytes count what must cross the device's memory once, before any tiling.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Contraction:
    """``batch`` independent products of m×k by k×n: the work of a tensor core.

    Attributes:
        batch: independent products (heads, experts, groups).
        m: rows of the result.
        n: columns of the result.
        k: length of the reduction.
        element_bytes: of an operand's element.
        result_bytes: of a result's element.
        accumulates: the result is added to what is in memory (weight gradients), so it is read as well.
        spec: the operator in short (``conv2d:…``) where it is not ``batch`` plain products; the embedding solver's
            question; empty for plain products.
        unique_bytes: what crosses memory once where elements of an operand stand in several rows (convolutions); 0
            for plain products.
    """

    batch: int
    m: int
    n: int
    k: int
    element_bytes: int = 2
    result_bytes: int = 2
    accumulates: bool = False
    spec: str = ""
    unique_bytes: int = 0

    @property
    def flops(self) -> int:
        """Two operations for each multiplication with its addition."""
        return 2 * self.batch * self.m * self.n * self.k

    @property
    def bytes_moved(self) -> int:
        """Both operands read once and the result written once (and read once where it accumulates)."""
        if self.unique_bytes:
            return self.unique_bytes
        operands = self.element_bytes * self.batch * (self.m * self.k + self.k * self.n)
        return operands + (1 + self.accumulates) * self.result_bytes * self.batch * self.m * self.n


@dataclass(frozen=True, slots=True)
class Elementwise:
    """A chain of functions on vectors, fused into one pass: the work of a vector core.

    Attributes:
        functions: name and number of elements of each; names are those of ``intarsia.cost`` (add, multiply, norm,
            exp, tanh, erf, divide, root, dropout, relu, compare).
        read_bytes: from memory.
        written_bytes: to memory.
        backward: the functions are derivatives, whose cycles differ.
    """

    functions: tuple[tuple[str, int], ...]
    read_bytes: int
    written_bytes: int
    backward: bool = False

    @property
    def bytes_moved(self) -> int:
        """Read and written."""
        return self.read_bytes + self.written_bytes


@dataclass(frozen=True, slots=True)
class FusedAttention:
    """Attention whose scores stay on chip: ``batch`` (sequences × heads) times queries × keys.

    Attributes:
        batch: sequences × query heads.
        queries: rows.
        keys: columns; half of the products are skipped where ``causal``.
        query_width: channels of a query and of a key.
        value_width: channels of a value.
        key_batch: sequences × key heads, for the bytes of keys and values.
        causal: row i sees columns up to i.
        products: 2 forward (scores, values), 5 backward (scores again, and four derivatives).
        element_bytes: of queries, keys and values.
        window: where ``causal``, row i sees the last so many columns up to i; 0 for all. Rows and columns are then
            equally many.
        latent: values are the first channels of the keys, and are read with them (latent attention from its cache).
    """

    batch: int
    queries: int
    keys: int
    query_width: int
    value_width: int
    key_batch: int
    causal: bool
    products: int
    element_bytes: int = 2
    window: int = 0
    latent: bool = False

    @property
    def flops(self) -> int:
        """Of the products that are computed; forward 1 + 1, backward 3 on the query's width and 2 on the value's."""
        score, value = (1, 1) if self.products == 2 else (3, 2)
        whole = self.batch * (score * self.query_width + value * self.value_width)
        if not self.causal:
            return 2 * self.queries * self.keys * whole
        unseen = max(self.keys - self.window, 0) ** 2 if self.window else 0
        return (self.queries * self.keys - unseen) * whole

    @property
    def bytes_moved(self) -> int:
        """Queries, keys, values and result once; backward also reads the result's gradient and writes three."""
        queries = self.batch * self.queries * (self.query_width + self.value_width)
        keys = self.key_batch * self.keys * (self.query_width + (0 if self.latent else self.value_width))
        return self.element_bytes * (queries + keys) * (1 if self.products == 2 else 2)


@dataclass(frozen=True, slots=True)
class Lookup:
    """Rows gathered from a table, or added into one: bound by memory.

    Attributes:
        rows: how many.
        width: elements of a row.
        read_bytes: from memory.
        written_bytes: to memory.
    """

    rows: int
    width: int
    read_bytes: int
    written_bytes: int

    @property
    def bytes_moved(self) -> int:
        """Read and written."""
        return self.read_bytes + self.written_bytes


class Pattern(StrEnum):
    """The collectives of training."""

    ALL_REDUCE = "all-reduce"
    ALL_GATHER = "all-gather"
    REDUCE_SCATTER = "reduce-scatter"
    ALL_TO_ALL = "all-to-all"
    RING = "ring-exchange"


class Group(StrEnum):
    """The devices that take part in a collective."""

    TENSOR = "tensor"
    CONTEXT = "context"
    EXPERT = "expert"
    DATA = "data"


@dataclass(frozen=True, slots=True)
class Collective:
    """A message among the devices of a group.

    Attributes:
        pattern: which.
        group: among whom.
        bytes_whole: of the whole buffer on one device: what all-reduce reduces, what all-gather has at the end, what
            reduce-scatter has at the start, what all-to-all sends and keeps, what a ring passes round in all.
    """

    pattern: Pattern
    group: Group
    bytes_whole: int


Work = Contraction | Elementwise | FusedAttention | Lookup | Collective
