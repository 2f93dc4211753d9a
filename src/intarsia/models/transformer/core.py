"""The core of attention: from queries, keys and values to weighted values, eager or on chip.

Eager, as Megatron's unfused kernels: scores, one kernel for scale, mask and softmax, dropout, values, and a copy from
heads-first to tokens-first. Where ranks of a context group share a sequence, keys and values go round a ring once
forward and twice backward (they and their gradients), beside the work; causal rows are dealt out evenly.
Selective recomputation computes exactly these nodes again (Korthikanti et al. 2022, section 5).
"""

from __future__ import annotations

from intarsia.graph import Collective, Contraction, Elementwise, FusedAttention, Group, Pattern
from intarsia.models.transformer.kinds import Positions
from intarsia.models.transformer.passes import Names, Pass
from intarsia.models.transformer.share import Share


def core_forward(p: Pass, share: Share) -> None:
    """Ends in weighted values, tokens first."""
    begin = p.at
    ring = _ring(p, share, "ring", times=1)
    if share.flash:
        lengths = 4 * share.sequences * share.heads * share.queries
        p.then("attention", _fused(share, 2), needs=begin, kept=lengths, core=True)
    else:
        _eager_forward(p, share, begin)
    p.at = (*p.at, *ring)


def core_backward(p: Pass, share: Share) -> None:
    """Ends in the gradients of queries, keys and values."""
    begin = p.at
    ring = _ring(p, share, "ring.back", times=2)
    if share.flash:
        p.then("attention.back", _fused(share, 5), needs=begin)
    else:
        _eager_backward(p, share, begin)
    p.at = (*p.at, *ring)


def _fused(share: Share, products: int) -> FusedAttention:
    model, sequences = share.model, share.sequences
    return FusedAttention(
        sequences * share.heads,
        share.queries,
        share.sequence,
        model.query_width,
        model.value_width,
        sequences * share.kv_heads,
        model.causal,
        products,
    )


def _ring(p: Pass, share: Share, name: str, *, times: int) -> Names:
    if share.context == 1:
        return ()
    width = share.kv_heads * (share.model.query_width + share.model.value_width)
    size = times * 2 * share.sequences * share.sequence * width
    p.beside(name, Collective(Pattern.RING, Group.CONTEXT, size))
    return (name,)


def _eager_forward(p: Pass, share: Share, begin: Names) -> None:
    batch, rows, columns = share.sequences * share.heads, share.queries, share.sequence
    count = batch * rows * columns
    p.at = begin
    if share.kv_heads < share.heads:
        once, each = _key_bytes(share)
        p.then("repeat", Elementwise((), once, each), kept=each, core=True)
    p.then("scores", Contraction(batch, rows, columns, share.model.query_width), core=True)
    p.then("softmax", _softmax(share, count), kept=2 * count, core=True)
    if share.model.attention_dropout:
        dropout = Elementwise((("dropout", count),), 2 * count, 3 * count)
        p.then("attention-dropout", dropout, kept=3 * count, core=True)
    p.then("values", Contraction(batch, rows, share.model.value_width, columns), core=True)
    size = 2 * batch * rows * share.model.value_width
    p.then("copy", Elementwise((), size, size), core=True)


def _softmax(share: Share, count: int) -> Elementwise:
    """Scale, mask, softmax in one kernel; under a causal mask half of the scores are neither read nor computed."""
    seen = count // 2 if share.model.causal else count
    slope = (("add", seen),) * (share.model.positions is Positions.ALIBI)
    functions = (("multiply", seen), *slope, ("compare", seen), ("exp", seen), ("add", seen), ("divide", seen))
    mask = 0 if share.model.causal else share.sequences * share.queries * share.sequence
    return Elementwise(functions, 2 * seen + mask, 2 * count)


def _eager_backward(p: Pass, share: Share, begin: Names) -> None:
    batch, rows, columns = share.sequences * share.heads, share.queries, share.sequence
    count = batch * rows * columns
    query, value = share.model.query_width, share.model.value_width
    p.beside("values.right", Contraction(batch, columns, value, rows), needs=begin)
    p.then("values.left", Contraction(batch, rows, columns, value), needs=begin)
    if share.model.attention_dropout:
        p.then("attention-dropout.back", Elementwise((("dropout", count),), 3 * count, 2 * count, backward=True))
    seen = count // 2 if share.model.causal else count
    functions = (("multiply", seen), ("add", seen), ("multiply", seen))
    p.then("softmax.back", Elementwise(functions, 4 * seen, 2 * count, backward=True))
    p.beside("scores.right", Contraction(batch, columns, query, rows))
    p.beside("scores.left", Contraction(batch, rows, query, columns))
    p.at = ("scores.left", "scores.right", "values.right")
    if share.kv_heads < share.heads:
        once, each = _key_bytes(share)
        keys = ("scores.right", "values.right")
        p.beside("repeat.back", Elementwise((("add", each // 2),), each, once, backward=True), needs=keys)
        p.at = ("scores.left", "repeat.back")


def _key_bytes(share: Share) -> tuple[int, int]:
    """Bytes of keys and values, once for each key head and once for each query head."""
    width = 2 * share.sequences * share.sequence * (share.model.query_width + share.model.value_width)
    return width * share.kv_heads, width * share.heads
