"""A transformer from plain sizes, as the command line gives them: GPT-like, or Llama-like where gated."""

from __future__ import annotations

from intarsia.ground.errors import InputError
from intarsia.models.transformer.kinds import Activation, Experts, Norm, Positions
from intarsia.models.transformer.transformer import Transformer

GATED_FFN = (8, 3)
"""Of hidden: the inner width of a gated feed-forward part with as many weights as a plain one of 4 × hidden."""
ROUND = 256


def from_sizes(
    *,
    hidden: int,
    heads: int,
    layers: int,
    sequence: int,
    vocab: int,
    kv_heads: int = 0,
    ffn: int = 0,
    gated: bool = False,
    experts: int = 0,
    top_k: int = 0,
    name: str = "",
) -> Transformer:
    """A Megatron GPT block (layer norms, biases, learned positions, dropout, tied head) or, gated, a Llama block.

    Args:
        hidden: channels of a token.
        heads: of queries.
        layers: blocks.
        sequence: tokens.
        vocab: rows of the token table, before padding.
        kv_heads: of keys and values; 0: as many as of queries.
        ffn: inner width of the feed-forward part, or of one expert; 0: 4 × hidden, gated 8/3 × hidden rounded up to a
            multiple of 256.
        gated: Llama-like.
        experts: routed experts in each block; 0: a plain feed-forward part.
        top_k: experts of a token; 0: 2.
        name: what to call it.

    Raises:
        InputError: for sizes that are no positive numbers or do not divide.
    """
    kv_heads = kv_heads or heads
    _refuse_sizes(hidden=hidden, heads=heads, layers=layers, sequence=sequence, vocab=vocab, kv_heads=kv_heads)
    _refuse_sizes(least=0, ffn=ffn, experts=experts, top_k=top_k)
    _refuse_rest("heads", heads, "hidden", hidden)
    _refuse_rest("kv-heads", kv_heads, "heads", heads)
    if top_k > experts:
        raise InputError("top-k experts of a token", value=str(top_k), allowed=f"at most the {experts} experts")
    up, down = GATED_FFN
    ffn = ffn or (-(-hidden * up // (down * ROUND)) * ROUND if gated else 4 * hidden)
    width = hidden // heads
    return Transformer(
        name=name or f"{layers}x{hidden}",
        hidden=hidden,
        blocks=layers,
        heads=heads,
        kv_heads=kv_heads,
        head_width=width,
        ffn=ffn,
        vocab=vocab,
        sequence=sequence,
        gated=gated,
        activation=Activation.SILU if gated else Activation.GELU_TANH,
        norm=Norm.RMS if gated else Norm.LAYER,
        qkv_bias=not gated,
        projection_bias=not gated,
        ffn_bias=not gated and not experts,
        positions=Positions.ROTARY if gated else Positions.LEARNED,
        position_rows=0 if gated else sequence,
        rotary_width=width if gated else 0,
        tied=not gated,
        dropout=not gated,
        attention_dropout=not gated,
        experts=Experts(experts, min(top_k or 2, experts), ffn) if experts else None,
    )


def _refuse_sizes(*, least: int = 1, **sizes: int) -> None:
    for name, size in sizes.items():
        if size < least:
            raise InputError(f"{name.replace('_', '-')} is no size", value=str(size), allowed=f"{least} or more")


def _refuse_rest(name: str, parts: int, of: str, whole: int) -> None:
    if whole % parts:
        raise InputError(f"{name} does not divide {of}", value=f"{whole} / {parts}")
