"""The products before the core of latent attention (DeepSeek-V2, eq. 9–19), as Megatron-LM cuts them.

Tokens are compressed by products that every tensor rank holds, on its own part of the tokens under sequence
parallelism; the compressed vectors are normalised, gathered, and widened to heads by column products. One kernel
rotates, and joins each head's own channels with the shared rotated key.
"""

from __future__ import annotations

from intarsia.graph import Collective, Elementwise, Group, Pattern
from intarsia.models.transformer.kinds import Latent
from intarsia.models.transformer.linear import (
    column_backward,
    column_forward,
    reduce,
    whole_backward,
    whole_forward,
)
from intarsia.models.transformer.passes import Pass
from intarsia.models.transformer.share import Share
from intarsia.models.transformer.stream import norm_backward, norm_forward


def latent_forward(p: Pass, share: Share, latent: Latent) -> None:
    """From normalised tokens to queries, keys and values."""
    begin = p.at
    hidden, thin = share.model.hidden, share.thin
    queries = share.heads * share.model.query_width
    if latent.query_rank:
        whole_forward(p, share, "query-down", tokens=thin, n=latent.query_rank, k=hidden, kept=0)
        norm_forward(p, "query-norm", thin, latent.query_rank)
        kept = 2 * thin * latent.query_rank
        column_forward(p, share, "query-up", n=queries, k=latent.query_rank, kept=kept)
    else:
        column_forward(p, share, "query-up", n=queries, k=hidden, kept=0)
    query = p.at
    p.at = begin
    narrow = latent.key_rank + latent.rotary_width
    whole_forward(p, share, "key-down", tokens=thin, n=narrow, k=hidden, kept=2 * thin * hidden)
    down = p.at
    norm_forward(p, "key-norm", thin, latent.key_rank)
    column_forward(p, share, "key-up", n=_wide(share, latent), k=latent.key_rank, kept=2 * thin * latent.key_rank)
    ends = (*query, *p.at)
    if share.scattered:
        size = 2 * share.tokens * latent.rotary_width
        p.beside("rotary.gather", Collective(Pattern.ALL_GATHER, Group.TENSOR, size), needs=down)
        ends = (*ends, "rotary.gather")
    p.then("rotary", _rotation(share, latent), needs=ends, kept=2 * share.tokens * _heads(share))


def latent_backward(p: Pass, share: Share, latent: Latent) -> None:
    """From the gradients of queries, keys and values to that of the normalised tokens."""
    hidden, thin = share.model.hidden, share.thin
    p.then("rotary.back", _rotation(share, latent, backward=True))
    begin = p.at
    queries = share.heads * share.model.query_width
    if latent.query_rank:
        column_backward(p, share, "query-up", n=queries, k=latent.query_rank)
        norm_backward(p, "query-norm", thin, latent.query_rank)
        whole_backward(p, share, "query-down", tokens=thin, n=latent.query_rank, k=hidden)
    else:
        column_backward(p, share, "query-up", n=queries, k=hidden)
    query = p.at
    p.at = begin
    reduce(p, share, "rotary.reduce", latent.rotary_width)
    turned = p.at
    p.at = begin
    column_backward(p, share, "key-up", n=_wide(share, latent), k=latent.key_rank)
    norm_backward(p, "key-norm", thin, latent.key_rank)
    p.at = tuple(dict.fromkeys((*p.at, *turned)))
    whole_backward(p, share, "key-down", tokens=thin, n=latent.key_rank + latent.rotary_width, k=hidden)
    count = thin * hidden
    p.then("latent-join", Elementwise((("add", count),), 4 * count, 2 * count, backward=True), needs=(*query, *p.at))


def _wide(share: Share, latent: Latent) -> int:
    """Channels of keys, before rotation, and values on one rank."""
    return share.heads * (latent.content_width + latent.value_width)


def _heads(share: Share) -> int:
    """Channels of queries, keys and values as the core reads them."""
    return share.heads * (2 * share.model.query_width + share.model.value_width)


def _rotation(share: Share, latent: Latent, *, backward: bool = False) -> Elementwise:
    turned = share.tokens * (share.heads + 1) * latent.rotary_width
    narrow = share.heads * share.model.query_width + _wide(share, latent) + latent.rotary_width
    read, written = 2 * share.tokens * narrow, 2 * share.tokens * _heads(share)
    functions = (("multiply", 2 * turned), ("add", turned))
    return Elementwise(functions, written, read, backward) if backward else Elementwise(functions, read, written)
