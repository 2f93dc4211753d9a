"""Before and after the blocks: embedding, head, loss, as Megatron-LM cuts them over the vocabulary."""

from __future__ import annotations

from intarsia.graph import Collective, Contraction, Elementwise, Group, Lookup, Node, Pattern
from intarsia.models.transformer.count import position_rows
from intarsia.models.transformer.feed import BACKWARD, FORWARD
from intarsia.models.transformer.kinds import Positions
from intarsia.models.transformer.linear import (
    GRADIENT_BYTES,
    bias_gradient,
    column_backward,
    column_forward,
    reduce,
    weight_gradient,
    whole_backward,
    whole_forward,
)
from intarsia.models.transformer.passes import Pass
from intarsia.models.transformer.share import Share
from intarsia.models.transformer.stream import norm_backward, norm_forward


def embedding_forward(share: Share) -> tuple[Node, ...]:
    """Rows of the token table, summed over ranks that each hold a part of it; positions, segments, norm, dropout."""
    p, model = Pass(), share.model
    width, hidden, thin = model.table_width, model.hidden, share.thin
    rows = share.tokens
    p.then("tokens", Lookup(rows, width, (2 * width + 8) * rows, 2 * width * rows))
    reduce(p, share, "tokens.reduce", width)
    if model.embedding_width:
        whole_forward(p, share, "widen", tokens=thin, n=hidden, k=width, kept=2 * thin * width)
    for name in _tables(share):
        size = 2 * thin * hidden
        p.then(name, Lookup(thin, hidden, 2 * size, size))
    if model.embedding_norm:
        norm_forward(p, "embedding-norm", thin, hidden)
    if model.dropout:
        count = thin * hidden
        p.then("dropout", Elementwise((("dropout", count),), 2 * count, 3 * count), kept=count)
    return tuple(p.nodes)


def embedding_backward(share: Share) -> tuple[Node, ...]:
    """Gradients of the tables: rows added into a table of 2 bytes, which is added to the main gradient."""
    p, model = Pass(), share.model
    width, hidden, thin = model.table_width, model.hidden, share.thin
    if model.dropout:
        count = thin * hidden
        p.then("dropout.back", Elementwise((("dropout", count),), 3 * count, 2 * count, backward=True))
    if model.embedding_norm:
        norm_backward(p, "embedding-norm", thin, hidden)
    sizes = {"positions": position_rows(model, share.sequence), "segments": model.token_types}
    for name in _tables(share):
        _rows_backward(p, name, thin, hidden, sizes[name])
    if model.embedding_width:
        whole_backward(p, share, "widen", tokens=thin, n=hidden, k=width)
    if share.scattered:
        p.then("tokens.gather", Collective(Pattern.ALL_GATHER, Group.TENSOR, 2 * share.tokens * width))
    _rows_backward(p, "tokens", share.tokens, width, share.vocab)
    return tuple(p.nodes)


def head_forward(share: Share) -> tuple[Node, ...]:
    """From the last block's result to logits of this rank's part of the vocabulary."""
    p, model = Pass(), share.model
    hidden, thin = model.hidden, share.thin
    if model.final_norm:
        norm_forward(p, "final-norm", thin, hidden)
    kept = 2 * thin * hidden
    if model.sentence_head:
        p.then("pooler", Contraction(1, share.sequences, hidden, hidden), kept=4 * share.sequences * hidden)
        p.at = ("final-norm",) if model.final_norm else ()
    if model.transform_head:
        count = thin * hidden
        whole_forward(p, share, "transform", tokens=thin, n=hidden, k=hidden, kept=kept)
        functions = tuple((name, count) for name in FORWARD[model.activation])
        p.then("transform-activation", Elementwise(functions, 2 * count, 2 * count), kept=2 * count)
        norm_forward(p, "transform-norm", thin, hidden)
    if model.embedding_width:
        whole_forward(p, share, "narrow", tokens=thin, n=model.table_width, k=hidden, kept=kept)
    width = model.table_width
    column_forward(p, share, "logits", n=share.vocab, k=width, kept=2 * thin * width)
    if model.capped:
        count = share.tokens * share.vocab
        work = Elementwise((("multiply", 2 * count), ("tanh", count)), 2 * count, 2 * count)
        p.then("cap", work, kept=2 * count)
    return tuple(p.nodes)


