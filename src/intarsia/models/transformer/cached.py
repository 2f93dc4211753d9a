"""Attention with a cache: new keys and values are appended to it, and the core reads it.

At prefill the core works on the prompt's own keys and values. At decode each sequence has one new token, so that the
query heads which share a key head are the rows of one product: scores of (heads ÷ key heads) × context for each
sequence and key head, softmax, and the same of values.

Latent attention caches one narrow vector a token: the compressed keys and values, and the rotated key that all heads
share. At decode nothing is widened: queries are multiplied with the widening weights instead (*absorbed*), the core
works on the narrow vectors, whose first channels are the values, and its results are widened (DeepSeek-V2, section
2.1.2).
"""

from __future__ import annotations

from math import ceil

from intarsia.graph import Contraction, Elementwise, FusedAttention, Lookup, Phase
from intarsia.models.transformer.kinds import Latent
from intarsia.models.transformer.linear import column_forward, whole_forward
from intarsia.models.transformer.passes import Pass
from intarsia.models.transformer.share import Share
from intarsia.models.transformer.stream import norm_forward


def cache_width(share: Share) -> int:
    """Channels of a token's keys and values on one tensor rank; those of latent attention stand on every rank."""
    latent = share.model.latent
    if latent:
        return latent.key_rank + latent.rotary_width
    return 2 * share.kv_heads * share.model.head_width


def append(p: Pass, share: Share) -> None:
    """New keys and values into the cache."""
    elements = share.tokens * cache_width(share)
    work = Lookup(share.tokens, cache_width(share), 2 * elements, share.cache_bytes * elements)
    p.beside("append", work)


def cached_core(p: Pass, share: Share) -> None:
    """From queries, keys and values to weighted values."""
    model, sequences = share.model, share.sequences
    begin = p.at
    if share.phase is Phase.PREFILL:
        window = share.window if share.window < share.sequence else 0
        work = FusedAttention(
            sequences * share.heads, share.queries, share.sequence, model.query_width, model.value_width,
            sequences * share.kv_heads, causal=True, products=2, window=window,
        )  # fmt: skip
    else:
        rows, batch = ceil(share.heads / share.kv_heads), sequences * share.kv_heads
        work = FusedAttention(
            batch, rows, _seen(share), model.query_width, model.value_width, batch, causal=False, products=2,
            element_bytes=share.cache_bytes,
        )  # fmt: skip
        begin = ("append",)
    p.then("attention", work, needs=begin)


def absorbed_forward(p: Pass, share: Share, latent: Latent) -> None:
    """From normalised tokens to weighted values, one new token of each sequence."""
    begin, hidden, tokens = p.at, share.model.hidden, share.tokens
    queries, narrow = share.heads * share.model.query_width, latent.key_rank + latent.rotary_width
    if latent.query_rank:
        whole_forward(p, share, "query-down", tokens=tokens, n=latent.query_rank, k=hidden, kept=0)
        norm_forward(p, "query-norm", tokens, latent.query_rank)
    column_forward(p, share, "query-up", n=queries, k=latent.query_rank or hidden, kept=0)
    query = p.at
    p.then("absorb", _by_head(share, n=latent.key_rank, k=latent.content_width))
    absorbed = p.at
    p.at = begin
    whole_forward(p, share, "key-down", tokens=tokens, n=narrow, k=hidden, kept=0)
    norm_forward(p, "key-norm", tokens, latent.key_rank)
    turned = tokens * (share.heads + 1) * latent.rotary_width
    rotation = Elementwise((("multiply", 2 * turned), ("add", turned)), 2 * turned, 2 * turned)
    p.then("rotary", rotation, needs=(*query, *p.at))
    append(p, share)
    core = FusedAttention(
        share.sequences, share.heads, _seen(share), narrow, latent.key_rank, share.sequences, causal=False, products=2,
        element_bytes=share.cache_bytes, latent=True,
    )  # fmt: skip
    p.then("attention", core, needs=(*absorbed, "append"))
    p.then("widen-values", _by_head(share, n=latent.value_width, k=latent.key_rank))


def _by_head(share: Share, *, n: int, k: int) -> Contraction:
    """A product of every head with weights of its own."""
    return Contraction(share.heads, share.tokens, n, k, share.operand_bytes)


def _seen(share: Share) -> int:
    """Cached tokens that the one new token of a sequence sees."""
    return min(share.sequence, share.window) if share.window else share.sequence
