"""What parts of a transformer may be: closed sets, and the sizes of the two parts that only some models have."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Activation(StrEnum):
    """Between the two products of a feed-forward part."""

    GELU = "gelu"
    GELU_TANH = "gelu-tanh"
    SILU = "silu"
    RELU = "relu"


class Norm(StrEnum):
    """Layer norm has a scale and a shift, RMS norm only a scale."""

    LAYER = "layer"
    RMS = "rms"


class Positions(StrEnum):
    """How a token knows where it stands: a table of rows, rotated queries and keys, or a slope on the scores."""

    LEARNED = "learned"
    ROTARY = "rotary"
    ALIBI = "alibi"


@dataclass(frozen=True, slots=True)
class Latent:
    """Multi-head latent attention: keys and values (and queries) come out of narrow vectors (DeepSeek-V2, eq. 9–19).

    Attributes:
        query_rank: width of a token's compressed query; 0 if queries are not compressed.
        key_rank: width of its compressed keys and values.
        content_width: channels of a head's query and key without rotation.
        rotary_width: channels with rotation, whose key all heads share.
        value_width: channels of a head's value.
    """

    query_rank: int
    key_rank: int
    content_width: int
    rotary_width: int
    value_width: int


@dataclass(frozen=True, slots=True)
class Experts:
    """Feed-forward parts of which a router chooses a few for each token.

    Attributes:
        count: of routed experts.
        chosen: experts that work on a token.
        ffn: inner width of one expert.
        shared_ffn: inner width, in all, of the experts that work on every token; 0 for none.
        dense_first: blocks at the start whose feed-forward part is a plain one.
        router_bias: the router has a bias for each expert (DeepSeek-V3's balance).
        shared_gate: the shared experts' result is weighted by a gate of one row (Qwen2-MoE).
    """

    count: int
    chosen: int
    ffn: int
    shared_ffn: int = 0
    dense_first: int = 0
    router_bias: bool = False
    shared_gate: bool = False