def head_backward(share: Share) -> tuple[Node, ...]:
    """From the logits' gradient to that of the last block's result."""
    p, model = Pass(), share.model
    hidden, thin = model.hidden, share.thin
    if model.capped:
        count = share.tokens * share.vocab
        p.then("cap.back", Elementwise((("multiply", 2 * count),), 4 * count, 2 * count, backward=True))
    column_backward(p, share, "logits", n=share.vocab, k=model.table_width, bias=model.head_bias)
    if model.embedding_width:
        whole_backward(p, share, "narrow", tokens=thin, n=model.table_width, k=hidden)
    if model.transform_head:
        count = thin * hidden
        norm_backward(p, "transform-norm", thin, hidden)
        functions = tuple((name, count) for name in BACKWARD[model.activation])
        p.then("transform-activation.back", Elementwise(functions, 4 * count, 2 * count, backward=True))
        bias_gradient(p, "transform.bias", thin, hidden)
        whole_backward(p, share, "transform", tokens=thin, n=hidden, k=hidden)
    if model.sentence_head:
        p.beside("pooler.input", Contraction(1, share.sequences, hidden, hidden), needs=())
        p.beside("pooler.weight", weight_gradient(share, hidden, hidden, share.sequences), needs=())
    if model.final_norm:
        norm_backward(p, "final-norm", thin, hidden)
    return tuple(p.nodes)


def loss_forward(share: Share) -> tuple[Node, ...]:
    """Cross entropy over logits that ranks share, in 4 bytes; each pass over the logits is a kernel (Megatron-LM)."""
    p, rows = Pass(), share.tokens
    count = rows * share.vocab
    p.then("cast", Elementwise((("add", count),), 2 * count, 4 * count))
    p.then("largest", Elementwise((("compare", count),), 4 * count, 4 * rows))
    _reduce_rows(p, share, "largest.reduce")
    p.then("shift", Elementwise((("add", count),), 4 * count, 4 * count))
    shifted = p.at
    p.then("target", Lookup(rows, 1, 12 * rows, 4 * rows))
    _reduce_rows(p, share, "target.reduce")
    target = p.at
    p.then("exponential", Elementwise((("exp", count),), 4 * count, 4 * count), needs=shifted)
    p.then("sum", Elementwise((("add", count),), 4 * count, 4 * rows))
    _reduce_rows(p, share, "sum.reduce")
    total = p.at
    p.then("probabilities", Elementwise((("divide", count),), 4 * count, 4 * count), kept=4 * count)
    p.then("loss", Elementwise((("exp", rows), ("add", rows)), 8 * rows, 4 * rows), needs=(*total, *target))
    return tuple(p.nodes)


def loss_backward(share: Share) -> tuple[Node, ...]:
    """Probabilities less one at the target, times the loss's gradient, cast to 2 bytes."""
    p, rows = Pass(), share.tokens
    count = rows * share.vocab
    p.then("target.back", Lookup(rows, 1, 12 * rows, 4 * rows))
    p.then("loss.back", Elementwise((("multiply", count),), 4 * count, 4 * count, backward=True))
    p.then("cast.back", Elementwise((("add", count),), 4 * count, 2 * count, backward=True))
    return tuple(p.nodes)


def _reduce_rows(p: Pass, share: Share, name: str) -> None:
    if share.tensor > 1:
        p.then(name, Collective(Pattern.ALL_REDUCE, Group.TENSOR, 4 * share.tokens))


def _tables(share: Share) -> tuple[str, ...]:
    """Tables beside that of tokens."""
    learned = share.model.positions is Positions.LEARNED
    return ("positions",) * learned + ("segments",) * bool(share.model.token_types)


def _rows_backward(p: Pass, name: str, rows: int, width: int, table: int) -> None:
    p.beside(f"{name}.weight", Lookup(rows, width, 2 * rows * width, 2 * (rows + table) * width))
    count = table * width
    work = Elementwise((("add", count),), (2 + GRADIENT_BYTES) * count, GRADIENT_BYTES * count, backward=True)
    p.beside(f"{name}.main-gradient", work, needs=(f"{name}.weight",))
