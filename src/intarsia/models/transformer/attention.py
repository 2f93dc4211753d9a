"""Attention with heads of its own: one product for queries, keys and values, rotation, core, projection."""

from __future__ import annotations

from intarsia.graph import Elementwise, Phase
from intarsia.models.transformer.cached import absorbed_forward, append, cached_core
from intarsia.models.transformer.core import core_backward, core_forward
from intarsia.models.transformer.kinds import Positions
from intarsia.models.transformer.latent import latent_backward, latent_forward
from intarsia.models.transformer.linear import column_backward, column_forward, row_backward, row_forward
from intarsia.models.transformer.passes import Pass
from intarsia.models.transformer.share import Share


def attention_forward(p: Pass, share: Share, *, alone: bool = True) -> None:
    """From normalised tokens to a branch's result, reduced over the ranks where it stands alone."""
    latent = share.model.latent
    if latent and share.phase is Phase.DECODE:
        absorbed_forward(p, share, latent)
    else:
        if latent:
            latent_forward(p, share, latent)
        else:
            _heads_forward(p, share)
        if share.phase:
            append(p, share)
            cached_core(p, share)
        else:
            core_forward(p, share)
    width = share.heads * share.model.value_width
    row_forward(p, share, "projection", n=share.model.hidden, k=width, alone=alone)


def attention_backward(p: Pass, share: Share, *, alone: bool = True) -> None:
    """From a branch's gradient to that of its normalised tokens."""
    width = share.heads * share.model.value_width
    row_backward(p, share, "projection", n=share.model.hidden, k=width, alone=alone)
    core_backward(p, share)
    if share.model.latent:
        latent_backward(p, share, share.model.latent)
    else:
        _heads_backward(p, share)


def _rows(share: Share) -> int:
    """Channels of queries, keys and values on one rank."""
    return (share.heads + 2 * share.kv_heads) * share.model.head_width


def _turned(share: Share) -> int:
    """Elements of queries and keys."""
    return share.tokens * (share.heads + share.kv_heads) * share.model.head_width


def _rotation(share: Share, *, backward: bool = False) -> Elementwise:
    """One kernel over queries and keys; both are copied, the rotated channels meet two products and a sum."""
    turned = share.tokens * (share.heads + share.kv_heads) * share.model.rotary_width
    size = 2 * _turned(share)
    return Elementwise((("multiply", 2 * turned), ("add", turned)), size, size, backward)


def _heads_forward(p: Pass, share: Share) -> None:
    model, tokens = share.model, share.tokens
    kept = 2 * share.thin * model.hidden + 2 * tokens * _rows(share)
    column_forward(p, share, "qkv", n=_rows(share), k=model.hidden, kept=kept)
    if model.head_norms:
        count = _turned(share)
        p.then("head-norms", Elementwise((("norm", count),), 2 * count, 2 * count), kept=2 * count)
    if model.positions is Positions.ROTARY:
        p.then("rotary", _rotation(share))


def _heads_backward(p: Pass, share: Share) -> None:
    model, count = share.model, _turned(share)
    if model.positions is Positions.ROTARY:
        p.then("rotary.back", _rotation(share, backward=True))
    if model.head_norms:
        p.then("head-norms.back", Elementwise((("norm", count),), 4 * count, 2 * count, backward=True))
    size = 2 * share.tokens * _rows(share)
    p.then("merge", Elementwise((), size, size, backward=True))
    column_backward(p, share, "qkv", n=_rows(share), k=model.hidden, bias=model.qkv_bias)
