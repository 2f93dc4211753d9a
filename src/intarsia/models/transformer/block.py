"""One block: attention and a feed-forward part, each a branch from the stream and back into it."""

from __future__ import annotations

from intarsia.graph import Collective, Elementwise, Group, Node, Pattern
from intarsia.models.transformer.attention import attention_backward, attention_forward
from intarsia.models.transformer.experts import experts_backward, experts_forward
from intarsia.models.transformer.feed import feed_backward, feed_forward
from intarsia.models.transformer.linear import reduce
from intarsia.models.transformer.passes import Names, Pass
from intarsia.models.transformer.share import Share
from intarsia.models.transformer.stream import add_backward, add_forward, join_backward, norm_backward, norm_forward


def block_forward(share: Share, *, sparse: bool) -> tuple[Node, ...]:
    """The kernels of a block's forward pass."""
    p = Pass()
    if share.model.parallel:
        _parallel_forward(p, share)
    else:
        _branch_forward(p, share, "attention", sparse=sparse)
        _branch_forward(p, share, "feed", sparse=sparse)
    return tuple(p.nodes)


def block_backward(share: Share, *, sparse: bool) -> tuple[Node, ...]:
    """The kernels of its backward pass."""
    p = Pass()
    if share.model.parallel:
        _parallel_backward(p, share)
    else:
        _branch_backward(p, share, "feed", sparse=sparse)
        _branch_backward(p, share, "attention", sparse=sparse)
    return tuple(p.nodes)


def _branch_forward(p: Pass, share: Share, name: str, *, sparse: bool) -> None:
    model, stream = share.model, p.at
    if not model.post_norm:
        norm_forward(p, f"{name}-norm", share.thin, model.hidden)
    if name == "attention":
        attention_forward(p, share)
    elif sparse and model.experts:
        experts_forward(p, share, model.experts)
    else:
        feed_forward(p, share, model.ffn // share.tensor)
    if model.branch_norms:
        norm_forward(p, f"{name}-end-norm", share.thin, model.hidden)
    add_forward(p, share, f"{name}-add", stream, bias=_biased(share, name))
    if model.post_norm:
        norm_forward(p, f"{name}-norm", share.thin, model.hidden)


def _branch_backward(p: Pass, share: Share, name: str, *, sparse: bool) -> None:
    model = share.model
    if model.post_norm:
        norm_backward(p, f"{name}-norm", share.thin, model.hidden)
    stream = p.at
    add_backward(p, share, f"{name}-add", bias=_biased(share, name))
    if model.branch_norms:
        norm_backward(p, f"{name}-end-norm", share.thin, model.hidden)
    if name == "attention":
        attention_backward(p, share)
    elif sparse and model.experts:
        experts_backward(p, share, model.experts)
    else:
        feed_backward(p, share, model.ffn // share.tensor)
    if not model.post_norm:
        norm_backward(p, f"{name}-norm", share.thin, model.hidden)
    join_backward(p, share, f"{name}-join", stream)


def _biased(share: Share, name: str) -> bool:
    return share.model.projection_bias if name == "attention" else share.model.ffn_bias


def _parallel_forward(p: Pass, share: Share) -> None:
    """Both branches from the same tokens; their results are added before they are reduced, once."""
    model, shared = share.model, share.model.shared_norm
    norm_forward(p, "attention-norm", share.thin, model.hidden)
    normed: Names = p.at
    attention_forward(p, share, alone=False)
    attention = p.at
    p.at = normed
    if not shared:
        p.at = ()
        norm_forward(p, "feed-norm", share.thin, model.hidden, keeps=False)
    feed_forward(p, share, model.ffn // share.tensor, kept=0 if shared else -1, alone=False)
    _sum(p, share, "branches", (*attention, *p.at), share.tokens)
    reduce(p, share, "branches.reduce", model.hidden)
    add_forward(p, share, "add", (), bias=model.projection_bias or model.ffn_bias)


def _parallel_backward(p: Pass, share: Share) -> None:
    model = share.model
    add_backward(p, share, "add", bias=model.projection_bias or model.ffn_bias)
    if share.scattered:
        gather = Collective(Pattern.ALL_GATHER, Group.TENSOR, 2 * share.tokens * model.hidden)
        p.then("branches.gather-gradient", gather)
    begin = p.at
    feed_backward(p, share, model.ffn // share.tensor, alone=False)
    if not model.shared_norm:
        norm_backward(p, "feed-norm", share.thin, model.hidden)
    feed = p.at
    p.at = begin
    attention_backward(p, share, alone=False)
    if model.shared_norm:
        _sum(p, share, "branches.join", (*feed, *p.at), share.thin, backward=True)
        norm_backward(p, "attention-norm", share.thin, model.hidden)
        join_backward(p, share, "join", ())
        return
    norm_backward(p, "attention-norm", share.thin, model.hidden)
    _sum(p, share, "branches.join", (*feed, *p.at), share.thin, backward=True)
    join_backward(p, share, "join", ())


def _sum(p: Pass, share: Share, name: str, needs: Names, tokens: int, *, backward: bool = False) -> None:
    count = tokens * share.model.hidden
    p.then(name, Elementwise((("add", count),), 4 * count, 2 * count, backward), needs=needs)
