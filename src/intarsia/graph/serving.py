"""How a model answers: forward passes alone, with the keys and values of earlier tokens in a cache.

Two phases. *Prefill* reads a prompt: all its tokens at once, of each of several sequences. *Decode* makes one token of
each of several sequences; attention reads the cache. Layers of a phase are ``ServedLayer``: nothing is kept for a
backward pass, and the head works on the last token of each sequence.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import Protocol, runtime_checkable

from intarsia.graph.layer import Node
from intarsia.graph.model import Model
from intarsia.graph.variant import Dtype
from intarsia.graph.work import Contraction


class Phase(StrEnum):
    """Reading prompts, or making one token after the other."""

    PREFILL = "prefill"
    DECODE = "decode"


@dataclass(frozen=True, slots=True)
class Serving:
    """The shapes of one device's share of a layer when a model answers.

    Attributes:
        phase: prefill or decode.
        sequences: that pass the layer together.
        context: tokens of each that attention sees: the prompt at prefill; at decode all so far, the new one included.
        tensor: devices that share each weight matrix.
        expert: devices that share the experts of a layer, each with sequences of its own.
        dtype: of the weights of the blocks and of what they are multiplied with; the ends stay in 2 bytes.
        cache: of keys and values in the cache.
    """

    phase: Phase
    sequences: int
    context: int
    tensor: int = 1
    expert: int = 1
    dtype: Dtype = Dtype.BF16
    cache: Dtype = Dtype.BF16

    @property
    def tokens(self) -> int:
        """New tokens of all sequences."""
        return self.sequences * (self.context if self.phase is Phase.PREFILL else 1)


@dataclass(frozen=True, slots=True)
class ServedLayer:
    """Equal layers of a model in one phase, kept once, as one device sees them.

    Attributes:
        name: what it is (embedding, block, head).
        repeat: how many equal ones follow each other.
        nodes: the kernels, in an order that respects ``needs``.
        weight_bytes: of weights on one device, without routed experts.
        experts: routed experts on one device.
        expert_bytes: of one of them.
        missed: the chance that one of them is met by none of the pass's tokens; 1 where there are none.
        cache_bytes: keys and values of one token on one device.
        window: tokens whose keys and values are kept; 0 for all.
        working_bytes: of activations that are alive at once.
        output_bytes: what the next stage is sent.
        tied: name of an earlier layer whose weights this one uses, or empty; its ``tied_bytes`` then count only where
            the two are on different stages.
        tied_bytes: how many of ``weight_bytes`` are those.
        block: it is one of those that are dealt out over stages; ends are not.
    """

    name: str
    repeat: int
    nodes: tuple[Node, ...]
    weight_bytes: int
    experts: int
    expert_bytes: int
    missed: float
    cache_bytes: int
    window: int
    working_bytes: int
    output_bytes: int
    tied: str = ""
    tied_bytes: int = 0
    block: bool = True

    def kept_tokens(self, tokens: int) -> int:
        """Tokens of a sequence of so many whose keys and values are in the cache."""
        return min(tokens, self.window) if self.window else tokens

    @property
    def hit(self) -> int:
        """Experts that the pass reads: those that are met, expected, rounded up."""
        return met_experts(self.experts, self.missed) if self.experts else 0

    @property
    def read_bytes(self) -> int:
        """Weights that the products of the pass read."""
        works = (node.work for node in self.nodes if isinstance(node.work, Contraction))
        return sum(work.element_bytes * work.batch * work.n * work.k for work in works)

    def sizes(self) -> dict[str, float]:
        """Every size by its name."""
        names = (
            "weight_bytes", "experts", "expert_bytes", "missed", "cache_bytes", "window", "working_bytes",
            "output_bytes", "tied_bytes",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}


def met_experts(experts: int, missed: float) -> int:
    """How many of so many experts are met if each is missed with this chance: expected, rounded up, at least one."""
    return min(max(ceil(experts * (1 - missed)), 1), experts)


@runtime_checkable
class Servable(Model, Protocol):
    """A model that answers token by token, as well as it trains."""

    def served(self, serving: Serving) -> tuple[ServedLayer, ...]:
        """The chain of layers as one device sees it: embedding first, head last; raises ``InputError`` as ``layers``.

        Pure; it may be called for thousands of shapes.
        """

    def serving_refusal(self, serving: Serving) -> str:
        """Why the model cannot answer so, or empty."""
